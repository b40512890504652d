// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
)

// Errors of receipts.
var (
	// ErrNoReceipt says that the store has no receipt of the job.
	ErrNoReceipt = errors.New("no receipt of this job was collected")
	// ErrCursorMoved says that the log was read on meanwhile: nothing was written.
	ErrCursorMoved = errors.New("log was read on by another pass; run one relayer with this store")
)

// Reasons for which the store itself does not take a receipt up.
const (
	ReasonSeqReused  = "seq is of another job"
	ReasonJobReused  = "job has a receipt with another seq"
	ReasonTwoRecords = "job has another receipt with the same seq"
)

// signedPart is where a record holds what does not change when it is countersigned: all but version and flags.
const signedPartFrom, signedPartTo = 2, 533

// Receipt is a checked record.
type Receipt struct {
	HostID  [32]byte
	HostKey [20]byte
	Seq     uint64
	Epoch   uint64
	JobID   [32]byte
	// SR1 are the record's bytes, with the countersignature if there is one.
	SR1 []byte
}

// Stage says where something was turned down.
type Stage string

// The stages.
const (
	StageCollect Stage = "collect"
	StageBatch   Stage = "batch"
)

// Rejection is something that was not taken up, or not claimed.
type Rejection struct {
	HostID [32]byte
	// Bytes are the record or the countersignature; the store keeps their hash.
	Bytes []byte
	Seq   uint64
	Epoch uint64
	Stage Stage
	// Reason is short and without ids, so that reasons can be counted.
	Reason string
}

// Chunk is one piece of a host's log.
type Chunk struct {
	HostID [32]byte
	// From is where the piece begins and Next where the following one does, in bytes.
	From, Next int64
	Receipts   []Receipt
	Rejected   []Rejection
}

// Cursor returns where to read a host's log on, 0 at first.
func (s *Store) Cursor(ctx context.Context, hostID [32]byte) (int64, error) {
	var offset int64
	err := s.db.QueryRowContext(ctx, "SELECT log_offset FROM logs WHERE host_id = ?", hostID[:]).Scan(&offset)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the cursor: %w", err)
	}
	return offset, nil
}

// SaveChunk writes a piece of a host's log and moves the cursor behind it, both or neither. A receipt that is there
// already gains its countersignature if it had none; one that contradicts what is there is turned down.
//
// Errors: ErrCursorMoved, or SQLite's.
func (s *Store) SaveChunk(ctx context.Context, c *Chunk) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		if err := moveCursor(ctx, tx, c); err != nil {
			return err
		}
		var added, countersigned int
		for i := range c.Receipts {
			change, err := putReceipt(ctx, tx, &c.Receipts[i])
			if err != nil {
				return err
			}
			added += change.added
			countersigned += change.countersigned
		}
		for i := range c.Rejected {
			if err := reject(ctx, tx, &c.Rejected[i]); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "UPDATE logs SET receipts = receipts + ?, countersigned = countersigned + ? WHERE host_id = ?",
			added, countersigned, c.HostID[:])
		if err != nil {
			return fmt.Errorf("count receipts: %w", err)
		}
		return nil
	})
}

func moveCursor(ctx context.Context, tx *sql.Tx, c *Chunk) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO logs (host_id, log_offset, receipts, countersigned) VALUES (?, 0, 0, 0) ON CONFLICT DO NOTHING", c.HostID[:])
	if err != nil {
		return fmt.Errorf("make the cursor: %w", err)
	}
	res, err := tx.ExecContext(ctx, "UPDATE logs SET log_offset = ? WHERE host_id = ? AND log_offset = ?", c.Next, c.HostID[:], c.From)
	if err != nil {
		return fmt.Errorf("move the cursor: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(fmt.Errorf("%w: at offset %d", ErrCursorMoved, c.From), err)
	}
	return nil
}

type receiptChange struct{ added, countersigned int }

func putReceipt(ctx context.Context, tx *sql.Tx, r *Receipt) (receiptChange, error) {
	countersigned := 0
	if len(r.SR1) > signedPartTo {
		countersigned = 1
	}
	var seq uint64
	var sr1 []byte
	err := tx.QueryRowContext(ctx, "SELECT seq, sr1 FROM receipts WHERE job_id = ?", r.JobID[:]).Scan(&seq, &sr1)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		res, err := tx.ExecContext(ctx, `INSERT INTO receipts (host_key, seq, host_id, epoch, job_id, sr1) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (host_key, seq) DO NOTHING`, r.HostKey[:], r.Seq, r.HostID[:], r.Epoch, r.JobID[:], r.SR1)
		if err != nil {
			return receiptChange{}, fmt.Errorf("write receipt %d: %w", r.Seq, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			return receiptChange{1, countersigned}, err
		}
		return receiptChange{}, reject(ctx, tx, r.rejection(ReasonSeqReused))
	case err != nil:
		return receiptChange{}, fmt.Errorf("look for receipt %d: %w", r.Seq, err)
	case seq != r.Seq:
		return receiptChange{}, reject(ctx, tx, r.rejection(ReasonJobReused))
	case !bytes.Equal(sr1[signedPartFrom:signedPartTo], r.SR1[signedPartFrom:signedPartTo]):
		return receiptChange{}, reject(ctx, tx, r.rejection(ReasonTwoRecords))
	case len(sr1) > signedPartTo || countersigned == 0:
		return receiptChange{}, nil // nothing new
	}
	if _, err := tx.ExecContext(ctx, "UPDATE receipts SET sr1 = ? WHERE job_id = ?", r.SR1, r.JobID[:]); err != nil {
		return receiptChange{}, fmt.Errorf("countersign receipt %d: %w", r.Seq, err)
	}
	return receiptChange{0, 1}, nil
}

func (r *Receipt) rejection(reason string) *Rejection {
	return &Rejection{HostID: r.HostID, Bytes: r.SR1, Seq: r.Seq, Epoch: r.Epoch, Stage: StageCollect, Reason: reason}
}

func reject(ctx context.Context, tx *sql.Tx, r *Rejection) error {
	const most = 1<<63 - 1 // what is turned down may hold any number
	sum := sha256.Sum256(r.Bytes)
	_, err := tx.ExecContext(ctx, `INSERT INTO rejected (record_sha256, reason, stage, host_id, seq, epoch) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT DO NOTHING`, sum[:], r.Reason, r.Stage, r.HostID[:], min(r.Seq, most), min(r.Epoch, most))
	if err != nil {
		return fmt.Errorf("note a rejection: %w", err)
	}
	return nil
}

// Reject notes what was not claimed.
func (s *Store) Reject(ctx context.Context, rejected []Rejection) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		for i := range rejected {
			if err := reject(ctx, tx, &rejected[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// ReceiptOfJob returns the receipt of a job.
//
// Errors: ErrNoReceipt, or SQLite's.
func (s *Store) ReceiptOfJob(ctx context.Context, jobID [32]byte) (Receipt, error) {
	rows, err := s.queryReceipts(ctx, "job_id = ?", jobID[:])
	if err == nil && len(rows) == 0 {
		err = ErrNoReceipt
	}
	if err != nil {
		return Receipt{}, err
	}
	return rows[0], nil
}

// Receipts returns a host key's receipts of an epoch, by seq.
func (s *Store) Receipts(ctx context.Context, hostID [32]byte, epoch uint64, hostKey [20]byte) ([]Receipt, error) {
	return s.queryReceipts(ctx, "host_id = ? AND epoch = ? AND host_key = ?", hostID[:], epoch, hostKey[:])
}

func (s *Store) queryReceipts(ctx context.Context, where string, args ...any) ([]Receipt, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT host_id, host_key, seq, epoch, job_id, sr1 FROM receipts WHERE "+where+" ORDER BY seq", args...)
	if err != nil {
		return nil, fmt.Errorf("read receipts: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err below says what failed
	var out []Receipt
	for rows.Next() {
		var r Receipt
		var hostID, hostKey, jobID []byte
		if err := rows.Scan(&hostID, &hostKey, &r.Seq, &r.Epoch, &jobID, &r.SR1); err != nil {
			return nil, fmt.Errorf("read receipts: %w", err)
		}
		copy(r.HostID[:], hostID)
		copy(r.HostKey[:], hostKey)
		copy(r.JobID[:], jobID)
		out = append(out, r)
	}
	return out, rows.Err()
}

// HostKeys returns the receipt keys of a host that signed receipts of an epoch, in ascending order.
func (s *Store) HostKeys(ctx context.Context, hostID [32]byte, epoch uint64) ([][20]byte, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT DISTINCT host_key FROM receipts WHERE host_id = ? AND epoch = ? ORDER BY host_key", hostID[:], epoch)
	if err != nil {
		return nil, fmt.Errorf("read host keys: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err below says what failed
	var keys [][20]byte
	for rows.Next() {
		var key []byte
		if err := rows.Scan(&key); err != nil {
			return nil, fmt.Errorf("read host keys: %w", err)
		}
		keys = append(keys, [20]byte(key))
	}
	return keys, rows.Err()
}
