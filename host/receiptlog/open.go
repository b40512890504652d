// SPDX-License-Identifier: Apache-2.0

package receiptlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

// Offsets of SR1 fields the log looks at.
const (
	sr1Auth   = 2
	sr1Epoch  = 242
	sr1Seq    = 250
	sr1Amount = 283
)

func epochOf(sr1 []byte) uint64 { return binary.BigEndian.Uint64(sr1[sr1Epoch:]) }

// Open opens or creates the log, cuts a torn tail, rebuilds the index and reserves the first sequence numbers.
//
// Errors: ErrLocked, ErrForeign, ErrDamaged, ErrFailed, or the file system's.
func Open(o Options, visitor Visitor) (*Log, error) {
	o = o.withDefaults()
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create receipt log directory: %w", err)
	}
	lock, err := lockDir(o.Dir)
	if err != nil {
		return nil, err
	}
	l := &Log{
		opts: o, lock: lock, queue: make(chan *appendRequest, o.QueueLen), done: make(chan struct{}),
		index: newIndex(o.IndexEpochs), failed: make(chan struct{}),
	}
	if err := l.load(visitor); err != nil {
		return nil, errors.Join(err, l.closeFiles())
	}
	go l.write()
	if err := l.startSeq(); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "LOCK"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s", ErrLocked, dir), f.Close())
	}
	return f, nil
}

// load reads all segments and begins a first one if there is none.
func (l *Log) load(visitor Visitor) error {
	bases, err := segmentBases(l.opts.Dir)
	if err != nil {
		return err
	}
	rb := rebuild{log: l, visitor: visitor}
	end := int64(0)
	for i, base := range bases {
		if i > 0 && base != end {
			return fmt.Errorf("%w: a segment is missing between offsets %d and %d", ErrDamaged, end, base)
		}
		s, err := l.openSegment(base, i == len(bases)-1, rb.frame)
		if s != nil && s.file != nil {
			l.segments = append(l.segments, s)
		}
		if err != nil {
			return err
		}
		end = base
		if s != nil {
			end += s.size
		}
	}
	if len(l.segments) == 0 {
		return l.beginSegment(end)
	}
	return nil
}

// beginSegment makes an empty segment at base the one that is written to.
func (l *Log) beginSegment(base int64) error {
	h := segmentHeader{salt: l.opts.Domain.Salt(), hostKey: l.opts.HostKey, base: uint64(base), highSeq: l.highSeq, //nolint:gosec // offsets are not negative
		reservedThrough: l.reserved, epoch: l.index.newest}
	s, err := createSegment(l.opts.Dir, &h, base)
	if err != nil {
		return err
	}
	l.segments = append(l.segments, s)
	return nil
}

// rebuild puts the state together while the segments are read.
type rebuild struct {
	log     *Log
	visitor Visitor
}

func (r *rebuild) frame(off int64, f Frame) error {
	l := r.log
	switch f.Kind {
	case KindHeader:
		return r.header(off, f.Payload)
	case KindReserve:
		l.reserved, l.seq.next = reservationOf(f.Payload)
	case KindOpen:
		if r.visitor != nil {
			r.visitor.Admitted(decodeAdmission(f.Payload))
		}
	case KindReceipt:
		return r.receipt(off, f.Payload)
	case KindFinal:
		jobID := [32]byte(f.Payload[:32])
		l.index.finalise(jobID, off)
		if r.visitor != nil {
			r.visitor.Countersigned(jobID)
		}
	}
	return nil
}

func (r *rebuild) header(off int64, payload []byte) error {
	h, err := decodeHeader(payload)
	if err != nil {
		return err
	}
	if int64(h.base) != off { //nolint:gosec // compared with an offset that is not negative
		return fmt.Errorf("%w: segment header does not belong to offset %d", ErrDamaged, off)
	}
	if h.salt != r.log.opts.Domain.Salt() || h.hostKey != r.log.opts.HostKey {
		return ErrForeign
	}
	r.log.highSeq = max(r.log.highSeq, h.highSeq)
	r.log.reserved = max(r.log.reserved, h.reservedThrough)
	r.log.index.newest = max(r.log.index.newest, h.epoch)
	return nil
}

func (r *rebuild) receipt(off int64, sr1 []byte) error {
	auth, err := receipt.DecodeJobAuth(sr1[sr1Auth : sr1Auth+receipt.JobAuthSize])
	if err != nil {
		return err
	}
	jobID := auth.ID(r.log.opts.Domain)
	r.log.index.add(epochOf(sr1), jobID, off)
	r.log.highSeq = max(r.log.highSeq, binary.BigEndian.Uint64(sr1[sr1Seq:]))
	if r.visitor != nil {
		r.visitor.Served(jobID, epochOf(sr1), binary.BigEndian.Uint64(sr1[sr1Seq:]), binary.BigEndian.Uint64(sr1[sr1Amount:]))
	}
	return nil
}
