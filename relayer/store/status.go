// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// LogStatus is how far a host's log was read.
type LogStatus struct {
	HostID [32]byte
	// Offset is in bytes; Receipts and Countersigned count what the log gave since its beginning.
	Offset, Receipts, Countersigned uint64
}

// RejectedCount is how often something was turned down for a reason.
type RejectedCount struct {
	HostID [32]byte
	Stage  Stage
	Reason string
	Count  uint64
}

// OutboxCount is how many transactions stand in a state.
type OutboxCount struct {
	State State
	Count uint64
}

// Status is what the store knows, for people and monitors.
type Status struct {
	Logs     []LogStatus
	Rejected []RejectedCount
	Outbox   []OutboxCount
	// Open are the transactions that are not in a block yet, nearest deadline first, at most 100; without their bytes.
	Open []Item
	// LastFailed are the last transactions that failed, newest first, at most 10; without their bytes.
	LastFailed []Item
	// LastBatches holds each host's newest batch, without its message.
	LastBatches []Batch
}

// Status reads the store as one moment has it.
func (s *Store) Status(ctx context.Context) (Status, error) {
	var st Status
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return st, fmt.Errorf("read status: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it only read
	for _, read := range []func(context.Context, *sql.Tx, *Status) error{readLogs, readRejected, readOutbox, readLastBatches} {
		if err := read(ctx, tx, &st); err != nil {
			return Status{}, fmt.Errorf("read status: %w", err)
		}
	}
	return st, nil
}

// each calls scan for every row of a query.
func each(ctx context.Context, tx *sql.Tx, scan func(*sql.Rows) error, query string) error {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	for rows.Next() {
		if err := scan(rows); err != nil {
			return errors.Join(err, rows.Close())
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

func readLogs(ctx context.Context, tx *sql.Tx, st *Status) error {
	return each(ctx, tx, func(rows *sql.Rows) error {
		var l LogStatus
		var id []byte
		err := rows.Scan(&id, &l.Offset, &l.Receipts, &l.Countersigned)
		copy(l.HostID[:], id)
		st.Logs = append(st.Logs, l)
		return err
	}, "SELECT host_id, log_offset, receipts, countersigned FROM logs ORDER BY host_id")
}

func readRejected(ctx context.Context, tx *sql.Tx, st *Status) error {
	return each(ctx, tx, func(rows *sql.Rows) error {
		var c RejectedCount
		var id []byte
		err := rows.Scan(&id, &c.Stage, &c.Reason, &c.Count)
		copy(c.HostID[:], id)
		st.Rejected = append(st.Rejected, c)
		return err
	}, "SELECT host_id, stage, reason, count(*) FROM rejected GROUP BY 1, 2, 3 ORDER BY 1, 2, 3")
}

func readOutbox(ctx context.Context, tx *sql.Tx, st *Status) error {
	err := each(ctx, tx, func(rows *sql.Rows) error {
		var c OutboxCount
		err := rows.Scan(&c.State, &c.Count)
		st.Outbox = append(st.Outbox, c)
		return err
	}, "SELECT state, count(*) FROM outbox GROUP BY 1 ORDER BY 1")
	if err != nil {
		return err
	}
	const columns = "SELECT id, key, type_url, not_before, deadline, state, tx_hash, height, code, codespace, log, tries FROM outbox "
	items := func(into *[]Item) func(*sql.Rows) error {
		return func(rows *sql.Rows) error {
			var i Item
			err := rows.Scan(&i.ID, &i.Key, &i.TypeURL, &i.NotBefore, &i.Deadline, &i.State, &i.TxHash, &i.Height, &i.Code, &i.Codespace, &i.Log, &i.Tries)
			*into = append(*into, i)
			return err
		}
	}
	err = each(ctx, tx, items(&st.Open), columns+`WHERE state IN ('pending', 'sending') ORDER BY deadline = 0, deadline, id LIMIT 100`)
	if err != nil {
		return err
	}
	return each(ctx, tx, items(&st.LastFailed), columns+`WHERE state = 'failed' ORDER BY id DESC LIMIT 10`)
}

func readLastBatches(ctx context.Context, tx *sql.Tx, st *Status) error {
	return each(ctx, tx, func(rows *sql.Rows) error {
		var b Batch
		var hostID, hostKey, sum []byte
		err := rows.Scan(&hostID, &hostKey, &b.Epoch, &sum, &b.Receipts, &b.AmountUusdc, &b.Tokens, &b.ID, &b.Opened)
		copy(b.HostID[:], hostID)
		copy(b.HostKey[:], hostKey)
		copy(b.DASHA256[:], sum)
		st.LastBatches = append(st.LastBatches, b)
		return err
	}, `SELECT host_id, host_key, max(epoch), da_sha256, receipts, amount_uusdc, tokens, batch_id, opened
		FROM batches GROUP BY host_id ORDER BY host_id`)
}
