// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"context"
	"errors"
	"log/slog"

	"github.com/gpucoord/gpucoord/domain/epoch"
)

// keepMs is how long records are kept after the last moment at which a batch can be challenged: 7 days.
const keepMs = 7 * 24 * 3600 * 1000

// prune forgets everything about epochs that are long over, once in an epoch. The files go first: if the store fails
// after that, the next step removes what is gone already.
func (b *Batcher) prune(ctx context.Context, height uint64, schedule epoch.Schedule, blockTimeMs uint64) error {
	if blockTimeMs == 0 {
		return nil
	}
	span := keepMs/blockTimeMs + schedule.SubmitBlocks + schedule.BeaconBlocks + schedule.OpenBlocks + schedule.ChallengeBlocks +
		schedule.ResponseBlocks + schedule.EpochBlocks
	if height < span {
		return nil
	}
	keep, err := schedule.Of(height - span)
	if errors.Is(err, epoch.ErrBeforeGenesis) || err == nil && keep <= b.pruned {
		return nil
	}
	if err != nil {
		return err
	}
	old, err := b.store.BatchesBefore(ctx, keep)
	if err != nil {
		return err
	}
	for i := range old {
		if err := b.files.Remove(old[i].DASHA256); err != nil {
			return err
		}
	}
	if err := b.store.Prune(ctx, keep, height-span); err != nil {
		return err
	}
	b.pruned = keep
	b.log.InfoContext(ctx, "forgot old epochs", slog.Uint64("epoch", keep), slog.Int("batches", len(old)))
	return nil
}
