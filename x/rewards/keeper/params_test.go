// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	"github.com/gpucoord/gpucoord/x/rewards/types"
)

func TestUpdateParams(t *testing.T) {
	f := newFixture(t, nil)
	params := types.DefaultParams()
	params.PointsCapBps = 1_000
	_, err := f.msgs.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: addr("alice"), Params: params})
	require.ErrorIs(t, err, types.ErrUnauthorized)

	_, err = f.msgs.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: addr("governance"), Params: params})
	require.NoError(t, err)
	require.Equal(t, []*types.EventParamsUpdated{{Authority: addr("governance"), Params: params}}, emitted[*types.EventParamsUpdated](t, f.ctx))

	params.PaybackCapBps = 7_501 // probers 500 and ALEPH 1500 leave 7500
	_, err = f.msgs.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: addr("governance"), Params: params})
	require.ErrorIs(t, err, types.ErrPaybackTooHigh)
	require.ErrorContains(t, err, "payback_cap_bps 7501 + probers_bps 500 + aleph_bps 1500 > 9500")
}

func TestGenesisChecksPaybackWithReceipts(t *testing.T) {
	w := newWorld()
	w.receipts.params.AlephBps = 1_501
	f := emptyFixture(w)
	require.ErrorIs(t, f.k.InitGenesis(f.ctx, types.DefaultGenesis()), types.ErrPaybackTooHigh)
}

// Receipts may raise its parts after the payback cap was checked; the epoch's own cap gives way.
func TestPaybackCapIsPinnedWithinTheEpochsRoom(t *testing.T) {
	f := newFixture(t, nil)
	threeOperators(f.world)
	f.receipts.params.ProbersBps, f.receipts.params.AlephBps = 2_000, 1_600
	f.sponsor(t, 1_000_000)
	s := f.settle(t, 0)
	require.Equal(t, uint64(5_900), s.Params.PaybackCapBps)
	require.Equal(t, uint64(59_000), f.claimable(t, "alice"))
}

func TestRunningSettlementKeepsItsParams(t *testing.T) {
	f := newFixture(t, func(p *types.Params) { p.MaxOperatorsPerBlock = 1 })
	threeOperators(f.world)
	f.block(t)
	params := types.DefaultParams()
	params.DirectWeightBps, params.StandInUpPpm = 0, 0
	require.NoError(t, f.k.UpdateParams(f.ctx, addr("governance"), params))
	s := f.settle(t, 0)
	require.Equal(t, uint64(5_000), s.Params.DirectWeightBps)
	require.Equal(t, uint64(1_240_000), s.UsageUusdc)
}

func TestOldRowsArePruned(t *testing.T) {
	f := newFixture(t, func(p *types.Params) { p.RetentionEpochs, p.MaxOperatorsPerBlock = 8, 2 })
	names := []string{"alice", "bob", "carol"}
	for _, name := range names {
		f.register(name, name)
	}
	for e := range uint64(10) {
		for _, name := range names {
			f.work(e, rawAddr(name), receiptstypes.UsageEntry{
				Settler: [20]byte(rawAddr("gateway")), Class: routed, Amount: 1_000, TotalSpend: 5_000, ControllerSpend: 1_000, Accredited: true,
			})
		}
		f.receipts.epoch(e).ready = true
		f.settle(t, e)
	}
	for range 5 {
		f.block(t)
	}
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Equal(t, uint64(2), g.PrunedEpoch)
	require.Len(t, g.Rows, 8*len(names))
	require.Equal(t, uint64(2), g.Rows[0].Epoch)
	require.Len(t, g.Settlements, 10)
	require.Empty(t, g.ControllerPoints)
}
