// SPDX-License-Identifier: Apache-2.0

package host

import (
	"context"
	"log/slog"
	"math"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

// result is how a job ended.
type result struct {
	outcome      receipt.Outcome
	usage        usage
	ttft         time.Duration
	duration     time.Duration
	outputCommit [32]byte
}

// finish signs the receipt of a job and makes it durable; only then may anyone see it.
//
// The client may be gone already, so the request's context does not count: only the log ends this.
func (h *Host) finish(ctx context.Context, j *job, res result) (*receipt.Record, error) {
	ctx = context.WithoutCancel(ctx)
	rec, err := h.sign(ctx, j, res)
	if err == nil {
		err = h.log.Receipt(ctx, j.auth.id, rec)
	}
	if err != nil {
		h.book.Interrupt(j.auth.id)
		h.logger.LogAttrs(ctx, slog.LevelError, "receipt not stored", slog.Any("err", err))
		return nil, err
	}
	h.book.Served(j.auth.id, rec.Epoch, rec.Seq, rec.Amount)
	h.metrics.served(j.offer.name, rec)
	return rec, nil
}

// sign gives a job its place in the key's sequence and signs it.
func (h *Host) sign(ctx context.Context, j *job, res result) (*receipt.Record, error) {
	epoch, seq, servedAt, err := h.place(ctx, j)
	if err != nil {
		return nil, err
	}
	rec := &receipt.Record{
		Auth: j.auth.JobAuth, HostID: h.cfg.HostID, Epoch: epoch, Seq: seq, Outcome: res.outcome,
		ServedAt: servedAt, TTFTMs: milliseconds(res.ttft), DurationMs: milliseconds(res.duration),
		OutputCommit: res.outputCommit,
		ExecCommit:   receipt.ExecCommit{RuntimeID: h.cfg.RuntimeID, SamplingHash: j.req.sampling, Seed: j.req.seed}.Hash(),
		SigPayer:     j.auth.sig,
	}
	if res.outcome == receipt.OutcomeOK || res.outcome == receipt.OutcomeUserCancel { // what failed claims no tokens either
		rec.PromptTokens, rec.CachedTokens, rec.OutputTokens = res.usage.prompt, res.usage.cached, res.usage.output
		rec.Amount = res.usage.amount(j.offer.priceInUusdc, j.offer.priceOutUusdc, j.auth.MaxAmount)
	}
	rec.SigOperator = h.signDigest(h.key, rec.Digest(h.domain))
	return rec, nil
}

// place returns the epoch, the next seq and the time of a receipt.
//
// Seq and epoch are taken together, so that a later seq never has an earlier epoch: the chain's watermark would bar it. A chain view that
// has failed since the job was admitted leaves the job in the newest epoch known.
func (h *Host) place(ctx context.Context, j *job) (epoch, seq, servedAt uint64, err error) {
	epoch, stale := h.epoch(ctx)
	if stale != nil {
		epoch = j.epoch
	}
	h.issue.Lock()
	defer h.issue.Unlock()
	if seq, err = h.log.NextSeq(ctx); err != nil {
		return 0, 0, 0, err
	}
	h.lastEpoch = max(h.lastEpoch, epoch)
	return h.lastEpoch, seq, min(max(unixNow(), j.auth.IssuedAt), j.auth.ExpiresAt), nil
}

// milliseconds rounds down and stops at the largest value a receipt holds.
func milliseconds(d time.Duration) uint32 {
	return uint32(min(max(d.Milliseconds(), 0), math.MaxUint32)) //nolint:gosec // bounded
}
