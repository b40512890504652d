// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"

	"github.com/gpucoord/gpucoord/domain/epoch"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// prune removes entries of old epochs, at most max_prune_per_block. An epoch is old when the one usage_retention_epochs after it has
// closed, and when it has no open batch itself: a stuck batch keeps its epoch until it is settled or returned.
func (k *Keeper) prune(ctx context.Context, params *types.Params) error {
	e, err := k.prunedEpoch.Get(ctx)
	if err != nil {
		return err
	}
	start := e
	for budget := int(params.MaxPrunePerBlock); budget > 0; {
		old, err := k.prunable(ctx, e, params.UsageRetentionEpochs)
		if err != nil {
			return err
		}
		if !old {
			break
		}
		if budget, err = k.pruneEpoch(ctx, e, budget); err != nil {
			return err
		}
		if budget > 0 { // nothing of it is left
			if err := k.epochs.Remove(ctx, e); err != nil {
				return err
			}
			budget--
			e++
		}
	}
	if e == start {
		return nil
	}
	return k.prunedEpoch.Set(ctx, e)
}

// prunable reports whether an epoch is old enough. One that never began here is, as soon as a later one runs.
func (k *Keeper) prunable(ctx context.Context, e, retention uint64) (bool, error) {
	state, err := k.epochs.Get(ctx, e)
	if errors.Is(err, collections.ErrNotFound) {
		return k.isPast(ctx, e)
	}
	if err != nil || !state.Closed || state.OpenBatches > 0 {
		return false, err
	}
	later, err := k.epochs.Get(ctx, e+retention)
	if errors.Is(err, collections.ErrNotFound) {
		return false, nil
	}
	return later.Closed, err
}

// isPast reports whether an epoch is over; none is before the first one begins.
func (k *Keeper) isPast(ctx context.Context, e uint64) (bool, error) {
	now, err := k.currentEpoch(ctx)
	if errors.Is(err, epoch.ErrBeforeGenesis) {
		return false, nil
	}
	return e < now, err
}

// pruneEpoch removes entries of an epoch and returns how many more may be removed; above 0, none is left but its state.
func (k *Keeper) pruneEpoch(ctx context.Context, e uint64, budget int) (int, error) {
	inEpoch := collections.NewPrefixedPairRange[uint64, []byte](e)
	steps := [...]func() (int, error){
		func() (int, error) {
			return removeRange(ctx, k.usages, collections.NewPrefixedTripleRange[uint64, []byte, []byte](e), budget)
		},
		func() (int, error) { return removeRange(ctx, k.usageRows, inEpoch, budget) },
		func() (int, error) {
			return removeRange(ctx, k.spends, collections.NewPrefixedTripleRange[uint64, []byte, []byte](e), budget)
		},
		func() (int, error) { return removeRange(ctx, k.hostEpochs, inEpoch, budget) },
		func() (int, error) { return removeRange(ctx, k.losses, inEpoch, budget) },
		func() (int, error) { return removeRange(ctx, k.claims, inEpoch, budget) },
		func() (int, error) { return k.removeEvidence(ctx, e, budget) },
		func() (int, error) {
			return removeRange(ctx, k.failures, collections.NewPrefixedTripleRange[uint64, []byte, []byte](e), budget)
		},
		func() (int, error) { return removeRange(ctx, k.failureReports, inEpoch, budget) },
		func() (int, error) { return removeRange(ctx, k.routes, inEpoch, budget) },
		func() (int, error) { return k.removeBatches(ctx, e, budget) },
	}
	for _, step := range steps {
		left, err := step()
		if err != nil {
			return 0, err
		}
		if budget = left; budget == 0 {
			break
		}
	}
	return budget, nil
}

// removeRange removes the first entries of a range, at most budget, and returns what is left of that.
func removeRange[K, V any](ctx context.Context, m collections.Map[K, V], r collections.Ranger[K], budget int) (int, error) {
	var keys []K
	err := m.Walk(ctx, r, func(key K, _ V) (bool, error) {
		keys = append(keys, key)
		return len(keys) >= budget, nil
	})
	if err != nil {
		return 0, err
	}
	for _, key := range keys {
		if err := m.Remove(ctx, key); err != nil {
			return 0, err
		}
	}
	return budget - len(keys), nil
}

// removeEvidence forgets faults of an epoch, at most budget, and returns what is left of that.
func (k *Keeper) removeEvidence(ctx context.Context, e uint64, budget int) (int, error) {
	var ids [][]byte
	err := k.evidence.Indexes.epoch.Walk(ctx, collections.NewPrefixedPairRange[uint64, []byte](e), func(_ uint64, id []byte) (bool, error) {
		ids = append(ids, id)
		return len(ids) >= budget, nil
	})
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		if err := k.evidence.Remove(ctx, id); err != nil {
			return 0, err
		}
	}
	return budget - len(ids), nil
}

// removeBatches removes batches of an epoch, at most budget, and returns what is left of that.
func (k *Keeper) removeBatches(ctx context.Context, e uint64, budget int) (int, error) {
	var ids []uint64
	err := k.batches.Indexes.epoch.Walk(ctx, collections.NewPrefixedPairRange[uint64, uint64](e), func(_, id uint64) (bool, error) {
		ids = append(ids, id)
		return len(ids) >= budget, nil
	})
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		if err := k.batches.Remove(ctx, id); err != nil {
			return 0, err
		}
	}
	return budget - len(ids), nil
}
