// SPDX-License-Identifier: Apache-2.0

package types

import (
	"math/bits"

	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/log"
)

// ReadNode returns the hash of the perfect subtree over the leaves index·2^level to (index+1)·2^level - 1.
type ReadNode func(level uint16, index uint64) ([32]byte, error)

// Pair returns the hash of the node over two others.
func Pair(left, right [32]byte) [32]byte { return log.Root([][32]byte{left, right}) }

// RootAt returns the root of the log's first size leaves; size > 0. It reads one node for each bit set in size.
func (read ReadNode) RootAt(size uint64) ([32]byte, error) { return read.root(0, size) }

// Inclusion returns the path of the leaf at index in the log of that size (RFC 9162, 2.1.3.1). It reads O(log size) nodes.
//
// Errors: ErrInvalidRequest unless index < size, and those of read.
func (read ReadNode) Inclusion(index, size uint64) ([][32]byte, error) {
	if index >= size {
		return nil, errorsmod.Wrapf(ErrInvalidRequest, "index %d is not below size %d", index, size)
	}
	return read.path(nil, index, 0, size)
}

// Consistency returns the proof that the first from leaves are a prefix of the first to (RFC 9162, 2.1.4.1). It reads O(log to) nodes.
//
// Errors: ErrInvalidRequest unless 0 < from <= to, and those of read.
func (read ReadNode) Consistency(from, to uint64) ([][32]byte, error) {
	if from == 0 || from > to {
		return nil, errorsmod.Wrapf(ErrInvalidRequest, "sizes %d and %d, want 0 < from <= to", from, to)
	}
	return read.subproof(nil, from, 0, to, true)
}

// root is the hash over the leaves from begin on, n of them; begin is a multiple of the smallest power of two that is n or more.
func (read ReadNode) root(begin, n uint64) ([32]byte, error) {
	if n&(n-1) == 0 {
		level := bits.TrailingZeros64(n)
		return read(uint16(level), begin>>level) //nolint:gosec // below 64
	}
	k := split(n)
	left, err := read.root(begin, k)
	if err != nil {
		return left, err
	}
	right, err := read.root(begin+k, n-k)
	return Pair(left, right), err
}

func (read ReadNode) path(dst [][32]byte, index, begin, n uint64) ([][32]byte, error) {
	if n == 1 {
		return dst, nil
	}
	k := split(n)
	var sibling [32]byte
	var err error
	if index < begin+k {
		if dst, err = read.path(dst, index, begin, k); err == nil {
			sibling, err = read.root(begin+k, n-k)
		}
	} else if dst, err = read.path(dst, index, begin+k, n-k); err == nil {
		sibling, err = read.root(begin, k)
	}
	return append(dst, sibling), err
}

// subproof is SUBPROOF of the RFC over n leaves from begin on; from counts from begin, known says that the verifier has that root.
func (read ReadNode) subproof(dst [][32]byte, from, begin, n uint64, known bool) ([][32]byte, error) {
	if from == n && known {
		return dst, nil
	}
	if from == n {
		hash, err := read.root(begin, n)
		return append(dst, hash), err
	}
	k := split(n)
	var sibling [32]byte
	var err error
	if from <= k {
		if dst, err = read.subproof(dst, from, begin, k, known); err == nil {
			sibling, err = read.root(begin+k, n-k)
		}
	} else if dst, err = read.subproof(dst, from-k, begin+k, n-k, false); err == nil {
		sibling, err = read.root(begin, k)
	}
	return append(dst, sibling), err
}

// split returns the largest power of two below n; n > 1.
func split(n uint64) uint64 { return 1 << (bits.Len64(n-1) - 1) }
