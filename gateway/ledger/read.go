// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/gpucoord/gpucoord/gateway/review"
)

// ErrNoJob says that the gateway never authorised such a job.
var ErrNoJob = errors.New("no such job: this gateway did not authorise it")

const jobColumns = `job_id, call_id, try, key_id, auth, host_key, host_id, endpoint, spki, price_in, price_out, epoch, created_at, state, ended_at,
	delivery, seen_prompt, seen_cached, seen_output, output_commit, amount, sr1, reason, sig_final, sends`

func scanJob(row row) (Job, error) {
	var (
		j                                           Job
		id, auth, hostKey, hostID, commit, sigFinal []byte
		prompt, cached, output                      sql.NullInt64
	)
	err := row.Scan(&id, &j.CallID, &j.Try, &j.KeyID, &auth, &hostKey, &hostID, &j.Host.Endpoint, &j.Host.SPKI,
		&j.Terms.PriceInUusdc, &j.Terms.PriceOutUusdc, &j.Terms.Epoch, &j.CreatedAt, &j.State, &j.EndedAt,
		&j.Seen.Delivery, &prompt, &cached, &output, &commit, &j.Amount, &j.SR1, &j.Reason, &sigFinal, &j.Sends)
	if errors.Is(err, sql.ErrNoRows) {
		return Job{}, ErrNoJob
	}
	if err != nil {
		return Job{}, fmt.Errorf("read job: %w", err)
	}
	copy(j.ID[:], id)
	copy(j.Seen.OutputCommit[:], commit)
	copy(j.SigFinal[:], sigFinal)
	if prompt.Valid && cached.Valid && output.Valid {
		j.Seen.Usage = &review.Usage{Prompt: uint64(prompt.Int64), Cached: uint64(cached.Int64), Output: uint64(output.Int64)}
	}
	return j, j.setAuth(auth, hostKey, hostID)
}

func (l *Ledger) jobs(ctx context.Context, query string, args ...any) ([]Job, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT `+jobColumns+` FROM jobs `+query, args...)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	defer rows.Close()
	var jobs []Job
	for rows.Next() {
		j, err := scanJob(rows)
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, j)
	}
	return jobs, rows.Err()
}

// Job returns one job.
//
// Errors: ErrNoJob.
func (l *Ledger) Job(ctx context.Context, id [32]byte) (Job, error) {
	return scanJob(l.db.QueryRowContext(ctx, `SELECT `+jobColumns+` FROM jobs WHERE job_id = ?`, id[:]))
}

// OpenJobs lists open jobs whose request has ended, or was made before a time, and whose turn has come at now; at most limit.
func (l *Ledger) OpenJobs(ctx context.Context, madeBefore, now int64, limit int) ([]Job, error) {
	return l.jobs(ctx, `WHERE state = 'open' AND retry_at <= ? AND (ended_at > 0 OR created_at < ?) ORDER BY retry_at, job_id LIMIT ?`,
		now, madeBefore, limit)
}

// Pending lists settled jobs whose countersignature is due to be sent at now, at most limit.
func (l *Ledger) Pending(ctx context.Context, now int64, limit int) ([]Job, error) {
	return l.jobs(ctx, `WHERE countersign = 'pending' AND retry_at <= ? ORDER BY retry_at, job_id LIMIT ?`, now, limit)
}

// Retry puts off an open job, or a countersignature that did not get through, until a time.
func (l *Ledger) Retry(ctx context.Context, id [32]byte, at int64) error {
	return l.inTx(ctx, func(ctx context.Context, w *tx) error {
		return one(ctx, w, ErrNoJob, `UPDATE jobs SET retry_at = ?, sends = sends + 1 WHERE job_id = ?`, at, id[:])
	})
}

// Sent records that the host has the countersignature.
func (l *Ledger) Sent(ctx context.Context, id [32]byte) error {
	return l.endCountersign(ctx, id, "sent")
}

// GiveUp records that a countersignature can no longer be delivered. The money stays spent: the receipt was right.
func (l *Ledger) GiveUp(ctx context.Context, id [32]byte) error {
	return l.endCountersign(ctx, id, "given_up")
}

func (l *Ledger) endCountersign(ctx context.Context, id [32]byte, to string) error {
	return l.inTx(ctx, func(ctx context.Context, w *tx) error {
		return one(ctx, w, ErrNoJob, `UPDATE jobs SET countersign = ? WHERE job_id = ? AND state = 'settled'`, to, id[:])
	})
}

// Hosts lists the hosts that jobs made since a time were sent to, each once with its newest endpoint, at most limit.
func (l *Ledger) Hosts(ctx context.Context, since int64, limit int) ([]HostRef, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT host_key, endpoint, spki, max(created_at) FROM jobs WHERE created_at >= ?
		GROUP BY host_key ORDER BY host_key LIMIT ?`, since, limit)
	if err != nil {
		return nil, fmt.Errorf("list hosts: %w", err)
	}
	defer rows.Close()
	var hosts []HostRef
	for rows.Next() {
		var h HostRef
		var key []byte
		var newest int64
		if err := rows.Scan(&key, &h.Endpoint, &h.SPKI, &newest); err != nil {
			return nil, fmt.Errorf("read host: %w", err)
		}
		copy(h.Key[:], key)
		hosts = append(hosts, h)
	}
	return hosts, rows.Err()
}

// Usage is one job of a key as the key's owner may see it.
type Usage struct {
	JobID         [32]byte
	CallID        string
	State         State
	AmountUusdc   uint64
	ReservedUusdc uint64 // the maximum that was reserved; nothing of it is, once the job is not open
	Reason        string
	CreatedAt     int64
}

// Usage lists a key's jobs made since a time, oldest first, at most limit.
func (l *Ledger) Usage(ctx context.Context, keyID string, since int64, limit int) ([]Usage, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT job_id, call_id, state, amount, max_amount, reason, created_at FROM jobs
		WHERE key_id = ? AND created_at >= ? ORDER BY created_at, job_id LIMIT ?`, keyID, since, limit)
	if err != nil {
		return nil, fmt.Errorf("list usage: %w", err)
	}
	defer rows.Close()
	var list []Usage
	for rows.Next() {
		var u Usage
		var id []byte
		if err := rows.Scan(&id, &u.CallID, &u.State, &u.AmountUusdc, &u.ReservedUusdc, &u.Reason, &u.CreatedAt); err != nil {
			return nil, fmt.Errorf("read usage: %w", err)
		}
		copy(u.JobID[:], id)
		list = append(list, u)
	}
	return list, rows.Err()
}

// Totals is what the ledger holds in all.
type Totals struct {
	// Granted is the sum over all keys; the three others add up to it.
	Granted, Available, Reserved, Spent uint64
	// OpenJobs wait for a receipt, Pending for their countersignature to reach the host.
	OpenJobs, Pending uint64
}

// Totals sums the ledger up.
func (l *Ledger) Totals(ctx context.Context) (Totals, error) {
	var t Totals
	err := l.db.QueryRowContext(ctx, `SELECT coalesce(sum(granted), 0), coalesce(sum(available), 0), coalesce(sum(reserved), 0),
		coalesce(sum(spent), 0), (SELECT count(*) FROM jobs WHERE state = 'open'),
		(SELECT count(*) FROM jobs WHERE countersign = 'pending') FROM keys`).
		Scan(&t.Granted, &t.Available, &t.Reserved, &t.Spent, &t.OpenJobs, &t.Pending)
	if err != nil {
		return Totals{}, fmt.Errorf("sum up: %w", err)
	}
	return t, nil
}
