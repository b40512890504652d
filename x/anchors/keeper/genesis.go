// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"math/bits"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/x/anchors/types"
)

// InitGenesis writes a genesis state. Errors: those of GenesisState.Validate; a validator address that does not decode.
func (k *Keeper) InitGenesis(ctx context.Context, gs *types.GenesisState) error {
	if err := gs.Validate(); err != nil {
		return err
	}
	if err := k.params.Set(ctx, gs.Params.Filled()); err != nil {
		return err
	}
	if err := k.log.Set(ctx, gs.Log); err != nil {
		return err
	}
	if err := k.initLeaves(ctx, gs); err != nil {
		return err
	}
	for i := range gs.Keys {
		if err := k.initKey(ctx, &gs.Keys[i]); err != nil {
			return err
		}
	}
	return nil
}

// initLeaves writes the kept leaves and the perfect subtrees over and before them.
func (k *Keeper) initLeaves(ctx context.Context, gs *types.GenesisState) error {
	r, err := gs.Pruned.Range()
	if err != nil {
		return err
	}
	for i, level := range levels(r.Size) {
		if err := k.nodes.Set(ctx, collections.Join(level, r.Size>>level-1), r.Hashes[i][:]); err != nil {
			return err
		}
	}
	for i := range gs.Leaves {
		leaf := gs.Leaves[i]
		if err := k.leaves.Set(ctx, leaf.Index, leaf); err != nil {
			return err
		}
		if err := k.appendHash(ctx, &r, log.LeafHash(leaf.Data)); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) initKey(ctx context.Context, key *types.AnchorKey) error {
	validator, err := k.validatorCodec.StringToBytes(key.Validator)
	if err != nil {
		return errorsmod.Wrapf(types.ErrInvalidGenesis, "validator %q of an anchor key: %s", key.Validator, err)
	}
	if err := k.keys.Set(ctx, key.Address, *key); err != nil {
		return err
	}
	if key.ReplacedTime != 0 {
		return nil
	}
	return k.currentKeys.Set(ctx, validator, key.Address)
}

// levels are the heights of the perfect subtrees that make a log of that size, largest first.
func levels(size uint64) (levels []uint16) {
	for level := bits.Len64(size) - 1; level >= 0; level-- {
		if size>>level&1 == 1 {
			levels = append(levels, uint16(level)) //nolint:gosec // below 64
		}
	}
	return levels
}

// ExportGenesis returns the log and the anchor keys, leaves by index, keys by address. Anchors are not part of it: see GenesisState.
func (k *Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	params, err := k.Params(ctx)
	if err != nil {
		return nil, err
	}
	state, err := k.log.Get(ctx)
	if err != nil {
		return nil, err
	}
	gs := &types.GenesisState{Params: params, Log: state}
	err = k.leaves.Walk(ctx, nil, func(_ uint64, leaf types.Leaf) (bool, error) {
		gs.Leaves = append(gs.Leaves, leaf)
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	err = k.keys.Walk(ctx, nil, func(_ []byte, key types.AnchorKey) (bool, error) {
		gs.Keys = append(gs.Keys, key)
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	gs.Pruned, err = k.exportPruned(ctx, gs)
	return gs, err
}

func (k *Keeper) exportPruned(ctx context.Context, gs *types.GenesisState) (types.LogState, error) {
	if len(gs.Leaves) == 0 || gs.Leaves[0].Index == 0 {
		return types.LogState{}, nil
	}
	pruned := types.LogState{Size_: gs.Leaves[0].Index}
	for _, level := range levels(pruned.Size_) {
		hash, err := k.nodes.Get(ctx, collections.Join(level, pruned.Size_>>level-1))
		if err != nil {
			return types.LogState{}, errorsmod.Wrapf(types.ErrInvariant, "subtree of level %d before leaf %d: %s", level, pruned.Size_, err)
		}
		pruned.Hashes = append(pruned.Hashes, hash)
	}
	return pruned, nil
}
