// SPDX-License-Identifier: Apache-2.0

package split_test

import (
	"errors"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/split"
)

func bigOf(v uint64) *big.Int { return new(big.Int).SetUint64(v) }

// times returns a·b.
func times(a, b uint64) *big.Int { return new(big.Int).Mul(bigOf(a), bigOf(b)) }

func sumOf(values []uint64) *big.Int {
	sum := new(big.Int)
	for _, v := range values {
		sum.Add(sum, bigOf(v))
	}
	return sum
}

// amounts draws amounts of all magnitudes.
func amounts() *rapid.Generator[uint64] {
	return rapid.OneOf(rapid.Uint64Range(0, 1000), rapid.Uint64())
}

func byWeightProps(t *rapid.T) {
	total := amounts().Draw(t, "total")
	weights := rapid.SliceOfN(amounts(), 0, 8).Draw(t, "weights")
	whole := sumOf(weights)
	before := slices.Clone(weights)
	parts, err := split.ByWeight(total, weights)
	if !slices.Equal(weights, before) {
		t.Fatalf("the weights changed from %v to %v", before, weights)
	}
	switch {
	case len(weights) == 0:
		if !errors.Is(err, split.ErrEmpty) {
			t.Fatalf("no weights: got error %v", err)
		}
		return
	case whole.Sign() == 0:
		if !errors.Is(err, split.ErrNoWeight) {
			t.Fatalf("no weight above 0: got error %v", err)
		}
		return
	case !whole.IsUint64():
		if !errors.Is(err, split.ErrSumOverflow) {
			t.Fatalf("weights add up to %v: got error %v", whole, err)
		}
		return
	}
	if err != nil {
		t.Fatalf("got error %v", err)
	}
	if len(parts) != len(weights) || sumOf(parts).Cmp(bigOf(total)) != 0 {
		t.Fatalf("%v do not add up to %d", parts, total)
	}
	for i, w := range weights {
		// Within one unit of the exact part: |part·whole - total·w| < whole.
		off := new(big.Int).Mul(bigOf(parts[i]), whole)
		off.Sub(off, times(total, w)).Abs(off)
		if off.Cmp(whole) >= 0 {
			t.Fatalf("part %d of %d by %v is %d: off by a unit or more", i, total, weights, parts[i])
		}
		for j := i + 1; j < len(weights); j++ {
			if (w >= weights[j] && parts[i] < parts[j]) || (w < weights[j] && parts[i] > parts[j]) {
				t.Fatalf("%d by %v gives %v: the order of %d and %d is lost", total, weights, parts, i, j)
			}
		}
	}
}

func TestByWeightProps(t *testing.T) { rapid.Check(t, byWeightProps) }

func FuzzByWeight(f *testing.F) {
	f.Add(make([]byte, 2048))
	f.Fuzz(rapid.MakeFuzz(byWeightProps))
}

// unitByUnit gives out one unit after the other to the one who still lacks most of his exact part, ties to the lower
// index: another definition of the largest remainder method.
func unitByUnit(total int, weights []int) []uint64 {
	whole := 0
	for _, w := range weights {
		whole += w
	}
	parts := make([]uint64, len(weights))
	for range total {
		best, bestLack := 0, -total*whole-1
		for i, w := range weights {
			if lack := total*w - int(parts[i])*whole; lack > bestLack {
				best, bestLack = i, lack
			}
		}
		parts[best]++
	}
	return parts
}

func TestByWeightSmall(t *testing.T) {
	for total := range 14 {
		for a := range 7 {
			for b := range 7 {
				for c := range 7 {
					if a+b+c == 0 {
						continue
					}
					want := unitByUnit(total, []int{a, b, c})
					got, err := split.ByWeight(uint64(total), []uint64{uint64(a), uint64(b), uint64(c)})
					if err != nil || !slices.Equal(got, want) {
						t.Fatalf("%d by %d, %d, %d: got %v (%v), want %v", total, a, b, c, got, err, want)
					}
				}
			}
		}
	}
}
