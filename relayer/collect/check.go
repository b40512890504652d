// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"context"
	"errors"
	"fmt"
	"math"

	"golang.org/x/sync/errgroup"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host/receiptlog"
	"github.com/gpucoord/gpucoord/relayer/store"
)

// ErrDamaged says that what the host sent are no whole frames.
var ErrDamaged = errors.New("host's log is damaged at this offset; nothing behind it is read")

// Reasons for which a record is turned down, besides the names of the record rules.
const (
	reasonUnknownJob   = "countersignature of an unknown job"
	reasonUnknownKey   = "receipt key is not registered"
	reasonOtherHost    = "record is of another host"
	reasonOtherHostKey = "receipt key is of another host"
	reasonNumbers      = "a number is 2^63 or above"
)

// candidate is a record of a piece, as the host sent it, and what checking it gave.
type candidate struct {
	record receipt.Record // with the countersignature that came for it, if one did
	jobID  [32]byte

	ok       bool
	rejected []store.Rejection
}

// check turns a piece of the log into what the store shall hold.
func (c *Collector) check(ctx context.Context, offset int64, piece Piece) (*store.Chunk, error) {
	chunk := &store.Chunk{HostID: c.cfg.HostID, From: offset, Next: piece.Next}
	candidates, err := c.parse(ctx, chunk, piece.Frames)
	if err != nil {
		return nil, fmt.Errorf("offset %d: %w", offset, err)
	}
	for i := range candidates {
		if err := c.checkOrigin(ctx, &candidates[i]); err != nil {
			return nil, err
		}
	}
	if err := c.checkSignatures(ctx, candidates); err != nil {
		return nil, err
	}
	for i := range candidates {
		cand := &candidates[i]
		chunk.Rejected = append(chunk.Rejected, cand.rejected...)
		if cand.ok {
			r := &cand.record
			chunk.Receipts = append(chunk.Receipts, store.Receipt{
				HostID: r.HostID, HostKey: r.Auth.Operator, Seq: r.Seq, Epoch: r.Epoch, JobID: cand.jobID, SR1: r.AppendSR1(nil),
			})
		}
	}
	return chunk, nil
}

// parse reads the frames and joins each countersignature to its record, of this piece or of the store.
func (c *Collector) parse(ctx context.Context, chunk *store.Chunk, frames []byte) ([]candidate, error) {
	var out []candidate
	at := make(map[[32]byte]int)
	for len(frames) > 0 {
		frame, rest, err := receiptlog.Next(frames)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		frames = rest
		switch frame.Kind {
		case receiptlog.KindReceipt:
			record, err := receipt.Decode(frame.Payload)
			if err != nil {
				chunk.Rejected = append(chunk.Rejected, c.rejection(frame.Payload, &receipt.Record{}, receipt.RuleName(err)))
				continue
			}
			jobID := record.JobID(c.cfg.Checker.Domain)
			if _, twice := at[jobID]; !twice {
				at[jobID] = len(out)
			}
			out = append(out, candidate{record: record, jobID: jobID})
		case receiptlog.KindFinal:
			if out, err = c.join(ctx, chunk, out, at, frame.Payload); err != nil {
				return nil, err
			}
		default: // the host's own business
		}
	}
	return out, nil
}

// join adds a countersignature, jobId 32 | sigFinal 65, to its record.
func (c *Collector) join(ctx context.Context, chunk *store.Chunk, out []candidate, at map[[32]byte]int, payload []byte) ([]candidate, error) {
	jobID := [32]byte(payload[:32])
	i, found := at[jobID]
	if !found {
		stored, err := c.store.ReceiptOfJob(ctx, jobID)
		if errors.Is(err, store.ErrNoReceipt) {
			chunk.Rejected = append(chunk.Rejected, c.rejection(payload, &receipt.Record{}, reasonUnknownJob))
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		record, err := receipt.Decode(stored.SR1)
		if err != nil {
			return nil, fmt.Errorf("stored receipt %d: %w", stored.Seq, err)
		}
		i = len(out)
		at[jobID] = i
		out = append(out, candidate{record: record, jobID: jobID})
	}
	if r := &out[i].record; !r.Countersigned { // the first one stays
		r.SigFinal, r.Countersigned = [65]byte(payload[32:]), true
	}
	return out, nil
}

// checkOrigin checks that a record is of this host and of a key of its own.
func (c *Collector) checkOrigin(ctx context.Context, cand *candidate) error {
	r := &cand.record
	owner, err := c.ownerOf(ctx, r.Auth.Operator)
	switch {
	case errors.Is(err, ErrUnknownKey):
		cand.reject(c, reasonUnknownKey)
	case err != nil:
		return err
	case r.HostID != c.cfg.HostID:
		cand.reject(c, reasonOtherHost)
	case owner != c.cfg.HostID:
		cand.reject(c, reasonOtherHostKey)
	case max(r.Seq, r.Epoch, r.Amount, r.PromptTokens, r.OutputTokens) > math.MaxInt64:
		cand.reject(c, reasonNumbers)
	}
	return nil
}

// ownerOf asks the chain once for each key: a key belongs to one host for ever.
func (c *Collector) ownerOf(ctx context.Context, key [20]byte) ([32]byte, error) {
	c.mu.Lock()
	owner, known := c.owners[key]
	c.mu.Unlock()
	if known {
		return owner, nil
	}
	owner, err := c.owner(ctx, key)
	if err != nil {
		return owner, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owners[key] = owner
	return owner, nil
}

// checkSignatures applies the record rules to all candidates, in Workers parts at a time.
func (c *Collector) checkSignatures(ctx context.Context, candidates []candidate) error {
	workers := max(1, c.cfg.Workers)
	size := (len(candidates) + workers - 1) / workers
	group, ctx := errgroup.WithContext(ctx)
	for from := 0; from < len(candidates); from += size {
		part := candidates[from:min(from+size, len(candidates))]
		group.Go(func() error {
			for i := range part {
				if err := ctx.Err(); err != nil {
					return err
				}
				c.checkRecord(&part[i])
			}
			return nil
		})
	}
	return group.Wait()
}

// checkRecord applies all record rules. A countersignature that fails is turned down alone: the receipt counts without it.
func (c *Collector) checkRecord(cand *candidate) {
	if len(cand.rejected) > 0 {
		return
	}
	r := &cand.record
	_, _, err := c.cfg.Checker.CheckRecord(r)
	if err != nil && r.Countersigned {
		final := append(cand.jobID[:], r.SigFinal[:]...)
		r.Countersigned, r.SigFinal = false, [65]byte{}
		if _, _, alone := c.cfg.Checker.CheckRecord(r); alone == nil {
			cand.rejected = append(cand.rejected, c.rejection(final, r, "countersignature: "+receipt.RuleName(err)))
			cand.ok = true
			return
		}
	}
	if err != nil {
		cand.reject(c, receipt.RuleName(err))
		return
	}
	cand.ok = true
}

func (cand *candidate) reject(c *Collector, reason string) {
	cand.rejected = append(cand.rejected, c.rejection(cand.record.AppendSR1(nil), &cand.record, reason))
}

func (c *Collector) rejection(raw []byte, r *receipt.Record, reason string) store.Rejection {
	return store.Rejection{HostID: c.cfg.HostID, Bytes: raw, Seq: r.Seq, Epoch: r.Epoch, Stage: store.StageCollect, Reason: reason}
}
