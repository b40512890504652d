// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/x/operators/types"
)

// Params returns the parameters. A chain without them is broken, so their absence is an error.
func (k *Keeper) Params(ctx context.Context) (types.Params, error) { return k.params.Get(ctx) }

// ReceiptDomain returns the EIP-712 domain of this chain's receipts.
func (k *Keeper) ReceiptDomain(ctx context.Context) (receipt.Domain, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return receipt.Domain{}, err
	}
	return receipt.NewDomain(sdk.UnwrapSDKContext(ctx).ChainID(), params.EvmChainId), nil
}

// UpdateParams replaces the parameters in the name of authority, which the caller has checked. The schedule and the EIP-155 id
// are fixed at genesis, and the bond price moves at most -50 % and +10 % from its value at the start of the running epoch.
//
// Errors: ErrInvalidParams, ErrFixedParam, ErrPriceMove.
func (k *Keeper) UpdateParams(ctx context.Context, authority string, params types.Params) error {
	if err := params.Validate(); err != nil {
		return err
	}
	old, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	if old.Schedule.Domain() != params.Schedule.Domain() {
		return errorsmod.Wrap(types.ErrFixedParam, "schedule")
	}
	if old.EvmChainId != params.EvmChainId {
		return errorsmod.Wrapf(types.ErrFixedParam, "evm_chain_id is %d", old.EvmChainId)
	}
	price, err := k.priceAtEpochStart(ctx, old)
	if err != nil {
		return err
	}
	// The price is at most 10^12, so these products fit 64 bits.
	if p := params.BondPriceUusdc; 2*p < price || 10*p > 11*price {
		return errorsmod.Wrapf(types.ErrPriceMove, "%d after %d", p, price)
	}
	if err := k.params.Set(ctx, params); err != nil {
		return err
	}
	return emit(ctx, &types.EventParamsUpdated{Authority: authority, Params: params})
}

// priceAtEpochStart is the price that moves are measured against: the running epoch's first, or before genesis the present one.
func (k *Keeper) priceAtEpochStart(ctx context.Context, params types.Params) (uint64, error) {
	e, err := params.Schedule.Domain().Of(height(ctx))
	if err != nil {
		return params.BondPriceUusdc, nil //nolint:nilerr // before the genesis height there is no epoch
	}
	start, err := k.epochStarts.Get(ctx, e)
	if errors.Is(err, collections.ErrNotFound) {
		return params.BondPriceUusdc, nil
	}
	return start.BondPriceUusdc, err
}

// checkAuthority checks that a message comes from governance; the consensus parameters may name another authority.
func (k *Keeper) checkAuthority(ctx context.Context, sender string) error {
	if err := sdk.ValidateAuthority(sdk.UnwrapSDKContext(ctx), k.authority, sender); err != nil {
		return errorsmod.Wrap(types.ErrUnauthorized, err.Error())
	}
	return nil
}
