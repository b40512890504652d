// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// State is where a transaction stands.
type State string

// The states of a transaction. Only sending has signed bytes that a node may hold.
const (
	Pending State = "pending"
	Sending State = "sending"
	Done    State = "done"
	Failed  State = "failed"
)

// ErrNoItem says that there is no such transaction.
var ErrNoItem = errors.New("no such transaction in the outbox")

// Item is one message to send in a transaction of its own.
type Item struct {
	ID  int64
	Key string
	// TypeURL and Msg are the message as an Any.
	TypeURL string
	Msg     []byte
	// NotBefore is the first height to send at, Deadline the last block that may hold it (0: none).
	NotBefore, Deadline uint64
	State               State
	// Tx, TxHash, Sequence and Expires, the last block that may hold Tx, are set while it is being sent.
	Tx                []byte
	TxHash            string
	Sequence, Expires uint64
	// Height, Code, Codespace and Log are the chain's answer.
	Height    uint64
	Code      uint32
	Codespace string
	Log       string
	Tries     int
}

const itemColumns = "id, key, type_url, msg, not_before, deadline, state, tx, tx_hash, sequence, expires, height, code, codespace, log, tries"

// Enqueue adds a message, unless its key is known already: asking for the same work twice is one transaction.
func (s *Store) Enqueue(ctx context.Context, item Item) error {
	return s.inTx(ctx, func(tx *sql.Tx) error { return enqueue(ctx, tx, item) })
}

func enqueue(ctx context.Context, tx *sql.Tx, item Item) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO outbox (key, type_url, msg, not_before, deadline, state) VALUES (?, ?, ?, ?, ?, 'pending')
		ON CONFLICT (key) DO NOTHING`, item.Key, item.TypeURL, item.Msg, item.NotBefore, item.Deadline)
	if err != nil {
		return fmt.Errorf("enqueue %s: %w", item.Key, err)
	}
	return nil
}

// Next returns the transaction to work on at height: the one being sent if there is one, else the pending one whose
// deadline is nearest.
//
// Errors: ErrNoItem when there is nothing to do.
func (s *Store) Next(ctx context.Context, height uint64) (Item, error) {
	return scanItem(s.db.QueryRowContext(ctx, `SELECT `+itemColumns+` FROM outbox
		WHERE state = 'sending' OR (state = 'pending' AND not_before <= ?)
		ORDER BY state = 'sending' DESC, CASE deadline WHEN 0 THEN 1 ELSE 0 END, deadline, id LIMIT 1`, height))
}

// Item returns the transaction with the given key.
//
// Errors: ErrNoItem.
func (s *Store) Item(ctx context.Context, key string) (Item, error) {
	return scanItem(s.db.QueryRowContext(ctx, `SELECT `+itemColumns+` FROM outbox WHERE key = ?`, key))
}

func scanItem(row *sql.Row) (Item, error) {
	var i Item
	err := row.Scan(&i.ID, &i.Key, &i.TypeURL, &i.Msg, &i.NotBefore, &i.Deadline, &i.State, &i.Tx, &i.TxHash, &i.Sequence, &i.Expires,
		&i.Height, &i.Code, &i.Codespace, &i.Log, &i.Tries)
	if errors.Is(err, sql.ErrNoRows) {
		return Item{}, ErrNoItem
	}
	if err != nil {
		return Item{}, fmt.Errorf("read outbox: %w", err)
	}
	return i, nil
}

// Signed is a transaction that is ready to leave the machine.
type Signed struct {
	Tx       []byte
	Hash     string
	Sequence uint64
	// Expires is the last block that may hold it.
	Expires uint64
}

// MarkSending records the signed bytes before they leave the machine.
func (s *Store) MarkSending(ctx context.Context, id int64, tx Signed) error {
	return s.change(ctx, id, `UPDATE outbox SET state = 'sending', tx = ?, tx_hash = ?, sequence = ?, expires = ?, tries = tries + 1 WHERE id = ?`,
		tx.Tx, tx.Hash, tx.Sequence, tx.Expires, id)
}

// MarkPending puts a transaction off: one that was not sent, or whose signed bytes can no longer enter a block. It is
// signed anew from height notBefore on; log says why.
func (s *Store) MarkPending(ctx context.Context, id int64, notBefore uint64, log string) error {
	return s.change(ctx, id, `UPDATE outbox SET state = 'pending', tx = NULL, tx_hash = '', not_before = ?, log = ? WHERE id = ?`, notBefore, log, id)
}

// MarkDone records that a block holds the transaction and that it succeeded.
func (s *Store) MarkDone(ctx context.Context, id int64, height uint64) error {
	return s.change(ctx, id, `UPDATE outbox SET state = 'done', tx = NULL, height = ?, code = 0, log = '' WHERE id = ?`, height, id)
}

// MarkFailed records a refusal for good.
func (s *Store) MarkFailed(ctx context.Context, id int64, height uint64, code uint32, codespace, log string) error {
	return s.change(ctx, id, `UPDATE outbox SET state = 'failed', tx = NULL, height = ?, code = ?, codespace = ?, log = ? WHERE id = ?`,
		height, code, codespace, log, id)
}

func (s *Store) change(ctx context.Context, id int64, query string, args ...any) error {
	res, err := s.db.ExecContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("change outbox %d: %w", id, err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return fmt.Errorf("change outbox %d: %w", id, errors.Join(ErrNoItem, err))
	}
	return nil
}

// Replace ends a transaction that is not being sent, and adds others in its place, all or nothing. One that is being sent
// or has ended stays as it is.
func (s *Store) Replace(ctx context.Context, key string, items []Item) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE outbox SET state = 'failed', codespace = 'relayer', log = 'replaced: ' || log WHERE key = ? AND state = 'pending'", key)
		if err != nil {
			return fmt.Errorf("replace %s: %w", key, err)
		}
		for _, item := range items {
			if err := enqueue(ctx, tx, item); err != nil {
				return err
			}
		}
		return nil
	})
}
