// SPDX-License-Identifier: Apache-2.0

package epoch_test

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/epoch"
)

// schedules draws lengths from 1 up: mostly usable ones, sometimes so large that heights do not fit.
func schedules(t *rapid.T) epoch.Schedule {
	length := func(name string) uint64 {
		return rapid.OneOf(rapid.Uint64Range(1, 100_000), rapid.Uint64Range(1, math.MaxUint64)).Draw(t, name)
	}
	return epoch.Schedule{
		EpochBlocks: length("epoch"), SubmitBlocks: length("submit"), BeaconBlocks: length("beacon"),
		OpenBlocks: length("open"), ChallengeBlocks: length("challenge"), ResponseBlocks: length("response"),
		GenesisHeight: rapid.Uint64().Draw(t, "genesis"),
	}
}

func bigOf(v uint64) *big.Int { return new(big.Int).SetUint64(v) }

func sumOf(values ...uint64) *big.Int {
	sum := new(big.Int)
	for _, v := range values {
		sum.Add(sum, bigOf(v))
	}
	return sum
}

func boundsProps(t *rapid.T) {
	s := schedules(t)
	e := rapid.Uint64().Draw(t, "e")
	first, err := s.First(e)
	wantFirst := new(big.Int).Mul(bigOf(e), bigOf(s.EpochBlocks))
	wantFirst.Add(wantFirst, bigOf(s.GenesisHeight))
	wantLast := new(big.Int).Add(wantFirst, bigOf(s.EpochBlocks-1))
	if !wantLast.IsUint64() {
		if !errors.Is(err, epoch.ErrOverflow) {
			t.Fatalf("last block %v does not fit, yet error %v", wantLast, err)
		}
		return
	}
	if err != nil {
		t.Fatalf("first of epoch %d: %v", e, err)
	}
	last, err := s.Last(e)
	if err != nil {
		t.Fatalf("last of epoch %d: %v", e, err)
	}
	if first != wantFirst.Uint64() || last != wantLast.Uint64() {
		t.Fatalf("got %d..%d, want %v..%v", first, last, wantFirst, wantLast)
	}
	for _, height := range []uint64{first, last, first + rapid.Uint64Range(0, last-first).Draw(t, "offset")} {
		if got, err := s.Of(height); err != nil || got != e {
			t.Fatalf("height %d: got epoch %d (%v), want %d", height, got, err, e)
		}
	}
	if last < math.MaxUint64 {
		if got, err := s.Of(last + 1); err != nil || got != e+1 {
			t.Fatalf("block after the last: got epoch %d (%v), want %d", got, err, e+1)
		}
	}
}

func windowsProps(t *rapid.T) {
	s := schedules(t)
	e := rapid.OneOf(rapid.Uint64Range(0, 1000), rapid.Uint64()).Draw(t, "e")
	sum := sumOf(s.EpochBlocks, s.SubmitBlocks, s.BeaconBlocks, s.OpenBlocks, s.ChallengeBlocks, s.ResponseBlocks)
	unbonding := new(big.Int).Lsh(sum, 1)
	if got, want := s.Validate() == nil, unbonding.IsUint64(); got != want {
		t.Fatalf("valid %t, want %t", got, want)
	}
	latest := new(big.Int).Mul(bigOf(e), bigOf(s.EpochBlocks))
	latest.Add(latest, bigOf(s.GenesisHeight)).Add(latest, sum)
	w, err := s.Windows(e)
	if !latest.IsUint64() || !unbonding.IsUint64() {
		if !errors.Is(err, epoch.ErrOverflow) {
			t.Fatalf("latest %v, unbonding %v: got error %v", latest, unbonding, err)
		}
		return
	}
	if err != nil {
		t.Fatalf("windows of epoch %d: %v", e, err)
	}
	last, err := s.Last(e)
	if err != nil {
		t.Fatalf("last of epoch %d: %v", e, err)
	}
	lengths := []uint64{s.SubmitBlocks, s.BeaconBlocks, s.OpenBlocks, s.ChallengeBlocks, s.ResponseBlocks}
	for i, window := range []epoch.Window{w.Submit, w.Beacon, w.Open, w.Challenge, w.Response} {
		if window.First != last+1 || window.Last-window.First+1 != lengths[i] {
			t.Fatalf("window %d is %+v after block %d, want %d blocks", i, window, last, lengths[i])
		}
		last = window.Last
	}
	if w.FinaliseFrom != w.Response.First || w.FinaliseLatest != last+1 || w.FinaliseLatest != latest.Uint64() {
		t.Fatalf("finalise %d to %d, want %d to %v", w.FinaliseFrom, w.FinaliseLatest, w.Response.First, latest)
	}
	if w.MinUnbonding != unbonding.Uint64() {
		t.Fatalf("unbonding %d, want %v", w.MinUnbonding, unbonding)
	}
}

func TestBoundsProps(t *testing.T)  { rapid.Check(t, boundsProps) }
func TestWindowsProps(t *testing.T) { rapid.Check(t, windowsProps) }

func FuzzBounds(f *testing.F) {
	f.Add(make([]byte, 1024))
	f.Fuzz(rapid.MakeFuzz(boundsProps))
}

func FuzzWindows(f *testing.F) {
	f.Add(make([]byte, 1024))
	f.Fuzz(rapid.MakeFuzz(windowsProps))
}

func TestWindowContains(t *testing.T) {
	w := epoch.Window{First: 5, Last: 7}
	for height, want := range map[uint64]bool{0: false, 4: false, 5: true, 6: true, 7: true, 8: false, math.MaxUint64: false} {
		if got := w.Contains(height); got != want {
			t.Errorf("height %d: got %t, want %t", height, got, want)
		}
	}
}

func TestValidateRefusesAnyZeroLength(t *testing.T) {
	good := epoch.Schedule{EpochBlocks: 1, SubmitBlocks: 1, BeaconBlocks: 1, OpenBlocks: 1, ChallengeBlocks: 1, ResponseBlocks: 1}
	if err := good.Validate(); err != nil {
		t.Fatalf("lengths of 1: %v", err)
	}
	for name, spoil := range map[string]func(*epoch.Schedule){
		"epoch":     func(s *epoch.Schedule) { s.EpochBlocks = 0 },
		"submit":    func(s *epoch.Schedule) { s.SubmitBlocks = 0 },
		"beacon":    func(s *epoch.Schedule) { s.BeaconBlocks = 0 },
		"open":      func(s *epoch.Schedule) { s.OpenBlocks = 0 },
		"challenge": func(s *epoch.Schedule) { s.ChallengeBlocks = 0 },
		"response":  func(s *epoch.Schedule) { s.ResponseBlocks = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			s := good
			spoil(&s)
			if err := s.Validate(); !errors.Is(err, epoch.ErrBadWindow) {
				t.Errorf("Validate: got %v, want %v", err, epoch.ErrBadWindow)
			}
			if _, err := s.Windows(0); !errors.Is(err, epoch.ErrBadWindow) {
				t.Errorf("Windows: got %v, want %v", err, epoch.ErrBadWindow)
			}
		})
	}
}

func TestValidateOverflow(t *testing.T) {
	s := epoch.Schedule{EpochBlocks: 1, SubmitBlocks: 1, BeaconBlocks: 1, OpenBlocks: 1, ChallengeBlocks: 1, ResponseBlocks: 1}
	for name, length := range map[string]uint64{"the sum": math.MaxUint64, "twice the sum": 1 << 63} {
		s.OpenBlocks = length
		if err := s.Validate(); !errors.Is(err, epoch.ErrOverflow) {
			t.Errorf("%s does not fit: got %v, want %v", name, err, epoch.ErrOverflow)
		}
	}
}

func TestWindowsOverflow(t *testing.T) {
	s := epoch.Schedule{EpochBlocks: 1, SubmitBlocks: 1, BeaconBlocks: 1, OpenBlocks: 1, ChallengeBlocks: 1, ResponseBlocks: 1}
	// The response window of this epoch ends on the last height, so that no height is left to finalise at.
	if _, err := s.Windows(math.MaxUint64 - 5); !errors.Is(err, epoch.ErrOverflow) {
		t.Errorf("got %v, want %v", err, epoch.ErrOverflow)
	}
	if w, err := s.Windows(math.MaxUint64 - 6); err != nil || w.FinaliseLatest != math.MaxUint64 {
		t.Errorf("got %d (%v), want the last height", w.FinaliseLatest, err)
	}
}

func TestBoundsOverflow(t *testing.T) {
	for name, s := range map[string]epoch.Schedule{
		"the offset":      {EpochBlocks: 1 << 63},
		"the first block": {EpochBlocks: 1 << 62, GenesisHeight: 1 << 63},
		"the last block":  {EpochBlocks: 3, GenesisHeight: math.MaxUint64 - 7},
	} {
		if height, err := s.First(2); !errors.Is(err, epoch.ErrOverflow) {
			t.Errorf("%s does not fit: got %d (%v), want %v", name, height, err, epoch.ErrOverflow)
		}
	}
}
