// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/x/anchors/types"
)

// pruneLimit is how many old leaves one append removes at most. It is above one so that a shortened retention is reached.
const pruneLimit = 2

// Append adds a leaf of domain/log to the log and returns its index. Work: O(log size), and the removal of at most two leaves.
//
// Errors: ErrBadLeaf, ErrInvariant, log.ErrLogFull.
func (k *Keeper) Append(ctx context.Context, data []byte) (uint64, error) {
	kind, err := types.LeafKind(data)
	if err != nil {
		return 0, err
	}
	r, err := k.logRange(ctx)
	if err != nil {
		return 0, err
	}
	index := r.Size
	if err := r.Append(log.LeafHash(data)); err != nil {
		return 0, err
	}
	if err := k.log.Set(ctx, types.LogStateOf(r)); err != nil {
		return 0, err
	}
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	height := uint64(max(sdkCtx.BlockHeight(), 0)) //nolint:gosec // never negative here
	leaf := types.Leaf{Index: index, Kind: kind, Data: data, Height: height}
	if err := k.leaves.Set(ctx, index, leaf); err != nil {
		return 0, err
	}
	if err := k.prune(ctx, r.Size); err != nil {
		return 0, err
	}
	root := r.Root()
	return index, sdkCtx.EventManager().EmitTypedEvent(&types.EventLeafAppended{Leaf: leaf, Root: root[:], Size_: r.Size})
}

// Head returns the log's size and root. The root of the empty log is SHA-256 of nothing.
func (k *Keeper) Head(ctx context.Context) (size uint64, root [32]byte, err error) {
	r, err := k.logRange(ctx)
	if err != nil {
		return 0, [32]byte{}, err
	}
	return r.Size, r.Root(), nil
}

// Leaf returns a leaf of the retention window. Errors: ErrUnknownLeaf.
func (k *Keeper) Leaf(ctx context.Context, index uint64) (types.Leaf, error) {
	leaf, err := k.leaves.Get(ctx, index)
	if errors.Is(err, collections.ErrNotFound) {
		return types.Leaf{}, errorsmod.Wrapf(types.ErrUnknownLeaf, "%d", index)
	}
	return leaf, err
}

// logRange reads the log. It is there from genesis on, so its absence is an error.
func (k *Keeper) logRange(ctx context.Context) (log.Range, error) {
	state, err := k.log.Get(ctx)
	if err != nil {
		return log.Range{}, err
	}
	return state.Range()
}

// prune removes the oldest leaves beyond the retention.
func (k *Keeper) prune(ctx context.Context, size uint64) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	if size <= params.RetentionLeaves {
		return nil
	}
	var old []uint64
	tooOld := new(collections.Range[uint64]).EndExclusive(size - params.RetentionLeaves)
	err = k.leaves.Walk(ctx, tooOld, func(index uint64, _ types.Leaf) (bool, error) {
		old = append(old, index)
		return len(old) == pruneLimit, nil
	})
	if err != nil {
		return err
	}
	for _, index := range old {
		if err := k.leaves.Remove(ctx, index); err != nil {
			return err
		}
	}
	return nil
}

// firstKept returns the index of the oldest kept leaf, or the size where none is kept.
func (k *Keeper) firstKept(ctx context.Context, size uint64) (uint64, error) {
	first := size
	err := k.leaves.Walk(ctx, nil, func(index uint64, _ types.Leaf) (bool, error) {
		first = index
		return true, nil
	})
	return first, err
}
