// SPDX-License-Identifier: Apache-2.0

// Package store is the relayer's durable memory: one SQLite file. What is written here is on disk before anything
// is done because of it, so a restart at any line goes on where the last one stopped.
package store

import (
	"context"
	"database/sql"
	_ "embed" // schema.sql
	"errors"
	"fmt"
	"net/url"

	_ "modernc.org/sqlite" // the driver
)

//go:embed schema.sql
var schema string

// schemaVersion is what user_version says of a file this program understands.
const schemaVersion = 1

// ErrVersion says that the file was written by another version of the program.
var ErrVersion = errors.New("store was written by another version of the relayer; run that version or move the file away")

// Store is the relayer's SQLite file. All methods may be called from several goroutines; SQLite has one writer at a time.
type Store struct {
	db *sql.DB
}

// Open opens or makes the file at path.
//
// Errors: ErrVersion, or SQLite's.
func Open(ctx context.Context, path string) (*Store, error) {
	// FULL: a committed transaction survives power loss. WAL: readers do not stop the writer.
	pragmas := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(10000)", "foreign_keys(1)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", "file:"+path+"?"+pragmas.Encode())
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	db.SetMaxOpenConns(4)
	s := &Store{db: db}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func (s *Store) migrate(ctx context.Context) error {
	var version int
	if err := s.db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return fmt.Errorf("read the store's version: %w", err)
	}
	switch version {
	case schemaVersion:
		return nil
	case 0:
		if _, err := s.db.ExecContext(ctx, schema); err != nil {
			return fmt.Errorf("make the store: %w", err)
		}
		return nil
	default:
		return fmt.Errorf("%w: file has %d, program has %d", ErrVersion, version, schemaVersion)
	}
}

// Close ends the store.
func (s *Store) Close() error { return s.db.Close() }

// inTx runs fn in one write transaction: all of it is on disk when inTx returns nil, none of it otherwise.
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
