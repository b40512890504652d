// SPDX-License-Identifier: Apache-2.0

package keeper

import "context"

// EndBlock moves anchoring on: it attests, closes or opens an anchor, and removes old ones. It never fails a block. It has to run
// after x/staking, so that an anchor names the set of this block's changes, and after whatever appends to the log.
func (k *Keeper) EndBlock(ctx context.Context) {
	k.guarded(ctx, "advance", k.advance)
	k.guarded(ctx, "prune", k.pruneAnchors)
}
