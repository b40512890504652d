// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
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
	if err := k.appendHash(ctx, &r, log.LeafHash(data)); err != nil {
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

// Leaf returns a leaf of the retention window or of the archive. It is for queries. Errors: ErrUnknownLeaf.
func (k *Keeper) Leaf(ctx context.Context, index uint64) (types.Leaf, error) {
	leaf, err := k.leaves.Get(ctx, index)
	if errors.Is(err, collections.ErrNotFound) {
		if k.archive != nil {
			leaf, found, err := k.archive.Leaf(index)
			if found || err != nil {
				return leaf, err
			}
		}
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

// appendHash appends a leaf's hash to the range and stores the perfect subtrees that it completes, for proofs.
func (k *Keeper) appendHash(ctx context.Context, r *log.Range, hash [32]byte) error {
	index, completed := r.Size, r.Hashes
	if err := r.Append(hash); err != nil {
		return err
	}
	for level := uint16(1); index&1 == 1; level++ {
		index >>= 1
		hash = types.Pair(completed[len(completed)-int(level)], hash)
		if err := k.nodes.Set(ctx, collections.Join(level, index), bytes.Clone(hash[:])); err != nil {
			return err
		}
	}
	return nil
}

// prune removes the oldest leaves beyond the retention.
func (k *Keeper) prune(ctx context.Context, size uint64) error {
	params, err := k.Params(ctx)
	if err != nil {
		return err
	}
	if size <= params.RetentionLeaves {
		return nil
	}
	var old []types.Leaf
	tooOld := new(collections.Range[uint64]).EndExclusive(size - params.RetentionLeaves)
	err = k.leaves.Walk(ctx, tooOld, func(_ uint64, leaf types.Leaf) (bool, error) {
		old = append(old, leaf)
		return len(old) == pruneLimit, nil
	})
	if err != nil {
		return err
	}
	for i := range old {
		if err := k.pruneLeaf(ctx, &old[i]); err != nil {
			return err
		}
	}
	return nil
}

// pruneLeaf removes the oldest leaf. Of what lies before the leaves that are left, only the largest perfect subtrees stay: every
// proof about those leaves is made of them and of what comes after.
func (k *Keeper) pruneLeaf(ctx context.Context, leaf *types.Leaf) error {
	if err := k.leaves.Remove(ctx, leaf.Index); err != nil {
		return err
	}
	first := leaf.Index + 1
	if first&1 == 1 {
		hash := log.LeafHash(leaf.Data)
		return k.nodes.Set(ctx, collections.Join(uint16(0), leaf.Index), hash[:])
	}
	for level := uint16(0); first>>level&1 == 0; level++ { // the two halves of a subtree that is now complete on the left
		right := first>>level - 1
		if err := k.nodes.Remove(ctx, collections.Join(level, right)); err != nil {
			return err
		}
		if err := k.nodes.Remove(ctx, collections.Join(level, right-1)); err != nil {
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

// WalkLeaves calls f with the kept leaves from that index on, in order, until it returns an error.
func (k *Keeper) WalkLeaves(ctx context.Context, from uint64, f func(types.Leaf) error) error {
	return k.leaves.Walk(ctx, new(collections.Range[uint64]).StartInclusive(from), func(_ uint64, leaf types.Leaf) (bool, error) {
		return false, f(leaf)
	})
}
