// SPDX-License-Identifier: Apache-2.0

package score

import "github.com/gpucoord/gpucoord/domain/u128"

// VestIn is one reward that vests. Amounts are micro-units.
type VestIn struct {
	Reward  uint64
	VestBps uint64 // part that is locked at first
	Start   uint64 // height at which vesting starts
	Blocks  uint64 // length of vesting; 0: all at Start
	Height  uint64 // height now
	Claimed uint64 // of the locked part, so far
}

// VestOut is the state of a reward that vests: Liquid + Locked is the reward, Claimable is Vested less what was claimed.
type VestOut struct{ Liquid, Locked, Vested, Claimable uint64 }

// Vest returns how much of a reward is liquid, locked, vested and claimable. The locked part vests in a straight line.
//
// Rounding: down, so the liquid part gets the odd unit. Errors: ErrBadBps, ErrBadClaimed (more than has vested).
func Vest(in VestIn) (VestOut, error) {
	if in.VestBps > bpsWhole {
		return VestOut{}, ErrBadBps
	}
	out := VestOut{Locked: u128.Part(in.Reward, in.VestBps, bpsWhole)}
	out.Liquid = in.Reward - out.Locked
	switch {
	case in.Height < in.Start: // nothing has vested
	case in.Height-in.Start >= in.Blocks:
		out.Vested = out.Locked
	default:
		out.Vested = u128.Part(out.Locked, in.Height-in.Start, in.Blocks)
	}
	if in.Claimed > out.Vested {
		return VestOut{}, ErrBadClaimed
	}
	out.Claimable = out.Vested - in.Claimed
	return out, nil
}
