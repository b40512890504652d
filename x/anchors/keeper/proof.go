// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/x/anchors/types"
)

// Archive keeps what the state prunes, on one node. Its answers are checked by whoever verifies the proof.
type Archive interface {
	// Node returns the hash of a perfect subtree, level 0 being leaves, and whether it is known.
	Node(level uint16, index uint64) ([32]byte, bool, error)
	// Leaf returns a leaf and whether it is known.
	Leaf(index uint64) (types.Leaf, bool, error)
}

// Inclusion proves the leaf at index to be in the log of that size, which is 0 for the current one. It reads O(log size) hashes.
//
// Errors: ErrInvalidRequest unless index < size <= the current size, ErrNotProvable.
func (k *Keeper) Inclusion(ctx context.Context, index, size uint64) (*types.QueryInclusionResponse, error) {
	size, err := k.provable(ctx, size)
	if err != nil {
		return nil, err
	}
	read := k.reader(ctx)
	path, err := read.Inclusion(index, size)
	if err != nil {
		return nil, err
	}
	leaf, err := read(0, index)
	if err != nil {
		return nil, err
	}
	root, err := read.RootAt(size)
	if err != nil {
		return nil, err
	}
	return &types.QueryInclusionResponse{TreeSize: size, Root: root[:], LeafHash: leaf[:], Proof: slicesOf(path)}, nil
}

// Consistency proves the log of size from to be a prefix of that of size to, which is 0 for the current one.
//
// Errors: ErrInvalidRequest unless 0 < from <= to <= the current size, ErrNotProvable.
func (k *Keeper) Consistency(ctx context.Context, from, to uint64) (*types.QueryConsistencyResponse, error) {
	to, err := k.provable(ctx, to)
	if err != nil {
		return nil, err
	}
	read := k.reader(ctx)
	path, err := read.Consistency(from, to)
	if err != nil {
		return nil, err
	}
	rootFrom, err := read.RootAt(from)
	if err != nil {
		return nil, err
	}
	rootTo, err := read.RootAt(to)
	if err != nil {
		return nil, err
	}
	return &types.QueryConsistencyResponse{To: to, RootFrom: rootFrom[:], RootTo: rootTo[:], Proof: slicesOf(path)}, nil
}

// provable is the size that a query means.
func (k *Keeper) provable(ctx context.Context, size uint64) (uint64, error) {
	r, err := k.logRange(ctx)
	if err != nil {
		return 0, err
	}
	if size == 0 {
		size = r.Size
	}
	if size > r.Size {
		return 0, errorsmod.Wrapf(types.ErrInvalidRequest, "size %d, the log has %d", size, r.Size)
	}
	return size, nil
}

// reader reads hashes of perfect subtrees from the state, then from the archive.
func (k *Keeper) reader(ctx context.Context) types.ReadNode {
	return func(level uint16, index uint64) ([32]byte, error) {
		hash, err := k.node(ctx, level, index)
		if !errors.Is(err, collections.ErrNotFound) {
			return hash, err
		}
		if k.archive != nil {
			hash, found, err := k.archive.Node(level, index)
			if found || err != nil {
				return hash, err
			}
		}
		return hash, errorsmod.Wrapf(types.ErrNotProvable, "subtree %d of level %d", index, level)
	}
}

func (k *Keeper) node(ctx context.Context, level uint16, index uint64) (hash [32]byte, err error) {
	if level == 0 {
		leaf, err := k.leaves.Get(ctx, index)
		if err == nil {
			return log.LeafHash(leaf.Data), nil
		}
		if !errors.Is(err, collections.ErrNotFound) {
			return hash, err
		}
	}
	stored, err := k.nodes.Get(ctx, collections.Join(level, index))
	if err != nil {
		return hash, err
	}
	if len(stored) != 32 {
		return hash, errorsmod.Wrapf(types.ErrInvariant, "subtree %d of level %d has %d bytes", index, level, len(stored))
	}
	return [32]byte(stored), nil
}

func slicesOf(path [][32]byte) [][]byte {
	slices := make([][]byte, len(path))
	for i := range path {
		slices[i] = path[i][:]
	}
	return slices
}
