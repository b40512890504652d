// SPDX-License-Identifier: Apache-2.0

package index

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
)

const (
	// perSlot is about how many entries of a run begin with the same bits; they are read together, 2 KiB.
	perSlot = 64
	// ioBuffer is what is read and written at a time when runs are merged.
	ioBuffer = 1 << 18
)

// run is a file of entries that ascend by key. Keys are evenly spread, so that their first bits tell nearly where they are.
type run struct {
	path  string
	file  *os.File
	count uint64
	// starts says for each value of the first bits of a key which entry is the first with it or a higher one.
	starts []uint32
	shift  uint
	buffer []byte // owned by lookup
}

// openRun opens a run and reads all of it once. Errors: ErrDamaged, or the file system's.
func openRun(path string) (*run, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	r := &run{path: path, file: file}
	if err := r.load(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return r, nil
}

func (r *run) load() error {
	info, err := r.file.Stat()
	if err != nil {
		return fmt.Errorf("index: %w", err)
	}
	size := uint64(info.Size()) //nolint:gosec // a file's
	if r.count = size / entrySize; size%entrySize != 0 || r.count == 0 || r.count > 1<<31 {
		return fmt.Errorf("%w: %s", ErrDamaged, r.path)
	}
	slots := uint(bits.Len64(r.count / perSlot))
	r.shift = 64 - slots
	r.starts = make([]uint32, 0, 1<<slots+1)
	var before Key
	from := bufio.NewReaderSize(io.NewSectionReader(r.file, 0, info.Size()), ioBuffer)
	for i := range r.count {
		var raw [entrySize]byte
		if _, err := io.ReadFull(from, raw[:]); err != nil {
			return fmt.Errorf("index: %w", err)
		}
		key, _ := entryOf(raw[:])
		if i > 0 && bytes.Compare(before[:], key[:]) >= 0 {
			return fmt.Errorf("%w: %s", ErrDamaged, r.path)
		}
		before = key
		for slot := r.slot(&key); uint64(len(r.starts)) <= slot; {
			r.starts = append(r.starts, uint32(i)) //nolint:gosec // at most 2^31
		}
	}
	for len(r.starts) <= 1<<slots {
		r.starts = append(r.starts, uint32(r.count)) //nolint:gosec // at most 2^31
	}
	return nil
}

func (r *run) slot(key *Key) uint64 {
	return binary.BigEndian.Uint64(key[:]) >> r.shift // by 64 it is 0
}

func (r *run) lookup(key *Key) (Place, bool, error) {
	slot := r.slot(key)
	first, end := int(r.starts[slot]), int(r.starts[slot+1])
	if first == end {
		return Place{}, false, nil
	}
	r.buffer = slices.Grow(r.buffer[:0], (end-first)*entrySize)[:(end-first)*entrySize]
	if _, err := r.file.ReadAt(r.buffer, int64(first)*entrySize); err != nil {
		return Place{}, false, fmt.Errorf("read the index: %w", err)
	}
	low, high := 0, end-first
	for low < high {
		middle := (low + high) / 2
		at := r.buffer[middle*entrySize:]
		switch bytes.Compare(at[:len(key)], key[:]) {
		case 0:
			_, place := entryOf(at)
			return place, true, nil
		case -1:
			low = middle + 1
		default:
			high = middle
		}
	}
	return Place{}, false, nil
}

// writeRun makes a run of the entries that fill writes in their order. No entry makes no run.
func (x *Index) writeRun(fill func(write func([]byte) error) error) ([]*run, error) {
	path := filepath.Join(x.dir, fmt.Sprintf("%016x.run", x.next))
	x.next++
	wrote := false
	err := replace(path, func(file *os.File) error {
		to := bufio.NewWriterSize(file, ioBuffer)
		err := fill(func(raw []byte) error {
			wrote = true
			_, err := to.Write(raw)
			return err
		})
		return errors.Join(err, to.Flush())
	})
	if err != nil {
		return nil, err
	}
	if !wrote {
		return nil, os.Remove(path)
	}
	r, err := openRun(path)
	if err != nil {
		return nil, err
	}
	return []*run{r}, nil
}

// cursor is where merging stands in a run.
type cursor struct {
	from *bufio.Reader
	raw  [entrySize]byte
	over bool
}

func (c *cursor) next() error {
	_, err := io.ReadFull(c.from, c.raw[:])
	if errors.Is(err, io.EOF) {
		c.over = true
		return nil
	}
	return err
}

// mergeRuns writes the entries of runs in their order, each key once, without the claims of batches before the given one.
func mergeRuns(runs []*run, before uint64, write func([]byte) error) error {
	cursors := make([]*cursor, len(runs))
	for i, r := range runs {
		size := int64(r.count) * entrySize //nolint:gosec // at most 2^36
		cursors[i] = &cursor{from: bufio.NewReaderSize(io.NewSectionReader(r.file, 0, size), ioBuffer)}
		if err := cursors[i].next(); err != nil {
			return err
		}
	}
	for {
		var least *cursor
		for _, c := range cursors {
			if !c.over && (least == nil || bytes.Compare(c.raw[:16], least.raw[:16]) < 0) {
				least = c
			}
		}
		if least == nil {
			return nil
		}
		taken := least.raw
		for _, c := range cursors { // after a crash an entry can be in several runs
			if !c.over && bytes.Equal(c.raw[:16], taken[:16]) {
				if err := c.next(); err != nil {
					return err
				}
			}
		}
		if _, place := entryOf(taken[:]); place.Batch < before {
			continue
		}
		if err := write(taken[:]); err != nil {
			return err
		}
	}
}
