// SPDX-License-Identifier: Apache-2.0

package keeper

import "context"

// EndBlock works on the settlement of the next epoch and prunes old rows, each at most Params.MaxOperatorsPerBlock
// operators. A block's work on either that fails leaves no trace and is tried again in the next block; so nothing here
// halts the chain, and Query/Status shows a settlement that does not move.
func (k *Keeper) EndBlock(ctx context.Context) error {
	if err := attempt(ctx, k.settle); err != nil {
		k.logger(ctx).Error("settlement is tried again in the next block", "err", err)
	}
	if err := attempt(ctx, k.prune); err != nil {
		k.logger(ctx).Error("pruning is tried again in the next block", "err", err)
	}
	return nil
}
