// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/gpucoord/gpucoord/x/rewards/types"
)

// reimport exports the module into a new one of the same world and checks that nothing is lost.
func (f *fixture) reimport(t require.TestingT) *fixture {
	raw := f.export(t)
	var g types.GenesisState
	require.NoError(t, proto.Unmarshal(raw, &g))
	require.NoError(t, g.Validate())
	next := emptyFixture(f.world)
	next.ctx = next.ctx.WithBlockHeight(f.ctx.BlockHeight())
	require.NoError(t, next.k.InitGenesis(next.ctx, &g))
	require.Equal(t, raw, next.export(t))
	return next
}

func TestExportInTheMiddleOfASettlementChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		epochs := drawEpochs(t)
		budget := rapid.Uint32Range(1, 3).Draw(t, "budget")
		straight := epochs.play(t, budget, 0)
		moved := epochs.play(t, budget, rapid.IntRange(1, 12).Draw(t, "reimport after block"))
		require.Equal(t, straight.export(t), moved.export(t))
		require.Equal(t, straight.bank.balances, moved.bank.balances)
		require.Equal(t, straight.anchors.leaves, moved.anchors.leaves)
	})
}

func TestGenesisWithoutItsMoneyIsRefused(t *testing.T) {
	f, _ := settledThree(t)
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	f.bank.balances[string(authtypes.NewModuleAddress(types.ModuleName))]--
	other := emptyFixture(f.world)
	require.ErrorIs(t, other.k.InitGenesis(other.ctx, g), types.ErrBrokenInvariant)
	require.ErrorIs(t, f.k.CheckInvariants(f.ctx), types.ErrBrokenInvariant)
}

func TestInvariantsFindMoneyThatNobodyIsOwed(t *testing.T) {
	f, _ := settledThree(t)
	f.bank.balances[string(authtypes.NewModuleAddress(types.ModuleName))]++
	require.ErrorIs(t, f.k.CheckInvariants(f.ctx), types.ErrBrokenInvariant)
}

func TestGenesisThatContradictsItselfIsRefused(t *testing.T) {
	cases := []struct {
		name  string
		spoil func(*types.GenesisState)
	}{
		{"pruned ahead", func(g *types.GenesisState) { g.PrunedEpoch = 2 }},
		{"settlement twice", func(g *types.GenesisState) { g.Settlements = append(g.Settlements, g.Settlements[0]) }},
		{"done but next", func(g *types.GenesisState) { g.NextEpoch = 0 }},
		{"runs but not next", func(g *types.GenesisState) { g.Settlements[0].Phase = types.Phase_PHASE_PAY }},
		{"no phase", func(g *types.GenesisState) { g.NextEpoch, g.Settlements[0].Phase = 0, 0 }},
		{"settlement's money", func(g *types.GenesisState) { g.Settlements[0].InsuranceUusdc++ }},
		{"settlement's rewards", func(g *types.GenesisState) { g.Settlements[0].RewardsUusdc++ }},
		{"settlement's pool", func(g *types.GenesisState) { g.Settlements[0].IneligibleUusdc-- }},
		{"no statement", func(g *types.GenesisState) { g.Settlements[0].LogIndex = 0 }},
		{"row twice", func(g *types.GenesisState) { g.Rows[1] = g.Rows[0] }},
		{"row missing", func(g *types.GenesisState) { g.Rows = g.Rows[1:] }},
		{"row of no settlement", func(g *types.GenesisState) { g.Rows[0].Epoch = 1 }},
		{"row of nobody", func(g *types.GenesisState) { g.Rows[0].Operator = "" }},
		{"row's usage", func(g *types.GenesisState) { g.Rows[0].UsageUusdc++ }},
		{"row's forfeits", func(g *types.GenesisState) { g.Rows[0].QualityForfeitUusdc++ }},
		{"row not paid", func(g *types.GenesisState) { g.Rows[0].Paid = false }},
		{"row's ratio", func(g *types.GenesisState) { g.Rows[0].QualityPpm = 1_000_001 }},
		{"points twice", func(g *types.GenesisState) { g.Points = append(g.Points, g.Points[0]) }},
		{"points of the future", func(g *types.GenesisState) { g.Points[0].Epoch = 2 }},
		{"confirmed twice", func(g *types.GenesisState) { g.Confirmed = append(g.Confirmed, g.Confirmed[0]) }},
		{"confirmed of the future", func(g *types.GenesisState) { g.Confirmed[0].Epoch = 2 }},
		{"reward twice", func(g *types.GenesisState) { g.Rewards = append(g.Rewards, g.Rewards[0]) }},
		{"reward above lifetime", func(g *types.GenesisState) { g.Rewards[0].LifetimeUusdc = 0 }},
		{"controller of no settlement", func(g *types.GenesisState) {
			g.ControllerPoints = []types.ControllerPoints{{Epoch: 1, Controller: addr("alice"), Points: 1}}
		}},
		{"controller above cap", func(g *types.GenesisState) {
			g.ControllerPoints = []types.ControllerPoints{{Controller: addr("alice"), Points: 21_917}}
		}},
	}
	f, _ := settledThree(t)
	raw := f.export(t)
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			var g types.GenesisState
			require.NoError(t, proto.Unmarshal(raw, &g))
			require.NoError(t, g.Validate())
			tc.spoil(&g)
			require.ErrorIs(t, g.Validate(), types.ErrInvalidGenesis)
		})
	}
}

func TestGenesisTreeIsChecked(t *testing.T) {
	f, _ := settledThree(t)
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	g.Settlements[0].ReputationSize = 3
	require.ErrorIs(t, g.Validate(), types.ErrBrokenInvariant)
	g.Settlements[0].ReputationSize = 2
	g.Settlements[0].ReputationHashes[0] = []byte{1}
	require.ErrorIs(t, g.Validate(), types.ErrBrokenInvariant)
}

func TestGenesisAddressesAreRead(t *testing.T) {
	f, _ := settledThree(t)
	for _, spoil := range []func(*types.GenesisState){
		func(g *types.GenesisState) { g.Rows[0].Operator = "alice" },
		func(g *types.GenesisState) { g.Points[0].Operator = "alice" },
		func(g *types.GenesisState) { g.Confirmed[0].Operator = "alice" },
		func(g *types.GenesisState) { g.Rewards[0].Operator = "alice" },
	} {
		g, err := f.k.ExportGenesis(f.ctx)
		require.NoError(t, err)
		spoil(g)
		other := emptyFixture(f.world)
		require.ErrorIs(t, other.k.InitGenesis(other.ctx, g), types.ErrInvalidAddress)
	}
}
