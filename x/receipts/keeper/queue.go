// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// sampleNotOpened is why a batch is void whose samples were not all opened in time.
const sampleNotOpened = "sample not opened"

// heightIndex is an index by height whose entries are due from that height on.
type heightIndex interface {
	Walk(ctx context.Context, r collections.Ranger[collections.Pair[uint64, uint64]], f func(height, id uint64) (bool, error)) error
}

// dueIDs returns the first entries that are due, at most limit. Height 0 is for entries that wait for nothing.
func (k *Keeper) dueIDs(ctx context.Context, index heightIndex, limit uint32) ([]uint64, error) {
	ranger := new(collections.Range[collections.Pair[uint64, uint64]]).
		StartInclusive(collections.Join(uint64(1), uint64(0))).
		EndExclusive(collections.Join(height(ctx)+1, uint64(0)))
	var ids []uint64
	err := index.Walk(ctx, ranger, func(_, id uint64) (bool, error) {
		ids = append(ids, id)
		return uint64(len(ids)) >= uint64(limit), nil
	})
	return ids, err
}

// workQueue works on due batches, at most max_finalise_per_block. Each is worked on by itself: what fails changes nothing but its own
// place in the queue.
func (k *Keeper) workQueue(ctx context.Context, params *types.Params) error {
	due, err := k.dueIDs(ctx, k.batches.Indexes.due, params.MaxFinalisePerBlock)
	if err != nil {
		return err
	}
	for _, id := range due {
		cached, write := sdk.UnwrapSDKContext(ctx).CacheContext()
		cause := k.workBatch(cached, id)
		if cause == nil {
			write()
			continue
		}
		waits, err := k.awaitsDemands(ctx, id, cause)
		if err != nil {
			return err
		}
		if waits {
			if err := k.deferBatch(ctx, id); err != nil {
				return err
			}
			continue
		}
		k.logger(ctx).Error("batch is postponed", "batch_id", id, "err", cause)
		if err := k.postpone(ctx, id, cause, params.StuckReturnBlocks); err != nil {
			return err
		}
	}
	return nil
}

// workBatch takes a due batch one step on: one that has not shown its samples is void, one that has is settled, a stuck one returns
// its locks.
func (k *Keeper) workBatch(ctx context.Context, id uint64) error {
	b, err := k.batch(ctx, id)
	if err != nil {
		return err
	}
	switch b.Status {
	case types.BatchStatus_BATCH_STATUS_SUBMITTED:
		err = k.voidUnopened(ctx, &b)
	case types.BatchStatus_BATCH_STATUS_SAMPLED:
		err = k.settle(ctx, &b)
	case types.BatchStatus_BATCH_STATUS_STUCK:
		err = k.voidStuck(ctx, &b)
	default:
		err = errorsmod.Wrapf(types.ErrInvariant, "batch %d is %s and queued", id, b.Status)
	}
	if err != nil {
		return err
	}
	return k.batches.Set(ctx, id, b)
}

// voidUnopened voids a batch whose samples were not all opened in time. That costs its operator what fraud costs, unless there was
// no seed to draw them by.
func (k *Keeper) voidUnopened(ctx context.Context, b *types.Batch) error {
	state, err := k.epochState(ctx, b.Epoch)
	if err != nil {
		return err
	}
	if len(state.Seed) == 0 {
		return k.void(ctx, b, "the beacon was never drawn", 0)
	}
	operator, err := k.parseParty("operator", b.Operator)
	if err != nil {
		return err
	}
	slashed, err := k.punishBatch(ctx, b, operator, sampleNotOpened, fmt.Sprintf("sample_not_opened batch %d", b.Id))
	if err != nil {
		return err
	}
	return k.void(ctx, b, sampleNotOpened, slashed)
}

// punishBatch punishes an operator for a fault of one batch that nobody had to report, and returns what was taken, in ultai. The fault
// has the id that every fault of the batch has, so that a batch is paid for once.
//
// Errors: ErrEvidenceUsed, those of Punish.
func (k *Keeper) punishBatch(ctx context.Context, b *types.Batch, operator []byte, fault, evidence string) (uint64, error) {
	id := batchFault(b.Id)
	if err := k.useEvidence(ctx, id, b.Epoch, fault); err != nil {
		return 0, err
	}
	p, err := k.operators.Punish(ctx, operatorstypes.Offence{
		Kind: operatorstypes.OffenceReceiptFraud, Operator: operator, ClaimUusdc: b.AmountUusdc, EvidenceID: id, Evidence: evidence,
	})
	return p.SlashUltai, err
}

// voidStuck voids a batch that was stuck for too long. One that never showed its samples pays for that if it can be made to; if that
// fails again its locks return all the same, because they are others' money.
func (k *Keeper) voidStuck(ctx context.Context, b *types.Batch) error {
	if !b.AllOpened() {
		cached, write := sdk.UnwrapSDKContext(ctx).CacheContext()
		err := k.voidUnopened(cached, b)
		if err == nil {
			write()
			return nil
		}
		k.logger(ctx).Error("stuck batch is returned without a slash", "batch_id", b.Id, "err", err)
		if *b, err = k.batch(ctx, b.Id); err != nil { // as it was
			return err
		}
	}
	return k.void(ctx, b, "stuck for too long", 0)
}

// void returns a batch's locks and the bonds of whoever still waits for its data. The caller stores b.
func (k *Keeper) void(ctx context.Context, b *types.Batch, reason string, slashed uint64) error {
	operator, err := k.parseParty("operator", b.Operator)
	if err != nil {
		return err
	}
	if err := k.closeDemands(ctx, b); err != nil {
		return err
	}
	returned := uint64(0)
	for first, end := range b.BySettler() {
		sum := uint64(0)
		for i := first; i < end; i++ {
			sum += b.States[i].LockedUusdc // at most the batch's amount
			b.States[i].LockedUusdc = 0
		}
		if err := k.refund(ctx, b.Groups[first].Settler, operator, sum); err != nil {
			return err
		}
		returned += sum
	}
	state, err := k.epochState(ctx, b.Epoch)
	if err != nil {
		return err
	}
	if err := k.finish(ctx, b, operator, &state, types.BatchStatus_BATCH_STATUS_VOID); err != nil {
		return err
	}
	b.Reason, b.OpenedLeaves = reason, nil // no sample of it is opened any more
	return emit(ctx, &types.EventBatchVoided{
		BatchId: b.Id, Operator: b.Operator, Epoch: b.Epoch, Reason: reason, ReturnedUusdc: returned, SlashedUltai: slashed,
	})
}

// awaitsDemands reports whether a batch was not settled only because the queue of demands has not come to its own yet: more are due than
// one block works on. A demand that has failed is no such cause, or its batch would wait for ever.
func (k *Keeper) awaitsDemands(ctx context.Context, id uint64, cause error) (bool, error) {
	if !errors.Is(cause, types.ErrOpenDemands) {
		return false, nil
	}
	demands, err := k.demandsOf(ctx, id)
	if err != nil {
		return false, err
	}
	for i := range demands {
		if demands[i].Failures > 0 {
			return false, nil
		}
	}
	return len(demands) > 0, nil
}

// deferBatch moves a batch to the next block. That is no failure of it.
func (k *Keeper) deferBatch(ctx context.Context, id uint64) error {
	b, err := k.batch(ctx, id)
	if err != nil {
		return err
	}
	b.DueHeight = height(ctx) + 1
	return k.batches.Set(ctx, id, b)
}

// postpone moves a batch that failed out of the head of the queue: one block on after the first failure, two after the second. The
// third makes it stuck: it waits for governance or the return of its locks.
func (k *Keeper) postpone(ctx context.Context, id uint64, cause error, stuckReturnBlocks uint64) error {
	b, err := k.batch(ctx, id)
	if err != nil {
		return err
	}
	b.Failures++
	if b.Failures < types.MaxFailures {
		b.DueHeight = height(ctx) + uint64(b.Failures)
		return k.batches.Set(ctx, id, b)
	}
	b.Status, b.Reason, b.DueHeight = types.BatchStatus_BATCH_STATUS_STUCK, cause.Error(), height(ctx)+stuckReturnBlocks
	if err := k.batches.Set(ctx, id, b); err != nil {
		return err
	}
	return emit(ctx, &types.EventBatchStuck{BatchId: id, Reason: b.Reason, ReturnHeight: b.DueHeight})
}

// SettleStuck settles a stuck batch, or returns its locks, before they return by themselves. One that has not shown all its samples is
// never settled.
//
// Errors: ErrUnknownBatch, ErrBatchStatus, and why it still cannot be settled.
func (k *Keeper) SettleStuck(ctx context.Context, id uint64, settle bool) error {
	b, err := k.batch(ctx, id)
	if err != nil {
		return err
	}
	if b.Status != types.BatchStatus_BATCH_STATUS_STUCK {
		return errorsmod.Wrapf(types.ErrBatchStatus, "batch %d is %s", id, b.Status)
	}
	if settle && !b.AllOpened() {
		return errorsmod.Wrapf(types.ErrBatchStatus, "batch %d has not shown all its samples", id)
	}
	if settle {
		b.Reason = ""
		err = k.settle(ctx, &b)
	} else {
		err = k.void(ctx, &b, "returned by governance", 0)
	}
	if err != nil {
		return err
	}
	return k.batches.Set(ctx, id, b)
}
