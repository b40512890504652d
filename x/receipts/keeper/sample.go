// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"crypto/sha256"

	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

const (
	// signatureGas is what recovering one signature costs, as the ante handler charges for a secp256k1 signature.
	signatureGas = 1_000
	// signaturesOfRecord is the most signatures of one record.
	signaturesOfRecord = 3
)

// opener checks the samples of one batch. Everything that is the same for all of them is read once.
type opener struct {
	batch    *types.Batch
	operator []byte
	groups   []sumtree.Group
	seed     [32]byte
	checker  receipt.Checker
	context  receipt.Context // without what the group and the payer decide
	fraud    contradiction   // what the openings so far prove against the batch
}

// OpenSamples opens drawn samples of a batch in its epoch's open window. When all are open, the batch waits only for the end of its
// challenge window. A sample that does not fit is an error, and may be opened again as long as the window lasts. Samples that fit but
// contradict each other, in this message or over several, are fraud: the batch is void and its operator slashed, without an error.
//
// Errors: ErrUnknownBatch, operators' ErrUnauthorized, ErrBatchStatus, ErrOpenWindow, ErrNoSeed; for each sample ErrSampleOpened,
// ErrBadSample, ErrRecordMismatch, ErrBadRecord.
func (k *Keeper) OpenSamples(ctx context.Context, sender []byte, id uint64, samples []types.SampleOpening) (types.Batch, error) {
	b, err := k.batch(ctx, id)
	if err != nil {
		return types.Batch{}, err
	}
	operator, err := k.parseParty("operator", b.Operator)
	if err != nil {
		return types.Batch{}, err
	}
	if err := k.operators.CheckSender(ctx, operator, sender); err != nil {
		return types.Batch{}, err
	}
	o, err := k.newOpener(ctx, &b, operator)
	if err != nil {
		return types.Batch{}, err
	}
	for i := range samples {
		if err := k.openSample(ctx, o, &samples[i]); err != nil {
			return types.Batch{}, errorsmod.Wrapf(err, "draw %d", samples[i].Draw)
		}
		if o.fraud.reason != "" {
			if err := k.voidContradicted(ctx, o); err != nil {
				return types.Batch{}, err
			}
			return b, k.batches.Set(ctx, id, b)
		}
	}
	if b.AllOpened() {
		if err := k.markSampled(ctx, &b); err != nil {
			return types.Batch{}, err
		}
	}
	return b, k.batches.Set(ctx, id, b)
}

// markSampled says that a batch has shown all its samples; it is settled when its challenge window is over.
func (k *Keeper) markSampled(ctx context.Context, b *types.Batch) error {
	windows, err := k.windows(ctx, b.Epoch)
	if err != nil {
		return err
	}
	b.Status, b.DueHeight = types.BatchStatus_BATCH_STATUS_SAMPLED, windows.FinaliseFrom
	if b.Extended {
		b.DueHeight = windows.FinaliseLatest
	}
	b.OpenedLeaves = nil // no sample is left to compare them with
	return emit(ctx, &types.EventBatchSampled{BatchId: b.Id, DueHeight: b.DueHeight})
}

func (k *Keeper) newOpener(ctx context.Context, b *types.Batch, operator []byte) (*opener, error) {
	windows, err := k.windows(ctx, b.Epoch)
	if err != nil {
		return nil, err
	}
	switch {
	case b.Status != types.BatchStatus_BATCH_STATUS_SUBMITTED:
		return nil, errorsmod.Wrapf(types.ErrBatchStatus, "batch %d is %s", b.Id, b.Status)
	case !windows.Open.Contains(height(ctx)):
		return nil, errorsmod.Wrapf(types.ErrOpenWindow, "epoch %d: blocks %d to %d, this is %d",
			b.Epoch, windows.Open.First, windows.Open.Last, height(ctx))
	}
	state, err := k.epochState(ctx, b.Epoch)
	if err != nil {
		return nil, err
	}
	if len(state.Seed) != types.HashLength {
		return nil, errorsmod.Wrapf(types.ErrNoSeed, "epoch %d", b.Epoch)
	}
	o := &opener{batch: b, operator: operator, seed: [32]byte(state.Seed)}
	if o.groups, err = b.DomainGroups(); err != nil {
		return nil, err
	}
	if o.checker.Domain, err = k.operators.ReceiptDomain(ctx); err != nil {
		return nil, err
	}
	o.context, err = k.batchContext(ctx, o)
	return o, err
}

// batchContext returns what the context rules need of a batch, its host key and its epoch.
func (k *Keeper) batchContext(ctx context.Context, o *opener) (receipt.Context, error) {
	key, err := k.operators.HostKey(ctx, o.groups[0].Operator)
	if err != nil {
		return receipt.Context{}, err
	}
	start, err := k.epochStart(ctx, o.batch.Epoch)
	if err != nil {
		return receipt.Context{}, err
	}
	next, err := k.epochStart(ctx, o.batch.Epoch+1)
	if err != nil {
		return receipt.Context{}, err
	}
	return receipt.Context{
		HostKeyAddress: o.groups[0].Operator, HostID: o.groups[0].HostID, Epoch: o.batch.Epoch,
		EpochStart: start, NextEpochStart: next,
		KeyRegisteredAt: key.RegisteredAt, KeyExpiresAt: key.ExpiresAt,
	}, nil
}

// epochStart returns when an epoch began, in Unix seconds. Error: ErrUnknownEpoch.
func (k *Keeper) epochStart(ctx context.Context, e uint64) (uint64, error) {
	unix, found, err := k.operators.EpochStartTime(ctx, e)
	if err == nil && !found {
		err = errorsmod.Wrapf(types.ErrUnknownEpoch, "no start time of epoch %d", e)
	}
	return unix, err
}

// openSample checks one sample by itself, marks its draw and compares it with the others.
func (k *Keeper) openSample(ctx context.Context, o *opener, s *types.SampleOpening) error {
	if s.Draw >= o.batch.Samples {
		return errorsmod.Wrapf(types.ErrBadSample, "%d are drawn", o.batch.Samples)
	}
	bit := uint32(1) << s.Draw
	if o.batch.Opened&bit != 0 {
		return types.ErrSampleOpened
	}
	opening, err := sumtree.DecodeOpening(s.Opening)
	if err != nil {
		return errorsmod.Wrap(types.ErrBadSample, err.Error())
	}
	if uint64(s.Group) >= uint64(len(o.groups)) {
		return errorsmod.Wrapf(types.ErrBadSample, "group %d of %d", s.Group, len(o.groups))
	}
	err = sumtree.CheckSample(o.seed, o.batch.Id, s.Draw, o.batch.Samples, o.groups, int(s.Group), &opening)
	if err != nil {
		return errorsmod.Wrap(types.ErrBadSample, err.Error())
	}
	if err := k.checkRecord(ctx, o, &o.groups[s.Group], &opening.Leaf, s.Record); err != nil {
		return err
	}
	o.batch.Opened |= bit
	o.compareLeaf(s, &opening)
	return emit(ctx, &types.EventSampleOpened{
		BatchId: o.batch.Id, Draw: s.Draw, Group: s.Group, Index: opening.Index, Opened: o.batch.Opened,
	})
}

// checkRecord checks that a record is the leaf's and keeps all rules, those of its group and epoch included.
// Errors: ErrRecordMismatch, ErrBadRecord.
func (k *Keeper) checkRecord(ctx context.Context, o *opener, group *sumtree.Group, leaf *sumtree.Leaf, sr1 []byte) error {
	if sha256.Sum256(sr1) != leaf.RecordHash {
		return errorsmod.Wrap(types.ErrRecordMismatch, "its hash is not the leaf's")
	}
	sdk.UnwrapSDKContext(ctx).GasMeter().ConsumeGas(signaturesOfRecord*signatureGas, "signatures of a sample")
	record, err := receipt.Decode(sr1)
	if err != nil {
		return errorsmod.Wrap(types.ErrBadRecord, err.Error())
	}
	jobID, _, err := o.checker.CheckRecord(&record)
	if err != nil {
		return errorsmod.Wrap(types.ErrBadRecord, err.Error())
	}
	want, err := sumtree.LeafOf(&record, jobID, sr1)
	if err != nil {
		return errorsmod.Wrap(types.ErrBadRecord, err.Error())
	}
	if want != *leaf {
		return errorsmod.Wrap(types.ErrRecordMismatch, "the leaf says other things than the record")
	}
	return k.checkContext(ctx, o, group, &record)
}

// checkContext applies the context rules. Error: ErrBadRecord.
func (k *Keeper) checkContext(ctx context.Context, o *opener, group *sumtree.Group, record *receipt.Record) error {
	settler, isGateway, err := k.settlerOf(ctx, record.Auth.Payer, record.Auth.IssuedAt, o.operator)
	if err != nil {
		return err
	}
	rules := o.context
	rules.ModelID, rules.AdapterID = group.ModelID, group.AdapterID
	rules.FirstSeq, rules.LastSeq = group.FirstSeq, group.LastSeq
	rules.Settler, rules.WantSettler, rules.SettlerIsGateway = group.Settler, [20]byte(settler), isGateway
	// The batch was not admitted unless royalties found that the adapter's base is the group's model.
	rules.AdapterBase = group.ModelID
	if err := rules.Check(record); err != nil {
		return errorsmod.Wrap(types.ErrBadRecord, err.Error())
	}
	return nil
}
