// SPDX-License-Identifier: Apache-2.0

package split_test

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/split"
)

func TestEscalation(t *testing.T) {
	fake := []uint64{1_000, 3_000, 10_000, 10_000}
	refusal := []uint64{100, 100, 500, 500}
	for earlier := range uint64(4) {
		if got := split.FakeCapacityBps(earlier); got != fake[earlier] {
			t.Errorf("fake capacity after %d: got %d bps, want %d", earlier, got, fake[earlier])
		}
		if got := split.RefusalBps(earlier); got != refusal[earlier] {
			t.Errorf("refusal after %d: got %d bps, want %d", earlier, got, refusal[earlier])
		}
	}
	if split.FakeCapacityBps(math.MaxUint64) != 10_000 || split.RefusalBps(math.MaxUint64) != 500 {
		t.Error("the last step is not kept")
	}
}

// Three times fake capacity takes everything, whatever the bond: 10 %, then 30 % and then all of what is left.
func TestThirdFakeCapacityTakesTheRest(t *testing.T) {
	for _, bond := range []uint64{0, 1, 9, 1_000_000, math.MaxUint64} {
		left := bond
		for earlier := range uint64(3) {
			slash, err := split.SlashBps(left, split.FakeCapacityBps(earlier))
			if err != nil {
				t.Fatal(err)
			}
			left -= slash
		}
		if left != 0 {
			t.Errorf("bond %d: %d left", bond, left)
		}
	}
}

func TestBreaker(t *testing.T) {
	for name, tc := range map[string]struct {
		hit, bond, total, after uint64
		waits                   bool
	}{
		"exactly a fifth":     {15, 5, 100, 20, false},
		"a unit more":         {15, 6, 100, 15, true},
		"above it before":     {40, 1, 100, 40, true},
		"nothing bonded":      {0, 1, 0, 0, true},
		"an empty bond":       {0, 0, 0, 0, false},
		"no 64 bits":          {1, math.MaxUint64, math.MaxUint64, 1, true},
		"a fifth rounds down": {0, 1, 9, 1, false},
		"and not up":          {0, 2, 9, 0, true},
	} {
		if after, waits, err := split.Breaker(tc.hit, tc.bond, tc.total, 2_000); err != nil || after != tc.after || waits != tc.waits {
			t.Errorf("%s: got %d, %t (%v), want %d, %t", name, after, waits, err, tc.after, tc.waits)
		}
	}
	if _, _, err := split.Breaker(0, 1, 10, 10_001); !errors.Is(err, split.ErrBadBps) {
		t.Errorf("a breaker above the whole: got %v", err)
	}
}

// In any order of offences, what is executed in an epoch stays within its part of the bonds.
func TestBreakerHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total, bps := rapid.Uint64().Draw(t, "total"), rapid.Uint64Range(0, 10_000).Draw(t, "breaker_bps")
		most := new(big.Int).Mul(new(big.Int).SetUint64(total), new(big.Int).SetUint64(bps))
		hit := uint64(0)
		for _, bond := range rapid.SliceOfN(rapid.Uint64Range(0, max(1, total/3)), 0, 20).Draw(t, "bonds") {
			after, waits, err := split.Breaker(hit, bond, total, bps)
			if err != nil {
				t.Fatalf("%v", err)
			}
			would := new(big.Int).Add(new(big.Int).SetUint64(hit), new(big.Int).SetUint64(bond))
			above := would.Mul(would, big.NewInt(10_000)).Cmp(most) > 0
			if waits != (above && bond > 0) {
				t.Fatalf("hit %d, bond %d of %d: waits %t, above its part %t", hit, bond, total, waits, above)
			}
			hit = after
		}
		if new(big.Int).Mul(new(big.Int).SetUint64(hit), big.NewInt(10_000)).Cmp(most) > 0 {
			t.Fatalf("%d of %d is more than %d bps", hit, total, bps)
		}
	})
}
