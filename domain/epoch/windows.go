// SPDX-License-Identifier: Apache-2.0

package epoch

import "github.com/gpucoord/gpucoord/domain/u128"

// Window is a range of heights, both ends inclusive.
type Window struct{ First, Last uint64 }

// Contains reports whether the block at height lies in the window.
func (w Window) Contains(height uint64) bool {
	return w.First <= height && height <= w.Last
}

// Windows are the windows of one epoch. They follow each other without gaps, from the first block after the epoch on.
type Windows struct {
	Submit, Beacon, Open, Challenge, Response Window

	FinaliseFrom   uint64 // first height at which a batch that nobody challenged may be final
	FinaliseLatest uint64 // first height at which a batch whose challenge was extended once may be final
	MinUnbonding   uint64 // least unbonding time in blocks; the same for every epoch
}

// Windows returns the windows of epoch e.
//
// Errors: ErrBadWindow (a length is 0), ErrOverflow (FinaliseLatest or MinUnbonding does not fit 64 bits).
func (s Schedule) Windows(e uint64) (Windows, error) {
	unbonding, err := s.minUnbonding()
	if err != nil {
		return Windows{}, err
	}
	last, err := s.Last(e)
	if err != nil {
		return Windows{}, err
	}
	lengths := [5]uint64{s.SubmitBlocks, s.BeaconBlocks, s.OpenBlocks, s.ChallengeBlocks, s.ResponseBlocks}
	// The lengths fit together since minUnbonding does; so only this sum needs a check.
	total := uint64(0)
	for _, length := range lengths {
		total += length
	}
	latest, ok := u128.Add(last, total+1)
	if !ok {
		return Windows{}, ErrOverflow
	}
	var ws [5]Window
	for i, length := range lengths {
		ws[i] = Window{First: last + 1, Last: last + length}
		last += length
	}
	return Windows{
		Submit: ws[0], Beacon: ws[1], Open: ws[2], Challenge: ws[3], Response: ws[4],
		FinaliseFrom: ws[3].Last + 1, FinaliseLatest: latest, MinUnbonding: unbonding,
	}, nil
}
