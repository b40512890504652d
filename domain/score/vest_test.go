// SPDX-License-Identifier: Apache-2.0

package score_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/score"
)

func vestProps(t *rapid.T) {
	in := score.VestIn{
		Reward: amounts().Draw(t, "reward"), VestBps: ratiosBps().Draw(t, "bps"),
		Start: rapid.Uint64Range(0, 1<<62).Draw(t, "start"), Blocks: rapid.OneOf(rapid.Uint64Range(0, 100), rapid.Uint64Range(0, 1<<62)).Draw(t, "blocks"),
	}
	in.Height = rapid.OneOf(rapid.Uint64Range(in.Start, in.Start+in.Blocks), rapid.Uint64()).Draw(t, "height")
	out, err := score.Vest(in)
	if err != nil {
		t.Fatalf("vest: %v", err)
	}
	if out.Locked > in.Reward || out.Liquid != in.Reward-out.Locked || !below(out.Locked, ratio([]uint64{in.Reward, in.VestBps}, whole), 1) {
		t.Fatalf("%d bps of %d: got %+v", in.VestBps, in.Reward, out)
	}
	switch {
	case in.Height < in.Start:
		if out.Vested != 0 {
			t.Fatalf("%d vested before the start", out.Vested)
		}
	case in.Height >= in.Start+in.Blocks:
		if out.Vested != out.Locked {
			t.Fatalf("%d of %d vested at the end", out.Vested, out.Locked)
		}
	case !below(out.Vested, ratio([]uint64{out.Locked, in.Height - in.Start}, in.Blocks), 1):
		t.Fatalf("%d of %d vested, %d of %d blocks in", out.Vested, out.Locked, in.Height-in.Start, in.Blocks)
	}

	// What is claimed in two steps is what is claimed at once, and no more can be.
	in.Claimed = rapid.Uint64Range(0, out.Vested).Draw(t, "claimed")
	rest, err := score.Vest(in)
	if err != nil || in.Claimed+rest.Claimable != out.Claimable {
		t.Fatalf("%d claimed, %d left (%v), %d at once", in.Claimed, rest.Claimable, err, out.Claimable)
	}
	if out.Vested < ^uint64(0) {
		in.Claimed = out.Vested + 1
		if _, err := score.Vest(in); !errors.Is(err, score.ErrBadClaimed) {
			t.Fatalf("%d claimed of %d vested: got error %v", in.Claimed, out.Vested, err)
		}
	}
}

func TestVestProps(t *testing.T) { rapid.Check(t, vestProps) }

func FuzzVest(f *testing.F) {
	f.Add(make([]byte, 1024))
	f.Fuzz(rapid.MakeFuzz(vestProps))
}
