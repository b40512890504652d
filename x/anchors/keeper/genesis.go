// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	"github.com/gpucoord/gpucoord/x/anchors/types"
)

// InitGenesis writes a genesis state. Errors: those of GenesisState.Validate.
func (k *Keeper) InitGenesis(ctx context.Context, gs *types.GenesisState) error {
	if err := gs.Validate(); err != nil {
		return err
	}
	if err := k.params.Set(ctx, gs.Params); err != nil {
		return err
	}
	if err := k.log.Set(ctx, gs.Log); err != nil {
		return err
	}
	for _, leaf := range gs.Leaves {
		if err := k.leaves.Set(ctx, leaf.Index, leaf); err != nil {
			return err
		}
	}
	return nil
}

// ExportGenesis returns the whole state, leaves by index.
func (k *Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	params, err := k.params.Get(ctx)
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
	return gs, err
}

// CheckInvariants walks the state and checks the log against its kept leaves: shape, indices, and every hash whose leaves are kept.
// It is for tests and never runs in a block.
//
// Errors: ErrInvariant, ErrBadLeaf.
func (k *Keeper) CheckInvariants(ctx context.Context) error {
	gs, err := k.ExportGenesis(ctx)
	if err != nil {
		return err
	}
	return types.CheckLog(&gs.Log, gs.Leaves)
}
