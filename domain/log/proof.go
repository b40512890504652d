// SPDX-License-Identifier: Apache-2.0

package log

import (
	"errors"
	"math/bits"
)

// Errors of proofs.
var (
	ErrBadIndex      = errors.New("index is not below the size: count leaves from 0")
	ErrBadSize       = errors.New("sizes are not 0 < from <= to within the log: ask for two sizes the log has had")
	ErrBadPathLength = errors.New("path has not the number of hashes that the sizes require: send the whole proof")
	ErrRootMismatch  = errors.New("proof does not lead to the root: use a proof for exactly this size and root")
)

// InclusionProof returns the path of the leaf at index in the tree of the first size leaf hashes. It hashes all of them.
//
// Errors: ErrBadSize if the log has fewer leaves than size, ErrBadIndex.
func InclusionProof(leafHashes [][32]byte, index, size uint64) ([][32]byte, error) {
	if size > uint64(len(leafHashes)) {
		return nil, ErrBadSize
	}
	if index >= size {
		return nil, ErrBadIndex
	}
	return inclusion(nil, leafHashes[:size], index), nil
}

// inclusion is PATH(m, D_n) of RFC 9162 2.1.3.1.
func inclusion(dst, leaves [][32]byte, index uint64) [][32]byte {
	if len(leaves) == 1 {
		return dst
	}
	k := split(uint64(len(leaves)))
	if index < k {
		return append(inclusion(dst, leaves[:k], index), Root(leaves[k:]))
	}
	return append(inclusion(dst, leaves[k:], index-k), Root(leaves[:k]))
}

// ConsistencyProof returns the proof that the tree of the first from leaf hashes is a prefix of that of the first to. It hashes all.
//
// Errors: ErrBadSize unless 0 < from <= to <= the number of leaves.
func ConsistencyProof(leafHashes [][32]byte, from, to uint64) ([][32]byte, error) {
	if from == 0 || from > to || to > uint64(len(leafHashes)) {
		return nil, ErrBadSize
	}
	return consistency(nil, leafHashes[:to], from, true), nil
}

// consistency is SUBPROOF(m, D_n, b) of RFC 9162 2.1.4.1: known says that the verifier has the root of the first from leaves.
func consistency(dst, leaves [][32]byte, from uint64, known bool) [][32]byte {
	n := uint64(len(leaves))
	switch {
	case from == n && known:
		return dst
	case from == n:
		return append(dst, Root(leaves))
	}
	k := split(n)
	if from <= k {
		return append(consistency(dst, leaves[:k], from, known), Root(leaves[k:]))
	}
	return append(consistency(dst, leaves[k:], from-k, false), Root(leaves[:k]))
}

// VerifyInclusion checks that leafHash is at index of the tree of the given size and root. Any size up to 2^64-1 is allowed.
//
// Errors, in order: ErrBadIndex, ErrBadPathLength, ErrRootMismatch.
func VerifyInclusion(root [32]byte, size, index uint64, leafHash [32]byte, path [][32]byte) error {
	if index >= size {
		return ErrBadIndex
	}
	inner, border := shape(index, size-1)
	if len(path) != inner+border {
		return ErrBadPathLength
	}
	h := chainInner(leafHash, path[:inner], index)
	if chainLeft(h, path[inner:]) != root {
		return ErrRootMismatch
	}
	return nil
}

// VerifyConsistency checks that the tree of size from with rootFrom is a prefix of that of size to with rootTo. Any sizes up to 2^64-1
// are allowed.
//
// Errors, in order: ErrBadSize unless 0 < from <= to, ErrBadPathLength, ErrRootMismatch.
func VerifyConsistency(rootFrom, rootTo [32]byte, from, to uint64, path [][32]byte) error {
	if from == 0 || from > to {
		return ErrBadSize
	}
	if from == to {
		return verifyEqual(rootFrom, rootTo, path)
	}
	// The proof starts at the root of the last full subtree of the smaller tree, which is below both roots.
	inner, border := shape(from-1, to-1)
	shift := bits.TrailingZeros64(from)
	inner -= shift
	start := rootFrom
	if from&(from-1) == 0 {
		if len(path) != inner+border {
			return ErrBadPathLength
		}
	} else {
		if len(path) != 1+inner+border {
			return ErrBadPathLength
		}
		start, path = path[0], path[1:]
	}
	mask := (from - 1) >> shift
	before := chainLeft(chainInnerRight(start, path[:inner], mask), path[inner:])
	after := chainLeft(chainInner(start, path[:inner], mask), path[inner:])
	if before != rootFrom || after != rootTo {
		return ErrRootMismatch
	}
	return nil
}

func verifyEqual(rootFrom, rootTo [32]byte, path [][32]byte) error {
	switch {
	case len(path) != 0:
		return ErrBadPathLength
	case rootFrom != rootTo:
		return ErrRootMismatch
	}
	return nil
}

// shape returns the number of hashes on the way up from index: inner ones on either side until the paths of index and last meet, then
// border ones, all on the left.
func shape(index, last uint64) (inner, border int) {
	inner = bits.Len64(index ^ last)
	return inner, bits.OnesCount64(index >> inner)
}

// chainInner folds siblings on the side that the bits of index say.
func chainInner(h [32]byte, path [][32]byte, index uint64) [32]byte {
	for i := range path {
		if index>>i&1 == 0 {
			h = nodeHash(h, path[i])
		} else {
			h = nodeHash(path[i], h)
		}
	}
	return h
}

// chainInnerRight folds left siblings only: those that the smaller tree has as well.
func chainInnerRight(h [32]byte, path [][32]byte, index uint64) [32]byte {
	for i := range path {
		if index>>i&1 == 1 {
			h = nodeHash(path[i], h)
		}
	}
	return h
}

func chainLeft(h [32]byte, path [][32]byte) [32]byte {
	for i := range path {
		h = nodeHash(path[i], h)
	}
	return h
}
