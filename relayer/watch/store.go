// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"database/sql"
	_ "embed" // schema.sql
	"errors"
	"fmt"
	"net/url"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/gpucoord/gpucoord/relayer/watch/index"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

//go:embed schema.sql
var schema string

// schemaVersion is what user_version says of a file this program understands.
const schemaVersion = 1

// Errors of the store.
var (
	// ErrVersion says that the file was written by another version of the program.
	ErrVersion = errors.New("watch.db was written by another version of the relayer; run that version or move the watch directory away")
	errNoBatch = errors.New("batch is not in the watchtower's store")
)

// The states of a batch.
const (
	stateNew     = "new"
	stateFetched = "fetched"
	stateChecked = "checked"
	stateUnread  = "unread"
	stateSkipped = "skipped"
)

// The counters.
const (
	countCursor      = "cursor"
	countBatches     = "batches_checked"
	countReceipts    = "receipts_checked"
	countFetchErrors = "da_fetch_errors"
	countFound       = "frauds_found/"     // and the kind
	countFiled       = "challenges_filed/" // and kind/result
)

// Store is the watchtower's SQLite file.
type Store struct{ db *sql.DB }

// OpenStore opens or makes the file at path. Errors: ErrVersion, or SQLite's.
func OpenStore(ctx context.Context, path string) (*Store, error) {
	pragmas := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(10000)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", "file:"+path+"?"+pragmas.Encode())
	if err != nil {
		return nil, fmt.Errorf("open watch store: %w", err)
	}
	db.SetMaxOpenConns(4)
	var version int
	if err = db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err == nil && version == 0 {
		_, err = db.ExecContext(ctx, schema)
	} else if err == nil && version != schemaVersion {
		err = fmt.Errorf("%w: file has %d, program has %d", ErrVersion, version, schemaVersion)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open watch store: %w", err), db.Close())
	}
	return &Store{db: db}, nil
}

// Close ends the store.
func (s *Store) Close() error { return s.db.Close() }

func (s *Store) inTx(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func count(ctx context.Context, tx *sql.Tx, name string, by uint64) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO counters (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value", name, by)
	if err != nil {
		return fmt.Errorf("count %s: %w", name, err)
	}
	return nil
}

// cursor is the id of the newest batch that was seen.
func (s *Store) cursor(ctx context.Context) (uint64, error) {
	var at uint64
	err := s.db.QueryRowContext(ctx, "SELECT value FROM counters WHERE name = ?", countCursor).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the cursor: %w", err)
	}
	return at, nil
}

// follow adds batches and moves the cursor, both or neither.
func (s *Store) follow(ctx context.Context, batches []*receiptstypes.Batch, cursor uint64) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		for _, b := range batches {
			raw, err := b.Marshal()
			if err != nil {
				return fmt.Errorf("encode batch %d: %w", b.Id, err)
			}
			_, err = tx.ExecContext(ctx, "INSERT INTO batches (id, epoch, batch, state) VALUES (?, ?, ?, 'new') ON CONFLICT DO NOTHING", b.Id, b.Epoch, raw)
			if err != nil {
				return fmt.Errorf("write batch %d: %w", b.Id, err)
			}
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO counters (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", countCursor, cursor)
		if err != nil {
			return fmt.Errorf("move the cursor: %w", err)
		}
		return nil
	})
}

// row is one batch that is watched.
type row struct {
	batch receiptstypes.Batch
	state string
	tries int
}

// due returns batches in one of two states whose time had come before now, the oldest first.
func (s *Store) due(ctx context.Context, first, second string, now time.Time, most int) ([]row, error) {
	return s.rows(ctx, "WHERE state IN (?, ?) AND next_try < ? ORDER BY id LIMIT ?", first, second, now.UnixMilli(), most)
}

// batch returns one batch. Errors: errNoBatch.
func (s *Store) batch(ctx context.Context, id uint64) (row, error) {
	rows, err := s.rows(ctx, "WHERE id = ?", id)
	if err != nil {
		return row{}, err
	}
	if len(rows) == 0 {
		return row{}, fmt.Errorf("%w: %d", errNoBatch, id)
	}
	return rows[0], nil
}

func (s *Store) rows(ctx context.Context, where string, args ...any) ([]row, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT batch, state, tries FROM batches "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read batches: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err below says what failed
	var out []row
	for rows.Next() {
		var r row
		var raw []byte
		if err := rows.Scan(&raw, &r.state, &r.tries); err != nil {
			return nil, fmt.Errorf("read batches: %w", err)
		}
		if err := r.batch.Unmarshal(raw); err != nil {
			return nil, fmt.Errorf("read batches: %w", err)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// fetched records that a batch's file is here.
func (s *Store) fetched(ctx context.Context, id uint64, bytes int64) error {
	return s.exec(ctx, "UPDATE batches SET state = 'fetched', tries = 0, next_try = 0, file_bytes = ?, reason = '' WHERE id = ?", bytes, id)
}

// postpone tries a batch again later, in a state.
func (s *Store) postpone(ctx context.Context, id uint64, state string, at time.Time, reason error) error {
	return s.exec(ctx, "UPDATE batches SET state = ?, tries = tries + 1, next_try = ?, reason = ? WHERE id = ?", state, at.UnixMilli(), reason.Error(), id)
}

// unread postpones a batch that could not be fetched, counts that, and files a finding if there is one.
func (s *Store) unread(ctx context.Context, id uint64, state string, at time.Time, reason error, found []Finding) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE batches SET state = ?, tries = tries + 1, next_try = ?, reason = ? WHERE id = ?",
			state, at.UnixMilli(), reason.Error(), id)
		if err != nil {
			return fmt.Errorf("change batch %d: %w", id, err)
		}
		if err := count(ctx, tx, countFetchErrors, 1); err != nil {
			return err
		}
		return file(ctx, tx, found)
	})
}

func (s *Store) exec(ctx context.Context, query string, args ...any) error {
	if _, err := s.db.ExecContext(ctx, query, args...); err != nil {
		return fmt.Errorf("write watch store: %w", err)
	}
	return nil
}

// checked records what an examination gave: findings to file, conflicts to look into, and what was counted, all or nothing. A
// batch that was recorded already changes nothing.
func (s *Store) checked(ctx context.Context, id uint64, e *examination) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE batches SET state = 'checked', reason = '' WHERE id = ? AND state = 'fetched'", id)
		if err != nil {
			return fmt.Errorf("change batch %d: %w", id, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		if err := errors.Join(count(ctx, tx, countBatches, 1), count(ctx, tx, countReceipts, e.receipts)); err != nil {
			return err
		}
		for i := range e.conflicts {
			if err := addConflict(ctx, tx, &e.conflicts[i]); err != nil {
				return err
			}
		}
		return file(ctx, tx, e.findings)
	})
}

func addConflict(ctx context.Context, tx *sql.Tx, c *index.Conflict) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO conflicts (kind, first_batch, first_group, first_leaf, second_batch, second_group, second_leaf)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		c.Kind, c.First.Batch, c.First.Group, c.First.Leaf, c.Second.Batch, c.Second.Group, c.Second.Leaf)
	if err != nil {
		return fmt.Errorf("write a conflict: %w", err)
	}
	return nil
}

// conflict is a stored one.
type conflict struct {
	index.Conflict
	id    uint64
	tries int
}

func (s *Store) openConflicts(ctx context.Context, now time.Time, most int) ([]conflict, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, kind, first_batch, first_group, first_leaf, second_batch, second_group, second_leaf, tries
		FROM conflicts WHERE done = '' AND next_try < ? ORDER BY id LIMIT ?`, now.UnixMilli(), most)
	if err != nil {
		return nil, fmt.Errorf("read conflicts: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err below says what failed
	var out []conflict
	for rows.Next() {
		var c conflict
		err := rows.Scan(&c.id, &c.Kind, &c.First.Batch, &c.First.Group, &c.First.Leaf, &c.Second.Batch, &c.Second.Group, &c.Second.Leaf, &c.tries)
		if err != nil {
			return nil, fmt.Errorf("read conflicts: %w", err)
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// resolved ends a conflict, with what is to be filed about it.
func (s *Store) resolved(ctx context.Context, id uint64, done string, found []Finding) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "UPDATE conflicts SET done = ? WHERE id = ?", done, id); err != nil {
			return fmt.Errorf("end conflict %d: %w", id, err)
		}
		return file(ctx, tx, found)
	})
}

func (s *Store) postponeConflict(ctx context.Context, id uint64, at time.Time) error {
	return s.exec(ctx, "UPDATE conflicts SET tries = tries + 1, next_try = ? WHERE id = ?", at.UnixMilli(), id)
}
