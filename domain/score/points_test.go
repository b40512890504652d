// SPDX-License-Identifier: Apache-2.0

package score_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/score"
)

func mustPoints(t *rapid.T, usage, m, trusted, needed uint64) uint64 {
	points, err := score.Points(usage, m, trusted, needed)
	if err != nil {
		t.Fatalf("points: %v", err)
	}
	return points
}

func pointsProps(t *rapid.T) {
	usage, m := amounts().Draw(t, "usage"), ratiosPPM().Draw(t, "m")
	trusted, needed := amounts().Draw(t, "trusted"), amounts().Draw(t, "needed")
	points := mustPoints(t, usage, m, trusted, needed)
	cover := big.NewRat(1, 1)
	if trusted < needed {
		cover = ratio([]uint64{trusted}, needed)
	}
	exact := new(big.Rat).Add(big.NewRat(1, 2), new(big.Rat).Mul(cover, big.NewRat(1, 2)))
	exact.Mul(exact, ratio([]uint64{usage, m}, million))
	// The cover is rounded to a ppm, of which the half counts: usage / 2,000,000, and two roundings of the points.
	if slack := int64(usage/(2*million)) + 3; !below(points, exact, slack) {
		t.Fatalf("points of %d at %d, %d of %d: got %d, want %v", usage, m, trusted, needed, points, exact.FloatString(3))
	}

	// Two operators that share usage and capacity get no more than one.
	part := rapid.Uint64Range(0, usage).Draw(t, "part")
	if both := mustPoints(t, part, m, trusted, needed) + mustPoints(t, usage-part, m, trusted, needed); both > points {
		t.Fatalf("%d split at %d gets %d points, whole %d", usage, part, both, points)
	}
	if more := mustPoints(t, usage, m, trusted-min(trusted, 1), needed); more > points {
		t.Fatalf("less trusted capacity gets %d points, more gets %d", more, points)
	}
}

// splitProps: an operator whose need follows its usage gains nothing by splitting both usage and capacity in any way.
func splitProps(t *rapid.T) {
	rate := rapid.Uint64Range(1, 1000).Draw(t, "usage per milli-VCU")
	need := [2]uint64{rapid.Uint64Range(0, 1<<50).Draw(t, "need 1"), rapid.Uint64Range(0, 1<<50).Draw(t, "need 2")}
	trusted := [2]uint64{rapid.Uint64Range(0, 1<<50).Draw(t, "trusted 1"), rapid.Uint64Range(0, 1<<50).Draw(t, "trusted 2")}
	m := ratiosPPM().Draw(t, "m")
	parts := mustPoints(t, rate*need[0], m, trusted[0], need[0]) + mustPoints(t, rate*need[1], m, trusted[1], need[1])
	usage := rate * (need[0] + need[1])
	one := mustPoints(t, usage, m, trusted[0]+trusted[1], need[0]+need[1])
	if slack := usage/(2*million) + 3; parts > one+slack { // the cover of the whole is rounded to a ppm
		t.Fatalf("split gets %d points, whole %d", parts, one)
	}
}

func TestPointsProps(t *testing.T) { rapid.Check(t, pointsProps) }
func TestSplitProps(t *testing.T)  { rapid.Check(t, splitProps) }

func FuzzPoints(f *testing.F) {
	f.Add(make([]byte, 1024))
	f.Fuzz(rapid.MakeFuzz(pointsProps))
}
