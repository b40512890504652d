// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"context"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/x/royalties/types"
)

// UpdateParams replaces the parameters and emits EventParamsUpdated. Work is priced by a new royalty cap from the next
// epoch on, so that no batch costs more than when its settlers' money was locked.
// Errors: ErrInvalidParams, ErrInvalidAddress (arbiter).
func (k *Keeper) UpdateParams(ctx context.Context, authority string, params types.Params) error {
	if err := params.Validate(); err != nil {
		return err
	}
	if err := k.checkArbiter(params.Arbiter); err != nil {
		return err
	}
	old, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	if params.RoyaltyCapBps != old.RoyaltyCapBps {
		epoch, err := k.epochs.CurrentEpoch(ctx)
		if err != nil {
			return err
		}
		if err := k.caps.Set(ctx, epoch+1, params.RoyaltyCapBps); err != nil {
			return err
		}
	}
	if err := k.params.Set(ctx, params); err != nil {
		return err
	}
	return emit(ctx, &types.EventParamsUpdated{Authority: authority, Params: params})
}

// checkAuthority compares the signer with governance. Error: ErrUnauthorized.
func (k *Keeper) checkAuthority(ctx context.Context, signer string) error {
	if err := sdk.ValidateAuthority(sdk.UnwrapSDKContext(ctx), k.authority, signer); err != nil {
		return errorsmod.Wrap(types.ErrUnauthorized, err.Error())
	}
	return nil
}

// checkArbiter checks that the parameter is empty or an address. Error: ErrInvalidAddress.
func (k *Keeper) checkArbiter(arbiter string) error {
	if arbiter == "" {
		return nil
	}
	_, err := k.address(arbiter)
	return err
}

// authoriseArbiter checks that signer is the arbiter. Errors: ErrNoArbiter, ErrUnauthorized, ErrInvalidAddress.
func (k *Keeper) authoriseArbiter(ctx context.Context, signer string) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	if params.Arbiter == "" {
		return types.ErrNoArbiter
	}
	arbiter, err := k.address(params.Arbiter)
	if err != nil {
		return err
	}
	addr, err := k.address(signer)
	if err != nil {
		return err
	}
	if !bytes.Equal(addr, arbiter) {
		return errorsmod.Wrapf(types.ErrUnauthorized, "the arbiter is %s", params.Arbiter)
	}
	return nil
}

// royaltyCap returns the cap in force in epoch.
func (k *Keeper) royaltyCap(ctx context.Context, epoch uint64) (uint64, error) {
	return newest(ctx, k.caps, new(collections.Range[uint64]).EndInclusive(epoch).Descending())
}

// newest returns the first value of a descending range. Error: collections.ErrNotFound.
func newest[K, V any](ctx context.Context, m collections.Map[K, V], r collections.Ranger[K]) (V, error) {
	var value V
	err := collections.ErrNotFound
	walkErr := m.Walk(ctx, r, func(_ K, v V) (bool, error) {
		value, err = v, nil
		return true, nil
	})
	if walkErr != nil {
		err = walkErr
	}
	return value, err
}
