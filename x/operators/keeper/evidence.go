// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"
	"slices"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// CheckEvidenceAge checks that what happened at a height can still be punished: the bonds of that time are still here. Modules ask it
// before they take evidence that has no deadline of its own; used evidence is remembered for as long.
//
// Errors: ErrEvidenceTooOld.
func (k *Keeper) CheckEvidenceAge(ctx context.Context, at uint64) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	if now := height(ctx); now > at && now-at > params.UnbondingBlocks {
		return errorsmod.Wrapf(types.ErrEvidenceTooOld, "height %d, now %d, at most %d blocks", at, now, params.UnbondingBlocks)
	}
	return nil
}

// EvidenceUsed reports whether evidence of that id has punished, as far as that is remembered.
func (k *Keeper) EvidenceUsed(ctx context.Context, id [32]byte) (bool, error) {
	return k.usedEvidence.Has(ctx, id[:])
}

// useEvidence remembers that evidence has punished. A zero id is not remembered. Errors: ErrEvidenceUsed.
func (k *Keeper) useEvidence(ctx context.Context, op *types.Operator, o *types.Offence) error {
	if o.EvidenceID == ([32]byte{}) {
		return nil
	}
	id := o.EvidenceID[:]
	used, err := k.usedEvidence.Get(ctx, id)
	if err == nil {
		return errorsmod.Wrapf(types.ErrEvidenceUsed, "%x against %s at height %d", id, used.Operator, used.Height)
	}
	if !errors.Is(err, collections.ErrNotFound) {
		return err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	entry := types.UsedEvidence{Id: id, Operator: op.Address, Offence: string(o.Kind), Height: height(ctx)}
	if err := k.usedEvidence.Set(ctx, id, entry); err != nil {
		return err
	}
	// Evidence of the present block may arrive until unbonding_blocks from now, the last height included.
	return k.setDeadline(ctx, types.DeadlineKind_DEADLINE_KIND_EVIDENCE, id, height(ctx)+params.UnbondingBlocks+1)
}

// forgetEvidence forgets used evidence that can arrive no more. Where unbonding has become longer since, it waits for the rest.
func (k *Keeper) forgetEvidence(ctx context.Context, id []byte) error {
	used, err := k.usedEvidence.Get(ctx, id)
	if err != nil {
		return err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	if until := used.Height + params.UnbondingBlocks + 1; until > height(ctx) {
		return k.setDeadline(ctx, types.DeadlineKind_DEADLINE_KIND_EVIDENCE, id, until)
	}
	return k.usedEvidence.Remove(ctx, id)
}

// Strike counts an offence of an operator at this height and returns which one of its kind it is within escalation_blocks, from 1 and at
// most 16. Other modules may count kinds of their own, of 1 to 32 bytes. Errors: ErrUnknownOperator.
func (k *Keeper) Strike(ctx context.Context, operator []byte, kind string) (uint32, error) {
	op, err := k.Operator(ctx, operator)
	if err != nil {
		return 0, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return 0, err
	}
	key := collections.Join(operator, kind)
	strikes, err := k.strikes.Get(ctx, key)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return 0, err
	}
	now := height(ctx)
	strikes.Operator, strikes.Kind = op.Address, kind
	strikes.Heights = slices.DeleteFunc(strikes.Heights, func(at uint64) bool { return now-min(now, at) >= params.EscalationBlocks })
	strikes.Heights = append(strikes.Heights, now)
	strikes.Heights = strikes.Heights[max(0, len(strikes.Heights)-types.MaxStrikes):]
	return uint32(len(strikes.Heights)), k.strikes.Set(ctx, key, strikes) //nolint:gosec // at most 16
}
