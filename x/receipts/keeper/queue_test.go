// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/receipts/types"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

// sampled submits one batch for each work of "host", in epoch 0, opens their samples and goes to block 40.
func sampled(t *testing.T, works ...work) *fixture {
	t.Helper()
	f := newFixture(t)
	f.goTo(21)
	batches := make([]*built, len(works))
	for i, w := range works {
		batches[i] = f.build("host", 0, w)
		f.submit(batches[i])
	}
	f.goTo(30)
	for i, b := range batches {
		f.do(f.openings(b, f.batch(uint64(i+1))))
	}
	f.goTo(40)
	return f
}

func TestUnopenedBatchIsVoidAndSlashed(t *testing.T) {
	f := newFixture(t)
	f.goTo(21)
	b := f.build("host", 0, routed(model, jobs(1, 600, 400)))
	stored := f.submit(b)
	f.goTo(30)
	all := f.openings(b, stored)
	f.do(&types.MsgOpenSamples{Sender: addr("op"), BatchId: 1, Samples: all.Samples[:1]}) // one of two
	f.goTo(35)
	require.Empty(t, f.operators.punished)
	f.goTo(36)
	got := f.batch(1)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_VOID, got.Status)
	require.Zero(t, got.DueHeight)
	require.Equal(t, []operatorstypes.Offence{batchOffence(1, 1_000, "sample_not_opened batch 1")}, f.operators.punished)
	require.Equal(t, &types.EventBatchVoided{
		BatchId: 1, Operator: addr("op"), Reason: "sample not opened", ReturnedUusdc: 150, SlashedUltai: slashTaken,
	}, lastEvent[*types.EventBatchVoided](f))
	require.Equal(t, uint64(1_000_000), f.settler("set").AvailableUusdc)
	require.Zero(t, f.epoch(0).OpenBatches)
	require.Zero(t, f.epoch(0).Batches)
	require.Empty(t, f.log.leaves)
	claims, err := f.query.OpenClaims(f.ctx, &types.QueryOpenClaimsRequest{Operator: addr("op")})
	require.NoError(t, err)
	require.Zero(t, claims.OpenClaims.Batches)
	f.goTo(60)
	require.Len(t, f.operators.punished, 1)
}

// Without a beacon nobody could open anything: the batch is void and nobody is slashed.
func TestBatchWithoutBeaconIsReturned(t *testing.T) {
	f := newFixture(t)
	f.operators.noHash = true
	f.goTo(21)
	f.submit(f.build("host", 0, routed(model, jobs(1, 1_000))))
	f.goTo(36)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_VOID, f.batch(1).Status)
	require.Empty(t, f.operators.punished)
	require.Equal(t, uint64(150), lastEvent[*types.EventBatchVoided](f).ReturnedUusdc)
}

// Batch 1 fails three times, at 40, 41 and 43, while batches 2 and 3 flow; then its locks return.
func TestStuckBatch(t *testing.T) {
	f := sampled(t, routed(model, jobs(1, 1_000)), routed(plain, jobs(2, 1_000)), direct(plain, jobs(1, 1_000)))
	f.royalties.refuse[model] = royaltiestypes.ErrTakenDown
	f.goTo(41)
	require.Equal(t, uint32(1), f.batch(1).Failures)
	require.Equal(t, uint64(41), f.batch(1).DueHeight)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_FINALISED, f.batch(2).Status)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_FINALISED, f.batch(3).Status)
	f.goTo(42)
	require.Equal(t, uint32(2), f.batch(1).Failures)
	require.Equal(t, uint64(43), f.batch(1).DueHeight)
	f.goTo(44)
	got := f.batch(1)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_STUCK, got.Status)
	require.Equal(t, uint64(143), got.DueHeight)
	require.Contains(t, got.Reason, royaltiestypes.ErrTakenDown.Error())
	require.Equal(t, &types.EventBatchStuck{BatchId: 1, Reason: got.Reason, ReturnHeight: 143}, lastEvent[*types.EventBatchStuck](f))
	require.Equal(t, uint64(150), f.settler("set").LockedUusdc)
	require.Equal(t, uint64(1), f.epoch(0).OpenBatches)
	f.goTo(143)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_STUCK, f.batch(1).Status)
	f.goTo(144)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_VOID, f.batch(1).Status)
	require.Empty(t, f.operators.punished)
	require.Zero(t, f.settler("set").LockedUusdc)
	require.Zero(t, f.epoch(0).OpenBatches)
}

// A settlement that fails half-way leaves no trace: the log is asked first, the bank after it.
func TestFailedSettlementLeavesNoTrace(t *testing.T) {
	f := sampled(t, routed(model, jobs(1, 1_000)))
	f.bank.refuse[string(module("rewards"))] = true
	balances := f.held("receipts")
	f.endBlock()
	require.Equal(t, balances, f.held("receipts"))
	require.Empty(t, events[*types.EventBatchFinalised](f))
	require.Equal(t, uint64(150), f.settler("set").LockedUusdc)
	f.bank.refuse[string(module("rewards"))] = false
	f.goTo(42)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_FINALISED, f.batch(1).Status)
}

func TestSettleStuck(t *testing.T) {
	f := sampled(t, routed(model, jobs(1, 1_000)), routed(model, jobs(2, 1_000)))
	settle := &types.MsgSettleStuck{Authority: addr("governance"), BatchId: 1, Settle: true}
	f.refused(types.ErrBatchStatus, settle)
	f.royalties.refuse[model] = royaltiestypes.ErrTakenDown
	f.goTo(44)
	f.refused(royaltiestypes.ErrTakenDown, settle)
	f.refused(types.ErrUnauthorized, &types.MsgSettleStuck{Authority: addr("op"), BatchId: 1, Settle: true})
	f.refused(types.ErrUnknownBatch, &types.MsgSettleStuck{Authority: addr("governance"), BatchId: 9, Settle: true})
	f.do(&types.MsgSettleStuck{Authority: addr("governance"), BatchId: 2})
	require.Equal(t, types.BatchStatus_BATCH_STATUS_VOID, f.batch(2).Status)
	delete(f.royalties.refuse, model)
	f.do(settle)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_FINALISED, f.batch(1).Status)
	require.True(t, lastEvent[*types.EventBatchFinalised](f).Credited)
	require.NoError(t, f.k.CheckInvariants(f.ctx))
	f.goTo(150)
	require.Equal(t, uint64(1), f.epoch(0).Batches)
}

// A slash that fails does not lose the batch: it is tried again, and in the end the locks return.
func TestFailedSlashEndsStuck(t *testing.T) {
	f := newFixture(t)
	f.operators.fails = true
	f.goTo(21)
	f.submit(f.build("host", 0, routed(model, jobs(1, 1_000))))
	f.goTo(39)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_STUCK, f.batch(1).Status)
	f.goTo(139)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_VOID, f.batch(1).Status)
}

func TestFinalisePerBlock(t *testing.T) {
	f := sampled(t, routed(plain, jobs(1, 10)), routed(plain, jobs(2, 10)), routed(plain, jobs(3, 10)))
	f.setParams(func(p *types.Params) { p.MaxFinalisePerBlock = 2 })
	f.goTo(41)
	require.Equal(t, uint64(2), f.epoch(0).Batches)
	f.goTo(42)
	require.Equal(t, uint64(3), f.epoch(0).Batches)
}
