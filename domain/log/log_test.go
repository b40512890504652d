// SPDX-License-Identifier: Apache-2.0

package log_test

import (
	"errors"
	"math"
	"testing"

	"github.com/gpucoord/gpucoord/domain/log"
)

func TestProofSizes(t *testing.T) {
	leaves := someLeaves(5)
	for _, c := range []struct {
		index, size uint64
		want        error
	}{
		{0, 6, log.ErrBadSize},
		{0, math.MaxUint64, log.ErrBadSize},
		{5, 5, log.ErrBadIndex},
		{0, 0, log.ErrBadIndex},
		{math.MaxUint64, 5, log.ErrBadIndex},
	} {
		if path, err := log.InclusionProof(leaves, c.index, c.size); !errors.Is(err, c.want) || path != nil {
			t.Errorf("index %d of %d: got %v, want %v", c.index, c.size, err, c.want)
		}
	}
	for _, c := range [][2]uint64{{0, 5}, {0, 0}, {4, 3}, {1, 6}, {6, 6}, {math.MaxUint64, math.MaxUint64}} {
		if path, err := log.ConsistencyProof(leaves, c[0], c[1]); !errors.Is(err, log.ErrBadSize) || path != nil {
			t.Errorf("%d to %d: %v", c[0], c[1], err)
		}
	}
	for _, c := range [][2]uint64{{0, 5}, {0, 0}, {4, 3}} {
		if err := log.VerifyConsistency([32]byte{}, [32]byte{}, c[0], c[1], nil); !errors.Is(err, log.ErrBadSize) {
			t.Errorf("verify %d to %d: %v", c[0], c[1], err)
		}
	}
	if err := log.VerifyInclusion([32]byte{}, 0, 0, [32]byte{}, nil); err != log.ErrBadIndex {
		t.Errorf("inclusion in nothing: %v", err)
	}
}

func TestRangeRefuses(t *testing.T) {
	full := log.Range{Size: math.MaxUint64, Hashes: make([][32]byte, 64)}
	for _, c := range []struct {
		name                  string
		r                     log.Range
		wantShape, wantAppend error
	}{
		{"no hashes", log.Range{Size: 1}, log.ErrBadRange, log.ErrBadRange},
		{"a hash too many", log.Range{Size: 4, Hashes: make([][32]byte, 2)}, log.ErrBadRange, log.ErrBadRange},
		{"hashes of nothing", log.Range{Hashes: make([][32]byte, 1)}, log.ErrBadRange, log.ErrBadRange},
		{"full", full, nil, log.ErrLogFull},
		{"one below full", log.Range{Size: math.MaxUint64 - 1, Hashes: make([][32]byte, 63)}, nil, nil},
	} {
		if err := c.r.Validate(); err != c.wantShape {
			t.Errorf("%s: shape: got %v, want %v", c.name, err, c.wantShape)
		}
		size := c.r.Size
		if err := c.r.Append([32]byte{}); err != c.wantAppend {
			t.Errorf("%s: append: got %v, want %v", c.name, err, c.wantAppend)
		} else if err != nil && c.r.Size != size {
			t.Errorf("%s: size %d after an error", c.name, c.r.Size)
		}
	}
}

// TestDomainSeparation: a leaf whose data are two hashes is not the node over them.
func TestDomainSeparation(t *testing.T) {
	leaves := someLeaves(2)
	if log.LeafHash(append(append([]byte{}, leaves[0][:]...), leaves[1][:]...)) == log.Root(leaves) {
		t.Error("a leaf hashes like a node")
	}
}

func BenchmarkAppend(b *testing.B) {
	var r log.Range
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Append([32]byte{1}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyInclusion(b *testing.B) {
	leaves := someLeaves(1 << 10)
	root := log.Root(leaves)
	path, err := log.InclusionProof(leaves, 777, 1<<10)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := log.VerifyInclusion(root, 1<<10, 777, leaves[777], path); err != nil {
			b.Fatal(err)
		}
	}
}
