// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"fmt"
)

// Batch is a batch that was built for one host key and epoch.
type Batch struct {
	HostID   [32]byte
	HostKey  [20]byte
	Epoch    uint64
	DASHA256 [32]byte
	// Msg is the MsgSubmitBatch, encoded.
	Msg []byte
	// Receipts, AmountUusdc and Tokens are its sums.
	Receipts, AmountUusdc, Tokens uint64
	// ID is the chain's, 0 until it is known.
	ID uint64
	// Opened says that the chain has every sample.
	Opened bool
}

// SaveBatch writes a batch, its transaction and what it leaves out, all or nothing. A batch that is there already stays.
func (s *Store) SaveBatch(ctx context.Context, b *Batch, item Item, rejected []Rejection) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		for i := range rejected {
			if err := reject(ctx, tx, &rejected[i]); err != nil {
				return err
			}
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO batches (host_key, epoch, host_id, da_sha256, msg, receipts, amount_uusdc, tokens)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (host_key, epoch) DO NOTHING`,
			b.HostKey[:], b.Epoch, b.HostID[:], b.DASHA256[:], b.Msg, b.Receipts, b.AmountUusdc, b.Tokens)
		if err != nil {
			return fmt.Errorf("write the batch of epoch %d: %w", b.Epoch, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return enqueue(ctx, tx, item)
	})
}

// Batches returns the batches of all epochs from the given one on, by epoch and host key.
func (s *Store) Batches(ctx context.Context, fromEpoch uint64) ([]Batch, error) {
	return s.queryBatches(ctx, "epoch >= ?", fromEpoch)
}

// BatchesBefore returns the batches of all epochs before the given one.
func (s *Store) BatchesBefore(ctx context.Context, epoch uint64) ([]Batch, error) {
	return s.queryBatches(ctx, "epoch < ?", epoch)
}

// UnsentBatches returns the batches whose transaction no block holds yet.
func (s *Store) UnsentBatches(ctx context.Context) ([]Batch, error) {
	return s.queryBatches(ctx, "EXISTS (SELECT 1 FROM outbox WHERE key = "+batchKeySQL+" AND state IN ('pending', 'sending'))")
}

// BatchKey is the outbox key of a batch's transaction.
func BatchKey(hostKey [20]byte, epoch uint64) string {
	return fmt.Sprintf("batch/%x/%d", hostKey, epoch)
}

// batchKeySQL is BatchKey of a row of batches.
const batchKeySQL = "'batch/' || lower(hex(host_key)) || '/' || epoch"

func (s *Store) queryBatches(ctx context.Context, where string, args ...any) ([]Batch, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT host_id, host_key, epoch, da_sha256, msg, receipts, amount_uusdc, tokens, batch_id, opened
		FROM batches WHERE `+where+" ORDER BY epoch, host_key", args...)
	if err != nil {
		return nil, fmt.Errorf("read batches: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err below says what failed
	var out []Batch
	for rows.Next() {
		var b Batch
		var hostID, hostKey, sum []byte
		if err := rows.Scan(&hostID, &hostKey, &b.Epoch, &sum, &b.Msg, &b.Receipts, &b.AmountUusdc, &b.Tokens, &b.ID, &b.Opened); err != nil {
			return nil, fmt.Errorf("read batches: %w", err)
		}
		copy(b.HostID[:], hostID)
		copy(b.HostKey[:], hostKey)
		copy(b.DASHA256[:], sum)
		out = append(out, b)
	}
	return out, rows.Err()
}

// SetBatchID records the chain's id of a batch.
func (s *Store) SetBatchID(ctx context.Context, hostKey [20]byte, epoch, id uint64) error {
	return s.changeBatch(ctx, "batch_id = ?", id, hostKey[:], epoch)
}

// SetOpened records that the chain has every sample of a batch, or that it wants none.
func (s *Store) SetOpened(ctx context.Context, hostKey [20]byte, epoch uint64) error {
	return s.changeBatch(ctx, "opened = ?", 1, hostKey[:], epoch)
}

func (s *Store) changeBatch(ctx context.Context, set string, args ...any) error {
	if _, err := s.db.ExecContext(ctx, "UPDATE batches SET "+set+" WHERE host_key = ? AND epoch = ?", args...); err != nil {
		return fmt.Errorf("change batch: %w", err)
	}
	return nil
}

// Prune forgets receipts, batches and rejections of all epochs before the given one, and transactions that ended before
// the given height.
func (s *Store) Prune(ctx context.Context, epoch, height uint64) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"receipts", "rejected", "batches"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE epoch < ?", epoch); err != nil {
				return fmt.Errorf("prune %s: %w", table, err)
			}
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM outbox WHERE state IN ('done', 'failed') AND height > 0 AND height < ?", height); err != nil {
			return fmt.Errorf("prune outbox: %w", err)
		}
		return nil
	})
}
