// SPDX-License-Identifier: Apache-2.0

package sumtree

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/bits"
)

const (
	minSamples        = 2
	maxSamples        = 16
	lowReputationPPM  = 400_000
	extraSamples      = 4
	onePPM            = 1_000_000
	groupDrawPreimage = 48
	leafDrawPreimage  = 52
)

// Errors of samples.
var (
	ErrBadUnit    = errors.New("sample unit is 0: set the amount that is worth one more sample")
	ErrBadPPM     = errors.New("reputation is over 1000000 ppm: give it in parts per million")
	ErrBadDraw    = errors.New("draw is not below the number of samples: open draws 0..k-1")
	ErrWrongGroup = errors.New("sample is of another group than the drawn one: open a leaf of the drawn group")
	ErrWrongCount = errors.New("opening's n is not its group's count: take n from the group")
	ErrNotCovered = errors.New("leaf is not the drawn one: open the leaf that covers the draw")
)

// SampleCount returns how many leaves of a batch are sampled: 2, one more for each doubling of amount over sampleUnit (both micro-USD)
// up to 16, 4 more at a reputation below 400000 ppm, and at most count, the number of leaves.
//
// Errors, in order: ErrBadUnit, ErrEmptyBatch (count 0), ErrBadPPM.
func SampleCount(amount, sampleUnit, count, reputationPPM uint64) (uint32, error) {
	switch {
	case sampleUnit == 0:
		return 0, ErrBadUnit
	case count == 0:
		return 0, ErrEmptyBatch
	case reputationPPM > onePPM:
		return 0, ErrBadPPM
	}
	k := uint64(minSamples)
	if amount >= sampleUnit {
		k = min(maxSamples, k+uint64(bits.Len64(amount/sampleUnit))-1) //nolint:gosec // a bit length of 1..64
	}
	if reputationPPM < lowReputationPPM {
		k += extraSamples
	}
	return uint32(min(k, count)), nil //nolint:gosec // at most 20
}

// Target is the place in a group that a draw asks for: the leaf of index R, or the leaf whose [offset, offset + amount) holds R.
type Target struct {
	ByIndex bool
	R       uint64
}

// TargetOf returns what draw j asks for in a group of the given amount and count: by value, or by index if the amount is 0.
//
// Errors: ErrEmptyTree if count is 0.
func TargetOf(seed [32]byte, batchID uint64, group, j uint32, amount, count uint64) (Target, error) {
	if count == 0 {
		return Target{}, ErrEmptyTree
	}
	if amount == 0 {
		return Target{ByIndex: true, R: leafDraw(seed, batchID, group, j, count)}, nil
	}
	return Target{R: leafDraw(seed, batchID, group, j, amount)}, nil
}

// Check verifies an opening against a root and then that its leaf is the one asked for.
//
// Errors, in order: those of Opening.Verify, ErrNotCovered.
func (t Target) Check(root Entry, o *Opening) error {
	offset, err := o.Verify(root)
	if err != nil {
		return err
	}
	if t.ByIndex && o.Index != t.R || !t.ByIndex && (t.R < offset || t.R-offset >= o.Leaf.Amount) {
		return ErrNotCovered
	}
	return nil
}

// Draw is one sample of a batch: the group and the place in it. GroupR fell into the group that begins at GroupOffset in the running
// sums of the groups' sizes.
type Draw struct {
	J                   uint32
	Group               int
	GroupR, GroupOffset uint64
	Target              Target
}

// DrawGroup returns draw j of the k samples of a batch whose groups have been checked by BatchOf.
//
// Errors, in order: ErrBadDraw, ErrSumOverflow, ErrEmptyBatch (no records).
func DrawGroup(seed [32]byte, batchID uint64, j, k uint32, groups []Group) (Draw, error) {
	if j >= k {
		return Draw{}, ErrBadDraw
	}
	count, amount, err := batchSums(groups)
	if err != nil {
		return Draw{}, err
	}
	byIndex := j == k-1 || amount == 0
	total := amount
	if byIndex {
		total = count
	}
	if total == 0 {
		return Draw{}, ErrEmptyBatch
	}
	d := Draw{J: j, GroupR: groupDraw(seed, batchID, j, total), Target: Target{ByIndex: byIndex}}
	for size := d.size(groups); d.GroupR-d.GroupOffset >= size; size = d.size(groups) {
		d.GroupOffset += size
		d.Group++
	}
	d.Target.R = leafDraw(seed, batchID, uint32(d.Group), j, d.size(groups)) //nolint:gosec // the index of a group in a message
	return d, nil
}

// size returns the size of the drawn group: its count or its amount.
func (d *Draw) size(groups []Group) uint64 {
	if d.Target.ByIndex {
		return groups[d.Group].Count
	}
	return groups[d.Group].Root.Amount
}

// CheckSample checks that o opens the leaf that draw j of k asks for; group is the position of its group in the batch.
//
// Errors, in order: those of DrawGroup, ErrWrongGroup, ErrWrongCount (o.N is not the group's count), those of Opening.Verify,
// ErrNotCovered.
func CheckSample(seed [32]byte, batchID uint64, j, k uint32, groups []Group, group int, o *Opening) error {
	d, err := DrawGroup(seed, batchID, j, k, groups)
	if err != nil {
		return err
	}
	if group != d.Group {
		return ErrWrongGroup
	}
	if o.N != groups[group].Count {
		return ErrWrongCount
	}
	return d.Target.Check(groups[group].Root, o)
}

func groupDraw(seed [32]byte, batchID uint64, j uint32, size uint64) uint64 {
	var b [groupDrawPreimage]byte
	copy(b[:], "GCS0")
	copy(b[4:], seed[:])
	binary.BigEndian.PutUint64(b[36:], batchID)
	binary.BigEndian.PutUint32(b[44:], j)
	return mod(sha256.Sum256(b[:]), size)
}

func leafDraw(seed [32]byte, batchID uint64, group, j uint32, size uint64) uint64 {
	var b [leafDrawPreimage]byte
	copy(b[:], "GCS1")
	copy(b[4:], seed[:])
	binary.BigEndian.PutUint64(b[36:], batchID)
	binary.BigEndian.PutUint32(b[44:], group)
	binary.BigEndian.PutUint32(b[48:], j)
	return mod(sha256.Sum256(b[:]), size)
}

// mod returns a 256-bit big-endian integer modulo m; m > 0.
func mod(h [32]byte, m uint64) uint64 {
	var rem uint64
	for i := 0; i < len(h); i += 8 {
		rem = bits.Rem64(rem, binary.BigEndian.Uint64(h[i:]), m)
	}
	return rem
}
