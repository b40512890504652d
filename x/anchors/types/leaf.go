// SPDX-License-Identifier: Apache-2.0

package types

import (
	"slices"

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

// CheckLog checks a log against its kept leaves and the range of those before them: indices, kinds, and that both together are
// exactly the log.
//
// Errors: ErrInvariant, ErrBadLeaf.
func CheckLog(state, pruned *LogState, leaves []Leaf) error {
	want, err := state.Range()
	if err != nil {
		return err
	}
	r, err := pruned.Range()
	if err != nil {
		return err
	}
	if r.Size > 0 && len(leaves) == 0 {
		return errorsmod.Wrapf(ErrInvariant, "no leaf is kept of %d", want.Size)
	}
	for i := range leaves {
		leaf := &leaves[i]
		if leaf.Index != r.Size {
			return errorsmod.Wrapf(ErrInvariant, "leaf %d stands where %d belongs", leaf.Index, r.Size)
		}
		kind, err := LeafKind(leaf.Data)
		if err != nil {
			return err
		}
		if kind != leaf.Kind {
			return errorsmod.Wrapf(ErrInvariant, "leaf %d says kind %d, its data %d", leaf.Index, leaf.Kind, kind)
		}
		if err := r.Append(log.LeafHash(leaf.Data)); err != nil {
			return err
		}
	}
	if r.Size != want.Size || !slices.Equal(r.Hashes, want.Hashes) {
		return errorsmod.Wrapf(ErrInvariant, "the leaves make a log of %d, not this one of %d", r.Size, want.Size)
	}
	return nil
}
