// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// BlockHash returns the header hash of the block at that height, of the last 16,384 blocks, the present one included.
//
// Errors: ErrNoBlockHash.
func (k *Keeper) BlockHash(ctx context.Context, at uint64) ([32]byte, error) {
	hash, err := k.blockHashes.Get(ctx, at)
	if errors.Is(err, collections.ErrNotFound) {
		return [32]byte{}, errorsmod.Wrapf(types.ErrNoBlockHash, "height %d", at)
	}
	if err != nil {
		return [32]byte{}, err
	}
	if len(hash) != types.HashLength {
		return [32]byte{}, errorsmod.Wrapf(types.ErrInvariant, "block hash %d has %d bytes", at, len(hash))
	}
	return [32]byte(hash), nil
}

// newestBlockHash returns the last entry of the ring. Errors: ErrNoBlockHash before the first block.
func (k *Keeper) newestBlockHash(ctx context.Context) (types.BlockHash, error) {
	var newest types.BlockHash
	err := k.blockHashes.Walk(ctx, new(collections.Range[uint64]).Descending(), func(at uint64, hash []byte) (bool, error) {
		newest = types.BlockHash{Height: at, Hash: hash}
		return true, nil
	})
	if err != nil {
		return types.BlockHash{}, err
	}
	if newest.Hash == nil {
		return types.BlockHash{}, errorsmod.Wrap(types.ErrNoBlockHash, "none is stored yet")
	}
	return newest, nil
}

// prunePerBlock is how many old entries of the clock one block forgets at most. It is above one so that those left over from
// before a restart at a later height go away too.
const prunePerBlock = 2

// storeBlockHash writes the present block's hash and forgets what has left the ring. Simulated blocks have no hash:
// they store none, and so nothing that needs one is accepted.
func (k *Keeper) storeBlockHash(ctx context.Context) error {
	hash, at := sdk.UnwrapSDKContext(ctx).HeaderHash(), height(ctx)
	switch len(hash) {
	case types.HashLength:
		if err := k.blockHashes.Set(ctx, at, hash); err != nil {
			return err
		}
	case 0:
	default:
		return errorsmod.Wrapf(types.ErrBadBlockHash, "height %d: %d bytes", at, len(hash))
	}
	if at < types.BlockHashRing {
		return nil
	}
	return forgetBelow(ctx, k.blockHashes, at-types.BlockHashRing+1)
}

// forgetBelow removes the lowest entries below first, at most prunePerBlock of them.
func forgetBelow[V any](ctx context.Context, m collections.Map[uint64, V], first uint64) error {
	var old []uint64
	err := m.Walk(ctx, new(collections.Range[uint64]).EndExclusive(first), func(key uint64, _ V) (bool, error) {
		old = append(old, key)
		return len(old) == prunePerBlock, nil
	})
	if err != nil {
		return err
	}
	for _, key := range old {
		if err := m.Remove(ctx, key); err != nil {
			return err
		}
	}
	return nil
}
