// SPDX-License-Identifier: Apache-2.0

package panel

import (
	"slices"
)

// Observation is what one prober saw of one host in one epoch, or the medians of several.
type Observation struct {
	UpPPM           uint64 // part of the probes that were answered, ppm
	Models          uint64 // models and adapters that really answered
	TTFTMs          uint64 // time to the first token, milliseconds; 0: not measured
	TokensPerSecond uint64 // output tokens per second
}

// Medians returns the medians of one host's observations, member by member, and whether they are conclusive: whether there
// are at least quorum of them. Inconclusive medians are zero.
//
// A time to first token that was not measured counts as the longest; the median is 0, not measured, if it falls there.
// Errors, in order: ErrBadQuorum (below 1), ErrBadPPM (an uptime).
func Medians(observations []Observation, quorum int) (medians Observation, conclusive bool, err error) {
	if quorum < 1 {
		return Observation{}, false, ErrBadQuorum
	}
	for _, o := range observations {
		if o.UpPPM > ppm {
			return Observation{}, false, ErrBadPPM
		}
	}
	if len(observations) < quorum {
		return Observation{}, false, nil
	}
	lower, upper := (len(observations)-1)/2, len(observations)/2
	medians = Observation{
		UpPPM:           ranked(observations, lower, func(o Observation) uint64 { return o.UpPPM }),
		Models:          ranked(observations, lower, func(o Observation) uint64 { return o.Models }),
		TokensPerSecond: ranked(observations, lower, func(o Observation) uint64 { return o.TokensPerSecond }),
		// 0 − 1 wraps to the largest number, so that what was not measured is the longest; adding 1 turns it back into 0.
		TTFTMs: ranked(observations, upper, func(o Observation) uint64 { return o.TTFTMs - 1 }) + 1,
	}
	return medians, true, nil
}

// ranked returns the member of the given rank, from 0, among the observations.
func ranked(observations []Observation, rank int, member func(Observation) uint64) uint64 {
	values := make([]uint64, len(observations))
	for i, o := range observations {
		values[i] = member(o)
	}
	slices.Sort(values)
	return values[rank]
}
