// SPDX-License-Identifier: Apache-2.0

package deterrence

import (
	"errors"
	"fmt"

	"github.com/gpucoord/gpucoord/domain/u128"
)

const (
	// MaxReturnBps is the most of the take that all pay which depends on usage may give back together, so that buying one's
	// own service loses at least 5 % of the take even for one who owns every stake and prober.
	MaxReturnBps = 9_500

	bpsWhole = 10_000
)

// Errors of the take.
var (
	// ErrPaybackTooHigh means that buying one's own service would pay, or lose too little.
	ErrPaybackTooHigh = errors.New("wash trading pays: lower payback_cap_bps")
	// ErrFreeUsage means that eligible usage costs nothing.
	ErrFreeUsage = errors.New("wash trading is free: set take_bps to at least 1")
)

// CheckPayback checks payback_cap_bps + probers_bps + aleph_bps <= 9500, all in bps of the take: the parts of it that can
// come back to one who buys from himself. Where stakers and probers alone get more, no payback passes, not even 0.
//
// Error: ErrPaybackTooHigh.
func CheckPayback(paybackCapBps, probersBps, alephBps uint64) error {
	sum, fits := u128.Sum([]uint64{paybackCapBps, probersBps, alephBps})
	if !fits || sum > MaxReturnBps {
		return fmt.Errorf("%w: payback_cap_bps %d + probers_bps %d + aleph_bps %d > %d",
			ErrPaybackTooHigh, paybackCapBps, probersBps, alephBps, MaxReturnBps)
	}
	return nil
}

// PaybackRoom is the highest payback cap, in bps, beside the probers' and the ALEPH pool's parts of the take; 0 if they
// leave no room.
func PaybackRoom(probersBps, alephBps uint64) uint64 {
	room := uint64(MaxReturnBps)
	room -= min(room, probersBps)
	return room - min(room, alephBps)
}

// CheckTake checks take_bps >= 1: usage that pays no take would count in full and cost nothing. Error: ErrFreeUsage.
func CheckTake(takeBps uint64) error {
	if takeBps == 0 {
		return fmt.Errorf("%w: take_bps 0 < 1", ErrFreeUsage)
	}
	return nil
}
