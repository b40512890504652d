// SPDX-License-Identifier: Apache-2.0

package split

import "github.com/gpucoord/gpucoord/domain/u128"

// FakeCapacityBps returns the part of the bond, in bps, that fake capacity costs after so many earlier ones in the window:
// 10 %, 30 %, and from the third on all of it.
func FakeCapacityBps(earlier uint64) uint64 {
	switch earlier {
	case 0:
		return 1_000
	case 1:
		return 3_000
	default:
		return bpsWhole
	}
}

// RefusalBps returns the part of the bond, in bps, that refusing a reserved job costs after so many earlier refusals in the
// window: 1 %, and from the third on 5 %.
func RefusalBps(earlier uint64) uint64 {
	if earlier < 2 {
		return 100
	}
	return 500
}

// Breaker says whether an offence without cryptographic proof must wait for governance: whether it would bring what such
// offences have hit in the epoch above breakerBps (2000, so 20 %) of all bonded capacity. hit is what they have hit so far,
// bond what the offender adds to it (all of its bond, whatever part is slashed; 0 if it is counted already) and total all
// bonds, in bond micro-units. after is the new hit; an offence that waits adds nothing, so a smaller one may still be
// executed.
//
// Exact: nothing is rounded. Errors: ErrBadBps (above 10,000).
func Breaker(hit, bond, total, breakerBps uint64) (after uint64, waits bool, err error) {
	if breakerBps > bpsWhole {
		return 0, false, ErrBadBps
	}
	if bond == 0 {
		return hit, false, nil
	}
	sum, fits := u128.Add(hit, bond)
	is, most := u128.Mul(sum, bpsWhole), u128.Mul(total, breakerBps)
	if !fits || is.Hi > most.Hi || is.Hi == most.Hi && is.Lo > most.Lo {
		return hit, true, nil
	}
	return sum, false, nil
}
