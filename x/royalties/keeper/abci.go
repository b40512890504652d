// SPDX-License-Identifier: Apache-2.0

package keeper

import "context"

// EndBlock removes expired commits, at most Params.MaxCommitsPerBlock.
func (k *Keeper) EndBlock(ctx context.Context) error {
	return k.removeExpiredCommits(ctx)
}
