// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/split"
	"github.com/gpucoord/gpucoord/domain/u128"
	"github.com/gpucoord/gpucoord/x/operators/types"
)

// Prober returns a prober. Errors: ErrUnknownProber.
func (k *Keeper) Prober(ctx context.Context, addr []byte) (types.Prober, error) {
	p, err := k.probers.Get(ctx, addr)
	if errors.Is(err, collections.ErrNotFound) {
		return types.Prober{}, errorsmod.Wrapf(types.ErrUnknownProber, "%x", addr)
	}
	return p, err
}

// RegisterProber registers a prober or adds to its bond, and returns the bond after it. It is drawn from the next epoch on.
//
// Errors: ErrInvalidAddress, ErrInvalidRequest, ErrBarred, ErrProberStatus (leaving), ErrBondTooLow, ErrBondOverflow, ErrTooManyProbers,
// those of bank.
func (k *Keeper) RegisterProber(ctx context.Context, addr []byte, moniker string, bond uint64) (uint64, error) {
	if err := (types.Description{Moniker: moniker}).Validate(); err != nil {
		return 0, err
	}
	if err := k.checkBarred(ctx, addr); err != nil {
		return 0, err
	}
	p, err := k.proberToBond(ctx, addr)
	if err != nil {
		return 0, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return 0, err
	}
	before := p.BondUltai
	sum, ok := u128.Add(before, bond)
	if !ok {
		return 0, errorsmod.Wrapf(types.ErrBondOverflow, "%d + %d ultai", before, bond)
	}
	if bond == 0 || sum < params.MinProberBondUltai {
		return 0, errorsmod.Wrapf(types.ErrBondTooLow, "%d ultai added to %d, want %d", bond, before, params.MinProberBondUltai)
	}
	if err := k.bank.SendCoinsFromAccountToModule(ctx, addr, types.ModuleName, ultai(bond)); err != nil {
		return 0, err
	}
	p.BondUltai, p.Moniker = sum, moniker
	if err := k.place(ctx, addr, &p, before, params.MinProberBondUltai); err != nil {
		return 0, err
	}
	return sum, emit(ctx, &types.EventProberBonded{Prober: p})
}

// proberToBond returns an active prober, or a new one that is not stored yet.
func (k *Keeper) proberToBond(ctx context.Context, addr []byte) (types.Prober, error) {
	p, err := k.probers.Get(ctx, addr)
	if errors.Is(err, collections.ErrNotFound) {
		text, err := k.addressCodec.BytesToString(addr)
		if err != nil || len(addr) != types.AddressLength {
			return p, errorsmod.Wrapf(types.ErrInvalidAddress, "prober has %d bytes, want %d", len(addr), types.AddressLength)
		}
		return types.Prober{Address: text, Status: types.ProberStatus_PROBER_STATUS_ACTIVE, RegisteredHeight: height(ctx)}, nil
	}
	if err != nil {
		return p, err
	}
	return p, p.CheckActive()
}

// UnbondProber ends an active prober's duty: no later panel is drawn with it. Its bond goes back after unbonding_blocks and pays fines
// until then. Returns the height. Errors: ErrUnknownProber, ErrProberStatus.
func (k *Keeper) UnbondProber(ctx context.Context, addr []byte) (uint64, error) {
	p, err := k.Prober(ctx, addr)
	if err != nil {
		return 0, err
	}
	if err := p.CheckActive(); err != nil {
		return 0, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return 0, err
	}
	p.Status, p.ReleaseHeight = types.ProberStatus_PROBER_STATUS_LEAVING, height(ctx)+params.UnbondingBlocks
	if err := k.place(ctx, addr, &p, p.BondUltai, params.MinProberBondUltai); err != nil {
		return 0, err
	}
	if err := k.setDeadline(ctx, types.DeadlineKind_DEADLINE_KIND_PROBER, addr, p.ReleaseHeight); err != nil {
		return 0, err
	}
	return p.ReleaseHeight, emit(ctx, &types.EventProberLeaving{Prober: p})
}

// releaseProber pays a leaving prober's bond and forgets it. Its deadline is gone.
func (k *Keeper) releaseProber(ctx context.Context, addr []byte) error {
	p, err := k.Prober(ctx, addr)
	if err != nil {
		return err
	}
	if err := k.probers.Remove(ctx, addr); err != nil {
		return err
	}
	if p.BondUltai > 0 {
		if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, addr, ultai(p.BondUltai)); err != nil {
			return err
		}
	}
	return emit(ctx, &types.EventProberReleased{Prober: p})
}

// fineProber takes prober_fine_bps of a prober's bond, rounded up, for insurance. One whose bond falls below the least one is drawn no
// more until it adds to it.
func (k *Keeper) fineProber(ctx context.Context, addr []byte, p *types.Prober, epoch uint64, reason string) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	before := p.BondUltai
	fine, err := split.SlashBps(before, params.ProberFineBps)
	if err != nil {
		return err
	}
	p.BondUltai -= fine
	p.FinedUltai = addSaturating(p.FinedUltai, fine)
	if err := k.place(ctx, addr, p, before, params.MinProberBondUltai); err != nil {
		return err
	}
	if err := k.toInsurance(ctx, fine); err != nil {
		return err
	}
	return emit(ctx, &types.EventProberFined{Epoch: epoch, Prober: *p, Reason: reason, FineUltai: fine})
}
