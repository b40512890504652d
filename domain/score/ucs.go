// SPDX-License-Identifier: Apache-2.0

package score

import (
	"slices"

	"github.com/gpucoord/gpucoord/domain/u128"
)

// unknownLatency is the latency ratio, in ppm, of a host whose latency nobody has measured.
const unknownLatency = 500_000

// UCSIn is what the useful-capacity score of a host is made of.
type UCSIn struct {
	Trusted  uint64 // trusted capacity, milli-VCU
	S        uint64 // success bound, ppm
	Tokens   uint64 // tokens served in the epoch
	Capacity uint64 // tokens that the host's GPUs could serve in the epoch
	SLAMs    uint64 // promised latency, milliseconds
	P95Ms    uint64 // measured 95th percentile, milliseconds; 0: not known
}

// UCSOut is a useful-capacity score with its factors. All but UCS are in ppm.
type UCSOut struct {
	Utilisation uint64 // served part of the capacity
	Latency     uint64 // promised over measured latency
	Term        uint64 // 100,000 (idle) to 1,000,000 (full), rising fast at first
	Quality     uint64 // S² · (1 + latency) / 2
	UCS         uint64 // milli-VCU · ppm
}

// UCS returns the useful-capacity score of a host.
//
// Rounding: down at each step. Errors: ErrBadPPM (S), ErrOverflow (the score).
func UCS(in UCSIn) (UCSOut, error) {
	if in.S > ppm {
		return UCSOut{}, ErrBadPPM
	}
	out := UCSOut{Latency: unknownLatency}
	if in.Capacity > 0 {
		out.Utilisation = u128.Part(ppm, min(in.Tokens, in.Capacity), in.Capacity)
	}
	if in.P95Ms > 0 {
		out.Latency = u128.Part(ppm, min(in.SLAMs, in.P95Ms), in.P95Ms)
	}
	out.Term = 100_000 + 1_170_000*out.Utilisation/(out.Utilisation+300_000)
	out.Quality = in.S * in.S * (ppm + out.Latency) / (2 * ppm * ppm)
	var ok bool
	if out.UCS, ok = u128.MulDiv(in.Trusted, out.Quality*out.Term/ppm, 1); !ok {
		return UCSOut{}, ErrOverflow
	}
	return out, nil
}

// floorParts is the part of the median score below which no host's routing weight falls.
const floorParts = 20

// RoutingIn is what the routing weight of a host is made of.
type RoutingIn struct {
	Reputation uint64 // ppm
	UCS        uint64 // milli-VCU · ppm
}

// Routing returns the routing weights of hosts: reputation times useful-capacity score, which counts at least floor, a
// twentieth of the (lower) median of the scores above 0, so that a newcomer is tried.
//
// Shape: len(weights) == len(hosts); all weights are 1 if all would be 0.
// Rounding: down. Errors: ErrBadPPM (reputation).
func Routing(hosts []RoutingIn) (floor uint64, weights []uint64, err error) {
	scores := make([]uint64, 0, len(hosts))
	for _, h := range hosts {
		if h.Reputation > ppm {
			return 0, nil, ErrBadPPM
		}
		if h.UCS > 0 {
			scores = append(scores, h.UCS)
		}
	}
	if len(scores) > 0 {
		slices.Sort(scores)
		floor = scores[(len(scores)-1)/2] / floorParts
	}
	weights = make([]uint64, len(hosts))
	positive := false
	for i, h := range hosts {
		weights[i] = u128.Part(max(h.UCS, floor), h.Reputation, ppm)
		positive = positive || weights[i] > 0
	}
	if !positive {
		for i := range weights {
			weights[i] = 1
		}
	}
	return floor, weights, nil
}
