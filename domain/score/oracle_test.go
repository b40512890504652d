// SPDX-License-Identifier: Apache-2.0

package score_test

import (
	"math/big"

	"pgregory.net/rapid"
)

const (
	million  = 1_000_000
	whole    = 10_000            // bps
	decayOne = 1_000_000_000_000 // unit of the decay tables
)

func bigOf(v uint64) *big.Int { return new(big.Int).SetUint64(v) }

// ratio returns the product of the values over the product of under, exactly.
func ratio(over []uint64, under ...uint64) *big.Rat {
	r := new(big.Rat).SetInt64(1)
	for _, v := range over {
		r.Mul(r, new(big.Rat).SetInt(bigOf(v)))
	}
	for _, v := range under {
		r.Quo(r, new(big.Rat).SetInt(bigOf(v)))
	}
	return r
}

// below reports whether got is at most want and less than slack below it.
func below(got uint64, want *big.Rat, slack int64) bool {
	gap := new(big.Rat).Sub(want, ratio([]uint64{got}))
	return gap.Sign() >= 0 && gap.Cmp(new(big.Rat).SetInt64(slack)) < 0
}

func sumOf(values []uint64) *big.Int {
	sum := new(big.Int)
	for _, v := range values {
		sum.Add(sum, bigOf(v))
	}
	return sum
}

// amounts draws amounts of all magnitudes.
func amounts() *rapid.Generator[uint64] {
	return rapid.OneOf(rapid.Uint64Range(0, 1000), rapid.Uint64())
}

// ratiosPPM draws ratios from 0 to 1,000,000 ppm, the ends often.
func ratiosPPM() *rapid.Generator[uint64] {
	return rapid.OneOf(rapid.SampledFrom([]uint64{0, 1, million - 1, million}), rapid.Uint64Range(0, million))
}

// ratiosBps draws ratios from 0 to 10,000 bps, the ends often.
func ratiosBps() *rapid.Generator[uint64] {
	return rapid.OneOf(rapid.SampledFrom([]uint64{0, 1, whole - 1, whole}), rapid.Uint64Range(0, whole))
}
