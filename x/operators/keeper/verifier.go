// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/u128"
	"github.com/gpucoord/gpucoord/x/operators/types"
)

// Verifier returns a verifier. Errors: ErrUnknownVerifier.
func (k *Keeper) Verifier(ctx context.Context, addr []byte) (types.Verifier, error) {
	v, err := k.verifiers.Get(ctx, addr)
	if errors.Is(err, collections.ErrNotFound) {
		return types.Verifier{}, errorsmod.Wrapf(types.ErrUnknownVerifier, "%x", addr)
	}
	return v, err
}

// RegisterVerifier registers a verifier or adds to its bond, and returns the bond after it.
//
// Errors: ErrInvalidAddress, ErrInvalidRequest, ErrBarred, ErrVerifierStatus (leaving or tombstoned), ErrBondTooLow, ErrBondOverflow,
// those of bank.
func (k *Keeper) RegisterVerifier(ctx context.Context, addr []byte, moniker string, bond uint64) (uint64, error) {
	if err := (types.Description{Moniker: moniker}).Validate(); err != nil {
		return 0, err
	}
	if err := k.checkBarred(ctx, addr); err != nil {
		return 0, err
	}
	v, err := k.verifierToBond(ctx, addr)
	if err != nil {
		return 0, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return 0, err
	}
	sum, ok := u128.Add(v.BondUltai, bond)
	if !ok {
		return 0, errorsmod.Wrapf(types.ErrBondOverflow, "%d + %d ultai", v.BondUltai, bond)
	}
	if bond == 0 || sum < params.MinVerifierBondUltai {
		return 0, errorsmod.Wrapf(types.ErrBondTooLow, "%d ultai added to %d, want %d", bond, v.BondUltai, params.MinVerifierBondUltai)
	}
	if err := k.bank.SendCoinsFromAccountToModule(ctx, addr, types.ModuleName, ultai(bond)); err != nil {
		return 0, err
	}
	v.BondUltai, v.Moniker = sum, moniker
	if err := k.verifiers.Set(ctx, addr, v); err != nil {
		return 0, err
	}
	return sum, emit(ctx, &types.EventVerifierBonded{Verifier: v})
}

// verifierToBond returns an active verifier, or a new one that is not stored yet.
func (k *Keeper) verifierToBond(ctx context.Context, addr []byte) (types.Verifier, error) {
	v, err := k.verifiers.Get(ctx, addr)
	if errors.Is(err, collections.ErrNotFound) {
		text, err := k.addressCodec.BytesToString(addr)
		if err != nil || len(addr) != types.AddressLength {
			return v, errorsmod.Wrapf(types.ErrInvalidAddress, "verifier has %d bytes, want %d", len(addr), types.AddressLength)
		}
		return types.Verifier{Address: text, Status: types.VerifierStatus_VERIFIER_STATUS_ACTIVE, RegisteredHeight: height(ctx)}, nil
	}
	if err != nil {
		return v, err
	}
	if v.Status != types.VerifierStatus_VERIFIER_STATUS_ACTIVE {
		return v, errorsmod.Wrapf(types.ErrVerifierStatus, "%s is %s", v.Address, v.Status)
	}
	return v, nil
}

// LeaveVerifiers ends an active verifier's duty. Its bond goes back when evidence that it may have approved until now can no longer be
// challenged. Returns when that is, in Unix seconds. Errors: ErrUnknownVerifier, ErrVerifierStatus.
func (k *Keeper) LeaveVerifiers(ctx context.Context, addr []byte) (uint64, error) {
	v, err := k.Verifier(ctx, addr)
	if err != nil {
		return 0, err
	}
	if v.Status != types.VerifierStatus_VERIFIER_STATUS_ACTIVE {
		return 0, errorsmod.Wrapf(types.ErrVerifierStatus, "%s is %s", v.Address, v.Status)
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return 0, err
	}
	v.Status = types.VerifierStatus_VERIFIER_STATUS_LEAVING
	v.ReleaseAt = blockTime(ctx) + params.MaxAttestationSeconds + params.AttestationChallengeSeconds
	if err := k.verifiers.Set(ctx, addr, v); err != nil {
		return 0, err
	}
	if err := k.setDeadline(ctx, types.DeadlineKind_DEADLINE_KIND_VERIFIER, addr, v.ReleaseAt); err != nil {
		return 0, err
	}
	return v.ReleaseAt, emit(ctx, &types.EventVerifierLeaving{Verifier: v})
}

// releaseVerifier pays a leaving verifier's bond and forgets it. Its deadline is gone.
func (k *Keeper) releaseVerifier(ctx context.Context, addr []byte) error {
	v, err := k.Verifier(ctx, addr)
	if err != nil {
		return err
	}
	if err := k.verifiers.Remove(ctx, addr); err != nil {
		return err
	}
	if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, addr, ultai(v.BondUltai)); err != nil {
		return err
	}
	return emit(ctx, &types.EventVerifierReleased{Verifier: v})
}

// slashVerifier takes a verifier's whole bond for insurance and ends it for good. One that is gone, or has lost it before, is left alone.
func (k *Keeper) slashVerifier(ctx context.Context, address string, ref []byte) error {
	addr, err := k.parseAddress("verifier", address)
	if err != nil {
		return err
	}
	v, err := k.verifiers.Get(ctx, addr)
	if errors.Is(err, collections.ErrNotFound) || (err == nil && v.Status == types.VerifierStatus_VERIFIER_STATUS_TOMBSTONED) {
		return nil
	}
	if err != nil {
		return err
	}
	if v.Status == types.VerifierStatus_VERIFIER_STATUS_LEAVING {
		if err := k.dropDeadline(ctx, types.DeadlineKind_DEADLINE_KIND_VERIFIER, addr); err != nil {
			return err
		}
	}
	slash := v.BondUltai
	v.Status, v.BondUltai, v.ReleaseAt = types.VerifierStatus_VERIFIER_STATUS_TOMBSTONED, 0, 0
	v.SlashedUltai = addSaturating(v.SlashedUltai, slash)
	if err := k.verifiers.Set(ctx, addr, v); err != nil {
		return err
	}
	if err := k.toInsurance(ctx, slash); err != nil {
		return err
	}
	return emit(ctx, &types.EventVerifierSlashed{Verifier: v.Address, Ref: ref, SlashUltai: slash})
}
