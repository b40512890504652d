// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	"cosmossdk.io/collections"
)

// prune removes rows of epochs that are no longer kept, and the controllers' sums of settled epochs, of each at most
// Params.MaxOperatorsPerBlock.
func (k *Keeper) prune(ctx context.Context) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	next, err := k.nextEpoch.Get(ctx)
	if err != nil {
		return err
	}
	limit := int(params.MaxOperatorsPerBlock)
	settled := new(collections.Range[controllerKey]).EndExclusive(collections.Join(next, ""))
	if err := removeSome(ctx, k.controllerPoints, settled, limit); err != nil {
		return err
	}
	return k.pruneRows(ctx, next, params.RetentionEpochs, limit)
}

// pruneRows gives up the oldest epoch that is older than retention, if any, and removes rows of epochs given up.
func (k *Keeper) pruneRows(ctx context.Context, next, retention uint64, limit int) error {
	first, err := k.prunedEpoch.Get(ctx)
	if err != nil {
		return err
	}
	if next > retention && first < next-retention {
		first++
		if err := k.prunedEpoch.Set(ctx, first); err != nil {
			return err
		}
	}
	return removeSome(ctx, k.rows, new(collections.Range[rowKey]).EndExclusive(collections.Join(first, []byte(nil))), limit)
}

// removeSome removes the first entries of a range, at most limit.
func removeSome[K, V any](ctx context.Context, m collections.Map[K, V], ranger collections.Ranger[K], limit int) error {
	var keys []K
	err := m.Walk(ctx, ranger, func(key K, _ V) (bool, error) {
		keys = append(keys, key)
		return len(keys) >= limit, nil
	})
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := m.Remove(ctx, key); err != nil {
			return err
		}
	}
	return nil
}
