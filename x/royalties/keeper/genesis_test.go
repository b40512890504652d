// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"

	"github.com/gpucoord/gpucoord/x/royalties/types"
)

// busy has something in every collection.
func busy(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	c := waterfallCases()["all earn, a is paid twice"]
	pricing := c.setUp(t, f)
	w, err := pricing.Waterfall(c.amount, c.takeBps)
	require.NoError(t, err)
	require.NoError(t, f.k.Accrue(f.ctx, 1, due(0, pricing, w)))
	f.bank.fund(w.Royalty)
	f.updateTerms(t, "m", 600)
	f.epochs.epoch = 9
	f.updateTerms(t, "m", 700)
	_, err = f.msgs.Claim(f.ctx, &types.MsgClaim{Payee: addr("a")})
	require.NoError(t, err)
	f.register(t, base("n", 100))
	require.NoError(t, f.propose("lab", "n"))
	f.takeDown(t, "p1")
	f.commit(t, "lab", assetID("secret"))
	f.commit(t, "rival", assetID("secret"))
	params := types.DefaultParams()
	params.RoyaltyCapBps, params.Arbiter = 2_500, addr("arbiter")
	require.NoError(t, f.k.UpdateParams(f.ctx, addr("governance"), params))
	require.NoError(t, f.k.CheckInvariants(f.ctx))
	return f
}

func TestGenesisRoundTrip(t *testing.T) {
	f := busy(t)
	exported := f.export(t)
	var genesis types.GenesisState
	codec.NewProtoCodec(codectypes.NewInterfaceRegistry()).MustUnmarshalJSON([]byte(exported), &genesis)
	for name, n := range map[string]int{
		"assets": len(genesis.Assets), "terms": len(genesis.Terms), "commits": len(genesis.Commits),
		"proofs": len(genesis.AuthorProofs), "accruals": len(genesis.Accruals), "earnings": len(genesis.Earnings),
		"caps": len(genesis.RoyaltyCaps),
	} {
		require.NotZero(t, n, name)
	}

	g := emptyFixture(t)
	require.ErrorIs(t, g.k.InitGenesis(g.ctx, &genesis), types.ErrInvalidGenesis, "the coins are not there")
	g = emptyFixture(t)
	g.bank.balances = f.bank.balances
	require.NoError(t, g.k.InitGenesis(g.ctx, &genesis))
	require.Equal(t, exported, g.export(t))

	require.NoError(t, g.k.CheckInvariants(g.ctx))
	want, err := f.k.TermsFor(f.ctx, assetID("m"), assetID("x"), 10)
	require.NoError(t, err)
	got, err := g.k.TermsFor(g.ctx, assetID("m"), assetID("x"), 10)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, uint64(2_500), got.RoyaltyCapBps)
}

func TestDefaultGenesisCapsFromEpochZero(t *testing.T) {
	f := newFixture(t)
	genesis, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Equal(t, []types.RoyaltyCap{{FromEpoch: 0, RoyaltyCapBps: 3_000}}, genesis.RoyaltyCaps)
}

func TestInitGenesisReadsAddresses(t *testing.T) {
	for name, spoil := range map[string]func(*types.GenesisState){
		"arbiter":               func(g *types.GenesisState) { g.Params.Arbiter = "x" },
		"owner":                 func(g *types.GenesisState) { g.Assets[0].Owner = "x" },
		"payee":                 func(g *types.GenesisState) { g.Terms[0].Payees[0].Address = "x" },
		"commit":                func(g *types.GenesisState) { g.Commits[0].Owner = "x" },
		"accrual":               func(g *types.GenesisState) { g.Accruals[0].Payee = "x" },
		"accrual in upper case": func(g *types.GenesisState) { g.Accruals[0].Payee = strings.ToUpper(g.Accruals[0].Payee) },
		"commit in upper case":  func(g *types.GenesisState) { g.Commits[0].Owner = strings.ToUpper(g.Commits[0].Owner) },
	} {
		t.Run(name, func(t *testing.T) {
			f := busy(t)
			genesis, err := f.k.ExportGenesis(f.ctx)
			require.NoError(t, err)
			spoil(genesis)
			g := emptyFixture(t)
			require.ErrorIs(t, g.k.InitGenesis(g.ctx, genesis), types.ErrInvalidAddress)
		})
	}
}

func TestGenesisValidate(t *testing.T) {
	for name, spoil := range map[string]func(*types.GenesisState){
		"caps start late":          func(g *types.GenesisState) { g.RoyaltyCaps = g.RoyaltyCaps[1:] },
		"caps out of order":        func(g *types.GenesisState) { g.RoyaltyCaps[1].FromEpoch = 0 },
		"cap is not the param":     func(g *types.GenesisState) { g.Params.RoyaltyCapBps++ },
		"cap above the whole":      func(g *types.GenesisState) { g.RoyaltyCaps[0].RoyaltyCapBps = 10_001 },
		"asset twice":              func(g *types.GenesisState) { g.Assets = append(g.Assets, g.Assets[0]) },
		"asset without status":     func(g *types.GenesisState) { g.Assets[0].Status = 0 },
		"asset without version":    func(g *types.GenesisState) { g.Assets[0].Version = 0 },
		"active with epoch":        func(g *types.GenesisState) { find(g, "m").TakenDownEpoch = 3 },
		"adapter that earns":       func(g *types.GenesisState) { find(g, "x").EarningFrom = 3 },
		"base is no base":          func(g *types.GenesisState) { find(g, "x").Base = find(g, "p1").Id; find(g, "x").Parents = nil },
		"parent on another base":   func(g *types.GenesisState) { find(g, "p1").Base = find(g, "n").Id },
		"terms of nothing":         func(g *types.GenesisState) { g.Terms[0].AssetId = []byte("nothing") },
		"terms twice":              func(g *types.GenesisState) { g.Terms = append(g.Terms, g.Terms[len(g.Terms)-1]) },
		"asset without terms":      func(g *types.GenesisState) { g.Terms = g.Terms[:len(g.Terms)-1] },
		"newest version differs":   func(g *types.GenesisState) { find(g, "m").Version++ },
		"newest terms elsewhere":   func(g *types.GenesisState) { find(g, "m").TermsFrom++ },
		"commit twice":             func(g *types.GenesisState) { g.Commits[1] = g.Commits[0] },
		"proof twice":              func(g *types.GenesisState) { g.AuthorProofs = append(g.AuthorProofs, g.AuthorProofs[0]) },
		"proof of an adapter":      func(g *types.GenesisState) { g.AuthorProofs[0].AssetId = find(g, "x").Id },
		"proof of what earns":      func(g *types.GenesisState) { g.AuthorProofs[0].AssetId = find(g, "m").Id },
		"accrual twice":            func(g *types.GenesisState) { g.Accruals[1].Payee = g.Accruals[0].Payee },
		"claimable above all":      func(g *types.GenesisState) { g.Accruals[0].ClaimableUusdc = g.Accruals[0].LifetimeUusdc + 1 },
		"earnings twice":           func(g *types.GenesisState) { g.Earnings[1].AssetId = g.Earnings[0].AssetId },
		"earnings of nothing":      func(g *types.GenesisState) { g.Earnings[0].AssetId = []byte("nothing") },
		"earnings are not accrued": func(g *types.GenesisState) { g.Earnings[0].LifetimeUusdc++ },
	} {
		t.Run(name, func(t *testing.T) {
			f := busy(t)
			genesis, err := f.k.ExportGenesis(f.ctx)
			require.NoError(t, err)
			require.NoError(t, genesis.Validate())
			spoil(genesis)
			require.ErrorIs(t, genesis.Validate(), types.ErrInvalidGenesis)
		})
	}
}

func find(g *types.GenesisState, name string) *types.Asset {
	id := assetID(name)
	for i := range g.Assets {
		if string(g.Assets[i].Id) == string(id[:]) {
			return &g.Assets[i]
		}
	}
	return nil
}
