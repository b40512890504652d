// SPDX-License-Identifier: Apache-2.0

package score

// maxSeverity is the largest severity of a fault that leaves anything: (2/3)^35 of 1,000,000 ppm is below 1.
const maxSeverity = 34

// Reputation returns the reputation, in ppm, at an update with quality q (ppm), elapsed epochs after the last change, the
// reputation then being r (ppm): r decays with a half-life of 45 epochs, and q takes the place of what the last epoch's
// decay took away.
//
// Rounding: down, twice for the decay and once for the sum.
// Errors: ErrBadPPM (r or q), ErrBadEpoch (elapsed is 0).
func Reputation(r, elapsed, q uint64) (uint64, error) {
	if r > ppm || q > ppm {
		return 0, ErrBadPPM
	}
	if elapsed == 0 {
		return 0, ErrBadEpoch
	}
	kept := decay45[1]
	before := decay(r, elapsed-1, decay45[:])
	return (before*kept + q*(decayOne-kept)) / decayOne, nil
}

// Fault returns the reputation r (ppm) after a fault: two thirds of it for each step of severity. From severity 35 on
// nothing is left.
//
// Rounding: down, once. Errors: ErrBadPPM.
func Fault(r, severity uint64) (uint64, error) {
	if r > ppm {
		return 0, ErrBadPPM
	}
	if severity > maxSeverity {
		return 0, nil
	}
	thirds := uint64(1)
	for range severity {
		thirds *= 3
	}
	return (r << severity) / thirds, nil
}
