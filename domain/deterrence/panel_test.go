// SPDX-License-Identifier: Apache-2.0

package deterrence_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/deterrence"
	"github.com/gpucoord/gpucoord/domain/panel"
)

// anything is what a colluder may reveal.
func anything(t *rapid.T) panel.Observation {
	return panel.Observation{
		UpPPM:           rapid.OneOf(rapid.SampledFrom([]uint64{0, 1_000_000}), rapid.Uint64Range(0, 1_000_000)).Draw(t, "up"),
		Models:          rapid.OneOf(rapid.SampledFrom([]uint64{0, math.MaxUint64}), rapid.Uint64Range(0, 100)).Draw(t, "models"),
		TTFTMs:          rapid.OneOf(rapid.SampledFrom([]uint64{0, 1, math.MaxUint64}), rapid.Uint64Range(1, 5_000)).Draw(t, "ttft"),
		TokensPerSecond: rapid.OneOf(rapid.SampledFrom([]uint64{0, math.MaxUint64}), rapid.Uint64Range(0, 10_000)).Draw(t, "tokens"),
	}
}

// span is the range of what the honest saw, member by member.
type span struct{ low, high panel.Observation }

func spanOf(honest []panel.Observation) span {
	s := span{low: honest[0], high: honest[0]}
	for _, o := range honest[1:] {
		s.low = panel.Observation{
			UpPPM: min(s.low.UpPPM, o.UpPPM), Models: min(s.low.Models, o.Models),
			TTFTMs: min(s.low.TTFTMs, o.TTFTMs), TokensPerSecond: min(s.low.TokensPerSecond, o.TokensPerSecond),
		}
		s.high = panel.Observation{
			UpPPM: max(s.high.UpPPM, o.UpPPM), Models: max(s.high.Models, o.Models),
			TTFTMs: max(s.high.TTFTMs, o.TTFTMs), TokensPerSecond: max(s.high.TokensPerSecond, o.TokensPerSecond),
		}
	}
	return s
}

func (s span) holds(o panel.Observation) bool {
	in := func(low, v, high uint64) bool { return low <= v && v <= high }
	return in(s.low.UpPPM, o.UpPPM, s.high.UpPPM) && in(s.low.Models, o.Models, s.high.Models) &&
		in(s.low.TTFTMs, o.TTFTMs, s.high.TTFTMs) && in(s.low.TokensPerSecond, o.TokensPerSecond, s.high.TokensPerSecond)
}

// With up to 3 of 7 colluding, who see all and reveal or hide as they like, and the 4 others revealing, every median lies
// within what the honest saw. With fewer colluders as many of the others may be missing as 2·c + 1 allows.
func TestColludingMinorityMovesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		colluders := rapid.IntRange(0, 3).Draw(t, "colluders")
		honest := make([]panel.Observation, rapid.IntRange(colluders+1, panel.Size-colluders).Draw(t, "honest who reveal"))
		for i := range honest {
			honest[i] = panel.Observation{
				UpPPM:           rapid.Uint64Range(0, 1_000_000).Draw(t, "honest up"),
				Models:          rapid.Uint64Range(0, 16).Draw(t, "honest models"),
				TTFTMs:          rapid.Uint64Range(1, 5_000).Draw(t, "honest ttft"),
				TokensPerSecond: rapid.Uint64Range(0, 10_000).Draw(t, "honest tokens"),
			}
		}
		revealed := append([]panel.Observation{}, honest...)
		for range rapid.IntRange(0, colluders).Draw(t, "colluders who reveal") {
			revealed = append(revealed, anything(t))
		}
		revealed = rapid.Permutation(revealed).Draw(t, "order")
		medians, conclusive, err := panel.Medians(revealed, panel.Quorum)
		if err != nil || conclusive != (len(revealed) >= panel.Quorum) {
			t.Fatalf("%d revealed: conclusive %t (%v)", len(revealed), conclusive, err)
		}
		if s := spanOf(honest); conclusive && !s.holds(medians) {
			t.Fatalf("medians %+v of %d colluders lie outside %+v", medians, colluders, s)
		}
	})
}

// Colluders of an accepted quorum cannot conclude anything by themselves.
func TestMinorityConcludesNothing(t *testing.T) {
	if err := deterrence.CheckQuorum(panel.Size, panel.Quorum); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		seats := rapid.Uint64Range(1, 99).Draw(t, "seats")
		quorum := rapid.Uint64Range(1, seats).Draw(t, "quorum")
		if deterrence.CheckQuorum(seats, quorum) != nil {
			t.Skip("refused")
		}
		made := make([]panel.Observation, (seats-1)/2)
		if _, conclusive, err := panel.Medians(made, int(quorum)); err != nil || conclusive {
			t.Fatalf("%d of %d seats conclude with a quorum of %d (%v)", len(made), seats, quorum, err)
		}
	})
}

func TestMinorityQuorumWouldPay(t *testing.T) {
	refused(t, deterrence.CheckQuorum(7, 3), "a minority of the panel is a quorum", "7 / 2 < quorum <= 7, have quorum 3")
	refused(t, deterrence.CheckQuorum(7, 8), "have quorum 8")
	lies := []panel.Observation{{UpPPM: 1_000_000}, {UpPPM: 1_000_000}, {UpPPM: 1_000_000}}
	if medians, conclusive, err := panel.Medians(lies, 3); err != nil || !conclusive || medians.UpPPM != 1_000_000 {
		t.Errorf("three colluders: %+v, %t (%v), want that they decide a host that is down", medians, conclusive, err)
	}
}

// The condition of bound 8 is needed: three colluders and one honest prober are a quorum that says what the three like.
func TestMissingHonestProbersAreTheLimit(t *testing.T) {
	revealed := []panel.Observation{{UpPPM: 0}, {UpPPM: 1_000_000}, {UpPPM: 1_000_000}, {UpPPM: 1_000_000}}
	if medians, conclusive, err := panel.Medians(revealed, panel.Quorum); err != nil || !conclusive || medians.UpPPM != 1_000_000 {
		t.Errorf("got %+v, %t (%v): the package comment must then say less", medians, conclusive, err)
	}
}

// A cartel with a fifth of the bonds, in as many names as it likes, has four seats of seven in about one epoch of thirty.
func TestSeatsFollowTheBond(t *testing.T) {
	bonds := make([]uint64, 500)
	for i := range bonds {
		bonds[i] = 1_000
	}
	captured, n := 0, 10*rounds(t)
	for e := range uint64(n) {
		drawn, err := panel.Draw(seed(9), e, bonds, panel.Size)
		if err != nil {
			t.Fatal(err)
		}
		seats := 0
		for _, i := range drawn {
			if i < len(bonds)/5 {
				seats++
			}
		}
		if seats >= panel.Quorum {
			captured++
		}
	}
	// Σ over 4..7 seats of the binomial with a fifth: 33 of 1000.
	if permille := captured * 1_000 / n; permille < 22 || permille > 44 {
		t.Errorf("captured %d of 1000 panels, want about 33", permille)
	}
}
