// SPDX-License-Identifier: Apache-2.0

package keeper

import "context"

// BeginBlock pins the parameters of an epoch in its first block.
func (k *Keeper) BeginBlock(ctx context.Context) error { return k.startEpoch(ctx) }

// EndBlock draws the seed of an epoch whose beacon is complete, ends unanswered demands, works on due batches, pays out thawed escrow and removes old epochs,
// each bounded by a parameter.
func (k *Keeper) EndBlock(ctx context.Context) error {
	if err := k.drawSeed(ctx); err != nil {
		return err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	if err := k.workDemands(ctx, &params); err != nil { // before the batches: what was withheld is not settled
		return err
	}
	if err := k.workQueue(ctx, &params); err != nil {
		return err
	}
	if err := k.payThaws(ctx, &params); err != nil {
		return err
	}
	return k.prune(ctx, &params)
}
