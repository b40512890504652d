// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// reload puts a state into a fresh store with the same world around it.
func (f *fixture) reload(g *types.GenesisState) *fixture {
	f.t.Helper()
	other := emptyFixture(f.t)
	other.ctx = other.ctx.WithBlockHeight(f.ctx.BlockHeight()).WithBlockTime(f.ctx.BlockTime())
	*other.bank, *other.operators, *other.royalties, *other.log = *f.bank, *f.operators, *f.royalties, *f.log
	other.operators.offences = f.operators.clone()
	require.NoError(f.t, other.k.InitGenesis(other.ctx, g))
	return other
}

func TestGenesisRoundTrip(t *testing.T) {
	f := newFixture(t)
	f.goTo(21)
	f.submit(f.build("host", 0, routed(model, jobs(1, 100))))
	check := func(f *fixture) {
		g, err := f.k.ExportGenesis(f.ctx)
		require.NoError(t, err)
		require.NoError(t, g.Validate())
		require.Equal(t, string(f.export()), string(f.reload(g).export()))
	}
	check(f)
	f = busyFixture(t)
	check(f)
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	for name, n := range map[string]int{
		"settlers": len(g.Settlers), "limits": len(g.Limits), "locks": len(g.Locks), "thaws": len(g.Thaws), "gateways": len(g.Gateways),
		"keys": len(g.GatewayKeys), "batches": len(g.Batches), "watermarks": len(g.Watermarks), "host epochs": len(g.HostEpochs),
		"open claims": len(g.OpenClaims), "epochs": len(g.Epochs), "usages": len(g.Usages), "spends": len(g.Spends),
		"earnings": len(g.Earnings), "losses": len(g.Losses), "consents": len(g.GatewayConsents),
		"demands": len(g.Demands), "evidence": len(g.UsedEvidence),
	} {
		require.NotZero(t, n, name)
	}

	// The two chains go on in the same way.
	other := f.reload(g)
	f.goTo(200)
	other.goTo(200)
	require.Equal(t, string(f.export()), string(other.export()))
}

// busyFixture has something in every collection, in block 45: batches 1 to 3 of epoch 0 are stuck and settled, 4 and 5 of epoch 1 wait for samples.
func busyFixture(t *testing.T) *fixture {
	t.Helper()
	f := sampled(t, routed(model, jobs(1, 1_000)),
		work{settler: "paying", payer: "payer2", model: plain, jobs: jobs(1, 500)}, direct(plain, jobs(1, 1_000)))
	f.do(&types.MsgSetLimit{Settler: addr("set"), Operator: addr("op2"), LimitUusdc: 7_777})
	f.do(&types.MsgWithdraw{Settler: addr("op"), AmountUusdc: 300})
	f.do(&types.MsgWithdraw{Settler: addr("set"), AmountUusdc: 200})
	f.do(&types.MsgAccredit{Authority: addr("governance"), Gateway: addr("gw"), Accredited: true})
	f.do(&types.MsgDeclareLoss{Sender: addr("op"), HostId: hostID("host"), Epoch: 1})
	f.consent("boss", "gw3", true)
	f.royalties.refuse[model] = errLog
	f.goTo(41)
	f.submit(f.build("host2", 1, routed(plain, jobs(1, 5_000))))
	f.submit(f.build("host2", 1, routed(plain, jobs(2, 5_000_000)))) // unfunded
	f.do(demandOf("watch", 5, 0))
	f.do(omitted(f.sr1("host", routed(plain, nil), job{seq: 90, amount: 10})))
	f.goTo(45)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_STUCK, f.batch(1).Status)
	return f
}

func TestGenesisFaults(t *testing.T) {
	f := busyFixture(t)
	for name, spoil := range map[string]func(g *types.GenesisState){
		"params":            func(g *types.GenesisState) { g.Params.TakeBps = 9_000 },
		"gateway twice":     func(g *types.GenesisState) { g.Gateways = append(g.Gateways, g.Gateways[0]) },
		"gateway's keys":    func(g *types.GenesisState) { g.Gateways[0].Keys++ },
		"consent twice":     func(g *types.GenesisState) { g.GatewayConsents = append(g.GatewayConsents, g.GatewayConsents[0]) },
		"consent of nobody": func(g *types.GenesisState) { g.GatewayConsents[0].Controller = "" },
		"consent to itself": func(g *types.GenesisState) { g.GatewayConsents[0].Controller = g.GatewayConsents[0].Gateway },
		"leaf unexplained": func(g *types.GenesisState) {
			g.Batches[3].OpenedLeaves = []types.OpenedLeaf{{JobId: make([]byte, 32)}}
		},
		"settled unsampled": func(g *types.GenesisState) { g.Batches[1].Opened = 0 },
		"leaf missing":      func(g *types.GenesisState) { g.Batches[3].Opened = 1 },
		"leaf's job": func(g *types.GenesisState) {
			g.Batches[3].Opened, g.Batches[3].OpenedLeaves = 1, []types.OpenedLeaf{{}}
		},
		"settler twice":      func(g *types.GenesisState) { g.Settlers = append(g.Settlers, g.Settlers[0]) },
		"settler's gateway":  func(g *types.GenesisState) { g.Gateways, g.GatewayKeys = nil, nil },
		"settler's class":    func(g *types.GenesisState) { g.Settlers[0].Class = 0 },
		"settler accredited": func(g *types.GenesisState) { g.Settlers[0].Accredited = true },
		"settler's lock":     func(g *types.GenesisState) { settlerOf(g, "set").LockedUusdc++ },
		"settler's thaws":    func(g *types.GenesisState) { settlerOf(g, "set").ThawingUusdc++ },
		"limit's settler":    func(g *types.GenesisState) { g.Limits[0].Settler = addr("nobody") },
		"limit twice":        func(g *types.GenesisState) { g.Limits = append(g.Limits, g.Limits[0]) },
		"lock missing":       func(g *types.GenesisState) { g.Locks = g.Locks[1:] },
		"lock twice":         func(g *types.GenesisState) { g.Locks = append(g.Locks, g.Locks[0]) },
		"thaw's settler":     func(g *types.GenesisState) { g.Thaws[0].Settler = "" },
		"thaw id":            func(g *types.GenesisState) { g.NextThawId = 1 },
		"thaw twice":         func(g *types.GenesisState) { g.Thaws[1] = g.Thaws[0] },
		"key twice":          func(g *types.GenesisState) { g.GatewayKeys = append(g.GatewayKeys, g.GatewayKeys[0]) },
		"key's settler":      func(g *types.GenesisState) { g.GatewayKeys[0].Settler = addr("op") },
		"key's address":      func(g *types.GenesisState) { g.GatewayKeys[0].Address = nil },
		"epoch twice":        func(g *types.GenesisState) { g.Epochs = append(g.Epochs, g.Epochs[0]) },
		"epoch pruned":       func(g *types.GenesisState) { g.PrunedEpoch = 1 },
		"epoch's seed":       func(g *types.GenesisState) { g.Epochs[0].Seed = []byte{1} },
		"epoch's batches":    func(g *types.GenesisState) { g.Epochs[0].OpenBatches++ },
		"batch id":           func(g *types.GenesisState) { g.NextBatchId = 5 },
		"batch twice":        func(g *types.GenesisState) { g.Batches[1] = g.Batches[0] },
		"batch's epoch":      func(g *types.GenesisState) { g.Batches[0].Epoch = 9 },
		"batch's groups":     func(g *types.GenesisState) { g.Batches[0].Groups = nil },
		"batch's root":       func(g *types.GenesisState) { g.Batches[0].Root = nil },
		"batch's status":     func(g *types.GenesisState) { g.Batches[0].Status = 0 },
		"batch not queued":   func(g *types.GenesisState) { g.Batches[0].DueHeight = 0 },
		"done batch queued":  func(g *types.GenesisState) { g.Batches[1].DueHeight = 50 },
		"batch's samples":    func(g *types.GenesisState) { g.Batches[0].Samples = 0 },
		"samples not drawn":  func(g *types.GenesisState) { g.Batches[0].Opened = 1 << 20 },
		"group's settler":    func(g *types.GenesisState) { g.Batches[0].States[0].Settler = addr("nobody") },
		"lock of done batch": func(g *types.GenesisState) { g.Batches[1].States[0].LockedUusdc = 1 },
		"open claims":        func(g *types.GenesisState) { g.OpenClaims[0].AmountUusdc++ },
		"claims missing":     func(g *types.GenesisState) { g.OpenClaims = nil },
		"watermark":          func(g *types.GenesisState) { g.Watermarks[0].HostKey = nil },
		"watermark twice":    func(g *types.GenesisState) { g.Watermarks[1] = g.Watermarks[0] },
		"host's epoch":       func(g *types.GenesisState) { g.HostEpochs[0].Epoch = 9 },
		"host id":            func(g *types.GenesisState) { g.HostEpochs[0].HostId = nil },
		"loss twice":         func(g *types.GenesisState) { g.Losses = append(g.Losses, g.Losses[0]) },
		"earnings":           func(g *types.GenesisState) { g.Earnings[0].ClaimableUusdc = g.Earnings[0].LifetimeUusdc + 1 },
		"usage's settler":    func(g *types.GenesisState) { g.Usages[0].Settler = addr("nobody") },
		"usage's class":      func(g *types.GenesisState) { g.Usages[0].Class = types.Class_CLASS_TRIAL },
		"usage's take":       func(g *types.GenesisState) { g.Usages[0].TakeUusdc = g.Usages[0].AmountUusdc + 1 },
		"usage twice":        func(g *types.GenesisState) { g.Usages = append(g.Usages, g.Usages[0]) },
		"spend twice":        func(g *types.GenesisState) { g.Spends = append(g.Spends, g.Spends[0]) },
		"spend's settler":    func(g *types.GenesisState) { g.Spends[0].Settler = "" },
	} {
		t.Run(name, func(t *testing.T) {
			g, err := f.k.ExportGenesis(f.ctx)
			require.NoError(t, err)
			spoil(g)
			require.Error(t, g.Validate())
		})
	}
}

// InitGenesis also refuses what only the chain around it shows.
func TestInitGenesisChecksTheWorld(t *testing.T) {
	f := busyFixture(t)
	for name, tc := range map[string]struct {
		spoil func(f *fixture, g *types.GenesisState)
		want  error
	}{
		"balance":  {func(f *fixture, _ *types.GenesisState) { f.bank.balances[string(module("receipts"))]-- }, types.ErrInvariant},
		"thaw":     {func(_ *fixture, g *types.GenesisState) { g.Params.ThawBlocks = 10 }, types.ErrInvalidParams},
		"address":  {func(_ *fixture, g *types.GenesisState) { g.Earnings[0].Operator = "x" }, types.ErrInvalidAddress},
		"no spend": {func(_ *fixture, g *types.GenesisState) { g.Spends = g.Spends[1:] }, types.ErrInvariant},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := f.k.ExportGenesis(f.ctx)
			require.NoError(t, err)
			other := emptyFixture(t)
			for account, amount := range f.bank.balances {
				other.bank.balances[account] = amount
			}
			other.setHeight(45)
			tc.spoil(other, g)
			require.ErrorIs(t, other.k.InitGenesis(other.ctx, g), tc.want)
		})
	}
}

func settlerOf(g *types.GenesisState, name string) *types.Settler {
	for i := range g.Settlers {
		if g.Settlers[i].Address == addr(name) {
			return &g.Settlers[i]
		}
	}
	return nil
}

// An operator's usage rows are bounded. What comes late is paid and adds to the spends, but has no row; the last rows are kept for
// accredited settlers and direct work.
func TestUsageRowsAreBounded(t *testing.T) {
	f := newFixture(t)
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	for i := range types.MaxUsageRows - types.ReservedUsageRows {
		name := fmt.Sprintf("crowd %d", i)
		g.Settlers = append(g.Settlers, types.Settler{
			Address: addr(name), Gateway: addr("gw"), Controller: addr("gw"), Class: types.Class_CLASS_ROUTED,
		})
		g.Usages = append(g.Usages, types.Usage{Operator: addr("op"), Settler: addr(name), Class: types.Class_CLASS_ROUTED})
		g.Spends = append(g.Spends, types.Spend{Settler: addr(name)}, types.Spend{Settler: addr(name), Controller: addr("op")})
	}
	f = f.reload(g)
	b := f.settle("host", routed(plain, jobs(1, 1_000)), direct(plain, jobs(2, 1_000)))
	require.Equal(t, types.BatchStatus_BATCH_STATUS_FINALISED, b.Status)
	require.Equal(t, uint64(200), f.epoch(0).TakeUusdc)
	entries, err := f.k.UsageEntries(f.ctx, 0, raw("op"))
	require.NoError(t, err)
	require.Len(t, entries, types.MaxUsageRows-types.ReservedUsageRows+1)
	require.NotContains(t, settlersOf(entries), [20]byte(raw("set")))
	require.Contains(t, settlersOf(entries), [20]byte(raw("op")))
	spent, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Contains(t, spent.Spends, types.Spend{Settler: addr("set"), AmountUusdc: 1_000})
}

func settlersOf(entries []types.UsageEntry) [][20]byte {
	list := make([][20]byte, len(entries))
	for i := range entries {
		list[i] = entries[i].Settler
	}
	return list
}
