// SPDX-License-Identifier: Apache-2.0

// Package panel draws the panel of probers of an epoch and takes the medians of what it saw.
//
// # Draw
//
// The probers stand in a fixed order, each holding the half-open range [first, first + bond) of the running sums of their
// bonds. Seat i of epoch e is drawn by
//
//	h_i = SHA256("GCP0" | seed 32 | e u64 | i u32)      a 48-byte preimage, integers big-endian
//	r   = h_i mod (total − the bonds already drawn)     h_i as a 256-bit big-endian integer
//
// and r is then moved past every range already drawn that begins at or before it, in the order of their firsts. The prober
// whose range holds the moved r has the seat. So each seat is drawn by bond among those not drawn yet, no draw repeats, and
// a panel of k needs k hashes and k look-ups, however many probers there are.
//
// A prober holds at most one seat. One who splits his bond over several names may hold several: what is promised of a
// panel is promised for its seats, and the chance of many seats follows from the bond, not from the names.
//
// # Medians
//
// Of an even number of observations the median is the one of the two in the middle that is worse for the host: the lower
// uptime, number of models and tokens/s, the longer time to first token. With r observations, c of them made up and the
// rest honest, every median lies within the honest range if r >= 2·c + 1. With fewer honest ones no statistic can promise
// that. A quorum above half of the panel keeps a minority from concluding anything by itself.
package panel

import "errors"

const (
	// Size is the number of seats of a panel.
	Size = 7
	// Quorum is the number of revealed observations from which medians are conclusive.
	Quorum = 4

	ppm = 1_000_000
)

// Errors of this package.
var (
	// ErrNoProbers means that nobody has a bond to be drawn by.
	ErrNoProbers = errors.New("no prober has a bond: wait until one registers")
	// ErrBadSize means that a panel without seats was asked for.
	ErrBadSize = errors.New("a panel needs at least one seat: ask for 1 to 1024")
	// ErrSumOverflow means that the bonds do not add up within 64 bits.
	ErrSumOverflow = errors.New("the sum of the bonds does not fit 64 bits: check the bonds")
	// ErrBadIndex means that the index of the bonds answered with a range that it cannot have.
	ErrBadIndex = errors.New("the index of bonds does not hold the place asked for: rebuild its running sums")
	// ErrBadQuorum means that medians were asked for without a quorum.
	ErrBadQuorum = errors.New("the quorum is below 1: give the least number of observations")
	// ErrBadPPM means that an uptime is above 1,000,000 ppm.
	ErrBadPPM = errors.New("an uptime is above 1000000 ppm: give 0 to 1000000")
)
