// SPDX-License-Identifier: Apache-2.0

package types

import (
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/log"
)

const (
	leafTag = "GCF1"
	// KindBatch is the kind of a finalised batch's leaf.
	KindBatch = 1
	// KindEpoch is the kind of an epoch statement's leaf.
	KindEpoch = 2
)

// LeafKind returns the kind of leaf data by its tag, kind byte and length. What the data says is for its writer to know.
//
// Errors: ErrBadLeaf.
func LeafKind(data []byte) (uint32, error) {
	if len(data) <= len(leafTag) || string(data[:len(leafTag)]) != leafTag {
		return 0, errorsmod.Wrapf(ErrBadLeaf, "%d bytes do not begin with %s", len(data), leafTag)
	}
	kind := data[len(leafTag)]
	if (kind == KindBatch && len(data) == log.BatchLeafSize) || (kind == KindEpoch && len(data) == log.EpochLeafSize) {
		return uint32(kind), nil
	}
	return 0, errorsmod.Wrapf(ErrBadLeaf, "kind %d with %d bytes", kind, len(data))
}

// Range returns the compact range as domain/log takes it.
//
// Errors: ErrInvariant when a hash is not 32 bytes or the hashes do not fit the size.
func (s *LogState) Range() (log.Range, error) {
	r := log.Range{Size: s.Size_, Hashes: make([][32]byte, len(s.Hashes))}
	for i, hash := range s.Hashes {
		if len(hash) != 32 {
			return log.Range{}, errorsmod.Wrapf(ErrInvariant, "log hash %d has %d bytes", i, len(hash))
		}
		copy(r.Hashes[i][:], hash)
	}
	if err := r.Validate(); err != nil {
		return log.Range{}, errorsmod.Wrap(ErrInvariant, err.Error())
	}
	return r, nil
}

// LogStateOf returns the state of a compact range.
func LogStateOf(r log.Range) LogState {
	s := LogState{Size_: r.Size, Hashes: make([][]byte, len(r.Hashes))}
	for i := range r.Hashes {
		s.Hashes[i] = r.Hashes[i][:]
	}
	return s
}

// CheckLog checks a log against its kept leaves, which must be the newest ones in order, up to all of them: indices, kinds, and
// the hash of every full subtree that lies within them.
//
// Errors: ErrInvariant, ErrBadLeaf.
func CheckLog(state *LogState, leaves []Leaf) error {
	r, err := state.Range()
	if err != nil {
		return err
	}
	kept := uint64(len(leaves))
	if kept > r.Size || (kept == 0 && r.Size > 0) {
		return errorsmod.Wrapf(ErrInvariant, "%d leaves kept of %d", kept, r.Size)
	}
	first := r.Size - kept
	hashes := make([][32]byte, kept)
	for i := range leaves {
		leaf := &leaves[i]
		if want := first + uint64(i); leaf.Index != want { //nolint:gosec // an index is not negative
			return errorsmod.Wrapf(ErrInvariant, "leaf %d stands where %d belongs", leaf.Index, want)
		}
		kind, err := LeafKind(leaf.Data)
		if err != nil {
			return err
		}
		if kind != leaf.Kind {
			return errorsmod.Wrapf(ErrInvariant, "leaf %d says kind %d, its data %d", leaf.Index, leaf.Kind, kind)
		}
		hashes[i] = log.LeafHash(leaf.Data)
	}
	return checkSubtrees(r, first, hashes)
}

// checkSubtrees recomputes the full subtrees from the right, as far as their leaves are kept.
func checkSubtrees(r log.Range, first uint64, hashes [][32]byte) error {
	end := r.Size
	for i := len(r.Hashes) - 1; i >= 0; i-- {
		begin := end & (end - 1) // the last full subtree covers the lowest bit of the size
		if begin < first {
			return nil
		}
		if log.Root(hashes[begin-first:end-first]) != r.Hashes[i] {
			return errorsmod.Wrapf(ErrInvariant, "log hash %d is not that of leaves %d to %d", i, begin, end-1)
		}
		end = begin
	}
	return nil
}
