// SPDX-License-Identifier: Apache-2.0

package score

import (
	"math/bits"

	"github.com/gpucoord/gpucoord/domain/u128"
)

const (
	// maxOutcomes is the most outcomes that the success bound takes at once.
	maxOutcomes = 1 << 40
	// priorSuccesses are added to every count, so that a newcomer starts neither at 0 nor at 1.
	priorSuccesses = 20
	// zSquared is the square of the 95 % normal quantile, in millionths.
	zSquared = 3_841_459
)

// Wilson returns the lower end of the 95 % Wilson interval of the success rate, in ppm, with 20 successes added.
//
// Rounding: three, each down; the result is within 1 ppm of the real value. No outcomes give 838,874.
// Errors: ErrBadCount (more than 2^40 outcomes).
func Wilson(ok, fail uint64) (uint64, error) {
	if ok > maxOutcomes || fail > maxOutcomes-ok {
		return 0, ErrBadCount
	}
	k, n := ok+priorSuccesses, ok+fail+priorSuccesses
	r := wilsonTerm(k, n).Sqrt()
	return u128.Part(ppm, 2*ppm*k+zSquared-r, 2*(ppm*n+zSquared)), nil
}

// wilsonTerm returns 4·10^6·Z·k·(n − k) / n + Z², the value under the root. It is below 2^123 before the division, since
// k·(n − k) is below 2^79 and 4·10^6·Z below 2^44.
func wilsonTerm(k, n uint64) u128.Uint {
	const factor = 4 * ppm * zSquared
	spread := u128.Mul(k, n-k)
	high, low := bits.Mul64(spread.Lo, factor)
	t, _ := u128.Uint{Hi: spread.Hi*factor + high, Lo: low}.Quo(n)
	low, carry := bits.Add64(t.Lo, zSquared*zSquared, 0)
	return u128.Uint{Hi: t.Hi + carry, Lo: low}
}

// Quality returns the quality M in ppm: S² · (0.60 + 0.20·up + 0.20·av), for the success bound s, uptime and availability
// in ppm. Rounding: down, once. Errors: ErrBadPPM.
func Quality(s, up, av uint64) (uint64, error) {
	if s > ppm || up > ppm || av > ppm {
		return 0, ErrBadPPM
	}
	return s * s * (3*ppm + up + av) / (5 * ppm * ppm), nil
}
