// SPDX-License-Identifier: Apache-2.0

package receiptlog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

// appendRequest is one frame on its way to the disk; the writer answers once on done, which has room for the answer.
type appendRequest struct {
	kind    Kind
	payload []byte
	jobID   [32]byte // of RECEIPT and FINAL
	done    chan error
}

func newRequest(kind Kind, payload []byte, jobID [32]byte) *appendRequest {
	return &appendRequest{kind: kind, payload: payload, jobID: jobID, done: make(chan error, 1)}
}

// Admit makes an admitted job durable.
//
// Errors: ErrFailed, ErrClosed, or the context's; after the latter the frame may still be written.
func (l *Log) Admit(ctx context.Context, a Admission) error {
	return l.append(ctx, newRequest(KindOpen, a.append(make([]byte, 0, openSize)), a.JobID))
}

// Receipt makes a signed record durable, without its countersignature. jobID is its digest in the log's domain.
//
// Errors: as Admit.
func (l *Log) Receipt(ctx context.Context, jobID [32]byte, r *receipt.Record) error {
	signed := *r
	signed.Countersigned = false
	return l.append(ctx, newRequest(KindReceipt, signed.AppendSR1(make([]byte, 0, receipt.Size)), jobID))
}

// Final makes the countersignature of a logged receipt durable. The caller has verified it.
//
// Errors: as Admit.
func (l *Log) Final(ctx context.Context, jobID [32]byte, sig [65]byte) error {
	payload := append(append(make([]byte, 0, finalSize), jobID[:]...), sig[:]...)
	return l.append(ctx, newRequest(KindFinal, payload, jobID))
}

// append queues a request and waits until it is durable. A full queue blocks until there is room or ctx ends.
func (l *Log) append(ctx context.Context, r *appendRequest) error {
	if err := l.enqueue(ctx, r); err != nil {
		return err
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *Log) enqueue(ctx context.Context, r *appendRequest) error {
	l.closing.RLock()
	defer l.closing.RUnlock()
	if l.closed {
		return ErrClosed
	}
	select {
	case l.queue <- r:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// write is the only goroutine that writes; it ends when the queue is closed and empty.
func (l *Log) write() {
	defer close(l.done)
	for first := range l.queue {
		batch := l.gather(first)
		err := l.commit(batch)
		for _, r := range batch {
			r.done <- err
		}
	}
}

// gather takes what else is waiting, up to the size of a batch.
func (l *Log) gather(first *appendRequest) []*appendRequest {
	batch := []*appendRequest{first}
	room := l.opts.MaxBatchBytes - FrameOverhead - len(first.payload)
	for room > FrameOverhead+receipt.Size {
		select {
		case r, ok := <-l.queue:
			if !ok {
				return batch
			}
			batch = append(batch, r)
			room -= FrameOverhead + len(r.payload)
		default:
			return batch
		}
	}
	return batch
}

// commit writes and syncs a batch, then makes it visible. The first error ends the log.
func (l *Log) commit(batch []*appendRequest) error {
	if err := l.Err(); err != nil {
		return err
	}
	start := time.Now()
	last := l.segments[len(l.segments)-1]
	l.frames = l.frames[:0]
	for _, r := range batch {
		l.frames = AppendFrame(l.frames, r.kind, r.payload)
	}
	if _, err := last.file.WriteAt(l.frames, last.size); err != nil {
		return l.fail(err)
	}
	if err := syncData(last.file); err != nil {
		return l.fail(err)
	}
	l.opts.Synced(len(batch), time.Since(start))
	l.publish(last, batch)
	if last.size >= l.opts.SegmentBytes {
		// The batch is durable and visible whatever becomes of the next segment: only later appends fail with it.
		_ = l.rotate() // keeps its error in the log
	}
	return nil
}

// publish makes durable frames visible to readers.
func (l *Log) publish(s *segment, batch []*appendRequest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range batch {
		off := s.base + s.size
		s.size += int64(FrameOverhead + len(r.payload))
		s.note(Frame{Kind: r.kind, Payload: r.payload})
		switch r.kind {
		case KindReceipt:
			l.index.add(epochOf(r.payload), r.jobID, off)
			l.highSeq = max(l.highSeq, binary.BigEndian.Uint64(r.payload[sr1Seq:]))
		case KindFinal:
			l.index.finalise(r.jobID, off)
		case KindReserve:
			l.reserved, _ = reservationOf(r.payload)
		case KindOpen, KindHeader:
		}
	}
}

func (l *Log) fail(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = fmt.Errorf("%w: %w", ErrFailed, err)
	close(l.failed)
	return l.err
}

// rotate begins a new segment and deletes the oldest ones that nobody needs: all their receipts are KeepEpochs old and all their
// authorisations have expired, so that no nonce in them can be used again.
func (l *Log) rotate() error {
	l.mu.Lock()
	last := l.segments[len(l.segments)-1]
	err := l.beginSegment(last.base + last.size)
	if err == nil {
		err = l.deleteOld(uint64(time.Now().Unix())) //nolint:gosec // after 1970
	}
	l.mu.Unlock()
	if err != nil {
		return l.fail(err)
	}
	return nil
}

// expiryMargin is how long after its end an authorisation is still remembered, in seconds: more than any clock slack.
const expiryMargin = 600

func (l *Log) deleteOld(now uint64) error {
	for len(l.segments) > 1 {
		s := l.segments[0]
		if s.maxEpoch+l.opts.KeepEpochs >= l.index.newest || s.maxExpiry+expiryMargin >= now {
			return nil
		}
		if err := errors.Join(s.file.Close(), os.Remove(s.file.Name())); err != nil {
			return err
		}
		l.segments = l.segments[1:]
	}
	return nil
}
