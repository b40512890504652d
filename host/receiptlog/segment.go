// SPDX-License-Identifier: Apache-2.0

package receiptlog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const segmentSuffix = ".seg"

// segment is one open file of the log. maxEpoch and maxExpiry say how long it is needed.
type segment struct {
	file                *os.File
	base, size          int64
	maxEpoch, maxExpiry uint64
}

func segmentName(base int64) string { return fmt.Sprintf("%020d%s", base, segmentSuffix) }

// segmentBases lists the base offsets of the segments in dir, ascending.
func segmentBases(dir string) ([]int64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var bases []int64
	for _, e := range entries {
		digits, ok := strings.CutSuffix(e.Name(), segmentSuffix)
		if !ok {
			continue
		}
		base, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || segmentName(base) != e.Name() {
			return nil, fmt.Errorf("%w: %s is no segment of this log, move it elsewhere", ErrDamaged, filepath.Join(dir, e.Name()))
		}
		bases = append(bases, base)
	}
	slices.Sort(bases)
	return bases, nil
}

// createSegment writes a new segment with its header and makes both durable, directory entry included.
func createSegment(dir string, h *segmentHeader, base int64) (*segment, error) {
	f, err := os.OpenFile(filepath.Join(dir, segmentName(base)), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	frame := AppendFrame(nil, KindHeader, h.append(nil))
	if _, err = f.Write(frame); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &segment{file: f, base: base, size: int64(len(frame))}, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// torn reports whether tail, the bytes from the first bad frame to the end of the last segment, is what an interrupted write leaves.
func torn(tail []byte, firstErr error, maxBatch int) bool {
	if len(tail) > maxBatch {
		return false
	}
	for i := 1; i+FrameOverhead <= len(tail); i++ {
		if _, _, err := Next(tail[i:]); err == nil {
			return false
		}
	}
	return errors.Is(firstErr, errShortFrame) || tail[len(tail)-1] == 0
}

// openSegment reads a segment, hands its frames to visit and, in the last segment only, cuts a torn tail.
//
// A last segment whose own header is torn holds nothing: it is returned as nil and its file removed.
func (l *Log) openSegment(base int64, last bool, visit func(off int64, f Frame) error) (*segment, error) {
	path := filepath.Join(l.opts.Dir, segmentName(base))
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := &segment{base: base}
	for rest := b; len(rest) > 0; {
		f, after, err := Next(rest)
		if err != nil {
			if !last || !torn(rest, err, l.opts.MaxBatchBytes) {
				return nil, fmt.Errorf("%w: %s at byte %d: %w", ErrDamaged, path, s.size, err)
			}
			l.tornBytes = int64(len(rest))
			break
		}
		if (f.Kind == KindHeader) != (s.size == 0) {
			return nil, fmt.Errorf("%w: %s at byte %d: a segment has one header, at its start", ErrDamaged, path, s.size)
		}
		if err := visit(base+s.size, f); err != nil {
			return nil, fmt.Errorf("%s at byte %d: %w", path, s.size, err)
		}
		s.note(f)
		rest = after
		s.size = int64(len(b) - len(rest))
	}
	if s.size == 0 {
		if !last {
			return nil, fmt.Errorf("%w: %s is empty", ErrDamaged, path)
		}
		return nil, errors.Join(os.Remove(path), syncDir(l.opts.Dir))
	}
	return s, s.reopen(path, s.size < int64(len(b)))
}

// reopen opens the file for appending after its last whole frame.
func (s *segment) reopen(path string, cut bool) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	s.file = f
	if cut {
		if err := errors.Join(f.Truncate(s.size), f.Sync()); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return nil
}

// note keeps what decides how long the segment is needed.
func (s *segment) note(f Frame) {
	switch f.Kind {
	case KindReceipt:
		s.maxEpoch = max(s.maxEpoch, epochOf(f.Payload))
	case KindOpen:
		a := decodeAdmission(f.Payload)
		s.maxExpiry = max(s.maxExpiry, a.ExpiresAt)
	case KindFinal, KindReserve, KindHeader:
	}
}
