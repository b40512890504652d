// SPDX-License-Identifier: Apache-2.0

package log

import (
	"crypto/sha256"
	"errors"
	"math"
	"math/bits"
)

// Errors of compact ranges.
var (
	ErrBadRange = errors.New("compact range has not one hash for each bit set in its size: restore it from a consistent state")
	ErrLogFull  = errors.New("log has 2^64-1 leaves: start a new log")
)

// LeafHash returns SHA256(0x00 | data).
func LeafHash(data []byte) [32]byte {
	b := make([]byte, 0, 1+len(data))
	return sha256.Sum256(append(append(b, 0), data...))
}

func nodeHash(l, r [32]byte) [32]byte {
	var b [65]byte
	b[0] = 1
	copy(b[1:], l[:])
	copy(b[33:], r[:])
	return sha256.Sum256(b[:])
}

// Root returns the root of the tree over leaf hashes in their order.
func Root(leafHashes [][32]byte) [32]byte {
	if len(leafHashes) == 0 {
		return sha256.Sum256(nil)
	}
	if len(leafHashes) == 1 {
		return leafHashes[0]
	}
	k := split(uint64(len(leafHashes)))
	return nodeHash(Root(leafHashes[:k]), Root(leafHashes[k:]))
}

// split returns the largest power of two below n; n > 1.
func split(n uint64) uint64 { return 1 << (bits.Len64(n-1) - 1) }

// Range is the compact range of a log: all that is needed to append to it and to know its root. The zero Range is the empty log.
type Range struct {
	// Size is the number of leaves.
	Size uint64
	// Hashes are the roots of the full subtrees, largest first, one for each bit set in Size.
	Hashes [][32]byte
}

// Validate checks the shape of a range that was read from elsewhere.
//
// Errors: ErrBadRange.
func (r *Range) Validate() error {
	if len(r.Hashes) != bits.OnesCount64(r.Size) {
		return ErrBadRange
	}
	return nil
}

// Append adds one leaf. The range is unchanged if there is an error.
//
// Errors: ErrBadRange, ErrLogFull.
func (r *Range) Append(leafHash [32]byte) error {
	if err := r.Validate(); err != nil {
		return err
	}
	if r.Size == math.MaxUint64 {
		return ErrLogFull
	}
	keep := len(r.Hashes)
	for size := r.Size; size&1 == 1; size >>= 1 {
		keep--
		leafHash = nodeHash(r.Hashes[keep], leafHash)
	}
	r.Hashes = append(r.Hashes[:keep:keep], leafHash) // the capacity makes it a new array: copies of the range stay good
	r.Size++
	return nil
}

// Root returns the root of the log.
func (r *Range) Root() [32]byte {
	if len(r.Hashes) == 0 {
		return sha256.Sum256(nil)
	}
	last := len(r.Hashes) - 1
	root := r.Hashes[last]
	for i := last - 1; i >= 0; i-- {
		root = nodeHash(r.Hashes[i], root)
	}
	return root
}
