// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/score"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// SubmitBatch enters a batch and locks what its settlers owe. A group that its settler cannot cover is entered unfunded. The checks,
// their order and errors are those of admit; nothing is written before all have passed.
func (k *Keeper) SubmitBatch(ctx context.Context, sender []byte, msg *types.MsgSubmitBatch) (types.Batch, error) {
	c, err := k.admit(ctx, sender, msg)
	if err != nil {
		return types.Batch{}, err
	}
	b := &c.batch
	if b.Samples, err = k.sampleCount(ctx, c); err != nil {
		return types.Batch{}, err
	}
	if b.Id, err = k.nextBatch.Next(ctx); err != nil {
		return types.Batch{}, err
	}
	b.DueHeight = c.windows.Open.Last + 1
	for i := range c.parties {
		if err := k.lockParty(ctx, c, &c.parties[i]); err != nil {
			return types.Batch{}, errorsmod.Wrapf(err, "settler %X", c.parties[i].addr)
		}
	}
	if err := k.storeClaim(ctx, c); err != nil {
		return types.Batch{}, err
	}
	return *b, emitSubmitted(ctx, b)
}

// sampleCount returns how many samples are drawn of a batch, by the operator's reputation as it has decayed until now.
func (k *Keeper) sampleCount(ctx context.Context, c *claim) (uint32, error) {
	ppm, since, err := k.operators.Reputation(ctx, c.operator)
	if err != nil {
		return 0, err
	}
	now, err := k.currentEpoch(ctx)
	if err != nil {
		return 0, err
	}
	if ppm, err = score.Decay(ppm, now-min(now, since), score.HalfLifeReputation); err != nil {
		return 0, err
	}
	return sumtree.SampleCount(c.batch.AmountUusdc, c.epoch.Params.SampleUnitUusdc, c.batch.Count, ppm)
}

// lockParty locks what the groups of one settler owe; an operator that never registered as a settler can pay none.
func (k *Keeper) lockParty(ctx context.Context, c *claim, p *party) error {
	if !p.registered {
		for i := p.first; i < p.end; i++ {
			c.batch.States[i].Unfunded = true
		}
		return nil
	}
	a, err := k.account(ctx, p.settler, p.addr, c.operator)
	if err != nil {
		return err
	}
	return k.lockGroups(ctx, a, c.batch.States[p.first:p.end])
}

// lockGroups locks what groups of one settler owe: take, royalty and, where it is settled here, the operator share. Each is funded
// or not by itself, in order.
func (k *Keeper) lockGroups(ctx context.Context, a *account, states []types.GroupState) error {
	most, err := k.lockable(ctx, a)
	if err != nil {
		return err
	}
	sum := uint64(0)
	for i := range states {
		need := states[i].Owed()
		if states[i].Unfunded = need > most-sum; states[i].Unfunded {
			continue
		}
		states[i].LockedUusdc = need
		sum += need
	}
	if sum == 0 {
		return nil
	}
	return k.lock(ctx, a, sum)
}

// storeClaim stores a batch, which enters the queue, and the sums that it changes.
func (k *Keeper) storeClaim(ctx context.Context, c *claim) error {
	if err := k.storeMarks(ctx, c); err != nil {
		return err
	}
	if err := k.indexClaims(ctx, &c.batch); err != nil {
		return err
	}
	if err := k.hostEpochs.Set(ctx, collections.Join(c.batch.Epoch, c.hostID[:]), c.host); err != nil {
		return err
	}
	if err := k.openClaims.Set(ctx, c.operator, c.open); err != nil {
		return err
	}
	c.epoch.OpenBatches++
	if err := k.epochs.Set(ctx, c.batch.Epoch, c.epoch); err != nil {
		return err
	}
	return k.batches.Set(ctx, c.batch.Id, c.batch)
}

// storeMarks stores the watermarks of a batch's settlers, and the host key's over all settlers under the empty address.
func (k *Keeper) storeMarks(ctx context.Context, c *claim) error {
	key := collections.Join(c.hostKey[:], []byte{})
	highest, err := k.watermarks.Get(ctx, key)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return err
	}
	highest.HostKey = c.hostKey[:]
	for i := range c.parties {
		p := &c.parties[i]
		if err := k.watermarks.Set(ctx, collections.Join(c.hostKey[:], p.addr), p.mark); err != nil {
			return err
		}
		highest.Seq = max(highest.Seq, p.mark.Seq)
	}
	return k.watermarks.Set(ctx, key, highest)
}

// batch returns a batch. Error: ErrUnknownBatch.
func (k *Keeper) batch(ctx context.Context, id uint64) (types.Batch, error) {
	b, err := k.batches.Get(ctx, id)
	if errors.Is(err, collections.ErrNotFound) {
		return types.Batch{}, errorsmod.Wrapf(types.ErrUnknownBatch, "%d", id)
	}
	return b, err
}

// FundGroup locks what an unfunded group owes, by the settler's own escrow and limit, until the batch is settled.
//
// Errors: ErrUnknownBatch, ErrBatchStatus, ErrUnknownGroup, ErrGroupFunded, ErrNotFunded.
func (k *Keeper) FundGroup(ctx context.Context, id uint64, group uint32) error {
	b, err := k.batch(ctx, id)
	if err != nil {
		return err
	}
	switch {
	case b.Status != types.BatchStatus_BATCH_STATUS_SUBMITTED && b.Status != types.BatchStatus_BATCH_STATUS_SAMPLED:
		return errorsmod.Wrapf(types.ErrBatchStatus, "batch %d is %s", id, b.Status)
	case uint64(group) >= uint64(len(b.States)):
		return errorsmod.Wrapf(types.ErrUnknownGroup, "%d of %d", group, len(b.States))
	case !b.States[group].Unfunded:
		return errorsmod.Wrapf(types.ErrGroupFunded, "%d", group)
	}
	operator, err := k.parseParty("operator", b.Operator)
	if err != nil {
		return err
	}
	state := &b.States[group]
	if err := k.fund(ctx, state, b.Groups[group].Settler, operator); err != nil {
		return err
	}
	if err := k.batches.Set(ctx, id, b); err != nil {
		return err
	}
	return emit(ctx, &types.EventGroupFunded{BatchId: id, Group: group, State: *state})
}

// fund locks what one group owes, or changes nothing. Error: ErrNotFunded.
func (k *Keeper) fund(ctx context.Context, state *types.GroupState, settler, operator []byte) error {
	s, err := k.settler(ctx, settler)
	if errors.Is(err, types.ErrUnknownSettler) {
		return errorsmod.Wrapf(types.ErrNotFunded, "%s is no settler", state.Settler)
	}
	if err != nil {
		return err
	}
	a, err := k.account(ctx, s, settler, operator)
	if err != nil {
		return err
	}
	states := []types.GroupState{*state}
	if err := k.lockGroups(ctx, a, states); err != nil {
		return err
	}
	if states[0].Unfunded {
		return errorsmod.Wrapf(types.ErrNotFunded, "%duusdc at %s", state.Owed(), state.Settler)
	}
	*state = states[0]
	return nil
}

// DeclareLoss bars what a host has not claimed yet of an epoch, because its records are lost.
//
// Errors: operators' ErrUnknownHost and ErrUnauthorized, ErrSubmitWindow (over, or the epoch has not begun), ErrLossDeclared.
func (k *Keeper) DeclareLoss(ctx context.Context, sender []byte, hostID [32]byte, e uint64) error {
	host, err := k.operators.Host(ctx, hostID)
	if err != nil {
		return err
	}
	operator, err := k.parseParty("operator", host.Operator)
	if err != nil {
		return err
	}
	if err := k.operators.CheckSender(ctx, operator, sender); err != nil {
		return err
	}
	windows, err := k.submitWindow(ctx, e)
	if err != nil {
		return err
	}
	begun, err := k.epochs.Has(ctx, e)
	if err != nil {
		return err
	}
	if !begun || height(ctx) > windows.Submit.Last {
		return errorsmod.Wrapf(types.ErrSubmitWindow, "epoch %d: it ends in block %d, this is %d", e, windows.Submit.Last, height(ctx))
	}
	key := collections.Join(e, hostID[:])
	declared, err := k.losses.Has(ctx, key)
	if err != nil {
		return err
	}
	if declared {
		return errorsmod.Wrapf(types.ErrLossDeclared, "host %x, epoch %d", hostID, e)
	}
	loss := types.Loss{HostId: hostID[:], Epoch: e}
	if err := k.losses.Set(ctx, key, loss); err != nil {
		return err
	}
	return emit(ctx, &types.EventLossDeclared{Loss: loss})
}
