// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// prober registers a prober of that bond.
func (f *fixture) prober(t *testing.T, name string, bond uint64) {
	t.Helper()
	if _, has := f.bank.balances[string(raw(name))]; !has {
		f.bank.balances[string(raw(name))] = purse
	}
	_, err := f.msgs.RegisterProber(f.ctx, &types.MsgRegisterProber{Prober: addr(name), Moniker: name, BondUltai: bond})
	require.NoError(t, err)
}

// row is what an honest prober sees of a host, told apart by its number.
func row(host []byte, n uint32) types.ProbeRow {
	return types.ProbeRow{HostId: host, UpPpm: 900_000 + n, ModelsAnswered: 1, ModelsListed: 2, TtftMs: 300 + n, TokensS: 50 + n}
}

// probed is a fixture with two hosts of alice and one of bob, and seven probers that are drawn for epoch 1, which begins at height 21.
func probed(t *testing.T) (f *fixture, hosts [][]byte) {
	t.Helper()
	f = newFixture(t)
	f.operator(t, "alice", 1_000_000)
	f.operator(t, "bob", 1_000_000)
	hosts = [][]byte{f.host(t, "alice", "a"), f.host(t, "alice", "a2"), f.host(t, "bob", "b")}
	for i := range 7 {
		f.prober(t, proberName(i), 10_000_000)
	}
	f.bank.uusdc[string(authtypes.NewModuleAddress(types.ProbersPool))] = 1_000_000
	f.begin(t, 21)
	f.end(t)
	return f, hosts
}

func proberName(i int) string { return fmt.Sprintf("p%d", i) }

func (f *fixture) commitRows(t *testing.T, name string, epoch uint64, rows ...types.ProbeRow) {
	t.Helper()
	domain, err := f.k.ReceiptDomain(f.ctx)
	require.NoError(t, err)
	commitment := types.ProbeCommitment(domain.Salt(), epoch, [20]byte(raw(name)), salt, rows)
	_, err = f.msgs.CommitObservations(f.ctx, &types.MsgCommitObservations{Prober: addr(name), Epoch: epoch, Commitment: commitment[:]})
	require.NoError(t, err)
}

func (f *fixture) revealRows(t *testing.T, name string, epoch uint64, rows ...types.ProbeRow) bool {
	t.Helper()
	msg := &types.MsgRevealObservations{Prober: addr(name), Epoch: epoch, Salt: salt[:], Rows: rows}
	require.NoError(t, msg.ValidateBasic())
	resp, err := f.msgs.RevealObservations(f.ctx, msg)
	require.NoError(t, err)
	return resp.Copied
}

func (f *fixture) availability(t *testing.T, operator string, epoch uint64) types.Availability {
	t.Helper()
	a, err := f.k.Availability(f.ctx, raw(operator), epoch)
	require.NoError(t, err)
	return a
}

func (f *fixture) proberOf(t *testing.T, name string) types.Prober {
	t.Helper()
	p, err := f.k.Prober(f.ctx, raw(name))
	require.NoError(t, err)
	return p
}

// alignPanels makes the panels that are concluded due in one block, which is returned.
func (f *fixture) alignPanels(t *testing.T) int64 {
	t.Helper()
	gs, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	var last uint64
	for _, d := range gs.Deadlines {
		if d.Kind == types.DeadlineKind_DEADLINE_KIND_PANEL {
			last = max(last, d.At)
		}
	}
	for i := range gs.Deadlines {
		if gs.Deadlines[i].Kind == types.DeadlineKind_DEADLINE_KIND_PANEL {
			gs.Deadlines[i].At = last
		}
	}
	other := emptyFixture(t)
	other.ctx = other.ctx.WithBlockHeight(f.ctx.BlockHeight() + 1)
	other.bank.balances = f.bank.balances
	require.NoError(t, other.k.InitGenesis(other.ctx, gs))
	other.ctx = f.ctx.WithMultiStore(other.ctx.MultiStore())
	*f = *other
	return int64(last) //nolint:gosec // a height
}

func TestEmptyPanelMeansStandIn(t *testing.T) {
	f := newFixture(t)
	f.operator(t, "alice", 1_000_000)
	f.begin(t, 21)
	f.end(t)
	_, err := f.k.Panel(f.ctx, 1)
	require.ErrorIs(t, err, types.ErrUnknownPanel)
	require.Equal(t, types.Availability{Unmeasured: true}, f.availability(t, "alice", 1))
}

func TestProberMessages(t *testing.T) {
	f := newFixture(t)
	for name, c := range map[string]struct {
		want error
		msg  types.MsgRegisterProber
	}{
		"bond too low":    {types.ErrBondTooLow, types.MsgRegisterProber{Prober: addr("carol"), Moniker: "c", BondUltai: 9_999_999}},
		"no such account": {types.ErrInvalidAddress, types.MsgRegisterProber{Prober: "carol", Moniker: "c", BondUltai: 10_000_000}},
		"no money":        {errBank, types.MsgRegisterProber{Prober: addr("carol"), Moniker: "c", BondUltai: purse + 1}},
	} {
		t.Run(name, func(t *testing.T) {
			f.refused(t, c.want, func(ctx context.Context) error {
				cached, _ := f.ctx.CacheContext()
				_ = ctx
				_, err := f.msgs.RegisterProber(cached, &c.msg)
				return err
			})
		})
	}
	f.prober(t, "carol", 10_000_000)
	f.prober(t, "carol", 1)
	f.prober(t, "dave", 20_000_000)
	require.EqualValues(t, 10_000_001, f.proberOf(t, "carol").BondUltai)
	require.EqualValues(t, 30_000_001, f.bank.of(types.ModuleName))
	resp, err := f.msgs.UnbondProber(f.ctx, &types.MsgUnbondProber{Prober: addr("carol")})
	require.NoError(t, err)
	require.EqualValues(t, 201, resp.ReleaseHeight)
	require.EqualValues(t, 1, f.proberOf(t, "dave").Slot, "the last one fills the gap")
	require.Zero(t, f.proberOf(t, "carol").Slot)
	f.refused(t, types.ErrProberStatus, func(ctx context.Context) error {
		_, err := f.msgs.UnbondProber(ctx, &types.MsgUnbondProber{Prober: addr("carol")})
		return err
	})
	f.refused(t, types.ErrUnknownProber, func(ctx context.Context) error {
		_, err := f.msgs.UnbondProber(ctx, &types.MsgUnbondProber{Prober: addr("erin")})
		return err
	})
	f.end(t)
	f.begin(t, 201)
	f.end(t)
	require.EqualValues(t, purse, f.bank.balances[string(raw("carol"))])
	_, err = f.k.Prober(f.ctx, raw("carol"))
	require.ErrorIs(t, err, types.ErrUnknownProber)
}

// The tree of bonds draws nobody twice, nobody without a bond, and keeps its sums while probers come and go.
func TestPanelIsDrawnOverWhoeverIsThere(t *testing.T) {
	f := newFixture(t)
	for i := range 20 {
		f.prober(t, proberName(i), 10_000_000+uint64(i)*1_000_003) //nolint:gosec // positive
	}
	gone := map[string]bool{}
	for _, i := range []int{3, 19, 0, 7} {
		_, err := f.msgs.UnbondProber(f.ctx, &types.MsgUnbondProber{Prober: addr(proberName(i))})
		require.NoError(t, err)
		gone[addr(proberName(i))] = true
		require.NoError(t, f.k.CheckInvariants(f.ctx))
	}
	seen := map[string]bool{}
	for e := uint64(1); e <= 8; e++ {
		f.begin(t, int64(1+20*e)) //nolint:gosec // a height
		p, err := f.k.Panel(f.ctx, e)
		require.NoError(t, err)
		require.Len(t, p.Seats, 7)
		once := map[string]bool{}
		for _, seat := range p.Seats {
			require.False(t, gone[seat.Prober])
			require.False(t, once[seat.Prober])
			once[seat.Prober], seen[seat.Prober] = true, true
		}
	}
	require.Greater(t, len(seen), 7, "panels change")
	require.NoError(t, f.k.CheckInvariants(f.ctx))
}

func TestMediansAtQuorum(t *testing.T) {
	f, hosts := probed(t)
	a, a2, b := hosts[0], hosts[1], hosts[2]
	f.begin(t, 30)
	for i := range 5 {
		rows := sortedRows(row(a, uint32(i)), row(b, uint32(10*i))) //nolint:gosec // small
		if i < 3 {
			rows = sortedRows(append(rows, row(a2, 7))...)
		}
		f.commitRows(t, proberName(i), 1, rows...)
	}
	f.begin(t, 45)
	for i := range 5 {
		rows := sortedRows(row(a, uint32(i)), row(b, uint32(10*i))) //nolint:gosec // small
		if i < 3 {
			rows = sortedRows(append(rows, row(a2, 7))...)
		}
		require.False(t, f.revealRows(t, proberName(i), 1, rows...))
	}
	f.end(t)
	require.Equal(t, types.Availability{Unmeasured: true}, f.availability(t, "alice", 1), "not before the panel concludes")
	f.begin(t, 52)
	f.end(t)
	// Of alice's hosts only the first has four observations.
	want := types.Availability{UpPPM: 900_002, AvPPM: 500_000, P95TTFTMs: 302, Conclusive: true, FromEpoch: 1}
	require.Equal(t, want, f.availability(t, "alice", 1))
	want.UpPPM, want.P95TTFTMs = 900_020, 320
	require.Equal(t, want, f.availability(t, "bob", 1))
	require.Equal(t, want, f.availability(t, "bob", 8), "seven epochs later it still counts")
	require.Equal(t, types.Availability{}, f.availability(t, "bob", 9))
	require.Equal(t, types.Availability{Unmeasured: true}, f.availability(t, "bob", 0))
	// Two rows counted of each; a2's did not.
	for i := range 5 {
		require.EqualValues(t, 2_000, f.bank.uusdc[string(raw(proberName(i)))])
		require.Zero(t, f.proberOf(t, proberName(i)).Absent)
	}
	require.EqualValues(t, 990_000, f.bank.uusdc[string(authtypes.NewModuleAddress(types.ProbersPool))])
	for i := 5; i < 7; i++ {
		require.EqualValues(t, 1, f.proberOf(t, proberName(i)).Absent)
		require.EqualValues(t, 10_000_000, f.proberOf(t, proberName(i)).BondUltai, "once is no fault")
	}
	resp, err := f.query.Availability(f.ctx, &types.QueryAvailabilityRequest{Epoch: 2, Operator: addr("bob")})
	require.NoError(t, err)
	require.Equal(t, types.QueryAvailabilityResponse{UpPpm: 900_020, AvPpm: 500_000, P95TtftMs: 320, Conclusive: true, FromEpoch: 1}, *resp)
}

// Three of seven cannot conclude anything.
func TestMinorityIsInconclusive(t *testing.T) {
	f, hosts := probed(t)
	f.begin(t, 30)
	for i := range 3 {
		f.commitRows(t, proberName(i), 1, row(hosts[0], 1))
	}
	f.begin(t, 45)
	for i := range 3 {
		f.revealRows(t, proberName(i), 1, row(hosts[0], 1))
	}
	f.begin(t, 52)
	f.end(t)
	require.Equal(t, types.Availability{Unmeasured: true}, f.availability(t, "alice", 1))
	require.Zero(t, f.bank.uusdc[string(raw("p0"))])
	gs, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Empty(t, gs.Observations)
}

// A pool that is short pays as far as it goes, and one whom bank refuses holds nobody up.
func TestPoolPaysAsFarAsItGoes(t *testing.T) {
	f, hosts := probed(t)
	pool := string(authtypes.NewModuleAddress(types.ProbersPool))
	f.bank.uusdc[pool], f.bank.refuses = 2_500, string(raw("p0"))
	f.begin(t, 30)
	for i := range 4 {
		f.commitRows(t, proberName(i), 1, row(hosts[0], uint32(i))) //nolint:gosec // small
	}
	f.begin(t, 45)
	for i := range 4 {
		f.revealRows(t, proberName(i), 1, row(hosts[0], uint32(i))) //nolint:gosec // small
	}
	f.begin(t, 52)
	f.end(t)
	var paid uint64
	for i := range 4 {
		paid += f.bank.uusdc[string(raw(proberName(i)))]
	}
	require.EqualValues(t, 2_500, paid)
	require.Zero(t, f.bank.uusdc[string(raw("p0"))])
	require.Zero(t, f.bank.uusdc[pool])
	require.True(t, f.availability(t, "alice", 1).Conclusive)
}

func TestWindowsAndBinding(t *testing.T) {
	f, hosts := probed(t)
	f.begin(t, 30)
	rows := []types.ProbeRow{row(hosts[0], 1)}
	f.commitRows(t, "p0", 1, rows...)
	p, err := f.k.Panel(f.ctx, 1)
	require.NoError(t, err)
	stolen := p.Seats
	reveal := func(name string, epoch uint64, rows []types.ProbeRow) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := f.msgs.RevealObservations(ctx, &types.MsgRevealObservations{Prober: addr(name), Epoch: epoch, Salt: salt[:], Rows: rows})
			return err
		}
	}
	commit := func(name string, epoch uint64, commitment []byte) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := f.msgs.CommitObservations(ctx, &types.MsgCommitObservations{Prober: addr(name), Epoch: epoch, Commitment: commitment})
			return err
		}
	}
	for _, seat := range stolen {
		if len(seat.Commitment) > 0 {
			require.NoError(t, commit("p1", 1, seat.Commitment)(f.ctx), "another's commitment says nothing")
		}
	}
	f.refused(t, types.ErrNotDrawn, commit("carol", 1, hash32("c")))
	f.refused(t, types.ErrUnknownPanel, commit("p0", 2, hash32("c")))
	f.begin(t, 44)
	f.refused(t, types.ErrProbeWindow, reveal("p0", 1, rows))
	f.begin(t, 45)
	f.refused(t, types.ErrProbeWindow, commit("p2", 1, hash32("c")))
	f.refused(t, types.ErrBadReveal, reveal("p1", 1, rows))
	f.refused(t, types.ErrBadReveal, reveal("p0", 1, []types.ProbeRow{row(hosts[0], 2)}))
	f.refused(t, types.ErrSeatState, reveal("p2", 1, rows))
	require.NoError(t, reveal("p0", 1, rows)(f.ctx))
	f.refused(t, types.ErrSeatState, reveal("p0", 1, rows))
	f.begin(t, 52)
	f.end(t)
	require.EqualValues(t, 9_900_000, f.proberOf(t, "p1").BondUltai, "it committed and could not reveal")
	require.EqualValues(t, 100_000, f.bank.of(types.InsuranceAccount))
	require.Zero(t, f.proberOf(t, "p1").Slot, "below the least bond it is drawn no more")
	f.prober(t, "p1", 100_000)
	require.NotZero(t, f.proberOf(t, "p1").Slot)
	f.begin(t, 53)
	f.refused(t, types.ErrProbeWindow, reveal("p3", 1, rows))
	f.end(t)
}

func TestAbsentTwiceInARowIsFined(t *testing.T) {
	f, _ := probed(t)
	f.begin(t, 41)
	f.begin(t, 52)
	f.end(t)
	require.EqualValues(t, 1, f.proberOf(t, "p4").Absent)
	f.begin(t, 72)
	f.end(t)
	for i := range 7 {
		p := f.proberOf(t, proberName(i))
		require.EqualValues(t, 9_900_000, p.BondUltai)
		require.EqualValues(t, 100_000, p.FinedUltai)
		require.Zero(t, p.Absent)
	}
	require.EqualValues(t, 700_000, f.bank.of(types.InsuranceAccount))
}

// More than copy_rows measured rows that equal another's are a copy; rows about hosts that are down are not.
func TestCopiesAreCountedOutAndFined(t *testing.T) {
	f, hosts := probed(t)
	for i := len(hosts); i < 20; i++ {
		hosts = append(hosts, f.host(t, "alice", fmt.Sprintf("extra%d", i)))
	}
	seen := func(n int, ttft uint32) []types.ProbeRow {
		rows := make([]types.ProbeRow, n)
		for i := range rows {
			rows[i] = types.ProbeRow{HostId: hosts[i], ModelsListed: 1, UpPpm: 1, TtftMs: ttft}
		}
		return sortedRows(rows...)
	}
	f.begin(t, 30)
	f.commitRows(t, "p0", 1, seen(17, 9)...)
	f.commitRows(t, "p1", 1, seen(16, 9)...)
	f.commitRows(t, "p2", 1, seen(17, 9)...)
	f.commitRows(t, "p3", 1, seen(20, 0)...)
	f.commitRows(t, "p4", 1, seen(20, 0)...)
	f.begin(t, 45)
	f.revealRows(t, "p0", 1, seen(17, 9)...)
	require.False(t, f.revealRows(t, "p1", 1, seen(16, 9)...))
	require.True(t, f.revealRows(t, "p2", 1, seen(17, 9)...))
	require.False(t, f.revealRows(t, "p3", 1, seen(20, 0)...))
	require.False(t, f.revealRows(t, "p4", 1, seen(20, 0)...))
	require.EqualValues(t, 9_900_000, f.proberOf(t, "p2").BondUltai)
	require.EqualValues(t, 10_000_000, f.proberOf(t, "p0").BondUltai)
	f.end(t)
	gs, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Len(t, gs.Observations, 17+16+20+20, "the copy's rows are no observations")
	f.params(t, func(p *types.Params) { p.MaxMediansPerBlock = 56 }) // 1792 / 56 = 32 blocks
	f.begin(t, 52)
	f.end(t)
	require.EqualValues(t, 9_900_000, f.proberOf(t, "p2").BondUltai, "once")
}

// Medians take as many blocks as their cap says, and results are forgotten in the same steps.
func TestMediansAreBoundedPerBlock(t *testing.T) {
	f, hosts := probed(t)
	f.params(t, func(p *types.Params) {
		p.ProbeCommitBlocks, p.ProbeRevealBlocks, p.MaxMediansPerBlock = 1, 1, 43 // 42 blocks of 44 - 2
	})
	for i := range 60 {
		hosts = append(hosts, f.host(t, "alice", fmt.Sprintf("extra%d", i)))
	}
	f.begin(t, 30)
	rows := make([]types.ProbeRow, len(hosts))
	for i := range hosts {
		rows[i] = types.ProbeRow{HostId: hosts[i], ModelsListed: 1, UpPpm: 5}
	}
	rows = sortedRows(rows...)
	for i := range 4 {
		f.commitRows(t, proberName(i), 1, rows...)
	}
	f.begin(t, 45)
	for i := range 4 {
		f.revealRows(t, proberName(i), 1, rows...)
	}
	f.begin(t, 52)
	f.end(t)
	gs, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Len(t, gs.Observations, 4*(len(hosts)-43))
	require.False(t, f.availability(t, "alice", 1).Conclusive)
	f.begin(t, 53)
	f.end(t)
	require.True(t, f.availability(t, "alice", 1).Conclusive)
	require.EqualValues(t, 63_000, f.bank.uusdc[string(raw("p0"))])
	// FinaliseLatest of epoch 8 and 16 epochs.
	at, err := types.DefaultParams().Schedule.ForgetPanelAt(1)
	require.NoError(t, err)
	require.EqualValues(t, 181+8+16+10+10+10+320, at)
	f.begin(t, int64(at)-1) //nolint:gosec // a height
	f.end(t)
	_, err = f.k.Panel(f.ctx, 1)
	require.NoError(t, err)
	f.begin(t, int64(at)) //nolint:gosec // a height
	f.end(t)
	_, err = f.k.Panel(f.ctx, 1)
	require.ErrorIs(t, err, types.ErrUnknownPanel)
}

func sortedRows(rows ...types.ProbeRow) []types.ProbeRow {
	sorted := make([]types.ProbeRow, len(rows))
	copy(sorted, rows)
	for i := range sorted {
		for j := i; j > 0 && string(sorted[j].HostId) < string(sorted[j-1].HostId); j-- {
			sorted[j], sorted[j-1] = sorted[j-1], sorted[j]
		}
	}
	return sorted
}
