// SPDX-License-Identifier: Apache-2.0

package score_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/score"
)

func power(base *big.Int, exponent uint64) *big.Int {
	return new(big.Int).Exp(base, bigOf(exponent), nil)
}

func mustDecay(t interface{ Fatalf(string, ...any) }, value, elapsed, halfLife uint64) uint64 {
	got, err := score.Decay(value, elapsed, halfLife)
	if err != nil {
		t.Fatalf("decay: %v", err)
	}
	return got
}

// The tables hold the largest f with f^h · 2^k <= 10^(12·h). Decay of 10^12 by k < h epochs is the table itself.
func TestDecayTablesAreExact(t *testing.T) {
	for _, h := range []uint64{score.HalfLifeReputation, score.HalfLifePoints} {
		limit := power(big.NewInt(10), 12*h)
		for k := range h {
			f := bigOf(mustDecay(t, decayOne, k, h))
			shift := power(big.NewInt(2), k)
			if low := new(big.Int).Mul(power(f, h), shift); low.Cmp(limit) > 0 {
				t.Errorf("F_%d[%d] = %v is too large", h, k, f)
			}
			if next := new(big.Int).Add(f, big.NewInt(1)); new(big.Int).Mul(power(next, h), shift).Cmp(limit) <= 0 {
				t.Errorf("F_%d[%d] = %v is too small", h, k, f)
			}
		}
	}
}

func decayProps(t *rapid.T) {
	value := amounts().Draw(t, "value")
	elapsed := rapid.OneOf(rapid.Uint64Range(0, 300), rapid.Uint64Range(0, 70*score.HalfLifePoints)).Draw(t, "elapsed")
	h := rapid.SampledFrom([]uint64{score.HalfLifeReputation, score.HalfLifePoints}).Draw(t, "half-life")
	got := mustDecay(t, value, elapsed, h)
	// got <= value · 2^(-elapsed/h), which to the power of h is in integers: got^h · 2^elapsed <= value^h.
	limit, shift := power(bigOf(value), h), power(big.NewInt(2), elapsed)
	if new(big.Int).Mul(power(bigOf(got), h), shift).Cmp(limit) > 0 {
		t.Fatalf("%d after %d of %d is %d: too much", value, elapsed, h, got)
	}
	// Short of it by less than two units and 10^-12 of the value.
	next := new(big.Int).Add(bigOf(got), bigOf(2+value/decayOne+1))
	if new(big.Int).Mul(power(next, h), shift).Cmp(limit) <= 0 {
		t.Fatalf("%d after %d of %d is %d: too little", value, elapsed, h, got)
	}
	if later := mustDecay(t, value, elapsed+1, h); later > got {
		t.Fatalf("%d grows from %d to %d", value, got, later)
	}
}

func TestDecayProps(t *testing.T) { rapid.Check(t, decayProps) }

func FuzzDecay(f *testing.F) {
	f.Add(make([]byte, 1024))
	f.Fuzz(rapid.MakeFuzz(decayProps))
}

func TestDecayToNothing(t *testing.T) {
	for _, h := range []uint64{score.HalfLifeReputation, score.HalfLifePoints} {
		for _, elapsed := range []uint64{64 * h, 1 << 40, ^uint64(0)} {
			if got := mustDecay(t, ^uint64(0), elapsed, h); got != 0 {
				t.Errorf("half-life %d after %d epochs: got %d, want 0", h, elapsed, got)
			}
		}
		if got := mustDecay(t, ^uint64(0), 63*h, h); got != 1 {
			t.Errorf("after 63 half-lives of %d: got %d, want 1", h, got)
		}
	}
}

func mustReputation(t *rapid.T, r, elapsed, q uint64) uint64 {
	got, err := score.Reputation(r, elapsed, q)
	if err != nil {
		t.Fatalf("reputation: %v", err)
	}
	return got
}

func reputationProps(t *rapid.T) {
	r, q := ratiosPPM().Draw(t, "r"), ratiosPPM().Draw(t, "q")
	elapsed := rapid.OneOf(rapid.Uint64Range(1, 200), rapid.Uint64Min(1)).Draw(t, "elapsed")
	got := mustReputation(t, r, elapsed, q)
	if got > max(r, q) {
		t.Fatalf("%d with quality %d after %d becomes %d", r, q, elapsed, got)
	}
	decayed := mustDecay(t, r, elapsed-1, score.HalfLifeReputation)
	if got+1 < min(decayed, q) {
		t.Fatalf("%d, decayed to %d, with quality %d becomes %d", r, decayed, q, got)
	}
	if q < million {
		if better := mustReputation(t, r, elapsed, q+1); better < got {
			t.Fatalf("a better quality than %d lowers %d to %d", q, got, better)
		}
	}
	if r < million {
		if better := mustReputation(t, r+1, elapsed, q); better < got {
			t.Fatalf("a better record than %d lowers %d to %d", r, got, better)
		}
	}
}

func TestReputationProps(t *testing.T) { rapid.Check(t, reputationProps) }

func FuzzReputation(f *testing.F) {
	f.Add(make([]byte, 1024))
	f.Fuzz(rapid.MakeFuzz(reputationProps))
}

// After 45 epochs of full quality, half of what was missing is made up.
func TestReputationHalfLife(t *testing.T) {
	r := uint64(0)
	for range score.HalfLifeReputation {
		var err error
		if r, err = score.Reputation(r, 1, million); err != nil {
			t.Fatalf("reputation: %v", err)
		}
	}
	if r < 499_950 || r > 500_000 {
		t.Errorf("got %d, want 500000 less at most one unit a rounding", r)
	}
}

func faultProps(t *rapid.T) {
	r, severity := ratiosPPM().Draw(t, "r"), rapid.Uint64Range(0, 80).Draw(t, "severity")
	got, err := score.Fault(r, severity)
	if err != nil {
		t.Fatalf("fault: %v", err)
	}
	want := new(big.Int).Mul(bigOf(r), power(big.NewInt(2), severity))
	want.Div(want, power(big.NewInt(3), severity))
	if bigOf(got).Cmp(want) != 0 {
		t.Fatalf("%d after a fault of %d: got %d, want %v", r, severity, got, want)
	}
}

func TestFaultProps(t *testing.T) { rapid.Check(t, faultProps) }

func FuzzFault(f *testing.F) {
	f.Add(make([]byte, 1024))
	f.Fuzz(rapid.MakeFuzz(faultProps))
}
