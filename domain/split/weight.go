// SPDX-License-Identifier: Apache-2.0

package split

import (
	"cmp"
	"slices"

	"github.com/gpucoord/gpucoord/domain/u128"
)

// ByWeight divides total in proportion to weights.
//
// Shape: len(result) == len(weights); the results sum to total; a weight of 0 gets 0.
// Rounding: down, then 1 more to each of the largest remainders, ties to the lower index.
// Errors, in this order: ErrEmpty, ErrNoWeight (all weights are 0), ErrSumOverflow (of the weights).
func ByWeight(total uint64, weights []uint64) ([]uint64, error) {
	if len(weights) == 0 {
		return nil, ErrEmpty
	}
	whole, ok := u128.Sum(weights)
	if !ok {
		return nil, ErrSumOverflow
	}
	if whole == 0 {
		return nil, ErrNoWeight
	}
	return divide(total, weights, whole), nil
}

// divide is [ByWeight] for weights that add up to whole, which must not be 0.
func divide(total uint64, weights []uint64, whole uint64) []uint64 {
	parts := make([]uint64, len(weights))
	remainders := make([]uint64, len(weights))
	left := total
	for i, w := range weights {
		part, remainder := u128.Mul(total, w).Quo(whole)
		parts[i], remainders[i] = part.Lo, remainder // at most total, so the high word is 0
		left -= part.Lo
	}
	if left == 0 {
		return parts
	}
	// The remainders add up to left·whole and each is below whole, so more of them than left are above 0.
	for _, i := range largestFirst(remainders)[:left] {
		parts[i]++
	}
	return parts
}

// largestFirst returns the indices of values ordered by value, largest first, ties by index.
func largestFirst(values []uint64) []int {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(values[b], values[a]) })
	return order
}
