// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// holdBack counts an offence without cryptographic proof and defers it where the epoch's such offences would hit more than breaker_bps of
// all bond with it. What they hit is the bond of the operators concerned, each counted once in an epoch. It stores op.
func (k *Keeper) holdBack(ctx context.Context, op *types.Operator, o *types.Offence) (bool, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return false, err
	}
	breaker, err := k.presentBreaker(ctx)
	if err != nil {
		return false, err
	}
	hit := breaker.HitUltai
	if op.BreakerEpoch != breaker.Epoch+1 {
		hit = hit.Add(math.NewIntFromUint64(op.BondUltai))
	}
	if hit.MulRaw(wholeBps).GT(breaker.BondedUltai.Mul(math.NewIntFromUint64(params.BreakerBps))) {
		if err := k.breaker.Set(ctx, breaker); err != nil {
			return false, err
		}
		return true, k.deferOffence(ctx, op, o, breaker, min(params.DeferredReturnBlocks, params.UnbondingBlocks))
	}
	breaker.HitUltai = hit
	op.BreakerEpoch = breaker.Epoch + 1
	if err := k.operators.Set(ctx, o.Operator, *op); err != nil {
		return false, err
	}
	return false, k.breaker.Set(ctx, breaker)
}

// presentBreaker is the running epoch's count; a new one measures against the bond of this moment.
func (k *Keeper) presentBreaker(ctx context.Context) (types.Breaker, error) {
	e, err := k.CurrentEpoch(ctx)
	if err != nil && !errors.Is(err, types.ErrBeforeGenesis) {
		return types.Breaker{}, err
	}
	breaker, err := k.breaker.Get(ctx)
	if err == nil && breaker.Epoch == e || err != nil && !errors.Is(err, collections.ErrNotFound) {
		return breaker, err
	}
	bonded, err := k.totalBonded(ctx)
	return types.Breaker{Epoch: e, BondedUltai: bonded, HitUltai: math.ZeroInt()}, err
}

func (k *Keeper) deferOffence(ctx context.Context, op *types.Operator, o *types.Offence, breaker types.Breaker, wait uint64) error {
	record, err := k.recordOf(op, o)
	if err != nil {
		return err
	}
	id, err := k.nextDeferred.Next(ctx)
	if err != nil {
		return err
	}
	d := types.DeferredPunishment{Id: id, Offence: record, Height: height(ctx), LapsesHeight: height(ctx) + wait}
	if err := k.deferred.Set(ctx, id, d); err != nil {
		return err
	}
	if err := k.setDeadline(ctx, types.DeadlineKind_DEADLINE_KIND_DEFERRED, types.NumberID(id), d.LapsesHeight); err != nil {
		return err
	}
	return emit(ctx, &types.EventPunishmentDeferred{Deferred: d, Breaker: breaker})
}

// ResolveDeferred executes or drops a deferred punishment in the name of governance, which the caller has checked. It returns what was
// taken; an execution punishes by what the operator has now. Errors: ErrUnknownDeferred, those of Punish.
func (k *Keeper) ResolveDeferred(ctx context.Context, id uint64, execute bool) (uint64, error) {
	d, err := k.deferred.Get(ctx, id)
	if errors.Is(err, collections.ErrNotFound) {
		return 0, errorsmod.Wrapf(types.ErrUnknownDeferred, "%d", id)
	}
	if err != nil {
		return 0, err
	}
	if err := k.dropDeadline(ctx, types.DeadlineKind_DEADLINE_KIND_DEFERRED, types.NumberID(id)); err != nil {
		return 0, err
	}
	if !execute {
		return 0, k.closeDeferred(ctx, id, "dropped")
	}
	if err := k.closeDeferred(ctx, id, "executed"); err != nil {
		return 0, err
	}
	o, err := k.offenceOf(&d.Offence)
	if err != nil {
		return 0, err
	}
	row, err := types.OffenceRowOf(o.Kind)
	if err != nil {
		return 0, err
	}
	p, err := k.punish(ctx, row, o)
	return p.SlashUltai, err
}

// closeDeferred removes a deferred punishment, whose deadline is gone.
func (k *Keeper) closeDeferred(ctx context.Context, id uint64, outcome string) error {
	d, err := k.deferred.Get(ctx, id)
	if err != nil {
		return err
	}
	if err := k.deferred.Remove(ctx, id); err != nil {
		return err
	}
	return emit(ctx, &types.EventDeferredClosed{Id: id, Operator: d.Offence.Operator, Outcome: outcome})
}

// recordOf is an offence as state keeps it.
func (k *Keeper) recordOf(op *types.Operator, o *types.Offence) (types.OffenceRecord, error) {
	r := types.OffenceRecord{
		Offence: string(o.Kind), Operator: op.Address, ClaimUusdc: o.ClaimUusdc, VictimLossUusdc: o.VictimLossUusdc,
		ReporterBondUltai: o.ReporterBondUltai, Evidence: o.Evidence,
	}
	if o.EvidenceID != ([32]byte{}) {
		r.EvidenceId = o.EvidenceID[:]
	}
	var err error
	if len(o.Victim) > 0 {
		if r.Victim, err = k.addressCodec.BytesToString(o.Victim); err != nil {
			return r, errorsmod.Wrapf(types.ErrInvalidAddress, "victim: %s", err)
		}
	}
	if len(o.Reporter) > 0 {
		if r.Reporter, err = k.addressCodec.BytesToString(o.Reporter); err != nil {
			return r, errorsmod.Wrapf(types.ErrInvalidAddress, "reporter: %s", err)
		}
	}
	return r, nil
}

// offenceOf reads an offence as state keeps it. Its evidence counts as used already.
func (k *Keeper) offenceOf(r *types.OffenceRecord) (types.Offence, error) {
	o := types.Offence{
		Kind: types.OffenceKind(r.Offence), ClaimUusdc: r.ClaimUusdc, VictimLossUusdc: r.VictimLossUusdc,
		ReporterBondUltai: r.ReporterBondUltai, Evidence: r.Evidence,
	}
	var err error
	if o.Operator, err = k.parseOperator(r.Operator); err != nil {
		return o, err
	}
	if r.Victim != "" {
		if o.Victim, err = k.parseAddress("victim", r.Victim); err != nil {
			return o, err
		}
	}
	if r.Reporter != "" {
		o.Reporter, err = k.parseAddress("reporter", r.Reporter)
	}
	return o, err
}

// totalBonded is the sum of all operators' bonds.
func (k *Keeper) totalBonded(ctx context.Context) (math.Int, error) {
	sum, err := k.bonded.Get(ctx)
	if errors.Is(err, collections.ErrNotFound) {
		return math.ZeroInt(), nil
	}
	return sum, err
}

// moveBonded changes the sum of all operators' bonds.
func (k *Keeper) moveBonded(ctx context.Context, added, removed uint64) error {
	if added == removed {
		return nil
	}
	sum, err := k.totalBonded(ctx)
	if err != nil {
		return err
	}
	return k.bonded.Set(ctx, sum.Add(math.NewIntFromUint64(added)).Sub(math.NewIntFromUint64(removed)))
}
