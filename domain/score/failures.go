// SPDX-License-Identifier: Apache-2.0

package score

import "github.com/gpucoord/gpucoord/domain/u128"

// FailureShareDivisor is the divisor d of [CountFailures]: one gateway is at most a third of an operator's failures.
const FailureShareDivisor = 3

// FailureEntry is what is known of one operator's failed jobs for one gateway over the success window.
type FailureEntry struct {
	Gateway  [20]byte
	Admitted uint64 // failures in the operator's own records
	Reported uint64 // failures that only the gateway reports
}

// CountFailures returns how many failures of one operator count for each gateway that gave it work: those admitted, and of
// those reported at most 1/(d − 1) of all failures that others stand for, admitted ones and other gateways' reports. So a
// gateway is at most 1/d of what its report and the others' evidence come to, and reports nothing into being that nobody
// else has seen. A gateway that is alone counts in full: there is nobody to compare it with.
//
// Shape: one count per entry, in the same order. Rounding: down.
// Errors: ErrBadDivisor (d below 2), ErrDuplicateEntry (a gateway twice), ErrBadCount (more than 2^40 together).
func CountFailures(d uint64, entries []FailureEntry) ([]uint64, error) {
	if d < 2 {
		return nil, ErrBadDivisor
	}
	total := uint64(0)
	seen := make(map[[20]byte]struct{}, len(entries))
	for _, e := range entries {
		if _, twice := seen[e.Gateway]; twice {
			return nil, ErrDuplicateEntry
		}
		seen[e.Gateway] = struct{}{}
		sum, ok := u128.Sum([]uint64{total, e.Admitted, e.Reported})
		if !ok || sum > maxOutcomes {
			return nil, ErrBadCount
		}
		total = sum
	}
	counted := make([]uint64, len(entries))
	for i, e := range entries {
		counted[i] = e.Admitted + e.Reported
		if len(entries) > 1 {
			counted[i] = e.Admitted + min(e.Reported, (total-e.Reported)/(d-1))
		}
	}
	return counted, nil
}
