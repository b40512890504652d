// SPDX-License-Identifier: Apache-2.0

package receiptlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

// Errors of the log.
var (
	ErrDamaged = errors.New("receipt log is damaged: stop here, restore the directory from a copy, or register a new host key " +
		"with a new directory; do not delete frames by hand")
	ErrForeign = errors.New("receipt log is of another chain or host key: give each key its own data directory")
	ErrLocked  = errors.New("receipt log is in use by another process: stop it first")
	ErrFailed  = errors.New("receipt log failed to write and takes nothing more: free or replace the disk, then restart the host")
	ErrClosed  = errors.New("receipt log is closed: the host is stopping, send the job elsewhere")
)

// Offsets of SR1 fields the log looks at.
const (
	sr1Auth   = 2
	sr1Epoch  = 242
	sr1Seq    = 250
	sr1Amount = 283
)

func epochOf(sr1 []byte) uint64 { return binary.BigEndian.Uint64(sr1[sr1Epoch:]) }

// Options configure a log. Zero numbers mean the defaults.
type Options struct {
	// Dir is the log's own directory; it is created.
	Dir string
	// Domain and HostKey say whose log it is.
	Domain  receipt.Domain
	HostKey [20]byte
	// SegmentBytes is the size from which a new segment is begun (default 64 MiB).
	SegmentBytes int64
	// MaxBatchBytes bounds what one write and sync takes (default 1 MiB).
	MaxBatchBytes int
	// QueueLen bounds how many appends wait for a write (default 1024); further ones block until their context ends.
	QueueLen int
	// IndexEpochs is how many epochs before the newest one stay findable by job (default 3).
	IndexEpochs uint64
	// KeepEpochs is how many epochs before the newest one stay on disk (default 32).
	KeepEpochs uint64
	// Synced is told the size of each write and the time it took until it was durable; nil is ignored.
	Synced func(appends int, took time.Duration)
}

func (o Options) withDefaults() Options {
	setDefault(&o.SegmentBytes, 64<<20)
	setDefault(&o.MaxBatchBytes, 1<<20)
	setDefault(&o.QueueLen, 1024)
	setDefault(&o.IndexEpochs, 3)
	setDefault(&o.KeepEpochs, 32)
	if o.Synced == nil {
		o.Synced = func(int, time.Duration) {}
	}
	return o
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// Visitor is told what the log holds while it is opened, oldest first.
type Visitor interface {
	// Admitted is told of a job that was admitted.
	Admitted(a Admission)
	// Served is told of a receipt; amount is in micro-USD.
	Served(jobID [32]byte, epoch, seq, amount uint64)
	// Countersigned is told of a countersignature.
	Countersigned(jobID [32]byte)
}

// Log is an open receipt log. Its methods may be called concurrently.
type Log struct {
	opts  Options
	lock  *os.File
	queue chan *appendRequest
	done  chan struct{} // closed when the writer has ended

	closing sync.RWMutex // held for reading while an append is being queued
	closed  bool         // guarded by closing

	mu       sync.RWMutex // guards what follows; written by the writer only
	segments []*segment   // ascending; the last one is written to
	index    *index
	highSeq  uint64
	reserved uint64 // the last sequence number reserved on disk
	err      error
	failed   chan struct{} // closed when err is set

	seq       seqBlock
	unclean   bool
	tornBytes int64
}

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
	h, ok := decodeHeader(payload)
	if !ok || int64(h.base) != off { //nolint:gosec // compared with an offset that is not negative
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

// Failed is closed when the log cannot write any more; Err then says why.
func (l *Log) Failed() <-chan struct{} { return l.failed }

// Err returns the write error that ended the log, if any.
func (l *Log) Err() error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.err
}

// Stats says where the log stands.
type Stats struct {
	// First and End are the offsets of the oldest kept byte and after the newest durable one.
	First, End int64
	// HighSeq is the highest sequence number of a receipt ever logged.
	HighSeq uint64
	// NewestEpoch is the highest epoch of a receipt ever logged.
	NewestEpoch uint64
	// Indexed is how many receipts are findable by job.
	Indexed int
	// Unclean says whether the previous process did not close the log; TornBytes is what was cut then.
	Unclean   bool
	TornBytes int64
}

// Stats returns where the log stands.
func (l *Log) Stats() Stats {
	l.mu.RLock()
	defer l.mu.RUnlock()
	last := l.segments[len(l.segments)-1]
	return Stats{
		First: l.segments[0].base, End: last.base + last.size, HighSeq: l.highSeq, NewestEpoch: l.index.newest,
		Indexed: l.index.len(), Unclean: l.unclean, TornBytes: l.tornBytes,
	}
}

// HighSeq returns the highest sequence number of a receipt ever logged, 0 if none was.
func (l *Log) HighSeq() uint64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.highSeq
}

// Close takes no more appends, waits for those that are queued, notes the clean close and releases the directory.
// Closing twice is allowed.
func (l *Log) Close() error {
	l.closing.Lock()
	if l.closed {
		l.closing.Unlock()
		return nil
	}
	l.closed = true
	l.closing.Unlock()
	close(l.queue)
	<-l.done
	err := l.Err()
	if err == nil {
		err = l.commit([]*appendRequest{l.seq.cleanClose()})
	}
	return errors.Join(err, l.closeFiles())
}

func (l *Log) closeFiles() error {
	var errs []error
	for _, s := range l.segments {
		errs = append(errs, s.file.Close())
	}
	return errors.Join(append(errs, l.lock.Close())...)
}
