// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/gateway/ledger"
	"github.com/gpucoord/gpucoord/gateway/review"
)

// storeTimeout bounds the storing of what came of a job, which nobody waits for any more.
const storeTimeout = 15 * time.Second

// Reasons of released jobs.
const (
	reasonNotServed = "NOT_SERVED" // the host refused or failed
	reasonUnknown   = "UNKNOWN"    // the host has no receipt of the job
	reasonGivenUp   = "GIVEN_UP"   // the host did not answer for too long
)

// conclude ends a job whose request has ended: with its receipt if there is one, by releasing it if nothing was delivered, else by
// leaving it to the late passes. It reports whether a right receipt is on disk.
//
// ctx may have ended already. A ledger that fails leaves the job open with its money reserved, for a later pass.
func (g *Gateway) conclude(ctx context.Context, j *ledger.Job, seen review.Seen, rec *receipt.Record) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	var right bool
	var err error
	switch {
	case rec != nil:
		right, err = g.receive(ctx, j, seen, rec)
	case seen.Delivery == review.None:
		err = g.release(ctx, j, seen, reasonNotServed)
	default:
		err = g.ledger.Ended(ctx, j.ID, seen, time.Now().Unix())
	}
	if err != nil {
		g.logger.ErrorContext(ctx, "job not concluded", jobAttr(j), slog.Any("err", err))
	}
	return right
}

// receive reviews a receipt of an open job and settles or rejects the job.
func (g *Gateway) receive(ctx context.Context, j *ledger.Job, seen review.Seen, rec *receipt.Record) (right bool, err error) {
	epoch := j.Terms.Epoch
	if s, err := g.table.Snapshot(); err == nil {
		epoch = s.Epoch
	}
	digest, wrong := g.rules.Receipt(&j.Terms, seen, epoch, rec)
	rec.Countersigned = false // one that the host has already is made again: signing is deterministic
	sr1 := rec.AppendSR1(make([]byte, 0, receipt.Size))
	if wrong != nil {
		reason := review.Reason(wrong)
		g.metrics.rejected.WithLabelValues(reason).Inc()
		host := slog.String("host_id", fmt.Sprintf("%x", j.Terms.HostID))
		g.logger.WarnContext(ctx, "wrong receipt", jobAttr(j), host, slog.String("reason", reason))
		g.cooldowns.Lied(j.Host.Key, time.Now())
		err = g.ledger.Reject(ctx, j.ID, seen, sr1, reason)
		g.leave(j.ID, err)
		return false, err
	}
	signature := receipt.Sign(g.key, digest)
	err = g.ledger.Settle(ctx, j.ID, ledger.Settlement{
		Amount: rec.Amount, Seen: seen, SR1: sr1, SigFinal: signature,
		SendFrom: time.Now().Add(2 * g.cfg.Receipts.Interval.std()).Unix(),
	})
	if err != nil {
		return false, err
	}
	g.metrics.receipts.WithLabelValues(rec.Outcome.String()).Inc()
	g.metrics.spent.Add(float64(rec.Amount))
	if rec.Amount == 0 { // the host does not wait for its countersignature
		g.load.Leave(j.ID)
	}
	settled := *j
	settled.State, settled.SigFinal, settled.SR1, settled.Amount = ledger.StateSettled, signature, sr1, rec.Amount
	select {
	case g.outgoing <- settled:
	default: // the senders are behind: a late pass takes it
	}
	return true, nil
}

// leave takes a job that the ledger has closed, now or earlier, off its host's load.
func (g *Gateway) leave(job [32]byte, err error) {
	if err == nil || errors.Is(err, ledger.ErrNotOpen) {
		g.load.Leave(job)
	}
}

func (g *Gateway) release(ctx context.Context, j *ledger.Job, seen review.Seen, reason string) error {
	g.metrics.released.Inc()
	err := g.ledger.Release(ctx, j.ID, seen, reason)
	g.leave(j.ID, err)
	return err
}

func jobAttr(j *ledger.Job) slog.Attr { return slog.String("job_id", fmt.Sprintf("%x", j.ID)) }

// sendLoop sends countersignatures right after their jobs are settled.
func (g *Gateway) sendLoop(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case j := <-g.outgoing:
			if err := g.sendCountersignature(ctx, &j); err != nil && ctx.Err() == nil {
				g.logger.ErrorContext(ctx, "countersignature not recorded", slog.Any("err", err))
			}
		}
	}
}
