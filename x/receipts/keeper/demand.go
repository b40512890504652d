// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/sumtree"
	"github.com/gpucoord/gpucoord/domain/u128"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// DemandData asks the operator of a batch to open one leaf (F5), and takes the reporter's bond, which an answer forfeits to the
// operator. The first demand of a batch puts its settlement off to the end of the response window, once.
//
// Errors: ErrUnknownBatch, ErrBatchStatus, ErrChallengeWindow, ErrUnknownGroup, ErrInvalidRequest (no such leaf), ErrOwnEvidence,
// ErrTooManyDemands, ErrDemandExists, what OpenReport returns.
func (k *Keeper) DemandData(ctx context.Context, reporter []byte, msg *types.MsgDemandData) (types.Demand, error) {
	b, err := k.batch(ctx, msg.BatchId)
	if err != nil {
		return types.Demand{}, err
	}
	settleHeight, err := k.checkDemand(ctx, &b, msg)
	if err != nil {
		return types.Demand{}, err
	}
	operator, err := k.parseParty("operator", b.Operator)
	if err != nil {
		return types.Demand{}, err
	}
	if err := k.checkReporter(ctx, operator, reporter); err != nil {
		return types.Demand{}, err
	}
	d := types.Demand{BatchId: b.Id, Group: msg.Group, Index: msg.Index}
	if d.Reporter, err = k.bech32(reporter); err != nil {
		return types.Demand{}, err
	}
	if err := k.checkOtherDemands(ctx, &b, d.Reporter); err != nil {
		return types.Demand{}, err
	}
	if d.DueHeight, err = k.answerDeadline(ctx); err != nil {
		return types.Demand{}, err
	}
	if d.ReportId, d.BondUltai, err = k.operators.OpenReport(ctx, reporter); err != nil {
		return types.Demand{}, err
	}
	if d.Id, err = k.nextDemand.Next(ctx); err != nil {
		return types.Demand{}, err
	}
	if err := k.demands.Set(ctx, d.Id, d); err != nil {
		return types.Demand{}, err
	}
	b.OpenDemands++
	b.Extended = true
	if b.Status == types.BatchStatus_BATCH_STATUS_SAMPLED {
		b.DueHeight = settleHeight
	}
	if err := k.batches.Set(ctx, b.Id, b); err != nil {
		return types.Demand{}, err
	}
	return d, emit(ctx, &types.EventDataDemanded{Demand: d, Operator: b.Operator, SettleHeight: settleHeight})
}

// checkDemand checks the batch, the time and the leaf, and returns when a batch with a demand is settled at the earliest.
func (k *Keeper) checkDemand(ctx context.Context, b *types.Batch, msg *types.MsgDemandData) (uint64, error) {
	if b.Status != types.BatchStatus_BATCH_STATUS_SUBMITTED && b.Status != types.BatchStatus_BATCH_STATUS_SAMPLED {
		return 0, errorsmod.Wrapf(types.ErrBatchStatus, "batch %d is %s", b.Id, b.Status)
	}
	windows, err := k.windows(ctx, b.Epoch)
	if err != nil {
		return 0, err
	}
	if height(ctx) > windows.Challenge.Last {
		return 0, errorsmod.Wrapf(types.ErrChallengeWindow, "epoch %d: until block %d, this is %d", b.Epoch, windows.Challenge.Last, height(ctx))
	}
	group, err := b.DomainGroup(msg.Group)
	if err != nil {
		return 0, err
	}
	if msg.Index >= group.Count {
		return 0, errorsmod.Wrapf(types.ErrInvalidRequest, "index is %d, the group has %d leaves", msg.Index, group.Count)
	}
	return windows.FinaliseLatest, nil
}

// answerDeadline returns the last block in which a demand made now can be answered: the response window's length from here, so not
// after that window.
func (k *Keeper) answerDeadline(ctx context.Context) (uint64, error) {
	schedule, err := k.operators.Schedule(ctx)
	if err != nil {
		return 0, err
	}
	due, ok := u128.Add(height(ctx), schedule.ResponseBlocks)
	if !ok {
		return 0, errorsmod.Wrap(types.ErrOverflow, "height until which it can be answered")
	}
	return due, nil
}

// checkOtherDemands checks how many demands a batch has. Errors: ErrTooManyDemands, ErrDemandExists.
func (k *Keeper) checkOtherDemands(ctx context.Context, b *types.Batch, reporter string) error {
	if b.OpenDemands >= types.MaxDemands {
		return errorsmod.Wrapf(types.ErrTooManyDemands, "%d", b.OpenDemands)
	}
	demands, err := k.demandsOf(ctx, b.Id)
	if err != nil {
		return err
	}
	for i := range demands {
		if demands[i].Reporter == reporter {
			return errorsmod.Wrapf(types.ErrDemandExists, "demand %d", demands[i].Id)
		}
	}
	return nil
}

// demandsOf returns the open demands of a batch, at most four.
func (k *Keeper) demandsOf(ctx context.Context, batch uint64) ([]types.Demand, error) {
	iter, err := k.demands.Indexes.batch.MatchExact(ctx, batch)
	if err != nil {
		return nil, err
	}
	ids, err := iter.PrimaryKeys() // closes the iterator
	if err != nil {
		return nil, err
	}
	demands := make([]types.Demand, len(ids))
	for i, id := range ids {
		if demands[i], err = k.demands.Get(ctx, id); err != nil {
			return nil, err
		}
	}
	return demands, nil
}

// AnswerData opens the leaf that a demand asks for, which must keep every rule that a sample has to keep. The reporter's bond is the
// operator's then. An answer that does not fit changes nothing and may be corrected until the deadline.
//
// Errors: ErrUnknownDemand, operators' ErrUnauthorized, ErrBadSample, ErrRecordMismatch, ErrBadRecord.
func (k *Keeper) AnswerData(ctx context.Context, sender []byte, msg *types.MsgAnswerData) error {
	d, err := k.demands.Get(ctx, msg.DemandId)
	if errors.Is(err, collections.ErrNotFound) {
		return errorsmod.Wrapf(types.ErrUnknownDemand, "%d", msg.DemandId)
	}
	if err != nil {
		return err
	}
	b, err := k.batch(ctx, d.BatchId)
	if err != nil {
		return err
	}
	operator, err := k.parseParty("operator", b.Operator)
	if err != nil {
		return err
	}
	if err := k.operators.CheckSender(ctx, operator, sender); err != nil {
		return err
	}
	if err := k.checkAnswer(ctx, &b, operator, &d, msg); err != nil {
		return err
	}
	if err := k.operators.ForfeitReport(ctx, d.ReportId, operator); err != nil {
		return err
	}
	if err := k.removeDemand(ctx, &b, &d); err != nil {
		return err
	}
	if err := k.batches.Set(ctx, b.Id, b); err != nil {
		return err
	}
	return emit(ctx, &types.EventDemandClosed{Demand: d, Operator: b.Operator, Outcome: types.DemandAnswered})
}

// checkAnswer checks an opening and its record against the leaf that is asked for.
func (k *Keeper) checkAnswer(ctx context.Context, b *types.Batch, operator []byte, d *types.Demand, msg *types.MsgAnswerData) error {
	chargeEvidence(ctx, msg.Opening, 0) // the record's signatures are charged where they are checked
	group, err := b.DomainGroup(d.Group)
	if err != nil {
		return err
	}
	opening, err := sumtree.DecodeOpening(msg.Opening)
	if err != nil {
		return errorsmod.Wrap(types.ErrBadSample, err.Error())
	}
	if opening.N != group.Count || opening.Index != d.Index {
		return errorsmod.Wrapf(types.ErrBadSample, "it opens leaf %d of %d, asked is %d of %d", opening.Index, opening.N, d.Index, group.Count)
	}
	if _, err := opening.Verify(group.Root); err != nil {
		return errorsmod.Wrap(types.ErrBadSample, err.Error())
	}
	o, err := k.batchOpener(ctx, b, operator, group)
	if err != nil {
		return err
	}
	return k.checkRecord(ctx, o, &group, &opening.Leaf, msg.Record)
}

// removeDemand ends a demand; the caller stores b.
func (k *Keeper) removeDemand(ctx context.Context, b *types.Batch, d *types.Demand) error {
	if b.OpenDemands == 0 {
		return errorsmod.Wrapf(types.ErrInvariant, "batch %d has demand %d and counts none", b.Id, d.Id)
	}
	b.OpenDemands--
	return k.demands.Remove(ctx, d.Id)
}

// closeDemands returns the bonds of all demands of a batch that is void for another cause; the caller stores b.
func (k *Keeper) closeDemands(ctx context.Context, b *types.Batch) error {
	if b.OpenDemands == 0 {
		return nil
	}
	demands, err := k.demandsOf(ctx, b.Id)
	if err != nil {
		return err
	}
	for i := range demands {
		d := &demands[i]
		if err := k.operators.ReturnReport(ctx, d.ReportId); err != nil {
			return err
		}
		if err := k.removeDemand(ctx, b, d); err != nil {
			return err
		}
		event := &types.EventDemandClosed{Demand: *d, Operator: b.Operator, Outcome: types.DemandMoot}
		if err := emit(ctx, event); err != nil {
			return err
		}
	}
	return nil
}

// workDemands ends demands whose deadline has passed, at most max_finalise_per_block. Each is worked on by itself: what fails moves on
// in the queue and holds up nobody.
func (k *Keeper) workDemands(ctx context.Context, params *types.Params) error {
	due, err := k.dueIDs(ctx, k.demands.Indexes.due, params.MaxFinalisePerBlock)
	if err != nil {
		return err
	}
	for _, id := range due {
		d, err := k.demands.Get(ctx, id)
		if errors.Is(err, collections.ErrNotFound) {
			continue // another demand has voided the batch in this block
		}
		if err != nil {
			return err
		}
		cached, write := sdk.UnwrapSDKContext(ctx).CacheContext()
		cause := k.loseDemand(cached, &d)
		if cause == nil {
			write()
			continue
		}
		k.logger(ctx).Error("demand is postponed", "demand_id", id, "err", cause)
		if err := k.postponeDemand(ctx, id, params.StuckReturnBlocks); err != nil {
			return err
		}
	}
	return nil
}

// loseDemand voids the batch of a demand that nobody has answered, punishes its operator and returns the reporter's bond.
func (k *Keeper) loseDemand(ctx context.Context, d *types.Demand) error {
	b, err := k.batch(ctx, d.BatchId)
	if err != nil {
		return err
	}
	operator, err := k.parseParty("operator", b.Operator)
	if err != nil {
		return err
	}
	reporter, err := k.parseAddress("reporter", d.Reporter)
	if err != nil {
		return err
	}
	id := batchFault(b.Id)
	if err := k.useEvidence(ctx, id, b.Epoch, types.FaultWithheld); err != nil {
		return err
	}
	p, err := k.operators.Punish(ctx, operatorstypes.Offence{
		Kind: operatorstypes.OffenceReceiptFraud, Operator: operator, ClaimUusdc: b.AmountUusdc, Reporter: reporter,
		ReporterBondUltai: d.BondUltai, EvidenceID: id,
		Evidence: fmt.Sprintf("%s batch %d group %d leaf %d", types.FaultWithheld, b.Id, d.Group, d.Index),
	})
	if err != nil {
		return err
	}
	if err := k.operators.ReturnReport(ctx, d.ReportId); err != nil {
		return err
	}
	if err := k.removeDemand(ctx, &b, d); err != nil {
		return err
	}
	if err := emit(ctx, &types.EventDemandClosed{
		Demand: *d, Operator: b.Operator, Outcome: types.DemandWithheld, SlashedUltai: p.SlashUltai, ReporterUltai: p.ReporterUltai,
	}); err != nil {
		return err
	}
	if err := k.void(ctx, &b, types.FaultWithheld, p.SlashUltai); err != nil {
		return err
	}
	return k.batches.Set(ctx, b.Id, b)
}

// postponeDemand moves a demand that failed out of the head of the queue: one block on after the first failure, two after the second,
// then by stuck_return_blocks. Its batch is not settled meanwhile: it becomes stuck, and its locks return.
func (k *Keeper) postponeDemand(ctx context.Context, id, stuckReturnBlocks uint64) error {
	d, err := k.demands.Get(ctx, id)
	if err != nil {
		return err
	}
	if d.Failures < types.MaxFailures {
		d.Failures++
	}
	wait := uint64(d.Failures)
	if d.Failures == types.MaxFailures {
		wait = stuckReturnBlocks
	}
	d.DueHeight = height(ctx) + wait
	return k.demands.Set(ctx, id, d)
}
