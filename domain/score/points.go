// SPDX-License-Identifier: Apache-2.0

package score

import "github.com/gpucoord/gpucoord/domain/u128"

// Points returns usage · M · (1/2 + 1/2 · min(1, trusted / needed)): usage (without class direct) in micro-units, quality
// m in ppm, trusted and needed capacity in milli-VCU.
//
// Linear in usage, so that splitting an operator gains nothing.
// Rounding: down at each step. Errors: ErrBadPPM.
func Points(usage, m, trusted, needed uint64) (uint64, error) {
	if m > ppm {
		return 0, ErrBadPPM
	}
	cover := uint64(ppm)
	if trusted < needed {
		cover = u128.Part(ppm, trusted, needed)
	}
	return u128.Part(u128.Part(usage, m, ppm), ppm+cover, 2*ppm), nil
}
