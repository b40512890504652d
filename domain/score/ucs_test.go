// SPDX-License-Identifier: Apache-2.0

package score_test

import (
	"errors"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/score"
)

// capped returns a / b, at most 1.
func capped(a, b uint64) *big.Rat {
	if a >= b {
		return big.NewRat(1, 1)
	}
	return ratio([]uint64{a}, b)
}

// near reports whether got (ppm) is at most slack ppm away from want (a ratio).
func near(got uint64, want *big.Rat, slack int64) bool {
	gap := new(big.Rat).Sub(ratio([]uint64{got}), new(big.Rat).Mul(want, big.NewRat(million, 1)))
	return gap.Abs(gap).Cmp(new(big.Rat).SetInt64(slack)) <= 0
}

func ucsProps(t *rapid.T) {
	in := score.UCSIn{
		Trusted: amounts().Draw(t, "trusted"), S: ratiosPPM().Draw(t, "s"),
		Tokens: amounts().Draw(t, "tokens"), Capacity: amounts().Draw(t, "capacity"),
		SLAMs: amounts().Draw(t, "sla"), P95Ms: amounts().Draw(t, "p95"),
	}
	out, err := score.UCS(in)
	if errors.Is(err, score.ErrOverflow) {
		if in.Trusted <= ^uint64(0)/million {
			t.Fatalf("%+v fits: at most %d times 1000000", in, in.Trusted)
		}
		return
	}
	if err != nil {
		t.Fatalf("score of %+v: %v", in, err)
	}
	utilisation, latency := new(big.Rat), big.NewRat(1, 2)
	if in.Capacity > 0 {
		utilisation = capped(in.Tokens, in.Capacity)
	}
	if in.P95Ms > 0 {
		latency = capped(in.SLAMs, in.P95Ms)
	}
	// term = 0.1 + 1.17·u / (u + 0.3), which is as steep as 3.9 ppm a ppm; quality = S²·(1 + l) / 2.
	term := new(big.Rat).Quo(utilisation, new(big.Rat).Add(utilisation, big.NewRat(3, 10)))
	term.Add(term.Mul(term, big.NewRat(117, 100)), big.NewRat(1, 10))
	quality := new(big.Rat).Add(latency, big.NewRat(1, 1))
	quality.Mul(quality, ratio([]uint64{in.S, in.S}, million, million, 2))
	if !near(out.Utilisation, utilisation, 1) || !near(out.Latency, latency, 1) || !near(out.Term, term, 5) || !near(out.Quality, quality, 2) {
		t.Fatalf("score of %+v: got %+v", in, out)
	}
	factor := new(big.Int).Mul(bigOf(out.Quality), bigOf(out.Term))
	factor.Div(factor, big.NewInt(million))
	if want := factor.Mul(factor, bigOf(in.Trusted)); bigOf(out.UCS).Cmp(want) != 0 {
		t.Fatalf("score of %+v: got %d, want %v", in, out.UCS, want)
	}
	if out.Term < 100_000 || out.Term > million || out.Quality > million {
		t.Fatalf("score of %+v: %+v is out of range", in, out)
	}
}

func TestUCSProps(t *testing.T) { rapid.Check(t, ucsProps) }

func FuzzUCS(f *testing.F) {
	f.Add(make([]byte, 1024))
	f.Fuzz(rapid.MakeFuzz(ucsProps))
}

func routingProps(t *rapid.T) {
	hosts := make([]score.RoutingIn, rapid.IntRange(0, 8).Draw(t, "hosts"))
	positive := 0
	for i := range hosts {
		hosts[i] = score.RoutingIn{
			Reputation: ratiosPPM().Draw(t, "reputation"),
			UCS:        rapid.OneOf(rapid.Just(uint64(0)), rapid.Uint64Range(0, 500), rapid.Uint64()).Draw(t, "ucs"),
		}
		if hosts[i].UCS > 0 {
			positive++
		}
	}
	floor, weights, err := score.Routing(hosts)
	if err != nil {
		t.Fatalf("routing: %v", err)
	}
	// The median is a positive score with at most half of the others below it, and at most half above it; of two, the lower.
	matches := positive == 0 && floor == 0
	for _, h := range hosts {
		below, above := 0, 0
		for _, other := range hosts {
			if other.UCS > 0 && other.UCS < h.UCS {
				below++
			}
			if other.UCS > h.UCS {
				above++
			}
		}
		if h.UCS > 0 && 2*below < positive && 2*above <= positive && h.UCS/20 == floor {
			matches = true
		}
	}
	if !matches {
		t.Fatalf("the floor of %+v is %d, no twentieth of the median", hosts, floor)
	}
	checkWeights(t, hosts, floor, weights)
}

func checkWeights(t *rapid.T, hosts []score.RoutingIn, floor uint64, weights []uint64) {
	if len(weights) != len(hosts) {
		t.Fatalf("%d weights for %d hosts", len(weights), len(hosts))
	}
	exact := make([]*big.Int, len(hosts))
	positive := false
	for i, h := range hosts {
		exact[i] = new(big.Int).Mul(bigOf(h.Reputation), bigOf(max(h.UCS, floor)))
		exact[i].Div(exact[i], big.NewInt(million))
		positive = positive || exact[i].Sign() > 0
	}
	for i, want := range exact {
		if !positive {
			want = big.NewInt(1)
		}
		if bigOf(weights[i]).Cmp(want) != 0 {
			t.Fatalf("weight of %+v with floor %d: got %d, want %v", hosts[i], floor, weights[i], want)
		}
	}
}

func TestRoutingProps(t *testing.T) { rapid.Check(t, routingProps) }

func FuzzRouting(f *testing.F) {
	f.Add(make([]byte, 2048))
	f.Fuzz(rapid.MakeFuzz(routingProps))
}
