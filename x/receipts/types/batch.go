// SPDX-License-Identifier: Apache-2.0

package types

import (
	"bytes"
	"iter"

	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/sumtree"
)

// Open reports whether a batch is neither finalised nor void: it has claims, locks and a place in the queue.
func (b *Batch) Open() bool {
	switch b.Status {
	case BatchStatus_BATCH_STATUS_SUBMITTED, BatchStatus_BATCH_STATUS_SAMPLED, BatchStatus_BATCH_STATUS_STUCK:
		return true
	default:
		return false
	}
}

// AllOpened reports whether every drawn sample was opened.
func (b *Batch) AllOpened() bool {
	return b.Opened == uint32(1)<<b.Samples-1
}

// DomainGroups returns the groups as the sum tree knows them. Error: ErrInvalidRequest (a length).
func (b *Batch) DomainGroups() ([]sumtree.Group, error) {
	if err := validateLength("host_key", b.HostKey, AddressLength); err != nil {
		return nil, err
	}
	if err := validateLength("host_id", b.HostId, HashLength); err != nil {
		return nil, err
	}
	groups := make([]sumtree.Group, len(b.Groups))
	for i := range b.Groups {
		if err := b.Groups[i].ValidateShape(); err != nil {
			return nil, errorsmod.Wrapf(err, "group %d", i)
		}
		groups[i] = b.domainGroup(i)
	}
	return groups, nil
}

// DomainGroup returns one group of a stored batch as the sum tree knows it. Error: ErrUnknownGroup.
func (b *Batch) DomainGroup(position uint32) (sumtree.Group, error) {
	if uint64(position) >= uint64(len(b.Groups)) {
		return sumtree.Group{}, errorsmod.Wrapf(ErrUnknownGroup, "%d of %d", position, len(b.Groups))
	}
	return b.domainGroup(int(position)), nil
}

// domainGroup converts a group whose lengths were checked.
func (b *Batch) domainGroup(i int) sumtree.Group {
	g := &b.Groups[i]
	return sumtree.Group{
		Operator: [AddressLength]byte(b.HostKey), HostID: [HashLength]byte(b.HostId),
		Settler: [AddressLength]byte(g.Settler), ModelID: [HashLength]byte(g.ModelId), AdapterID: [HashLength]byte(g.AdapterId),
		Count: g.Count, FirstSeq: g.FirstSeq, LastSeq: g.LastSeq, Root: g.rootEntry(),
	}
}

// GroupOf returns the position of the group of a settler, model and adapter whose range has seq. A settler of nil is any.
func (b *Batch) GroupOf(settler []byte, model, adapter [HashLength]byte, seq uint64) (uint32, bool) {
	for i := range b.Groups {
		g := &b.Groups[i]
		if (settler == nil || bytes.Equal(g.Settler, settler)) && bytes.Equal(g.ModelId, model[:]) &&
			bytes.Equal(g.AdapterId, adapter[:]) && g.FirstSeq <= seq && seq <= g.LastSeq {
			return uint32(i), true //nolint:gosec // at most 256
		}
	}
	return 0, false
}

// BySettler yields the groups of each settler, which follow each other, as the positions of the first and of the one after the last.
func (b *Batch) BySettler() iter.Seq2[int, int] {
	return func(yield func(first, end int) bool) {
		for first := 0; first < len(b.Groups); {
			end := first + 1
			for end < len(b.Groups) && bytes.Equal(b.Groups[end].Settler, b.Groups[first].Settler) {
				end++
			}
			if !yield(first, end) {
				return
			}
			first = end
		}
	}
}

// ValidateShape checks the lengths of a group's fields. Error: ErrInvalidRequest.
func (g *Group) ValidateShape() error {
	for _, f := range [...]struct {
		name  string
		value []byte
		want  int
	}{
		{"settler", g.Settler, AddressLength},
		{"model_id", g.ModelId, HashLength},
		{"adapter_id", g.AdapterId, HashLength},
		{"root", g.Root, HashLength},
	} {
		if err := validateLength(f.name, f.value, f.want); err != nil {
			return err
		}
	}
	if len(g.Left) != 0 {
		if err := validateLength("left", g.Left, sumtree.EntrySize); err != nil {
			return err
		}
	}
	if len(g.Right) != 0 {
		return validateLength("right", g.Right, sumtree.EntrySize)
	}
	return nil
}

// Check checks a group of a valid shape by itself: it has receipts, its seq range can hold them, its outcomes are no more than
// them, and its sums are those of the root's children.
//
// Errors, in order: ErrEmptyGroup, ErrTooManyReceipts, ErrSeqRange, ErrOutcomeCount, ErrBadTop.
func (g *Group) Check() error {
	switch {
	case g.Count == 0:
		return ErrEmptyGroup
	case g.Count > MaxGroupReceipts:
		return errorsmod.Wrapf(ErrTooManyReceipts, "%d, most is %d", g.Count, uint64(MaxGroupReceipts))
	case g.FirstSeq > g.LastSeq || g.LastSeq-g.FirstSeq < g.Count-1:
		return errorsmod.Wrapf(ErrSeqRange, "%d to %d for %d receipts", g.FirstSeq, g.LastSeq, g.Count)
	case uint64(g.Ok)+uint64(g.Fail) > g.Count:
		return errorsmod.Wrapf(ErrOutcomeCount, "%d ok, %d fail, %d receipts", g.Ok, g.Fail, g.Count)
	case g.Count == 1 && len(g.Left)+len(g.Right) > 0:
		return errorsmod.Wrap(ErrBadTop, "one receipt has no children")
	case g.Count == 1:
		return nil
	}
	left, err := sumtree.DecodeEntry(g.Left)
	if err != nil {
		return errorsmod.Wrapf(ErrBadTop, "left: %s", err)
	}
	right, err := sumtree.DecodeEntry(g.Right)
	if err != nil {
		return errorsmod.Wrapf(ErrBadTop, "right: %s", err)
	}
	if err := sumtree.CheckTop(g.rootEntry(), left, right, g.Count); err != nil {
		return errorsmod.Wrap(ErrBadTop, err.Error())
	}
	return nil
}

// rootEntry returns the root with its sums. The root must have its 32 bytes.
func (g *Group) rootEntry() sumtree.Entry {
	return sumtree.Entry{Hash: [HashLength]byte(g.Root), Amount: g.AmountUusdc, Tokens: g.Tokens, OK: g.Ok, Fail: g.Fail}
}

// Owed returns what a group's settler has to lock: take, royalty and, where it is settled here, the operator share. The three are parts
// of the group's amount, so the sum fits.
func (s *GroupState) Owed() uint64 {
	sum := s.TakeUusdc + s.RoyaltyUusdc
	if s.PaysOperators {
		sum += s.OperatorUusdc
	}
	return sum
}

// validateLength checks the length of a field of bytes. Error: ErrInvalidRequest.
func validateLength(name string, value []byte, want int) error {
	if len(value) != want {
		return errorsmod.Wrapf(ErrInvalidRequest, "%s has %d bytes, want %d", name, len(value), want)
	}
	return nil
}
