// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/gateway/review"
)

// State is where a job's money stands.
type State string

// The states of a job.
const (
	StateOpen     State = "open"
	StateSettled  State = "settled"
	StateReleased State = "released"
	StateRejected State = "rejected"
)

// HostRef says where a job was sent.
type HostRef struct {
	// Key is the address of the host's receipt key.
	Key [20]byte
	// Endpoint is its base URL, SPKI the SHA-256 of its TLS key, empty where none is pinned.
	Endpoint string
	SPKI     []byte
}

// Job is one signed authorisation.
type Job struct {
	ID [32]byte
	// CallID names the customer's request, Try counts its authorisations from 0.
	CallID string
	Try    int
	// KeyID is the API key's id.
	KeyID string
	Host  HostRef
	// Terms are what was authorised.
	Terms     review.Job
	CreatedAt int64

	// State, Seen and the rest are what came of it.
	State State
	// EndedAt is when the request to the host ended without a receipt, 0 while it may run.
	EndedAt int64
	Seen    review.Seen
	Amount  uint64
	// SR1 is the host's record as it came, nil if none did.
	SR1 []byte
	// Reason says why it was released or rejected.
	Reason string
	// SigFinal is the countersignature of a settled job; Sends counts the tries to deliver it.
	SigFinal [65]byte
	Sends    int
}

// Reserve makes a job: its maximum is reserved from the key's credit. After it the authorisation may be sent.
//
// Errors: ErrInsufficientCredits, ErrNonceUsed, ErrNoKey, ErrAmountTooLarge.
func (l *Ledger) Reserve(ctx context.Context, j *Job) error {
	t := &j.Terms
	amounts := [4]int64{}
	for i, v := range [...]uint64{t.Auth.MaxAmount, t.PriceInUusdc, t.PriceOutUusdc, t.Epoch} {
		var err error
		if amounts[i], err = fits(v); err != nil {
			return err
		}
	}
	nonce := binary.BigEndian.AppendUint64(nil, t.Auth.Nonce)
	return l.inTx(ctx, func(ctx context.Context, w *tx) error {
		var available int64
		err := w.row(ctx, `SELECT available FROM keys WHERE id = ?`, j.KeyID).Scan(&available)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return ErrNoKey
		case err != nil:
			return fmt.Errorf("read credit: %w", err)
		case available < amounts[0]:
			return ErrInsufficientCredits
		}
		_, err = w.exec(ctx, `INSERT INTO jobs (job_id, call_id, try, key_id, nonce, auth, host_key, host_id, endpoint, spki,
			price_in, price_out, max_amount, epoch, created_at, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open')`,
			j.ID[:], j.CallID, j.Try, j.KeyID, nonce, t.Auth.AppendWire(nil), j.Host.Key[:], t.HostID[:], j.Host.Endpoint,
			append([]byte{}, j.Host.SPKI...), amounts[1], amounts[2], amounts[0], amounts[3], j.CreatedAt)
		var refused *sqlite.Error
		if errors.As(err, &refused) && (refused.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || refused.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY) {
			return ErrNonceUsed
		}
		if err != nil {
			return fmt.Errorf("record job: %w", err)
		}
		return one(ctx, w, ErrNoKey, `UPDATE keys SET available = available - ?, reserved = reserved + ? WHERE id = ?`,
			amounts[0], amounts[0], j.KeyID)
	})
}

// Settle ends an open job with its receipt: amount is spent, the rest of the reservation is available again, and the countersignature
// waits to be sent by whoever settled it, or from sendFrom on by anyone.
//
// Errors: ErrNotOpen.
func (l *Ledger) Settle(ctx context.Context, id [32]byte, s Settlement) error {
	spent, err := fits(s.Amount)
	if err != nil {
		return err
	}
	return l.inTx(ctx, func(ctx context.Context, w *tx) error {
		if err := l.close(ctx, w, id, StateSettled, spent, s.Seen, ""); err != nil {
			return err
		}
		return one(ctx, w, ErrNotOpen, `UPDATE jobs SET amount = ?, sr1 = ?, sig_final = ?, countersign = 'pending', sends = 0, retry_at = ?
			WHERE job_id = ?`, spent, s.SR1, s.SigFinal[:], s.SendFrom, id[:])
	})
}

// Settlement is how a job is settled.
type Settlement struct {
	// Amount is the receipt's.
	Amount uint64
	Seen   review.Seen
	// SR1 is the receipt as it came, SigFinal its countersignature.
	SR1      []byte
	SigFinal [65]byte
	// SendFrom is the time from which Pending lists it.
	SendFrom int64
}

// Release ends an open job without a receipt; its reservation is available again.
//
// Errors: ErrNotOpen.
func (l *Ledger) Release(ctx context.Context, id [32]byte, seen review.Seen, reason string) error {
	return l.inTx(ctx, func(ctx context.Context, w *tx) error { return l.close(ctx, w, id, StateReleased, 0, seen, reason) })
}

// Reject ends an open job with a wrong receipt, which is kept as evidence; its reservation is available again.
//
// Errors: ErrNotOpen.
func (l *Ledger) Reject(ctx context.Context, id [32]byte, seen review.Seen, sr1 []byte, reason string) error {
	return l.inTx(ctx, func(ctx context.Context, w *tx) error {
		if err := l.close(ctx, w, id, StateRejected, 0, seen, reason); err != nil {
			return err
		}
		return one(ctx, w, ErrNotOpen, `UPDATE jobs SET sr1 = ? WHERE job_id = ?`, sr1, id[:])
	})
}

// close moves a job out of open and its money with it.
func (l *Ledger) close(ctx context.Context, w *tx, id [32]byte, state State, spent int64, seen review.Seen, reason string) error {
	var key string
	var reserved int64
	err := w.row(ctx, `SELECT key_id, max_amount FROM jobs WHERE job_id = ? AND state = 'open'`, id[:]).Scan(&key, &reserved)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotOpen
	}
	if err != nil {
		return fmt.Errorf("read job: %w", err)
	}
	if err := writeSeen(ctx, w, id, seen); err != nil {
		return err
	}
	if err := one(ctx, w, ErrNotOpen, `UPDATE jobs SET state = ?, reason = ?, closed_at = ? WHERE job_id = ?`,
		string(state), reason, time.Now().Unix(), id[:]); err != nil {
		return fmt.Errorf("close job: %w", err)
	}
	err = one(ctx, w, ErrNoKey, `UPDATE keys SET reserved = reserved - ?, available = available + ?, spent = spent + ? WHERE id = ?`,
		reserved, reserved-spent, spent, key)
	if err != nil {
		return fmt.Errorf("move credit: %w", err)
	}
	return nil
}

// Ended records what the gateway saw of an open job whose request ended without a receipt; OpenJobs lists it from now on.
//
// Errors: ErrNotOpen.
func (l *Ledger) Ended(ctx context.Context, id [32]byte, seen review.Seen, now int64) error {
	return l.inTx(ctx, func(ctx context.Context, w *tx) error {
		if err := writeSeen(ctx, w, id, seen); err != nil {
			return err
		}
		return one(ctx, w, ErrNotOpen, `UPDATE jobs SET ended_at = ? WHERE job_id = ?`, now, id[:])
	})
}

// Interrupted marks the open jobs of a gateway that stopped as ended and returns how many there are. It is called before any job is made.
func (l *Ledger) Interrupted(ctx context.Context, now int64) (n int64, err error) {
	err = l.inTx(ctx, func(ctx context.Context, w *tx) error {
		res, err := w.exec(ctx, `UPDATE jobs SET ended_at = ? WHERE state = 'open' AND ended_at = 0`, now)
		if err != nil {
			return fmt.Errorf("mark interrupted jobs: %w", err)
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}

func writeSeen(ctx context.Context, w *tx, id [32]byte, seen review.Seen) error {
	var prompt, cached, output sql.NullInt64
	if u := seen.Usage; u != nil {
		for _, f := range []struct {
			dst *sql.NullInt64
			v   uint64
		}{{&prompt, u.Prompt}, {&cached, u.Cached}, {&output, u.Output}} {
			n, err := fits(f.v)
			if err != nil {
				return err
			}
			*f.dst = sql.NullInt64{Int64: n, Valid: true}
		}
	}
	var commit []byte
	if seen.OutputCommit != [32]byte{} {
		commit = seen.OutputCommit[:]
	}
	err := one(ctx, w, ErrNotOpen, `UPDATE jobs SET delivery = ?, seen_prompt = ?, seen_cached = ?, seen_output = ?, output_commit = ?
		WHERE job_id = ? AND state = 'open'`, int(seen.Delivery), prompt, cached, output, commit, id[:])
	if err != nil {
		return fmt.Errorf("record delivery: %w", err)
	}
	return nil
}

// setAuth decodes what is stored as bytes.
func (j *Job) setAuth(auth, hostKey, hostID []byte) error {
	var err error
	if j.Terms.Auth, err = receipt.DecodeJobAuth(auth); err != nil {
		return fmt.Errorf("job %x: %w", j.ID, err)
	}
	copy(j.Host.Key[:], hostKey)
	copy(j.Terms.HostID[:], hostID)
	return nil
}
