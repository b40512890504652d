// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/x/anchors/types"
)

// signatureGas is what a recovered signature costs in a transaction; it is the SDK's price of a secp256k1 verification.
const signatureGas = 1_000

// RegisterKey makes address the anchor key of a validator, from the next anchor's set on. The key before stays accountable until
// the unbonding time after now.
//
// Errors: ErrUnknownValidator, ErrBadProof, ErrKeyTaken, ErrKeyTooYoung.
func (k *Keeper) RegisterKey(ctx context.Context, validator sdk.ValAddress, address [20]byte, proof [65]byte) error {
	if _, err := k.staking.GetValidator(ctx, validator); err != nil {
		return errorsmod.Wrap(types.ErrUnknownValidator, err.Error())
	}
	name, err := k.validatorCodec.BytesToString(validator)
	if err != nil {
		return err
	}
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	sdkCtx.GasMeter().ConsumeGas(signatureGas, "proof of an anchor key")
	signer, err := k.recoverSigner(anchor.KeyProofDigest(sdkCtx.ChainID(), name), proof)
	if err != nil || signer != address {
		return errorsmod.Wrapf(types.ErrBadProof, "address %x", address)
	}
	taken, err := k.keys.Has(ctx, address[:])
	if err != nil {
		return err
	}
	if taken {
		return errorsmod.Wrapf(types.ErrKeyTaken, "address %x", address)
	}
	replaced, err := k.retireKey(ctx, validator)
	if err != nil {
		return err
	}
	height, _ := clock(ctx)
	key := types.AnchorKey{Validator: name, Address: address[:], RegisteredHeight: height}
	if err := k.keys.Set(ctx, key.Address, key); err != nil {
		return err
	}
	if err := k.currentKeys.Set(ctx, validator, key.Address); err != nil {
		return err
	}
	return sdkCtx.EventManager().EmitTypedEvent(&types.EventAnchorKeyRegistered{Key: key, Replaced: replaced})
}

// retireKey ends a validator's current key, if it has one, and returns its address. Keys may follow each other only so fast: each
// makes an anchor due, and stays in state for ever.
func (k *Keeper) retireKey(ctx context.Context, validator []byte) ([]byte, error) {
	address, err := k.currentKeys.Get(ctx, validator)
	if errors.Is(err, collections.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	key, err := k.keys.Get(ctx, address)
	if err != nil {
		return nil, err
	}
	params, err := k.Params(ctx)
	if err != nil {
		return nil, err
	}
	height, now := clock(ctx)
	if next := key.RegisteredHeight + params.KeyRotationBlocks; key.RegisteredHeight > 0 && height < next {
		return nil, errorsmod.Wrapf(types.ErrKeyTooYoung, "not before block %d", next)
	}
	key.ReplacedTime = max(1, now)
	return address, k.keys.Set(ctx, address, key)
}

// Key returns a validator's current anchor key. Errors: ErrNoKey.
func (k *Keeper) Key(ctx context.Context, validator []byte) (types.AnchorKey, error) {
	address, err := k.currentKeys.Get(ctx, validator)
	if errors.Is(err, collections.ErrNotFound) {
		return types.AnchorKey{}, types.ErrNoKey
	}
	if err != nil {
		return types.AnchorKey{}, err
	}
	return k.keys.Get(ctx, address)
}

// owner returns the validator whose key an address is or was, as bytes and as text. Errors: ErrNoKey.
func (k *Keeper) owner(ctx context.Context, address []byte) (sdk.ValAddress, types.AnchorKey, error) {
	key, err := k.keys.Get(ctx, address)
	if errors.Is(err, collections.ErrNotFound) {
		return nil, key, errorsmod.Wrapf(types.ErrNoKey, "address %x", address)
	}
	if err != nil {
		return nil, key, err
	}
	validator, err := k.validatorCodec.StringToBytes(key.Validator)
	return validator, key, err
}
