// SPDX-License-Identifier: Apache-2.0

package receiptlog

import (
	"errors"
	"fmt"
	"os"
	"sort"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

// Errors of reading.
var (
	ErrUnknownJob = errors.New("no receipt of this job: it was not served here, or its epoch is closed")
	ErrPruned     = errors.New("offset is before the oldest kept segment: continue from the first offset")
	ErrBeyondEnd  = errors.New("offset is after the end of the log: it is of another log, or the host lost a part of it")
	ErrBadOffset  = errors.New("offset is not the start of a frame: use the next offset of an earlier answer, or the first one")
)

// readChunk is how many bytes a read of frames looks at, at most.
const readChunk = 1 << 20

// Lookup returns the record of a job, with its countersignature if there is one.
//
// Errors: ErrUnknownJob, ErrDamaged, or the file system's.
func (l *Log) Lookup(jobID [32]byte) (receipt.Record, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	loc, ok := l.index.find(jobID)
	if !ok {
		return receipt.Record{}, ErrUnknownJob
	}
	sr1, err := l.frameAt(loc.receipt, KindReceipt)
	if err != nil {
		return receipt.Record{}, err
	}
	r, err := receipt.Decode(sr1)
	if err != nil {
		return receipt.Record{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if loc.final == 0 {
		return r, nil
	}
	final, err := l.frameAt(loc.final, KindFinal)
	if err != nil {
		return receipt.Record{}, err
	}
	r.SigFinal, r.Countersigned = [65]byte(final[32:]), true
	return r, nil
}

// Has reports whether the receipt of a job is findable.
func (l *Log) Has(jobID [32]byte) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	_, ok := l.index.find(jobID)
	return ok
}

// frameAt reads one frame of a known kind; mu is held.
func (l *Log) frameAt(off int64, kind Kind) ([]byte, error) {
	s := l.segmentOf(off)
	if s == nil {
		return nil, ErrUnknownJob
	}
	buf := make([]byte, FrameOverhead+payloadSize(kind))
	if _, err := s.file.ReadAt(buf, off-s.base); err != nil {
		return nil, err
	}
	f, _, err := Next(buf)
	if err != nil || f.Kind != kind {
		return nil, fmt.Errorf("%w: no frame of kind %d at offset %d", ErrDamaged, kind, off)
	}
	return f.Payload, nil
}

// segmentOf returns the segment that holds the byte at off, nil if none does; mu is held.
func (l *Log) segmentOf(off int64) *segment {
	i := sort.Search(len(l.segments), func(i int) bool { return l.segments[i].base > off }) - 1
	if i < 0 || off >= l.segments[i].base+l.segments[i].size {
		return nil
	}
	return l.segments[i]
}

// Read returns up to limit whole RECEIPT and FINAL frames, as stored, from the frame at off on, and the offset to continue from.
//
// Only durable frames are returned. Frames of other kinds are passed over, so that next can grow while frames is empty; at the end of
// the log next equals off.
// Errors: ErrPruned, ErrBeyondEnd, ErrBadOffset, ErrDamaged, or the file system's.
func (l *Log) Read(off int64, limit int) (frames []byte, next int64, err error) {
	s, size, err := l.readable(off)
	if err != nil || size == 0 {
		return nil, off, err
	}
	buf := make([]byte, min(readChunk, size))
	_, err = s.file.ReadAt(buf, off-s.base)
	if errors.Is(err, os.ErrClosed) { // deleted since
		return nil, off, ErrPruned
	}
	if err != nil {
		return nil, off, err
	}
	return selectFrames(buf, off, limit)
}

// readable returns the segment that holds off and how many durable bytes it has from there on, 0 at the end of the log.
func (l *Log) readable(off int64) (s *segment, size int64, err error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	last := l.segments[len(l.segments)-1]
	switch end := last.base + last.size; {
	case off < l.segments[0].base:
		return nil, 0, ErrPruned
	case off > end:
		return nil, 0, ErrBeyondEnd
	case off == end:
		return nil, 0, nil
	}
	s = l.segmentOf(off)
	return s, s.base + s.size - off, nil
}

// selectFrames takes the frames a relayer wants from buf, which begins at off; an incomplete frame at its end is left for the next read.
func selectFrames(buf []byte, off int64, limit int) (frames []byte, next int64, err error) {
	next = off
	for n := 0; n < limit && len(buf) > 0; {
		f, rest, err := Next(buf)
		if errors.Is(err, errShortFrame) && next > off {
			break
		}
		if err != nil {
			return nil, 0, fmt.Errorf("%w: offset %d: %w", ErrBadOffset, next, err)
		}
		if f.Kind == KindReceipt || f.Kind == KindFinal {
			frames = append(frames, buf[:len(buf)-len(rest)]...)
			n++
		}
		next += int64(len(buf) - len(rest))
		buf = rest
	}
	return frames, next, nil
}
