// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/u128"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// Params returns the parameters in force.
func (k *Keeper) Params(ctx context.Context) (types.Params, error) { return k.params.Get(ctx) }

// UpdateParams changes the parameters. What prices and judges batches holds from the next epoch, the rest at once.
//
// Errors: ErrInvalidParams.
func (k *Keeper) UpdateParams(ctx context.Context, authority string, params types.Params) error {
	if err := k.checkParams(ctx, &params); err != nil {
		return err
	}
	if err := k.params.Set(ctx, params); err != nil {
		return err
	}
	return emit(ctx, &types.EventParamsUpdated{Authority: authority, Params: params})
}

// checkParams also checks what needs the schedule: escrow must not leave before all claims on it have arrived and are settled.
func (k *Keeper) checkParams(ctx context.Context, params *types.Params) error {
	if err := params.Validate(); err != nil {
		return err
	}
	s, err := k.operators.Schedule(ctx)
	if err != nil {
		return err
	}
	window, ok := u128.Sum([]uint64{s.EpochBlocks, s.SubmitBlocks, s.BeaconBlocks, s.OpenBlocks, s.ChallengeBlocks, s.ResponseBlocks})
	if !ok || params.ThawBlocks < window {
		return errorsmod.Wrapf(types.ErrInvalidParams, "thaw_blocks is %d, least is %d: an epoch and all its windows", params.ThawBlocks, window)
	}
	return nil
}
