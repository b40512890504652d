// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	"github.com/gpucoord/gpucoord/x/rewards/types"
)

func TestOperatorWhoseScoringFailsStopsNobody(t *testing.T) {
	cases := []struct {
		name  string
		spoil func(*world)
		at    string
	}{
		{"unreadable ledger", func(w *world) { w.receipts.failing[string(rawAddr("carol"))] = true }, types.AtLedger},
		{"unknown operator", func(w *world) { delete(w.operators.known, string(rawAddr("carol"))) }, types.AtOperator},
		{"panic", func(w *world) { w.operators.broken = string(rawAddr("carol")) }, types.AtPanic},
		{"take above its rate", func(w *world) { w.receipts.epoch(0).entries[string(rawAddr("carol"))][0].Take++ }, types.AtUsage},
		{"more entries than the bound", func(w *world) {
			entries := w.receipts.epoch(0).entries
			for i := range 256 {
				entries[string(rawAddr("carol"))] = append(entries[string(rawAddr("carol"))], receiptstypes.UsageEntry{
					Settler: [20]byte{byte(i)}, Class: trial,
				})
			}
		}, types.AtLedger},
		{"unknown class", func(w *world) { w.receipts.epoch(0).entries[string(rawAddr("carol"))][0].Class = 9 }, types.AtUsage},
		{"too many outcomes", func(w *world) { w.receipts.epoch(0).entries[string(rawAddr("carol"))][0].OK = 1 << 41 }, types.AtScore},
		{"capacity overflow", func(w *world) {
			w.operators.capacity[string(rawAddr("carol"))] = operatorstypes.Capacity{TokensPerSecond: math.MaxUint64}
		}, types.AtCapacity},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			f := newFixture(t, func(p *types.Params) { p.MaxOperatorsPerBlock = 1 })
			threeOperators(f.world)
			tc.spoil(f.world)
			s := f.settle(t, 0)

			require.Equal(t, uint64(3), s.Operators)
			require.Equal(t, uint64(1_200_000), s.UsageUusdc)
			row := f.row(t, 0, "carol")
			require.Equal(t, []string{types.ReasonScoreFailed, tc.at, types.ReasonReputationKept}, row.Reasons)
			require.Zero(t, row.UsageUusdc+row.RewardUusdc+row.Points+uint64(len(row.Entries)))
			require.True(t, row.Paid)
			require.Positive(t, f.claimable(t, "alice"))
			require.Positive(t, f.claimable(t, "bob"))
			require.Zero(t, f.claimable(t, "carol"))
			require.Contains(t, f.explain(t, 0, "carol").Text[1], tc.at)
		})
	}
}

// A fault of one machine must stop that machine: as a row it would be a state that no other machine has.
func TestUnreadableStoreIsNoReason(t *testing.T) {
	f := newFixture(t, nil)
	threeOperators(f.world)
	f.operators.noDisk = true
	before := f.export(t)
	require.PanicsWithError(t, errFake.Error(), func() { f.block(t) })
	require.Equal(t, before, f.export(t))
}

func TestOperatorWhosePayFailsStopsNobody(t *testing.T) {
	f := emptyFixture(newWorld())
	threeOperators(f.world)
	genesis := types.DefaultGenesis()
	genesis.Rewards = []types.Reward{{Operator: addr("alice"), LifetimeUusdc: math.MaxUint64}}
	require.NoError(t, f.k.InitGenesis(f.ctx, genesis))
	s := f.settle(t, 0)

	row := f.row(t, 0, "alice")
	require.Contains(t, row.Reasons, types.ReasonPayFailed)
	require.Contains(t, row.Reasons, types.AtSums)
	require.Zero(t, row.RewardUusdc+row.PoolShareUusdc+row.Points)
	require.Equal(t, uint64(7_768+770), s.FromPoolUusdc, "the others get what they would have got")
	require.Equal(t, uint64(74_400-7_768-770), s.InsuranceUusdc)
	require.Zero(t, f.points(t, "alice").Value)
	require.Equal(t, uint64(1), s.ReputationSize)
}

func TestReputationThatCannotBeSetCostsNoReward(t *testing.T) {
	f := newFixture(t, nil)
	threeOperators(f.world)
	f.operators.frozen = true
	s := f.settle(t, 0)
	row := f.row(t, 0, "alice")
	require.Contains(t, row.Reasons, types.ReasonReputationFailed)
	require.Equal(t, uint64(500_000), row.ReputationPpm)
	require.Equal(t, uint64(51_828), f.claimable(t, "alice"))
	require.Zero(t, s.ReputationSize)
}

func TestLaterFaultStaysTheNewestReputationChange(t *testing.T) {
	f := newFixture(t, nil)
	threeOperators(f.world)
	f.operators.known[string(rawAddr("alice"))].ReputationEpoch = 6
	f.settle(t, 0)
	alice := f.operators.known[string(rawAddr("alice"))]
	require.Equal(t, []uint64{505_560, 6}, []uint64{alice.ReputationPpm, alice.ReputationEpoch})
}

// A block whose work fails leaves nothing behind and is tried again.
func TestSettlementIsTriedAgain(t *testing.T) {
	f := newFixture(t, nil)
	threeOperators(f.world)
	account := string(authtypes.NewModuleAddress(types.ModuleName))
	money := f.bank.balances[account]
	f.bank.balances[account] = 0
	before := f.export(t)
	f.receipts.epoch(0).closed = false
	require.NoError(t, f.k.EndBlock(f.ctx))
	require.Equal(t, before, f.export(t))

	f.bank.balances[account] = money
	f.receipts.epoch(0).closed = false // the real ledger is rolled back with the block's work
	require.Equal(t, types.Phase_PHASE_DONE, f.settle(t, 0).Phase)
}

func TestLedgerOutOfOrderIsRefused(t *testing.T) {
	f := newFixture(t, func(p *types.Params) { p.MaxOperatorsPerBlock = 1 })
	threeOperators(f.world)
	f.receipts.repeats = true
	for range 3 {
		require.NoError(t, f.k.EndBlock(f.ctx))
	}
	resp, err := f.query.Epoch(f.ctx, &types.QueryEpochRequest{})
	require.NoError(t, err)
	require.Equal(t, uint64(1), resp.Settlement.Operators, "nobody is counted twice")
}
