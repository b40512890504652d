// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/receipts/types"
)

func TestParamsArePinnedForAnEpoch(t *testing.T) {
	f := newFixture(t)
	f.setParams(func(p *types.Params) { p.TakeBps = 2_000 })
	b := f.settle("host", routed(plain, jobs(1, 1_000))) // of epoch 0, which began before
	require.Equal(t, uint64(100), b.States[0].TakeUusdc)
	require.Equal(t, uint64(1_000), f.epoch(0).Params.TakeBps)
	require.Equal(t, uint64(2_000), f.epoch(1).Params.TakeBps)
	next := f.build("host", 1, routed(plain, jobs(2, 1_000)))
	require.Equal(t, uint64(200), f.submit(next).States[0].TakeUusdc)
}

func TestNothingHappensBeforeTheFirstEpoch(t *testing.T) {
	f := emptyFixture(t)
	f.operators.schedule.GenesisHeight = 10
	require.NoError(t, f.k.InitGenesis(f.ctx, types.DefaultGenesis()))
	require.NoError(t, f.k.BeginBlock(f.ctx))
	f.goTo(9)
	_, err := f.query.Epoch(f.ctx, &types.QueryEpochRequest{})
	require.ErrorIs(t, err, types.ErrUnknownEpoch)
	f.goTo(10)
	require.Equal(t, uint64(0), f.epoch(0).Epoch)
}

func TestEpochReady(t *testing.T) {
	f := newFixture(t)
	ready := func(e uint64) bool {
		r, err := f.k.EpochReady(f.ctx, e)
		require.NoError(t, err)
		return r
	}
	_, err := f.k.EpochReady(f.ctx, 1)
	require.ErrorIs(t, err, types.ErrUnknownEpoch)
	f.goTo(25)
	require.False(t, ready(0)) // the submit window is open
	f.submit(f.build("host", 0, routed(plain, jobs(1, 10))))
	f.goTo(26)
	require.False(t, ready(0)) // a batch is open
	_, err = f.k.CloseEpoch(f.ctx, 0)
	require.ErrorIs(t, err, types.ErrEpochNotReady)
	f.goTo(36)
	require.True(t, ready(0)) // it is void
	f.goTo(46)
	require.True(t, ready(1)) // nothing was submitted
	state, err := f.k.CloseEpoch(f.ctx, 0)
	require.NoError(t, err)
	require.True(t, state.Closed)
	require.Equal(t, state, f.epoch(0))
	require.Equal(t, state, lastEvent[*types.EventEpochClosed](f).State)
	_, err = f.k.CloseEpoch(f.ctx, 0)
	require.ErrorIs(t, err, types.ErrEpochClosed)
}

func TestEpochDeadline(t *testing.T) {
	f := sampled(t, routed(model, jobs(1, 1_000)))
	f.log.refuse = true
	f.goTo(94) // finalise_latest is 45, the deadline 50 blocks after it
	ready, err := f.k.EpochReady(f.ctx, 0)
	require.NoError(t, err)
	require.False(t, ready)
	f.goTo(95)
	ready, err = f.k.EpochReady(f.ctx, 0)
	require.NoError(t, err)
	require.True(t, ready)
}

func TestUpdateParams(t *testing.T) {
	f := newFixture(t)
	p := types.DefaultParams()
	f.refused(types.ErrUnauthorized, &types.MsgUpdateParams{Authority: addr("op"), Params: p})
	p.ThawBlocks = 43 // an epoch and its windows are 44 blocks
	f.refused(types.ErrInvalidParams, &types.MsgUpdateParams{Authority: addr("governance"), Params: p})
	p.ThawBlocks = 44
	f.do(&types.MsgUpdateParams{Authority: addr("governance"), Params: p})
	require.Equal(t, addr("governance"), lastEvent[*types.EventParamsUpdated](f).Authority)
}

// closeUpTo closes all epochs below e, as rewards does.
func (f *fixture) closeUpTo(from, e uint64) {
	f.t.Helper()
	for ; from < e; from++ {
		_, err := f.k.CloseEpoch(f.ctx, from)
		require.NoError(f.t, err)
	}
}

// With a retention of 8, epoch 0 goes when epoch 8 has closed, a few entries a block; epoch 1, which has a stuck batch, stays.
func TestPruning(t *testing.T) {
	f := sampled(t, routed(model, jobs(1, 1_000)), direct(plain, jobs(1, 1_000)))
	f.do(&types.MsgDeclareLoss{Sender: addr("op2"), HostId: hostID("host2"), Epoch: 1})
	f.setParams(func(p *types.Params) { p.UsageRetentionEpochs, p.MaxPrunePerBlock, p.StuckReturnBlocks = 8, 3, 1_000 })
	f.goTo(41)
	b := f.build("host", 1, routed(plain, jobs(5, 100)))
	stored := f.submit(b)
	f.goTo(50)
	f.do(f.openings(b, stored))
	f.log.refuse = true
	f.goTo(201)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_STUCK, f.batch(3).Status)
	f.closeUpTo(0, 8)
	f.goTo(205)
	require.Equal(t, uint64(2), f.epoch(0).Batches) // epoch 8 is not closed yet
	f.goTo(206)
	f.closeUpTo(8, 9)

	// Two usage rows and two counters, four spends, a token sum and two batches make ten, then the state itself.
	f.goTo(209)
	_, err := f.query.Epoch(f.ctx, &types.QueryEpochRequest{})
	require.NoError(t, err)
	f.goTo(211)
	_, err = f.query.Epoch(f.ctx, &types.QueryEpochRequest{})
	require.ErrorIs(t, err, types.ErrUnknownEpoch)
	_, err = f.query.Batch(f.ctx, &types.QueryBatchRequest{BatchId: 1})
	require.ErrorIs(t, err, types.ErrUnknownBatch)
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Equal(t, uint64(1), g.PrunedEpoch)
	require.Empty(t, g.Usages)
	require.Empty(t, g.Spends)
	require.Len(t, g.Batches, 1)
	require.Len(t, g.Losses, 1)
	f.goTo(230)
	f.closeUpTo(9, 10)
	f.goTo(240)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_STUCK, f.batch(3).Status)

	f.log.refuse = false
	f.do(&types.MsgSettleStuck{Authority: addr("governance"), BatchId: 3, Settle: true})
	f.goTo(244)
	_, err = f.query.Epoch(f.ctx, &types.QueryEpochRequest{Epoch: 1})
	require.ErrorIs(t, err, types.ErrUnknownEpoch)
	f.endBlock()
}

// A chain whose first epoch is a late one passes over those that never were.
func TestPruningSkipsEpochsThatNeverWere(t *testing.T) {
	f := emptyFixture(t)
	f.setHeight(20*500 + 1)
	require.NoError(t, f.k.InitGenesis(f.ctx, types.DefaultGenesis()))
	require.NoError(t, f.k.BeginBlock(f.ctx))
	f.goTo(20*500 + 7)
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Equal(t, uint64(500), g.PrunedEpoch)
}
