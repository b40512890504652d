// SPDX-License-Identifier: Apache-2.0

package receiptlog

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
)

// SeqBlock is how many sequence numbers are reserved at a time.
const SeqBlock = 1024

// ErrSeqExhausted means that the key's sequence numbers are used up.
var ErrSeqExhausted = errors.New("sequence numbers of this host key are used up: register a new host key")

// seqBlock hands out sequence numbers from durably reserved blocks.
type seqBlock struct {
	issue sync.Mutex // held while a number is taken, so that numbers are handed out in order

	mu      sync.Mutex // guards what follows
	next    uint64     // the next number to use
	through uint64     // the last reserved number
}

// reservationOf reads a RESERVE payload. A later reservation without a next number cancels an earlier clean close.
func reservationOf(payload []byte) (through, next uint64) {
	return binary.BigEndian.Uint64(payload), binary.BigEndian.Uint64(payload[8:])
}

func reservation(through, next uint64) *appendRequest {
	payload := binary.BigEndian.AppendUint64(make([]byte, 0, reserveSize), through)
	return newRequest(KindReserve, binary.BigEndian.AppendUint64(payload, next), [32]byte{})
}

// cleanClose is the last frame of a process that used no number from next on.
func (s *seqBlock) cleanClose() *appendRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := reservation(s.through, s.next)
	s.through = 0 // a job that still runs gets no number that the next process may use
	return r
}

// startSeq continues after a clean close, or at the next block after any other end, and reserves the first block.
func (l *Log) startSeq() error {
	l.unclean = l.seq.next == 0 && l.reserved > 0
	l.seq.next = max(l.seq.next, l.highSeq+1)
	if l.unclean {
		l.seq.next = max(l.reserved, l.highSeq) + 1
	}
	return l.reserve(context.Background(), l.seq.next)
}

// reserve makes the block that begins at from durable before it may be used.
func (l *Log) reserve(ctx context.Context, from uint64) error {
	through := from + SeqBlock - 1
	if from == 0 || through < from {
		return ErrSeqExhausted
	}
	if err := l.append(ctx, reservation(through, 0)); err != nil {
		return err
	}
	l.seq.mu.Lock()
	defer l.seq.mu.Unlock()
	l.seq.through = through
	return nil
}

// NextSeq returns the next sequence number. Numbers ascend strictly over the life of the log, with gaps.
//
// A number that was reserved by a process that did not close the log is never handed out again.
// Errors: ErrSeqExhausted, ErrFailed, ErrClosed, or the context's.
func (l *Log) NextSeq(ctx context.Context) (uint64, error) {
	l.seq.issue.Lock()
	defer l.seq.issue.Unlock()
	l.seq.mu.Lock()
	next, through := l.seq.next, l.seq.through
	l.seq.mu.Unlock()
	if next > through {
		if err := l.reserve(ctx, next); err != nil {
			return 0, err
		}
	}
	l.seq.mu.Lock()
	defer l.seq.mu.Unlock()
	l.seq.next = next + 1
	return next, nil
}
