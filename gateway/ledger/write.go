// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

const (
	// maxGroup bounds how many changes share one commit, and queued how many wait for the next; further ones wait for room.
	maxGroup = 64
	queued   = 4 * maxGroup
)

// ErrClosed says that the ledger is closed.
var ErrClosed = errors.New("ledger is closed: the gateway is stopping")

// change is one caller's change on its way to the disk; the writer answers once on done, which has room for the answer.
type change struct {
	ctx  context.Context //nolint:containedctx // the caller's, asked once: one that has gone is not written for
	fn   func(context.Context, *tx) error
	done chan error
}

// inTx runs fn with the changes of others in one write transaction: all of it is on disk when inTx returns nil, none of it otherwise.
//
// One goroutine writes. It takes all that waits and commits it at once, so that many changes cost one sync. A change that fails takes
// nothing of the others with it. fn gets a context that does not end with the caller's: SQLite would roll the others back too.
func (l *Ledger) inTx(ctx context.Context, fn func(context.Context, *tx) error) error {
	c := &change{ctx: ctx, fn: fn, done: make(chan error, 1)}
	if err := l.enqueue(ctx, c); err != nil {
		return err
	}
	return <-c.done // not the context's end: whether it is on disk decides
}

func (l *Ledger) enqueue(ctx context.Context, c *change) error {
	l.closing.RLock()
	defer l.closing.RUnlock()
	if l.closed {
		return ErrClosed
	}
	select {
	case l.queue <- c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// write is the only goroutine that writes; it ends when the queue is closed and empty.
func (l *Ledger) write(w *tx) {
	defer close(l.written)
	for first := range l.queue {
		group := l.gather(first)
		errs := w.commit(group)
		for i, c := range group {
			c.done <- errs[i]
		}
	}
}

// gather takes what else is waiting, up to the size of a group.
func (l *Ledger) gather(first *change) []*change {
	group := []*change{first}
	for len(group) < maxGroup {
		select {
		case c, ok := <-l.queue:
			if !ok {
				return group
			}
			group = append(group, c)
		default:
			return group
		}
	}
	return group
}

// tx is the writer's connection, with a transaction begun while changes run. It keeps its statements prepared.
type tx struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

func newTx(ctx context.Context, db *sql.DB) (*tx, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("open the ledger's writer: %w", err)
	}
	return &tx{conn: conn, stmts: make(map[string]*sql.Stmt)}, nil
}

func (w *tx) close() error {
	var errs []error
	for _, s := range w.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, w.conn.Close())...)
}

// prepared returns a statement; the queries are constants of this package, so they are few.
func (w *tx) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if s := w.stmts[query]; s != nil {
		return s, nil
	}
	s, err := w.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	w.stmts[query] = s
	return s, nil
}

func (w *tx) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := w.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

// row is the first row of a query.
type row interface{ Scan(dst ...any) error }

// failedRow is the row of a query that could not be prepared.
type failedRow struct{ err error }

// Scan implements row.
func (r failedRow) Scan(...any) error { return r.err }

func (w *tx) row(ctx context.Context, query string, args ...any) row {
	s, err := w.prepared(ctx, query)
	if err != nil {
		return failedRow{err}
	}
	return s.QueryRowContext(ctx, args...)
}

// do runs a statement of the transaction itself.
func (w *tx) do(ctx context.Context, statement string) error {
	_, err := w.exec(ctx, statement)
	if err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// commit makes a group durable and returns what became of each change. When the transaction itself fails, that is every one's error.
func (w *tx) commit(group []*change) []error {
	ctx := context.Background() // nobody's: see inTx
	errs := make([]error, len(group))
	all := func(err error) []error {
		for i := range errs {
			errs[i] = err
		}
		return errs
	}
	if err := w.do(ctx, "BEGIN IMMEDIATE"); err != nil {
		return all(err)
	}
	wrote := false
	for i, c := range group {
		var broken error
		if errs[i], broken = w.apply(ctx, c); broken != nil {
			_ = w.do(ctx, "ROLLBACK") // SQLite may have done so; its first error is the one to tell
			return all(broken)
		}
		wrote = wrote || errs[i] == nil
	}
	if !wrote {
		if err := w.do(ctx, "ROLLBACK"); err != nil {
			return all(err)
		}
		return errs
	}
	if err := w.do(ctx, "COMMIT"); err != nil {
		_ = w.do(ctx, "ROLLBACK") // as above
		return all(err)
	}
	return errs
}

// apply runs one change in a savepoint of its own. broken means that the whole transaction is of no use any more.
func (w *tx) apply(ctx context.Context, c *change) (err, broken error) {
	if c.ctx.Err() != nil {
		return c.ctx.Err(), nil
	}
	if err := w.do(ctx, "SAVEPOINT change"); err != nil {
		return nil, err
	}
	if err = c.fn(ctx, w); err != nil {
		if undo := w.do(ctx, "ROLLBACK TO change"); undo != nil {
			return nil, errors.Join(err, undo)
		}
	}
	return err, w.do(ctx, "RELEASE change")
}

// one runs a statement that must change exactly one row; absent is the error when it changes none.
func one(ctx context.Context, w *tx, absent error, query string, args ...any) error {
	res, err := w.exec(ctx, query, args...)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err != nil {
		return err
	}
	if n != 1 {
		return absent
	}
	return nil
}
