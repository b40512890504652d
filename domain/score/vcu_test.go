// SPDX-License-Identifier: Apache-2.0

package score_test

import (
	"errors"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/score"
)

func vcuInput(t *rapid.T) score.VCUIn {
	in := score.VCUIn{ConfirmedBefore: amounts().Draw(t, "confirmed")}
	in.FullBlocks = rapid.OneOf(rapid.Just(uint64(3600)), rapid.Uint64Range(0, 1<<62)).Draw(t, "full")
	in.ZeroBlocks = in.FullBlocks + rapid.OneOf(rapid.Uint64Range(1, 20_000), rapid.Uint64Range(1, 1<<62)).Draw(t, "longer")
	for range rapid.IntRange(1, 5).Draw(t, "gpus") {
		in.GPUs = append(in.GPUs, score.VCUGPU{
			Class: rapid.OneOf(rapid.Uint64Range(0, 4*million), rapid.Uint64Range(0, 1<<60)).Draw(t, "class"),
			Level: rapid.Uint64Range(0, 4).Draw(t, "level"),
			Age: rapid.OneOf(rapid.Just(in.FullBlocks), rapid.Just(in.ZeroBlocks), rapid.Uint64Range(in.FullBlocks, in.ZeroBlocks),
				rapid.Uint64()).Draw(t, "age"),
		})
	}
	return in
}

func mustVCU(t *rapid.T, in score.VCUIn) uint64 {
	vcu, trusted, err := score.VCU(in)
	if err != nil {
		t.Fatalf("capacity of %+v: %v", in, err)
	}
	if trusted != min(vcu, in.ConfirmedBefore) {
		t.Fatalf("of %d confirmed and %d seen, %d is trusted", in.ConfirmedBefore, vcu, trusted)
	}
	return vcu
}

func vcuProps(t *rapid.T) {
	in := vcuInput(t)
	got := mustVCU(t, in)
	exact, slack := new(big.Rat), int64(2) // each GPU is rounded down three times, in ppm
	for _, gpu := range in.GPUs {
		part := ratio([]uint64{gpu.Class, []uint64{0, 0, 80, 90, 100}[gpu.Level]}, 100, 1000)
		switch {
		case gpu.Age >= in.ZeroBlocks:
			part.SetInt64(0)
		case gpu.Age > in.FullBlocks:
			part.Mul(part, ratio([]uint64{in.ZeroBlocks - gpu.Age}, in.ZeroBlocks-in.FullBlocks))
		}
		exact.Add(exact, part)
		slack += int64(gpu.Class/(1000*million)) + 1
	}
	if !below(got, exact, slack) {
		t.Fatalf("capacity of %+v: got %d, want %v", in, got, exact.FloatString(3))
	}
	gpu := &in.GPUs[rapid.IntRange(0, len(in.GPUs)-1).Draw(t, "which")]
	if gpu.Age < ^uint64(0) {
		gpu.Age++
		if older := mustVCU(t, in); older > got {
			t.Fatalf("older evidence raises %d to %d", got, older)
		}
		gpu.Age--
	}
	if gpu.Level < 4 {
		gpu.Level++
		if better := mustVCU(t, in); better < got {
			t.Fatalf("better evidence lowers %d to %d", got, better)
		}
	}
}

func TestVCUProps(t *testing.T) { rapid.Check(t, vcuProps) }

func FuzzVCU(f *testing.F) {
	f.Add(make([]byte, 2048))
	f.Fuzz(rapid.MakeFuzz(vcuProps))
}

func TestVCULevelBeforeOverflow(t *testing.T) {
	full := score.VCUGPU{Class: ^uint64(0), Level: 4}
	in := score.VCUIn{ZeroBlocks: 1, GPUs: []score.VCUGPU{full, full, {Level: 5}}}
	if _, _, err := score.VCU(in); !errors.Is(err, score.ErrBadLevel) {
		t.Errorf("got %v, want %v", err, score.ErrBadLevel)
	}
}
