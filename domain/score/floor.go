// SPDX-License-Identifier: Apache-2.0

package score

import (
	"slices"

	"github.com/gpucoord/gpucoord/domain/split"
	"github.com/gpucoord/gpucoord/domain/u128"
)

// The floor programme pays in full to fullDays and ends between the other two.
const (
	fullDays  = 30
	minEndDay = 30
	maxEndDay = 90
)

// FloorIn is what the floor payment of an operator is made of. Amounts are micro-units.
type FloorIn struct {
	Day        uint64 // day of the programme, from 1
	EndDay     uint64 // last day of the programme, 30 to 90
	Guarantee  uint64 // guaranteed per GPU-hour of the class
	MilliHours uint64 // verified GPU-hours · 1000
	Q          uint64 // quality, ppm
	Paid       uint64 // what the same GPUs earned
	Reserved   uint64 // what reservations of them pay
}

// Floor returns the floor payment of an operator for one day, and the factor phi (ppm) of that day, which is 1 to day 30
// and falls in a straight line to 0 on the last day. The payment fills earnings up to the guarantee, so it is never more.
//
// Rounding: down at each step. Errors: ErrBadDay, ErrBadPPM (Q), ErrOverflow (the guarantee for all hours).
func Floor(in FloorIn) (phi, floor uint64, err error) {
	if in.Day == 0 || in.EndDay < minEndDay || in.EndDay > maxEndDay {
		return 0, 0, ErrBadDay
	}
	if in.Q > ppm {
		return 0, 0, ErrBadPPM
	}
	gross, ok := u128.MulDiv(in.Guarantee, in.MilliHours, 1000)
	if !ok {
		return 0, 0, ErrOverflow
	}
	phi = in.phi()
	due := u128.Part(u128.Part(gross, phi, ppm), in.Q, ppm)
	due -= min(due, in.Paid)
	due -= min(due, in.Reserved)
	return phi, due, nil
}

func (in *FloorIn) phi() uint64 {
	switch {
	case in.Day > in.EndDay:
		return 0
	case in.Day <= fullDays:
		return ppm
	default:
		return ppm * (in.EndDay - in.Day) / (in.EndDay - fullDays)
	}
}

// FloorBudget pays the wanted floors out of a budget: all of them if it suffices, else the budget in proportion to them
// as [split.ByWeight] does. left is what remains of the budget.
//
// Shape: len(paid) == len(wanted); paid and left sum to budget. Errors: ErrSumOverflow (of wanted).
func FloorBudget(budget uint64, wanted []uint64) (paid []uint64, left uint64, err error) {
	sum, ok := u128.Sum(wanted)
	if !ok {
		return nil, 0, ErrSumOverflow
	}
	if sum <= budget {
		return slices.Clone(wanted), budget - sum, nil
	}
	paid, err = split.ByWeight(budget, wanted)
	return paid, 0, err
}
