// SPDX-License-Identifier: Apache-2.0

package score_test

import (
	"errors"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/score"
)

func floorProps(t *rapid.T) {
	in := score.FloorIn{
		Day: rapid.Uint64Range(1, 100).Draw(t, "day"), EndDay: rapid.Uint64Range(30, 90).Draw(t, "end"), Q: ratiosPPM().Draw(t, "q"),
		Guarantee:  rapid.Uint64Range(0, 1<<33).Draw(t, "guarantee"),
		MilliHours: rapid.Uint64Range(0, 1<<33).Draw(t, "hours"),
		Paid:       amounts().Draw(t, "paid"), Reserved: amounts().Draw(t, "reserved"),
	}
	phi, floor, err := score.Floor(in)
	if err != nil {
		t.Fatalf("floor: %v", err)
	}
	share := new(big.Rat)
	switch {
	case in.Day > in.EndDay:
	case in.Day <= 30:
		share.SetInt64(1)
	default:
		share = ratio([]uint64{in.EndDay - in.Day}, in.EndDay-30)
	}
	if gap := new(big.Rat).Sub(new(big.Rat).Mul(share, big.NewRat(million, 1)), ratio([]uint64{phi})); gap.Sign() < 0 || gap.Cmp(big.NewRat(1, 1)) >= 0 {
		t.Fatalf("day %d of %d: phi %d, want %v", in.Day, in.EndDay, phi, share)
	}
	// The floor fills up to the guarantee, scaled by phi and quality: exactly, but for the roundings down.
	due := ratio([]uint64{in.Guarantee, in.MilliHours, phi, in.Q}, 1000, million, million)
	due.Sub(due, ratio([]uint64{in.Paid})).Sub(due, ratio([]uint64{in.Reserved}))
	if due.Sign() <= 0 {
		if floor != 0 {
			t.Fatalf("%+v: nothing is missing, yet the floor is %d", in, floor)
		}
		return
	}
	if due.Cmp(big.NewRat(3, 1)) < 0 && floor == 0 {
		return // less than the roundings
	}
	if !below(floor, due, 3) {
		t.Fatalf("%+v: got %d, want %v", in, floor, due.FloatString(3))
	}
}

func TestFloorProps(t *testing.T) { rapid.Check(t, floorProps) }

func FuzzFloor(f *testing.F) {
	f.Add(make([]byte, 1024))
	f.Fuzz(rapid.MakeFuzz(floorProps))
}

func floorBudgetProps(t *rapid.T) {
	budget := amounts().Draw(t, "budget")
	wanted := rapid.SliceOfN(amounts(), 0, 8).Draw(t, "wanted")
	sum := sumOf(wanted)
	paid, left, err := score.FloorBudget(budget, wanted)
	if !sum.IsUint64() {
		if !errors.Is(err, score.ErrSumOverflow) {
			t.Fatalf("%v is wanted: got error %v", sum, err)
		}
		return
	}
	if err != nil {
		t.Fatalf("budget: %v", err)
	}
	if len(paid) != len(wanted) || sumOf(append(slices.Clone(paid), left)).Cmp(bigOf(budget)) != 0 {
		t.Fatalf("%v and %d left do not add up to %d", paid, left, budget)
	}
	for i := range paid {
		if paid[i] > wanted[i] {
			t.Fatalf("%d was wanted, %d is paid", wanted[i], paid[i])
		}
	}
	if suffices := sum.Cmp(bigOf(budget)) <= 0; suffices != slices.Equal(paid, wanted) || (left > 0 && !suffices) {
		t.Fatalf("%d is paid as %v of %v with %d left", budget, paid, wanted, left)
	}
	if len(paid) > 0 {
		paid[0]++ // the result is the caller's own
		if sumOf(wanted).Cmp(sum) != 0 {
			t.Fatalf("the result shares memory with %v", wanted)
		}
	}
}

func TestFloorBudgetProps(t *testing.T) { rapid.Check(t, floorBudgetProps) }

func FuzzFloorBudget(f *testing.F) {
	f.Add(make([]byte, 2048))
	f.Fuzz(rapid.MakeFuzz(floorBudgetProps))
}
