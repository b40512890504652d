// SPDX-License-Identifier: Apache-2.0

package sumtree

import (
	"encoding/binary"
	"errors"
)

const (
	leafSize        = leafPreimageSize - 4
	openingHeadSize = 8 + 8 + leafSize + 2
	// maxPath is the longest path any (n, index) requires: n has 64 bits.
	maxPath = 64
)

// Errors of openings.
var (
	ErrBadIndex      = errors.New("index is not below n: count leaves from 0")
	ErrBadPathLength = errors.New("path has not the number of entries that n and index require: leave out promoted levels only")
	ErrBadOpening    = errors.New("opening has the wrong length for its path: encode n, index, leaf, path length and at most 64 entries")
)

// Opening shows the leaf at Index of a tree of N leaves. The path holds the siblings bottom up.
type Opening struct {
	N, Index uint64
	Leaf     Leaf
	Path     []Entry
}

// Verify checks the opening against a root entry and returns the leaf's offset: the sum of the amounts of all leaves before it.
// It does not bind N, which must be the count of the group whose root this is.
//
// Errors, in order: ErrBadIndex, ErrBadPathLength, ErrSumOverflow, ErrRootMismatch.
func (o *Opening) Verify(root Entry) (offset uint64, err error) {
	if o.Index >= o.N {
		return 0, ErrBadIndex
	}
	if len(o.Path) != pathLength(o.N, o.Index) {
		return 0, ErrBadPathLength
	}
	e, path := o.Leaf.Entry(), o.Path
	for index, last := o.Index, o.N-1; last > 0; index, last = index/2, last/2 {
		switch {
		case index%2 == 1:
			left := path[0].Amount
			if err := setNode(&e, &path[0], &e); err != nil {
				return 0, err
			}
			offset += left // at most the checked e.Amount, so it cannot wrap
			path = path[1:]
		case index < last:
			if err := setNode(&e, &e, &path[0]); err != nil {
				return 0, err
			}
			path = path[1:]
		}
	}
	if e != root {
		return 0, ErrRootMismatch
	}
	return offset, nil
}

// pathLength returns the number of siblings of index in a tree of n leaves; index < n.
func pathLength(n, index uint64) int {
	length := 0
	for last := n - 1; last > 0; index, last = index/2, last/2 {
		if index%2 == 1 || index < last {
			length++
		}
	}
	return length
}

// Append appends the opening's transport form:
//
//	n u64 | index u64 | seq u64 | jobId 32 | recordHash 32 | amount u64 | tokens u64 | ok u32 | fail u32 | path length u16 | entries 56 each
//
// A path of more than 64 entries, which no tree has, gives bytes that DecodeOpening refuses.
func (o *Opening) Append(dst []byte) []byte {
	var b [openingHeadSize]byte
	binary.BigEndian.PutUint64(b[:], o.N)
	binary.BigEndian.PutUint64(b[8:], o.Index)
	o.Leaf.put(b[16:])
	binary.BigEndian.PutUint16(b[16+leafSize:], uint16(min(len(o.Path), maxPath+1))) //nolint:gosec // bounded by min
	dst = append(dst, b[:]...)
	for i := range o.Path {
		dst = o.Path[i].Append(dst)
	}
	return dst
}

// DecodeOpening reads the transport form. It checks the shape only; Verify checks the rest.
//
// Errors: ErrBadOpening.
func DecodeOpening(b []byte) (Opening, error) {
	if len(b) < openingHeadSize {
		return Opening{}, ErrBadOpening
	}
	length := int(binary.BigEndian.Uint16(b[16+leafSize:]))
	if length > maxPath || len(b) != openingHeadSize+length*EntrySize {
		return Opening{}, ErrBadOpening
	}
	o := Opening{N: binary.BigEndian.Uint64(b), Index: binary.BigEndian.Uint64(b[8:]), Leaf: leafAt(b[16:]), Path: make([]Entry, length)}
	for i := range o.Path {
		o.Path[i] = entryAt(b[openingHeadSize+i*EntrySize:])
	}
	return o, nil
}

// leafAt reads a leaf off the front of b, which must have its 96 bytes.
func leafAt(b []byte) Leaf {
	return Leaf{
		Seq:        binary.BigEndian.Uint64(b),
		JobID:      [32]byte(b[8:40]),
		RecordHash: [32]byte(b[40:72]),
		Amount:     binary.BigEndian.Uint64(b[72:]),
		Tokens:     binary.BigEndian.Uint64(b[80:]),
		OK:         binary.BigEndian.Uint32(b[88:]),
		Fail:       binary.BigEndian.Uint32(b[92:]),
	}
}
