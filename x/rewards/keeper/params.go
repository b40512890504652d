// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/x/rewards/types"
)

// UpdateParams replaces the parameters and emits EventParamsUpdated. A settlement that runs keeps those it was started with.
// Errors: ErrInvalidParams, ErrPaybackTooHigh.
func (k *Keeper) UpdateParams(ctx context.Context, authority string, params types.Params) error {
	if err := k.checkParams(ctx, params); err != nil {
		return err
	}
	if err := k.params.Set(ctx, params); err != nil {
		return err
	}
	return emit(ctx, &types.EventParamsUpdated{Authority: authority, Params: params})
}

// checkParams checks parameters together with the parts of the take that receipts has in force.
func (k *Keeper) checkParams(ctx context.Context, params types.Params) error {
	receipts, err := k.receipts.Params(ctx)
	if err != nil {
		return err
	}
	return params.ValidateWith(receipts.ProbersBps, receipts.AlephBps)
}

// checkAuthority compares the signer with governance. Error: ErrUnauthorized.
func (k *Keeper) checkAuthority(ctx context.Context, signer string) error {
	if err := sdk.ValidateAuthority(sdk.UnwrapSDKContext(ctx), k.authority, signer); err != nil {
		return errorsmod.Wrap(types.ErrUnauthorized, err.Error())
	}
	return nil
}
