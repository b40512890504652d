// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	sdk "github.com/cosmos/cosmos-sdk/types"

	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	"github.com/gpucoord/gpucoord/x/rewards/types"
)

// randomEpochs is what happens in some epochs, drawn once so that it can be played more than once.
type randomEpochs struct {
	operators []randomOperator
	sponsors  []uint64 // before each epoch
}

type randomOperator struct {
	name, controller string
	capacity         operatorstypes.Capacity
	known            bool
	entries          [][]receiptstypes.UsageEntry // by epoch
}

func drawEpochs(t *rapid.T) randomEpochs {
	epochs := rapid.IntRange(1, 3).Draw(t, "epochs")
	r := randomEpochs{sponsors: rapid.SliceOfN(rapid.Uint64Range(0, 1_000_000), epochs, epochs).Draw(t, "sponsors")}
	for i := range rapid.IntRange(0, 7).Draw(t, "operators") {
		op := randomOperator{
			name:       fmt.Sprintf("operator %d", i),
			controller: fmt.Sprintf("controller %d", rapid.IntRange(0, 2).Draw(t, "controller")),
			capacity: operatorstypes.Capacity{
				MilliVCU:        rapid.Uint64Range(0, 10_000).Draw(t, "vcu"),
				TokensPerSecond: rapid.Uint64Range(0, 10_000).Draw(t, "tps"),
			},
			known: rapid.IntRange(0, 9).Draw(t, "known") > 0,
		}
		for range epochs {
			op.entries = append(op.entries, drawEntries(t))
		}
		r.operators = append(r.operators, op)
	}
	return r
}

func drawEntries(t *rapid.T) []receiptstypes.UsageEntry {
	var entries []receiptstypes.UsageEntry
	for i := range rapid.IntRange(0, 3).Draw(t, "entries") {
		amount := rapid.Uint64Range(0, 5_000_000).Draw(t, "amount")
		controllerSpend := amount + rapid.Uint64Range(0, 1_000_000).Draw(t, "controller spend")
		entries = append(entries, receiptstypes.UsageEntry{
			Settler:         [20]byte{byte(i)},
			Class:           receiptstypes.Class(rapid.IntRange(1, 4).Draw(t, "class")),
			Amount:          amount,
			Tokens:          rapid.Uint64Range(0, 5_000_000).Draw(t, "tokens"),
			OK:              rapid.Uint64Range(0, 1_000).Draw(t, "ok"),
			Fail:            rapid.Uint64Range(0, 100).Draw(t, "fail"),
			ControllerSpend: controllerSpend,
			TotalSpend:      controllerSpend + rapid.Uint64Range(0, 30_000_000).Draw(t, "total spend"),
			Accredited:      rapid.Bool().Draw(t, "accredited"),
			SameController:  rapid.IntRange(0, 9).Draw(t, "same controller") == 0,
		})
	}
	return entries
}

// enter puts the operators and their work into a world. No epoch is ready yet.
func (r randomEpochs) enter(w *world) {
	for _, op := range r.operators {
		if op.known {
			w.register(op.name, op.controller)
		}
		w.operators.capacity[string(rawAddr(op.name))] = op.capacity
		for e, entries := range op.entries {
			for _, entry := range entries {
				w.work(uint64(e), rawAddr(op.name), entry)
			}
		}
	}
}

// play settles all epochs with a budget. After block reimport, unless it is 0, the module is exported into a new one.
func (r randomEpochs) play(t require.TestingT, budget uint32, reimport int) *fixture {
	f := newFixture(t, func(p *types.Params) { p.MaxOperatorsPerBlock = budget })
	r.enter(f.world)
	blocks := 0
	for e, amount := range r.sponsors {
		if amount > 0 {
			f.sponsor(t, amount)
		}
		f.receipts.epoch(uint64(e)).ready = true
		for next := uint64(e); next == uint64(e); blocks++ {
			if blocks == reimport && reimport > 0 {
				f = f.reimport(t)
			}
			f.block(t)
			status, err := f.query.Status(f.ctx, &types.QueryStatusRequest{})
			require.NoError(t, err)
			next = status.NextEpoch
			require.Less(t, blocks, 200, "the settlement does not end")
		}
	}
	for range 10 { // what is left to prune
		f.block(t)
	}
	return f
}

// outcome is the state without what depends on how long it took.
func (f *fixture) outcome(t require.TestingT) *types.GenesisState {
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	g.Params.MaxOperatorsPerBlock = 0
	for i := range g.Settlements {
		s := &g.Settlements[i]
		s.Params.MaxOperatorsPerBlock, s.StartedHeight, s.SettledHeight = 0, 0, 0
	}
	return g
}

func TestBudgetDoesNotChangeTheOutcome(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		epochs := drawEpochs(t)
		once := epochs.play(t, types.MaxOperatorsPerBlock, 0)
		slowly := epochs.play(t, rapid.Uint32Range(1, 5).Draw(t, "budget"), 0)
		require.Equal(t, once.outcome(t), slowly.outcome(t))
		require.Equal(t, once.bank.balances, slowly.bank.balances)
		require.Equal(t, once.anchors.leaves, slowly.anchors.leaves)
		require.Equal(t, once.operators.known, slowly.operators.known)
	})
}

// Evidence ages while a settlement runs. Who is scored in a later block loses nothing by that.
func TestCapacityIsThatOfTheFirstBlock(t *testing.T) {
	rows := func(budget uint32) []types.OperatorEpoch {
		f := newFixture(t, func(p *types.Params) { p.MaxOperatorsPerBlock = budget })
		threeOperators(f.world)
		f.operators.aging = true
		f.settle(t, 0)
		return f.outcome(t).Rows
	}
	at := rows(types.MaxOperatorsPerBlock)
	require.Positive(t, at[0].MilliVcu+at[1].MilliVcu+at[2].MilliVcu)
	require.Equal(t, at, rows(1))
}

// Settling moves money and neither makes nor loses any: what the pools collected and sponsors gave is claimable, insurance or carried.
func TestSettlingConservesEveryUnit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		epochs := drawEpochs(t)
		f := epochs.play(t, rapid.Uint32Range(1, 9).Draw(t, "budget"), 0)
		g := f.outcome(t)
		var in, out uint64
		for _, amount := range epochs.sponsors {
			in += amount
		}
		for _, s := range g.Settlements {
			in += s.CollectedUusdc
			out += s.InsuranceUusdc + s.IneligibleUusdc
		}
		require.Equal(t, out, f.bank.module(operatorstypes.InsuranceAccount))
		for _, r := range g.Rewards {
			out += r.ClaimableUusdc
		}
		require.Equal(t, in, out+g.SponsorsUusdc)
		for _, row := range g.Rows {
			require.Equal(t, row.PoolShareUusdc+row.SponsorShareUusdc, row.RewardUusdc+row.QualityForfeitUusdc+row.CapForfeitUusdc)
			require.Equal(t, row.RewardUusdc, row.FromPoolUusdc+row.FromSponsorsUusdc)
		}
	})
}

func TestBuyingOnesOwnServiceLoses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawEpochs(t).play(t, types.MaxOperatorsPerBlock, 0)
		g := f.outcome(t)
		for _, row := range g.Rows {
			paid := uint64(0)
			for _, entry := range row.Entries {
				paid += entry.TakeUusdc
			}
			require.LessOrEqual(t, row.TakeUusdc, paid)
			require.LessOrEqual(t, 100*row.RewardUusdc, 75*row.TakeUusdc)
			require.Equal(t, row.PoolShareUusdc+row.SponsorShareUusdc, row.RewardUusdc+row.QualityForfeitUusdc+row.CapForfeitUusdc)
		}
	})
}

// What the shares' roundings leave is less than a unit for each operator, and the rest of the pool is accounted for.
func TestRowsAddUpToTheirEpoch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawEpochs(t).play(t, types.MaxOperatorsPerBlock, 0).outcome(t)
		for _, s := range g.Settlements {
			var pool, sponsors, rows uint64
			for _, row := range g.Rows {
				if row.Epoch == s.Epoch && row.UsageUusdc > 0 {
					pool, sponsors, rows = pool+row.PoolShareUusdc, sponsors+row.SponsorShareUusdc, rows+1
				}
			}
			require.Equal(t, s.CollectedUusdc, s.FromPoolUusdc+s.InsuranceUusdc+s.IneligibleUusdc)
			require.Equal(t, s.SponsorsUusdc, s.FromSponsorsUusdc+s.CarriedUusdc)
			if rows > 0 {
				require.Less(t, s.PoolUusdc-pool, rows)
				require.Less(t, s.SponsorsUusdc-sponsors, rows)
			}
		}
	})
}

func TestTenThousandOperatorsAreBounded(t *testing.T) {
	const count, budget = 10_000, 500
	f := newFixture(t, func(p *types.Params) { p.MaxOperatorsPerBlock = budget })
	for i := range count {
		name := fmt.Sprintf("operator %d", i)
		f.register(name, name)
		f.work(0, rawAddr(name), receiptstypes.UsageEntry{
			Settler: [20]byte(rawAddr("gateway")), Class: routed, Amount: 1_000,
			ControllerSpend: 1_000, TotalSpend: 1_000 * count, Accredited: true,
		})
	}
	f.receipts.epoch(0).ready = true

	scored, paid, blocks := uint64(0), 0, 0
	for ; paid < count && blocks < 100; blocks++ {
		f.ctx = f.ctx.WithBlockHeight(f.ctx.BlockHeight() + 1).WithEventManager(sdk.NewEventManager())
		require.NoError(t, f.k.EndBlock(f.ctx))
		resp, err := f.query.Epoch(f.ctx, &types.QueryEpochRequest{})
		require.NoError(t, err)
		step := len(emitted[*types.EventOperatorSettled](t, f.ctx))
		require.LessOrEqual(t, int(resp.Settlement.Operators-scored)+step, budget)
		scored, paid = resp.Settlement.Operators, paid+step
	}
	require.Equal(t, 2*count/budget, blocks)
	s := f.settle(t, 0)
	require.Equal(t, uint64(10_000_000), s.UsageUusdc)
	require.Equal(t, uint64(count), s.ReputationSize)
	for _, limit := range f.receipts.pages {
		require.LessOrEqual(t, limit, uint32(budget))
	}
}
