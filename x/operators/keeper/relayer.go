// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// AuthoriseRelayer grants a hot account, or renews its grant, up to but not including a height.
//
// Errors: ErrUnknownOperator, ErrTombstoned, ErrInvalidAddress (the operator itself), ErrBadExpiry.
func (k *Keeper) AuthoriseRelayer(ctx context.Context, operator, relayer []byte, expiresHeight uint64) error {
	op, err := k.liveOperator(ctx, operator)
	if err != nil {
		return err
	}
	if bytes.Equal(operator, relayer) {
		return errorsmod.Wrap(types.ErrInvalidAddress, "the operator needs no grant")
	}
	if expiresHeight <= height(ctx) {
		return errorsmod.Wrapf(types.ErrBadExpiry, "expires_height %d is not above %d", expiresHeight, height(ctx))
	}
	relayerText, err := k.addressCodec.BytesToString(relayer)
	if err != nil {
		return errorsmod.Wrapf(types.ErrInvalidAddress, "relayer: %s", err)
	}
	grant := types.RelayerGrant{Operator: op.Address, Relayer: relayerText, ExpiresHeight: expiresHeight}
	if err := k.grants.Set(ctx, collections.Join(operator, relayer), grant); err != nil {
		return err
	}
	return emit(ctx, &types.EventRelayerAuthorised{Grant: grant})
}

// RevokeRelayer withdraws a grant, expired or not. Errors: ErrUnknownGrant.
func (k *Keeper) RevokeRelayer(ctx context.Context, operator, relayer []byte) error {
	key := collections.Join(operator, relayer)
	grant, err := k.grants.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) {
		return errorsmod.Wrapf(types.ErrUnknownGrant, "%x of %x", relayer, operator)
	}
	if err != nil {
		return err
	}
	if err := k.grants.Remove(ctx, key); err != nil {
		return err
	}
	return emit(ctx, &types.EventRelayerRevoked{Grant: grant})
}
