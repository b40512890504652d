// SPDX-License-Identifier: Apache-2.0

package panel_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/panel"
)

// The hash of 4 bytes of tag, 32 of seed, 8 of epoch and 4 of seat, written out.
func TestSeatHash(t *testing.T) {
	preimage, err := hex.DecodeString("47435030" + // GCP0
		"0101010101010101010101010101010101010101010101010101010101010101" +
		"0000000000000203" + "00000004")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := panel.SeatHash([32]byte(slices.Repeat([]byte{1}, 32)), 0x203, 4), sha256.Sum256(preimage); got != want {
		t.Errorf("got %x, want %x", got, want)
	}
}

// Nobody is drawn twice, nobody without a bond, and everybody with one while there are seats.
func TestDrawIsWithoutReplacement(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bonds := rapid.SliceOfN(rapid.OneOf(rapid.Uint64Range(0, 3), rapid.Uint64Range(0, 1<<50)), 1, 64).Draw(t, "bonds")
		size := rapid.IntRange(1, 12).Draw(t, "size")
		seed := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "seed"))
		drawn, err := panel.Draw(seed, rapid.Uint64().Draw(t, "epoch"), bonds, size)
		bonded := 0
		for _, bond := range bonds {
			if bond > 0 {
				bonded++
			}
		}
		if bonded == 0 {
			if !errors.Is(err, panel.ErrNoProbers) {
				t.Fatalf("no bonds: got %v", err)
			}
			return
		}
		if err != nil || len(drawn) != min(size, bonded) {
			t.Fatalf("%d drawn (%v), want %d", len(drawn), err, min(size, bonded))
		}
		seen := map[int]bool{}
		for _, i := range drawn {
			if seen[i] || bonds[i] == 0 {
				t.Fatalf("prober %d with bond %d drawn again or for nothing: %v", i, bonds[i], drawn)
			}
			seen[i] = true
		}
	})
}

// Both seats are drawn by bond: with bonds 1, 2, 3 the exact chances of the second seat are 20, 16 and 24 of 60.
func TestDrawIsByBond(t *testing.T) {
	const draws = 60_000
	var first, second [3]int
	for epoch := range uint64(draws) {
		drawn, err := panel.Draw([32]byte{1}, epoch, []uint64{1, 2, 3}, 2)
		if err != nil {
			t.Fatal(err)
		}
		first[drawn[0]]++
		second[drawn[1]]++
	}
	// First: 1/6, 2/6, 3/6. Second of 1: 2/6·1/4 + 3/6·1/3 = 1/4; of 2: 1/6·2/5 + 3/6·2/3 = 2/5; of 3: 1/6·3/5 + 2/6·3/4 = 7/20.
	for i, want := range [3][2]int{{10_000, 15_000}, {20_000, 24_000}, {30_000, 21_000}} {
		if diff := first[i] - want[0]; diff < -500 || diff > 500 {
			t.Errorf("prober %d: %d first seats, want about %d", i, first[i], want[0])
		}
		if diff := second[i] - want[1]; diff < -500 || diff > 500 {
			t.Errorf("prober %d: %d second seats, want about %d", i, second[i], want[1])
		}
	}
}

func TestDrawErrors(t *testing.T) {
	for name, tc := range map[string]struct {
		bonds []uint64
		size  int
		want  error
	}{
		"no seats":       {[]uint64{1}, 0, panel.ErrBadSize},
		"too many seats": {[]uint64{1}, 1_025, panel.ErrBadSize},
		"no probers":     {nil, 7, panel.ErrNoProbers},
		"no bonds":       {[]uint64{0, 0}, 7, panel.ErrNoProbers},
		"too much bond":  {[]uint64{math.MaxUint64, 1}, 7, panel.ErrSumOverflow},
	} {
		if _, err := panel.Draw([32]byte{}, 1, tc.bonds, tc.size); !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
	}
	if drawn, err := panel.Draw([32]byte{}, 1, []uint64{math.MaxUint64 - 1, 1}, 7); err != nil || len(drawn) != 2 {
		t.Errorf("bonds that just fit: got %v (%v)", drawn, err)
	}
}

// An index with wrong sums is found out, not believed.
func TestDrawRefusesABrokenIndex(t *testing.T) {
	lost := errors.New("lost")
	for name, tc := range map[string]struct {
		find panel.Find
		want error
	}{
		"fails":           {func(uint64) (panel.Seat, error) { return panel.Seat{}, lost }, lost},
		"empty":           {func(at uint64) (panel.Seat, error) { return panel.Seat{First: at}, nil }, panel.ErrBadIndex},
		"elsewhere":       {func(at uint64) (panel.Seat, error) { return panel.Seat{First: at + 1, Bond: 5}, nil }, panel.ErrBadIndex},
		"behind total":    {func(at uint64) (panel.Seat, error) { return panel.Seat{First: at, Bond: 1_000}, nil }, panel.ErrBadIndex},
		"all over":        {func(at uint64) (panel.Seat, error) { return panel.Seat{First: at &^ 1, Bond: 90}, nil }, panel.ErrBadIndex},
		"same once again": {func(uint64) (panel.Seat, error) { return panel.Seat{First: 0, Bond: 99}, nil }, panel.ErrBadIndex},
	} {
		if _, err := panel.DrawFrom([32]byte{7}, 1, 100, 7, tc.find); !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
	}
}

func TestMedians(t *testing.T) {
	up := func(values ...uint64) []panel.Observation {
		observations := make([]panel.Observation, len(values))
		for i, v := range values {
			observations[i] = panel.Observation{UpPPM: v, Models: v, TTFTMs: v, TokensPerSecond: v}
		}
		return observations
	}
	for name, tc := range map[string]struct {
		in         []panel.Observation
		want       panel.Observation
		conclusive bool
	}{
		"odd":             {up(5, 1, 9, 7, 3), panel.Observation{UpPPM: 5, Models: 5, TTFTMs: 5, TokensPerSecond: 5}, true},
		"even: the worse": {up(9, 1, 3, 7), panel.Observation{UpPPM: 3, Models: 3, TTFTMs: 7, TokensPerSecond: 3}, true},
		"not measured":    {up(0, 9, 0, 8), panel.Observation{}, true},
		"measured by 3":   {up(0, 9, 7, 8, 0), panel.Observation{UpPPM: 7, Models: 7, TTFTMs: 9, TokensPerSecond: 7}, true},
		"no quorum":       {up(9, 9, 9), panel.Observation{}, false},
		"nothing":         {nil, panel.Observation{}, false},
	} {
		got, conclusive, err := panel.Medians(tc.in, panel.Quorum)
		if err != nil || got != tc.want || conclusive != tc.conclusive {
			t.Errorf("%s: got %+v, %t (%v), want %+v, %t", name, got, conclusive, err, tc.want, tc.conclusive)
		}
	}
	if _, _, err := panel.Medians(up(1), 0); !errors.Is(err, panel.ErrBadQuorum) {
		t.Errorf("no quorum: got %v", err)
	}
	if _, _, err := panel.Medians(up(1_000_001), 4); !errors.Is(err, panel.ErrBadPPM) {
		t.Errorf("uptime above the whole: got %v", err)
	}
}
