// SPDX-License-Identifier: Apache-2.0

// Package score turns finished work into usage, quality, rewards, points, reputation and routing weights, and holds the
// rules of floor payments and of the demand gate.
//
// Integers only: amounts in micro-units of one denom, ratios in parts per million (1,000,000 ppm = 1) or basis points
// (10,000 bps = 1), capacity in milli-VCU. A division rounds down unless its comment says otherwise, products are taken
// in 128 bits, and nothing wraps or saturates. Errors are checked in the order in which a function lists them.
package score

import "errors"

const (
	// ppm is the whole in parts per million.
	ppm = 1_000_000
	// bpsWhole is the whole in basis points.
	bpsWhole = 10_000
)

// Errors of this package.
var (
	// ErrBadPPM means that a ratio in ppm is above 1,000,000.
	ErrBadPPM = errors.New("a ratio is above 1000000 ppm: give 0 to 1000000")
	// ErrBadBps means that a ratio in bps is above 10,000.
	ErrBadBps = errors.New("a rate is above 10000 bps: give 0 to 10000")
	// ErrSumOverflow means that the values of a list do not add up within 64 bits.
	ErrSumOverflow = errors.New("the sum of the list does not fit 64 bits: check its values")
	// ErrOverflow means that a result does not fit 64 bits.
	ErrOverflow = errors.New("the result does not fit 64 bits: check the values")
	// ErrBadCount means that counts are too large or contradict each other.
	ErrBadCount = errors.New("the counts are above 2^40 together, or more jobs were refused than asked for: check the counts")
	// ErrBadClass means that the class of an entry is unknown.
	ErrBadClass = errors.New("the class of the entry is unknown: use routed, pinned, trial or direct")
	// ErrDuplicateEntry means that two entries have the same settler and class.
	ErrDuplicateEntry = errors.New("two entries have the same settler and class: add them up into one")
	// ErrBadTake means that an entry claims more take than its rate allows.
	ErrBadTake = errors.New("the take of the entry is above its rate of the amount: use the take as settled")
	// ErrBadSpend means that the spends of an entry's settler contradict each other.
	ErrBadSpend = errors.New("the entry needs amount <= spend with the controller <= total spend: recount the settler's spend")
	// ErrBadUsage means that one operator's usage is above the sum over all operators.
	ErrBadUsage = errors.New("the usage is above the total usage: pass the sum over all operators as the total")
	// ErrBadWindow means that the age of evidence has no room to fall.
	ErrBadWindow = errors.New("full blocks must be fewer than zero blocks: correct the evidence ages")
	// ErrBadLevel means that an evidence level is unknown.
	ErrBadLevel = errors.New("the evidence level is above 4: give 0 to 4")
	// ErrBadHalfLife means that no decay table exists for the half-life.
	ErrBadHalfLife = errors.New("the half-life is not one with a table: use 45 or 60 epochs")
	// ErrBadEpoch means that a reputation is updated twice in one epoch.
	ErrBadEpoch = errors.New("the reputation was already updated in this epoch: update it once an epoch")
	// ErrBadClaimed means that more was claimed than has vested.
	ErrBadClaimed = errors.New("more was claimed than has vested: check the vesting record")
	// ErrBadDay means that a day of the floor programme is out of range.
	ErrBadDay = errors.New("days count from 1 and the programme ends on day 30 to 90: correct the day")
	// ErrBadState means that the state of the demand gate contradicts itself.
	ErrBadState = errors.New("the gate is open exactly after 4 good periods: correct the stored state")
	// ErrBadDivisor means that one gateway could be all of an operator's failures.
	ErrBadDivisor = errors.New("the divisor of a gateway's part in the failures is below 2: use 3")
)
