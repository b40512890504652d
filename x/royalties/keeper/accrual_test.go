// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/domain/split"
	"github.com/gpucoord/gpucoord/x/royalties/types"
)

// share is one expected share: the asset, its payee and what he gets.
type share struct {
	asset, payee string
	amount       uint64
}

// waterfallCase is work on model "m" with adapter "x" (if there is one) and its parents "p1" and "p2". All numbers were
// worked out by hand.
type waterfallCase struct {
	base       uint64 // bps of m, whose payee is "lab"
	earning    bool
	noAdapter  bool
	adapter    uint64 // bps of x
	payees     []types.Payee
	p1, p2     uint64 // bps of the parents: p1 pays "d", p2 pays "a" and "e" half each; 0 means that x does not have it
	amount     uint64
	takeBps    uint64
	take       uint64
	operator   uint64
	shares     []share
	claimables map[string]uint64
}

func waterfallCases() map[string]waterfallCase {
	ab := payees("a", 7_000, "b", 3_000)
	return map[string]waterfallCase{
		"all earn, a is paid twice": {
			base: 500, earning: true, adapter: 1_000, payees: ab, p1: 300, p2: 200,
			amount: 1_000_000, takeBps: 1_000, take: 100_000, operator: 700_000,
			shares: []share{
				{"x", "a", 70_000},
				{"x", "b", 30_000},
				{"m", "lab", 50_000},
				{"p1", "d", 30_000},
				{"p2", "a", 10_000},
				{"p2", "e", 10_000},
			},
			claimables: map[string]uint64{"a": 80_000, "b": 30_000, "lab": 50_000, "d": 30_000, "e": 10_000},
		},
		"a base that does not earn joins the adapter": {
			base: 500, adapter: 1_000, payees: ab, p1: 300, p2: 200,
			amount: 1_000_000, takeBps: 1_000, take: 100_000, operator: 700_000,
			shares: []share{
				{"x", "a", 105_000},
				{"x", "b", 45_000},
				{"p1", "d", 30_000},
				{"p2", "a", 10_000},
				{"p2", "e", 10_000},
			},
			claimables: map[string]uint64{"a": 115_000, "b": 45_000, "lab": 0, "d": 30_000, "e": 10_000},
		},
		// 2000 + 1500 + 500 are cut to 1500 + 1125 + 375; 10001 * 30 % = 3000.3. The adapter's 1500 are 499.95 and 1000.05.
		"the cap cuts in proportion": {
			base: 1_500, earning: true, adapter: 2_000, payees: payees("a", 3_333, "b", 6_667), p1: 500,
			amount: 10_001, takeBps: 1_000, take: 1_000, operator: 6_001,
			shares:     []share{{"x", "a", 500}, {"x", "b", 1_000}, {"m", "lab", 1_125}, {"p1", "d", 375}},
			claimables: map[string]uint64{"a": 500, "b": 1_000, "lab": 1_125, "d": 375},
		},
		// 19 * 20 % = 3.8: three units for two equal rates, the nearer asset has the odd one.
		"dust": {
			base: 1_000, earning: true, adapter: 1_000, payees: payees("a", 5_000, "b", 5_000),
			amount: 19, takeBps: 1_000, take: 1, operator: 15,
			shares:     []share{{"x", "a", 1}, {"x", "b", 1}, {"m", "lab", 1}},
			claimables: map[string]uint64{"a": 1, "b": 1, "lab": 1},
		},
		// One unit of royalty: the payee who gets nothing has no share.
		"no share of nothing": {
			adapter: 1_000, payees: payees("a", 4_000, "b", 6_000),
			amount: 10, takeBps: 0, operator: 9,
			shares:     []share{{"x", "b", 1}},
			claimables: map[string]uint64{"a": 0, "b": 1},
		},
		"a payee named twice": {
			adapter: 1_000, payees: payees("a", 5_000, "b", 2_000, "a", 3_000),
			amount: 1_000, takeBps: 1_000, take: 100, operator: 800,
			shares:     []share{{"x", "a", 50}, {"x", "b", 20}, {"x", "a", 30}},
			claimables: map[string]uint64{"a": 80, "b": 20},
		},
		"base alone": {
			base: 700, earning: true, noAdapter: true,
			amount: 2_000, takeBps: 1_000, take: 200, operator: 1_660,
			shares:     []share{{"m", "lab", 140}},
			claimables: map[string]uint64{"lab": 140},
		},
		"a base alone that does not earn leaves it to the operator": {
			base: 700, noAdapter: true,
			amount: 2_000, takeBps: 1_000, take: 200, operator: 1_800,
		},
		"a free adapter with payees gets the base's rate": {
			base: 700, adapter: 0, payees: ab,
			amount: 1_000, takeBps: 1_000, take: 100, operator: 830,
			shares:     []share{{"x", "a", 49}, {"x", "b", 21}},
			claimables: map[string]uint64{"a": 49, "b": 21},
		},
		"a free adapter without payees leaves it to the operator": {
			base: 700, adapter: 0,
			amount: 1_000, takeBps: 1_000, take: 100, operator: 900,
		},
		"a free adapter without payees under a base that earns": {
			base: 700, earning: true, adapter: 0,
			amount: 1_000, takeBps: 1_000, take: 100, operator: 830,
			shares:     []share{{"m", "lab", 70}},
			claimables: map[string]uint64{"lab": 70},
		},
		"the take goes first": {
			adapter: 2_000, payees: ab,
			amount: 1_000, takeBps: 9_000, take: 900, operator: 0,
			shares:     []share{{"x", "a", 70}, {"x", "b", 30}},
			claimables: map[string]uint64{"a": 70, "b": 30},
		},
	}
}

// setUp registers the assets of the case and returns the price of work in epoch 9.
func (c *waterfallCase) setUp(t *testing.T, f *fixture) types.Pricing {
	t.Helper()
	f.register(t, base("m", c.base))
	if c.earning {
		require.NoError(t, f.propose("lab", "m"))
		f.forward(10)
		require.NoError(t, f.decide("arbiter", "m", true))
	}
	var adapterID [32]byte
	if !c.noAdapter {
		var parents []string
		if c.p1 > 0 {
			f.register(t, adapter("p1", "m", c.p1, payees("d", 10_000)))
			parents = append(parents, "p1")
		}
		if c.p2 > 0 {
			f.register(t, adapter("p2", "m", c.p2, payees("a", 5_000, "e", 5_000)))
			parents = append(parents, "p2")
		}
		f.register(t, adapter("x", "m", c.adapter, c.payees, parents...))
		adapterID = assetID("x")
	}
	pricing, err := f.k.TermsFor(f.ctx, assetID("m"), adapterID, 9)
	require.NoError(t, err)
	return pricing
}

func TestAccrue(t *testing.T) {
	for name, c := range waterfallCases() {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			pricing := c.setUp(t, f)
			w, err := pricing.Waterfall(c.amount, c.takeBps)
			require.NoError(t, err)
			require.Equal(t, c.take, w.Take)
			require.Equal(t, c.operator, w.Operator)
			require.Equal(t, c.amount-c.take-c.operator, w.Royalty)

			events := len(f.ctx.EventManager().Events())
			require.NoError(t, f.k.Accrue(f.ctx, 77, due(3, pricing, w)))
			f.bank.fund(w.Royalty)
			require.NoError(t, f.k.CheckInvariants(f.ctx))
			if len(c.shares) == 0 {
				require.Len(t, f.ctx.EventManager().Events(), events, "nothing accrued, nothing to tell")
				return
			}
			require.Len(t, f.ctx.EventManager().Events(), events+1)
			f.lastEvent(t, c.event(w.Royalty))
			for payee, want := range c.claimables {
				require.Equal(t, want, f.claimable(t, payee), payee)
			}
		})
	}
}

// due is one group's royalty.
func due(group uint32, pricing types.Pricing, w split.Waterfall) []types.GroupDue {
	return []types.GroupDue{{Group: group, Pricing: pricing, Waterfall: w}}
}

// event is what the case emits, with the totals after it, from nothing.
func (c *waterfallCase) event(royalty uint64) *types.EventRoyaltiesAccrued {
	group := types.GroupRoyalty{Group: 3, TotalUusdc: royalty}
	event := &types.EventRoyaltiesAccrued{BatchId: 77, TotalUusdc: royalty}
	listed := map[string]bool{}
	for _, s := range c.shares {
		id := assetID(s.asset)
		group.Shares = append(group.Shares, types.PayeeShare{Payee: addr(s.payee), AssetId: id[:], AmountUusdc: s.amount})
		if !listed[s.payee] {
			event.Payees = append(event.Payees, types.PayeeClaimable{Payee: addr(s.payee), ClaimableUusdc: c.claimables[s.payee]})
		}
		listed[s.payee] = true
	}
	event.Groups = []types.GroupRoyalty{group}
	return event
}

// The groups of one batch are one event: a group that owes nothing is left out, and each payee's total is that after all of them.
func TestAccrueManyGroups(t *testing.T) {
	f := newFixture(t)
	f.register(t, base("m", 0))
	f.register(t, adapter("x", "m", 1_000, payees("a", 7_000, "b", 3_000)))
	f.register(t, adapter("y", "m", 2_000, payees("b", 10_000)))
	var dues []types.GroupDue
	for i, g := range []struct {
		adapter string
		amount  uint64
	}{{"x", 1_000}, {"x", 1}, {"y", 500}, {"x", 2_000}} {
		pricing, err := f.k.TermsFor(f.ctx, assetID("m"), assetID(g.adapter), 9)
		require.NoError(t, err)
		w, err := pricing.Waterfall(g.amount, 1_000)
		require.NoError(t, err)
		dues = append(dues, due(uint32(i), pricing, w)...)
	}
	require.NoError(t, f.k.Accrue(f.ctx, 5, dues))
	f.bank.fund(100 + 100 + 200)
	require.NoError(t, f.k.CheckInvariants(f.ctx))

	x, y := assetID("x"), assetID("y")
	f.lastEvent(t, &types.EventRoyaltiesAccrued{
		BatchId: 5, TotalUusdc: 400,
		Groups: []types.GroupRoyalty{
			{Group: 0, TotalUusdc: 100, Shares: []types.PayeeShare{
				{Payee: addr("a"), AssetId: x[:], AmountUusdc: 70}, {Payee: addr("b"), AssetId: x[:], AmountUusdc: 30},
			}},
			{Group: 2, TotalUusdc: 100, Shares: []types.PayeeShare{{Payee: addr("b"), AssetId: y[:], AmountUusdc: 100}}},
			{Group: 3, TotalUusdc: 200, Shares: []types.PayeeShare{
				{Payee: addr("a"), AssetId: x[:], AmountUusdc: 140}, {Payee: addr("b"), AssetId: x[:], AmountUusdc: 60},
			}},
		},
		Payees: []types.PayeeClaimable{{Payee: addr("a"), ClaimableUusdc: 210}, {Payee: addr("b"), ClaimableUusdc: 190}},
	})
	require.Equal(t, uint64(300), f.asset(t, x).LifetimeUusdc)
	require.Equal(t, uint64(100), f.asset(t, y).LifetimeUusdc)
}

// A group that does not add up undoes the others of its batch.
func TestAccrueAllOrNothing(t *testing.T) {
	f := newFixture(t)
	c := waterfallCases()["all earn, a is paid twice"]
	pricing := c.setUp(t, f)
	good, err := pricing.Waterfall(c.amount, c.takeBps)
	require.NoError(t, err)
	bad := good
	bad.Royalty++
	f.refused(t, types.ErrBadAccrual, func() error {
		return f.k.Accrue(f.ctx, 1, append(due(0, pricing, good), due(1, pricing, bad)...))
	})
}

func TestAccrueAddsUp(t *testing.T) {
	f := newFixture(t)
	c := waterfallCases()["all earn, a is paid twice"]
	pricing := c.setUp(t, f)
	w, err := pricing.Waterfall(c.amount, c.takeBps)
	require.NoError(t, err)
	for batch := range uint64(3) {
		require.NoError(t, f.k.Accrue(f.ctx, batch, due(0, pricing, w)))
		f.bank.fund(w.Royalty)
	}
	require.NoError(t, f.k.CheckInvariants(f.ctx))
	require.Equal(t, uint64(240_000), f.claimable(t, "a"))
	require.Equal(t, uint64(300_000), f.asset(t, assetID("x")).LifetimeUusdc)
	require.Equal(t, uint64(150_000), f.asset(t, assetID("m")).LifetimeUusdc)
	require.Equal(t, uint64(90_000), f.asset(t, assetID("p1")).LifetimeUusdc)
	require.Equal(t, uint64(60_000), f.asset(t, assetID("p2")).LifetimeUusdc)
}

func TestAccrueRefusesWhatDoesNotAddUp(t *testing.T) {
	for name, spoil := range map[string]func(*split.Waterfall){
		"royalty too small":      func(w *split.Waterfall) { w.Royalty-- },
		"royalty too large":      func(w *split.Waterfall) { w.Royalty++ },
		"royalty of nothing":     func(w *split.Waterfall) { w.Royalty = 0 },
		"no adapter":             func(w *split.Waterfall) { w.Adapter = nil },
		"no base":                func(w *split.Waterfall) { w.Base = nil },
		"a parent less":          func(w *split.Waterfall) { w.Parents = w.Parents[:1] },
		"a payee less":           func(w *split.Waterfall) { w.Adapter.Payees = w.Adapter.Payees[:1] },
		"payees get too much":    func(w *split.Waterfall) { w.Adapter.Payees[0]++ },
		"shares get too much":    func(w *split.Waterfall) { w.Adapter.Payees[0]++; w.Adapter.Amount++ },
		"the sum wraps":          func(w *split.Waterfall) { w.Adapter.Payees[0] += math.MaxUint64 },
		"an amount without heir": func(w *split.Waterfall) { w.Base.Payees = nil },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			c := waterfallCases()["all earn, a is paid twice"]
			pricing := c.setUp(t, f)
			w, err := pricing.Waterfall(c.amount, c.takeBps)
			require.NoError(t, err)
			spoil(&w)
			f.refused(t, types.ErrBadAccrual, func() error { return f.k.Accrue(f.ctx, 1, due(0, pricing, w)) })
		})
	}
}

func TestAccrueOverflowWritesNothing(t *testing.T) {
	f := newFixture(t)
	c := waterfallCase{adapter: 3_000, payees: payees("a", 5_000, "b", 5_000)}
	pricing := c.setUp(t, f)
	w, err := pricing.Waterfall(math.MaxUint64, 0)
	require.NoError(t, err)
	for batch := range uint64(3) {
		require.NoError(t, f.k.Accrue(f.ctx, batch, due(0, pricing, w))) // 30 % each
	}
	f.refused(t, types.ErrOverflow, func() error { return f.k.Accrue(f.ctx, 3, due(0, pricing, w)) })
}

func TestWaterfallRefusesTakeAboveTheWhole(t *testing.T) {
	pricing := types.Pricing{RoyaltyCapBps: 3_000, Base: &types.AssetTerms{}}
	_, err := pricing.Waterfall(1_000, 10_001)
	require.ErrorIs(t, err, split.ErrBadBps)
}

func TestClaim(t *testing.T) {
	f := newFixture(t)
	params := types.DefaultParams()
	params.MinClaimUusdc, params.Arbiter = 80_001, addr("arbiter")
	require.NoError(t, f.k.UpdateParams(f.ctx, addr("governance"), params))
	c := waterfallCases()["all earn, a is paid twice"]
	pricing := c.setUp(t, f)
	w, err := pricing.Waterfall(c.amount, c.takeBps)
	require.NoError(t, err)
	accrue := func() {
		require.NoError(t, f.k.Accrue(f.ctx, 1, due(0, pricing, w)))
		f.bank.fund(w.Royalty)
	}
	claim := func(name string) (*types.MsgClaimResponse, error) {
		return f.msgs.Claim(f.ctx, &types.MsgClaim{Payee: addr(name)})
	}
	refuse := func(name string, want error) {
		f.refused(t, want, func() error { _, err := claim(name); return err })
	}
	accrue()
	refuse("a", types.ErrBelowMinClaim)
	refuse("stranger", types.ErrBelowMinClaim)
	accrue()
	f.bank.err = errBank
	cached, _ := f.ctx.CacheContext()
	_, err = f.msgs.Claim(cached, &types.MsgClaim{Payee: addr("a")})
	require.ErrorIs(t, err, errBank)
	f.bank.err = nil

	resp, err := claim("a")
	require.NoError(t, err)
	require.Equal(t, uint64(160_000), resp.AmountUusdc)
	f.lastEvent(t, &types.EventRoyaltiesClaimed{Payee: addr("a"), AmountUusdc: 160_000})
	require.Equal(t, uint64(160_000), f.bank.balances[string(rawAddr("a"))])
	require.Zero(t, f.claimable(t, "a"))
	require.Equal(t, uint64(60_000), f.claimable(t, "b"))
	require.NoError(t, f.k.CheckInvariants(f.ctx))
	refuse("a", types.ErrBelowMinClaim)

	accrue()
	accrual, err := f.query.Accrual(f.ctx, &types.QueryAccrualRequest{Payee: addr("a")})
	require.NoError(t, err)
	require.Equal(t, types.Accrual{Payee: addr("a"), ClaimableUusdc: 80_000, LifetimeUusdc: 240_000}, accrual.Accrual)
	require.NoError(t, f.k.CheckInvariants(f.ctx))
}

func TestInvariantsFindMissingMoney(t *testing.T) {
	f := newFixture(t)
	c := waterfallCases()["base alone"]
	pricing := c.setUp(t, f)
	w, err := pricing.Waterfall(c.amount, c.takeBps)
	require.NoError(t, err)
	require.NoError(t, f.k.Accrue(f.ctx, 1, due(0, pricing, w)))
	f.bank.fund(w.Royalty - 1)
	require.ErrorContains(t, f.k.CheckInvariants(f.ctx), "holds 139uusdc and owes 140")
}
