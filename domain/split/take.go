// SPDX-License-Identifier: Apache-2.0

package split

import "github.com/gpucoord/gpucoord/domain/u128"

// TakeBps are the rates of the take: Take of the amount, the other four of the take. The four add up to 10,000.
type TakeBps struct{ Take, Pool, Probers, Insurance, Aleph uint64 }

// Take is the take of one amount and its four parts, which add up to it.
type Take struct{ Take, Pool, Probers, Insurance, Aleph uint64 }

// TakeOf returns the take of amount and its parts.
//
// Rounding: everything down; Insurance gets its part and all that the roundings of the other parts leave.
// Errors: ErrBadBps (a rate is above 10,000, or the four parts do not add up to 10,000).
func TakeOf(amount uint64, b TakeBps) (Take, error) {
	for _, bps := range [...]uint64{b.Take, b.Pool, b.Probers, b.Insurance, b.Aleph} {
		if bps > bpsWhole {
			return Take{}, ErrBadBps
		}
	}
	if b.Pool+b.Probers+b.Insurance+b.Aleph != bpsWhole {
		return Take{}, ErrBadBps
	}
	t := Take{Take: u128.Part(amount, b.Take, bpsWhole)}
	t.Pool = u128.Part(t.Take, b.Pool, bpsWhole)
	t.Probers = u128.Part(t.Take, b.Probers, bpsWhole)
	t.Aleph = u128.Part(t.Take, b.Aleph, bpsWhole)
	t.Insurance = t.Take - t.Pool - t.Probers - t.Aleph
	return t, nil
}
