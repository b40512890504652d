// SPDX-License-Identifier: Apache-2.0

package keeper

import "context"

// BeginBlock stores the block's hash and, in the first block of an epoch, the epoch's start. Work: at most four writes.
func (k *Keeper) BeginBlock(ctx context.Context) error {
	if err := k.storeBlockHash(ctx); err != nil {
		return err
	}
	return k.startEpoch(ctx)
}

// EndBlock executes deadlines, at most max_deadlines_per_block of each queue, then pays mature unbonding entries, at most
// max_unbondings_per_block of them.
func (k *Keeper) EndBlock(ctx context.Context) error {
	if err := k.runDeadlines(ctx); err != nil {
		return err
	}
	return k.payMature(ctx)
}
