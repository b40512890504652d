// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/x/operators/types"
)

// KeyRegistration is a receipt key with its proof of possession.
type KeyRegistration struct {
	PublicKey [33]byte // compressed secp256k1
	Proof     [65]byte // the key's signature of receipt.KeyProofDigest for the role of a host and the operator's account
	ExpiresAt uint64   // Unix seconds; 0 is never
}

// HostKey returns a receipt key by its address, expired or not. Errors: ErrUnknownHostKey.
func (k *Keeper) HostKey(ctx context.Context, address [20]byte) (types.HostKey, error) {
	key, err := k.hostKeys.Get(ctx, address[:])
	if errors.Is(err, collections.ErrNotFound) {
		return types.HostKey{}, errorsmod.Wrapf(types.ErrUnknownHostKey, "%x", address)
	}
	return key, err
}

// RegisterHostKey replaces a host's receipt key. The old key expires at this block's time, unless it already has.
//
// Errors: ErrUnknownHost, ErrUnauthorized, ErrTombstoned, ErrBadKeyProof, ErrKeyUsed, ErrBadExpiry.
func (k *Keeper) RegisterHostKey(ctx context.Context, operator []byte, id [32]byte, key KeyRegistration) ([20]byte, error) {
	var none [20]byte
	host, err := k.ownHost(ctx, operator, id)
	if err != nil {
		return none, err
	}
	address, err := k.checkNewKey(ctx, operator, key)
	if err != nil {
		return none, err
	}
	old, err := k.hostKeys.Get(ctx, host.ReceiptKey)
	if err != nil {
		return none, err
	}
	if now := blockTime(ctx); old.ExpiresAt == 0 || old.ExpiresAt > now {
		old.ExpiresAt = now
		if err := k.hostKeys.Set(ctx, old.Address, old); err != nil {
			return none, err
		}
	}
	host.ReceiptKey = address[:]
	if err := k.hosts.Set(ctx, host.Id, host); err != nil {
		return none, err
	}
	return address, k.storeKey(ctx, host, address, key, old.Address)
}

// checkNewKey proves that the key is held by whoever registers it and was never registered before. It returns its address.
func (k *Keeper) checkNewKey(ctx context.Context, operator []byte, key KeyRegistration) ([20]byte, error) {
	var none [20]byte
	address, err := receipt.AddressOfCompressed(key.PublicKey[:])
	if err != nil {
		return none, errorsmod.Wrap(types.ErrBadKeyProof, err.Error())
	}
	used, err := k.hostKeys.Has(ctx, address[:])
	if err != nil {
		return none, err
	}
	if used {
		return none, errorsmod.Wrapf(types.ErrKeyUsed, "%x", address)
	}
	if key.ExpiresAt != 0 && key.ExpiresAt <= blockTime(ctx) {
		return none, errorsmod.Wrapf(types.ErrBadExpiry, "key expires at %d", key.ExpiresAt)
	}
	domain, err := k.ReceiptDomain(ctx)
	if err != nil {
		return none, err
	}
	digest := receipt.KeyProofDigest(domain, receipt.RoleHost, [types.AddressLength]byte(operator), address)
	signer, err := receipt.RecoverAddress(digest, key.Proof)
	if err != nil {
		return none, errorsmod.Wrap(types.ErrBadKeyProof, err.Error())
	}
	if signer != address {
		return none, errorsmod.Wrapf(types.ErrBadKeyProof, "signed by %x, key is %x", signer, address)
	}
	return address, nil
}

func (k *Keeper) storeKey(ctx context.Context, host types.Host, address [20]byte, reg KeyRegistration, replaced []byte) error {
	key := types.HostKey{
		Address: address[:], PublicKey: reg.PublicKey[:], HostId: host.Id, Operator: host.Operator,
		RegisteredAt: blockTime(ctx), ExpiresAt: reg.ExpiresAt, RegisteredHeight: height(ctx),
	}
	if err := k.hostKeys.Set(ctx, key.Address, key); err != nil {
		return err
	}
	return emit(ctx, &types.EventHostKeyRegistered{Key: key, Replaced: replaced})
}
