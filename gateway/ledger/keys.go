// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
)

// Key is one API key's account. Amounts are in micro-USD, times in Unix seconds.
type Key struct {
	// ID is the first 16 hex digits of the key's SHA-256; admins and logs name the key by it.
	ID string
	// Granted is all credit it ever got: Available + Reserved + Spent.
	Granted, Available, Reserved, Spent uint64
	CreatedAt                           int64
	// ExpiresAt is the first second at which the key no longer works, 0 for never.
	ExpiresAt int64
	Revoked   bool
}

// Works reports whether the key may be used at a time.
func (k *Key) Works(now int64) bool { return !k.Revoked && (k.ExpiresAt == 0 || now < k.ExpiresAt) }

// KeyID returns the id of the key with the given SHA-256.
func KeyID(hash [32]byte) string { return hex.EncodeToString(hash[:8]) }

const keyColumns = "id, granted, available, reserved, spent, created_at, expires_at, revoked"

func scanKey(row row) (Key, error) {
	var k Key
	err := row.Scan(&k.ID, &k.Granted, &k.Available, &k.Reserved, &k.Spent, &k.CreatedAt, &k.ExpiresAt, &k.Revoked)
	if errors.Is(err, sql.ErrNoRows) {
		return Key{}, ErrNoKey
	}
	if err != nil {
		return Key{}, fmt.Errorf("read key: %w", err)
	}
	return k, nil
}

// CreateKey adds a key by its SHA-256, with its first credit; expiresAt 0 means never.
//
// Errors: ErrKeyExists, ErrAmountTooLarge.
func (l *Ledger) CreateKey(ctx context.Context, hash [32]byte, credit uint64, expiresAt, now int64) (Key, error) {
	amount, err := fits(credit)
	if err != nil {
		return Key{}, err
	}
	k := Key{ID: KeyID(hash), Granted: credit, Available: credit, CreatedAt: now, ExpiresAt: expiresAt}
	err = l.inTx(ctx, func(ctx context.Context, w *tx) error {
		if err := one(ctx, w, ErrKeyExists, `INSERT INTO keys (hash, id, granted, available, reserved, spent, created_at, expires_at)
			VALUES (?, ?, ?, ?, 0, 0, ?, ?) ON CONFLICT DO NOTHING`, hash[:], k.ID, amount, amount, now, expiresAt); err != nil {
			return fmt.Errorf("create key %s: %w", k.ID, err)
		}
		return grant(ctx, w, k.ID, "create "+k.ID, amount, now)
	})
	return k, err
}

func grant(ctx context.Context, w *tx, id, reference string, amount, now int64) error {
	_, err := w.exec(ctx, `INSERT INTO grants (reference, key_id, amount, granted_at) VALUES (?, ?, ?, ?)`, reference, id, amount, now)
	if err != nil {
		return fmt.Errorf("record grant: %w", err)
	}
	return nil
}

// Grant adds credit to a key. The same reference again changes nothing.
//
// Errors: ErrNoKey, ErrGrantDiffers, ErrAmountTooLarge (the sum of all grants counts).
func (l *Ledger) Grant(ctx context.Context, id, reference string, credit uint64, now int64) (Key, error) {
	amount, err := fits(credit)
	if err != nil {
		return Key{}, err
	}
	var k Key
	err = l.inTx(ctx, func(ctx context.Context, w *tx) (err error) {
		if k, err = scanKey(w.row(ctx, `SELECT `+keyColumns+` FROM keys WHERE id = ?`, id)); err != nil {
			return err
		}
		var known string
		var was int64
		err = w.row(ctx, `SELECT key_id, amount FROM grants WHERE reference = ?`, reference).Scan(&known, &was)
		if err == nil && (known != id || was != amount) {
			return fmt.Errorf("%w: %s", ErrGrantDiffers, reference)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err // nil: it was granted before
		}
		if _, err := fits(k.Granted + credit); err != nil {
			return err
		}
		if err := grant(ctx, w, id, reference, amount, now); err != nil {
			return err
		}
		k.Granted, k.Available = k.Granted+credit, k.Available+credit
		return one(ctx, w, ErrNoKey, `UPDATE keys SET granted = granted + ?, available = available + ? WHERE id = ?`, amount, amount, id)
	})
	if err != nil {
		return Key{}, err
	}
	return k, nil
}

// Revoke ends a key for good. Its open jobs are settled as usual.
//
// Errors: ErrNoKey.
func (l *Ledger) Revoke(ctx context.Context, id string) error {
	return l.inTx(ctx, func(ctx context.Context, w *tx) error {
		return one(ctx, w, ErrNoKey, `UPDATE keys SET revoked = 1 WHERE id = ?`, id)
	})
}

// KeyByHash returns the key with the given SHA-256.
//
// Errors: ErrNoKey.
func (l *Ledger) KeyByHash(ctx context.Context, hash [32]byte) (Key, error) {
	return scanKey(l.db.QueryRowContext(ctx, `SELECT `+keyColumns+` FROM keys WHERE hash = ?`, hash[:]))
}

// KeyByID returns the key with the given id.
//
// Errors: ErrNoKey.
func (l *Ledger) KeyByID(ctx context.Context, id string) (Key, error) {
	return scanKey(l.db.QueryRowContext(ctx, `SELECT `+keyColumns+` FROM keys WHERE id = ?`, id))
}

// Keys lists keys by id, at most limit, after the id given.
func (l *Ledger) Keys(ctx context.Context, after string, limit int) ([]Key, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT `+keyColumns+` FROM keys WHERE id > ? ORDER BY id LIMIT ?`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	defer rows.Close()
	var keys []Key
	for rows.Next() {
		k, err := scanKey(rows)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, rows.Err()
}
