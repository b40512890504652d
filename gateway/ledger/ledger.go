// SPDX-License-Identifier: Apache-2.0

// Package ledger is the gateway's durable memory: API keys with their credit, and every job it authorised. It is one SQLite file.
//
// Money is in micro-USD. A key's credit is available, reserved or spent, and the three always add up to what was granted; the file
// itself refuses a row that breaks this. A job is open, with its maximum reserved, until it is settled (the receipt's amount is spent
// and the rest available again), released or rejected (all is available again). It leaves open once, so nothing is paid twice.
//
// Every method that returns nil has put its change on disk; changes that come at the same time share one sync. An API key is stored as its SHA-256 only.
package ledger

import (
	"context"
	"database/sql"
	_ "embed" // schema.sql
	"errors"
	"fmt"
	"math"
	"net/url"
	"sync"

	_ "modernc.org/sqlite" // the driver
)

//go:embed schema.sql
var schema string

// schemaVersion is what user_version says of a file this program understands.
const schemaVersion = 1

// Errors of the ledger.
var (
	// ErrVersion says that the file was written by another version of the program.
	ErrVersion = errors.New("ledger was written by another version of the gateway; run that version or move the file away")
	// ErrNoKey says that there is no such API key.
	ErrNoKey = errors.New("no such API key")
	// ErrKeyExists says that the key, or one with the same id, is there already.
	ErrKeyExists = errors.New("API key exists; make another one")
	// ErrInsufficientCredits says that the key's available credit does not cover a job.
	ErrInsufficientCredits = errors.New("available credit does not cover the job's maximum; grant credit or ask for less")
	// ErrNonceUsed says that the nonce is in the ledger; draw another one.
	ErrNonceUsed = errors.New("nonce was used for another job; draw another one")
	// ErrNotOpen says that a job is settled, released or rejected already, or was never made.
	ErrNotOpen = errors.New("job is not open: its money has moved already")
	// ErrGrantDiffers says that a grant's reference was used for another key or amount.
	ErrGrantDiffers = errors.New("reference was used for another grant; use a fresh one")
	// ErrAmountTooLarge says that an amount does not fit the file's integers.
	ErrAmountTooLarge = errors.New("amount is over 2^63-1 micro-USD")
)

// Ledger is the gateway's SQLite file. All methods may be called from several goroutines.
type Ledger struct {
	db      *sql.DB
	writer  *tx
	queue   chan *change
	written chan struct{} // closed when the writer has ended

	closing sync.RWMutex // held for reading while a change is being queued
	closed  bool         // guarded by closing
}

// Open opens or makes the file at path.
//
// Errors: ErrVersion, or SQLite's.
func Open(ctx context.Context, path string) (*Ledger, error) {
	// FULL: a committed transaction survives power loss. WAL: readers do not stop the writer.
	options := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(10000)", "foreign_keys(1)"}}
	file := url.URL{Path: path} // escaped: a # or ? in a name would end it
	db, err := sql.Open("sqlite", "file:"+file.EscapedPath()+"?"+options.Encode())
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	db.SetMaxOpenConns(5) // the writer's and four readers
	l := &Ledger{db: db, queue: make(chan *change, queued), written: make(chan struct{})}
	if err := l.migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if l.writer, err = newTx(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	go l.write(l.writer)
	return l, nil
}

func (l *Ledger) migrate(ctx context.Context) error {
	var version int
	if err := l.db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return fmt.Errorf("read the ledger's version: %w", err)
	}
	switch version {
	case schemaVersion:
		return nil
	case 0:
		if _, err := l.db.ExecContext(ctx, schema); err != nil {
			return fmt.Errorf("make the ledger: %w", err)
		}
		return nil
	default:
		return fmt.Errorf("%w: file has %d, program has %d", ErrVersion, version, schemaVersion)
	}
}

// Close takes no more changes, waits for those that are queued, and ends the ledger. Closing twice is allowed.
func (l *Ledger) Close() error {
	l.closing.Lock()
	if l.closed {
		l.closing.Unlock()
		return nil
	}
	l.closed = true
	l.closing.Unlock()
	close(l.queue)
	<-l.written
	return errors.Join(l.writer.close(), l.db.Close())
}

// fits turns an amount into the file's integer.
func fits(amount uint64) (int64, error) {
	if amount > math.MaxInt64 {
		return 0, fmt.Errorf("%w: %d", ErrAmountTooLarge, amount)
	}
	return int64(amount), nil
}
