// SPDX-License-Identifier: Apache-2.0

// Package split divides integer amounts exactly: by weights, into the parts of the take, into the royalties of a group,
// and into the parts of a slashed bond. Each result adds up to what was divided, to the unit.
//
// Amounts are micro-units of one denom, ratios are basis points (10,000 bps = 1).
package split

import "errors"

// bpsWhole is the whole in basis points.
const bpsWhole = 10_000

// Errors of this package.
var (
	// ErrEmpty means that there is nobody to divide among.
	ErrEmpty = errors.New("there are no weights: give at least one")
	// ErrNoWeight means that nobody has a weight.
	ErrNoWeight = errors.New("all weights are 0: give at least one above 0")
	// ErrSumOverflow means that the weights do not add up within 64 bits.
	ErrSumOverflow = errors.New("the sum of the weights does not fit 64 bits: scale them down")
	// ErrOverflow means that a result does not fit 64 bits.
	ErrOverflow = errors.New("the value does not fit 64 bits: check the amount and its price")
	// ErrBadBps means that basis points are out of range or do not add up.
	ErrBadBps = errors.New("basis points are above 10000 or do not add up as they must: correct the rates")
	// ErrBadParents means that the list of parent adapters is not one of a real adapter.
	ErrBadParents = errors.New("parents need an adapter and are at most 4: list the nearest parents of the adapter")
	// ErrBadPayees means that the payees of an asset do not share all of its royalty.
	ErrBadPayees = errors.New("the payees of a paid asset must each have bps above 0 and add up to 10000: correct the payees")
	// ErrBadPrice means that the bond price is 0.
	ErrBadPrice = errors.New("the bond price is 0: set it to the micro-USD of one bond token")
)
