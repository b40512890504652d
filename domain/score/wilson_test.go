// SPDX-License-Identifier: Apache-2.0

package score_test

import (
	"errors"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/score"
)

// wilsonReal returns the lower end of the Wilson interval in ppm from its definition, with 300 bits:
// (p + z²/2n - z·sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n) with p = k/n.
func wilsonReal(k, n uint64) *big.Float {
	exact := func(r *big.Rat) *big.Float { return new(big.Float).SetPrec(300).SetRat(r) }
	z2 := big.NewRat(3_841_459, million)
	nr := ratio([]uint64{n})
	p := ratio([]uint64{k}, n)
	q := new(big.Rat).Sub(big.NewRat(1, 1), p)
	share := new(big.Rat).Quo(z2, nr)
	centre := new(big.Rat).Add(p, new(big.Rat).Mul(share, big.NewRat(1, 2)))
	spread := new(big.Rat).Quo(new(big.Rat).Mul(p, q), nr)
	spread.Add(spread, new(big.Rat).Mul(new(big.Rat).Quo(share, nr), big.NewRat(1, 4)))
	root := new(big.Float).SetPrec(300).Sqrt(exact(new(big.Rat).Mul(spread, z2)))
	low := new(big.Float).SetPrec(300).Sub(exact(centre), root)
	low.Quo(low, exact(new(big.Rat).Add(big.NewRat(1, 1), share)))
	return low.Mul(low, big.NewFloat(million))
}

const maxOutcomes = 1 << 40

func outcomes(t *rapid.T) (ok, fail uint64) {
	count := rapid.OneOf(rapid.Uint64Range(0, 1000), rapid.Uint64Range(0, maxOutcomes-1))
	ok = count.Draw(t, "ok")
	fail = rapid.OneOf(rapid.Uint64Range(0, min(1000, maxOutcomes-1-ok)), rapid.Uint64Range(0, maxOutcomes-1-ok)).Draw(t, "fail")
	return ok, fail
}

func mustWilson(t *rapid.T, ok, fail uint64) uint64 {
	s, err := score.Wilson(ok, fail)
	if err != nil {
		t.Fatalf("%d ok, %d fail: %v", ok, fail, err)
	}
	return s
}

func wilsonProps(t *rapid.T) {
	ok, fail := outcomes(t)
	s := mustWilson(t, ok, fail)
	if s > million {
		t.Fatalf("%d ok, %d fail: %d is above 1000000 ppm", ok, fail, s)
	}
	// Within 1 ppm of the real value.
	gap := new(big.Float).Sub(wilsonReal(ok+20, ok+fail+20), new(big.Float).SetUint64(s))
	if gap.Abs(gap).Cmp(big.NewFloat(1)) > 0 {
		t.Fatalf("%d ok, %d fail: %d is off by %v", ok, fail, s, gap)
	}
	// Both are rounded, so where the real value hardly moves the result may step by the last digit.
	if better := mustWilson(t, ok+1, fail); better+1 < s {
		t.Fatalf("%d ok, %d fail: a success lowers %d to %d", ok, fail, s, better)
	}
	if worse := mustWilson(t, ok, fail+1); worse > s+1 {
		t.Fatalf("%d ok, %d fail: a failure raises %d to %d", ok, fail, s, worse)
	}
}

func TestWilsonProps(t *testing.T) { rapid.Check(t, wilsonProps) }

func FuzzWilson(f *testing.F) {
	f.Add(make([]byte, 1024))
	f.Fuzz(rapid.MakeFuzz(wilsonProps))
}

// Where a count is realistic the bound never steps the wrong way at all.
func TestWilsonMonotonicSmall(t *testing.T) {
	at := func(ok, fail uint64) uint64 {
		s, err := score.Wilson(ok, fail)
		if err != nil {
			t.Fatalf("%d ok, %d fail: %v", ok, fail, err)
		}
		return s
	}
	for ok := range uint64(150) {
		for fail := range uint64(150) {
			s := at(ok, fail)
			if at(ok+1, fail) < s || at(ok, fail+1) >= s {
				t.Fatalf("%d ok, %d fail: %d, after a success %d, after a failure %d", ok, fail, s, at(ok+1, fail), at(ok, fail+1))
			}
		}
	}
}

// The value under the root passes 64 bits here: before the addition of Z² in the last two, only by it in the others.
func TestWilsonAroundTheWordBoundary(t *testing.T) {
	const fail = 1_300_000
	for ok := uint64(15_685_543); ok <= 15_685_550; ok++ {
		s, err := score.Wilson(ok, fail)
		if err != nil {
			t.Fatalf("%d ok: %v", ok, err)
		}
		gap := new(big.Float).Sub(wilsonReal(ok+20, ok+fail+20), new(big.Float).SetUint64(s))
		if gap.Abs(gap).Cmp(big.NewFloat(1)) > 0 {
			t.Errorf("%d ok: %d is off by %v", ok, s, gap)
		}
	}
}

func TestWilsonCountLimit(t *testing.T) {
	for _, c := range []struct {
		ok, fail uint64
		want     error
	}{
		{maxOutcomes, 0, nil},
		{0, maxOutcomes, nil},
		{maxOutcomes + 1, 0, score.ErrBadCount},
		{maxOutcomes, 1, score.ErrBadCount},
		{1, ^uint64(0), score.ErrBadCount},
	} {
		if _, err := score.Wilson(c.ok, c.fail); !errors.Is(err, c.want) {
			t.Errorf("%d ok, %d fail: got %v, want %v", c.ok, c.fail, err, c.want)
		}
	}
}

func qualityProps(t *rapid.T) {
	s, up, av := ratiosPPM().Draw(t, "s"), ratiosPPM().Draw(t, "up"), ratiosPPM().Draw(t, "av")
	m, err := score.Quality(s, up, av)
	if err != nil {
		t.Fatalf("quality: %v", err)
	}
	// M = S² · (0.6 + 0.2·up + 0.2·av), in ppm.
	weight := big.NewRat(3, 5)
	weight.Add(weight, new(big.Rat).Mul(big.NewRat(1, 5), ratio([]uint64{up}, million)))
	weight.Add(weight, new(big.Rat).Mul(big.NewRat(1, 5), ratio([]uint64{av}, million)))
	if want := weight.Mul(weight, ratio([]uint64{s, s}, million)); !below(m, want, 1) {
		t.Fatalf("quality of %d, %d, %d: got %d, want %v", s, up, av, m, want)
	}
	if m > s {
		t.Fatalf("quality %d is above the success bound %d", m, s)
	}
}

func TestQualityProps(t *testing.T) { rapid.Check(t, qualityProps) }

func FuzzQuality(f *testing.F) {
	f.Add(make([]byte, 1024))
	f.Fuzz(rapid.MakeFuzz(qualityProps))
}
