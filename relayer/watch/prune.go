// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"

	"github.com/gpucoord/gpucoord/domain/epoch"
)

// Prune forgets epochs whose fraud can cost no bond any more, once in an epoch, and drops the oldest files from a full cache.
// A dropped file is fetched again when a conflict asks for it.
func (w *Watcher) Prune(ctx context.Context) error {
	if err := w.shrink(ctx); err != nil {
		return err
	}
	schedule, params, head, err := w.schedule(ctx)
	if err != nil {
		return err
	}
	span := schedule.EpochBlocks + schedule.SubmitBlocks + schedule.BeaconBlocks + schedule.OpenBlocks + schedule.ChallengeBlocks +
		schedule.ResponseBlocks + params.UnbondingBlocks
	if head.Height < span {
		return nil
	}
	keep, err := schedule.Of(head.Height - span)
	if errors.Is(err, epoch.ErrBeforeGenesis) || err == nil && keep <= w.pruned {
		return nil
	}
	if err != nil {
		return err
	}
	if err := w.forget(ctx, keep); err != nil {
		return err
	}
	w.pruned = keep
	return nil
}

// forget drops all of the epochs before the given one: files, then the index, then the rows, so that a restart repeats it whole.
func (w *Watcher) forget(ctx context.Context, keep uint64) error {
	old, err := w.store.rows(ctx, "WHERE epoch < ? ORDER BY id", keep)
	if err != nil || len(old) == 0 {
		return err
	}
	var first uint64 // the oldest batch that stays
	err = w.store.db.QueryRowContext(ctx, "SELECT coalesce(min(id), ?) FROM batches WHERE epoch >= ?", old[len(old)-1].batch.Id+1, keep).Scan(&first)
	if err != nil {
		return fmt.Errorf("read batches: %w", err)
	}
	for i := range old {
		if err := w.files.Remove([32]byte(old[i].batch.DaSha256)); err != nil {
			return err
		}
	}
	if err := w.index.Prune(first); err != nil {
		return err
	}
	w.log.InfoContext(ctx, "forgot old epochs", slog.Uint64("epoch", keep), slog.Int("batches", len(old)))
	return w.store.inTx(ctx, func(tx *sql.Tx) error {
		for _, statement := range []string{
			"DELETE FROM batches WHERE epoch < ?1 AND ?2 >= 0",
			"DELETE FROM conflicts WHERE second_batch < ?2 AND first_batch < ?2 AND ?1 >= 0",
			"DELETE FROM cases WHERE state = 'done' AND batch_id < ?2 AND ?1 >= 0",
		} {
			if _, err := tx.ExecContext(ctx, statement, keep, first); err != nil {
				return fmt.Errorf("forget old epochs: %w", err)
			}
		}
		return nil
	})
}

// shrink drops the files of the oldest checked batches until the cache is within its limit.
func (w *Watcher) shrink(ctx context.Context) error {
	for {
		var total int64
		if err := w.store.db.QueryRowContext(ctx, "SELECT coalesce(sum(file_bytes), 0) FROM batches").Scan(&total); err != nil {
			return fmt.Errorf("measure the cache: %w", err)
		}
		if total <= w.cfg.CacheBytes {
			return nil
		}
		rows, err := w.store.rows(ctx, "WHERE state = 'checked' AND file_bytes > 0 ORDER BY id LIMIT 1")
		if err != nil || len(rows) == 0 {
			return err
		}
		b := &rows[0].batch
		if err := w.files.Remove([32]byte(b.DaSha256)); err != nil {
			return err
		}
		if err := w.store.exec(ctx, "UPDATE batches SET file_bytes = 0 WHERE id = ?", b.Id); err != nil {
			return err
		}
	}
}
