// SPDX-License-Identifier: Apache-2.0

package sumtree

import "errors"

// Errors of double claims.
var (
	ErrOtherJob  = errors.New("leaves are of different jobs: show two claims of one jobId")
	ErrSameClaim = errors.New("both openings are of the same leaf: show two places where the job is claimed")
)

// Claim is an opening and the committed group it belongs to.
type Claim struct {
	// BatchID and Group say where the group is: its batch and its position in it, from 0.
	BatchID uint64
	Group   uint32
	// Count and Root are the group's, as committed.
	Count   uint64
	Root    Entry
	Opening Opening
}

// CheckDoubleClaim returns nil if a and b are valid openings of one jobId at two different places (batch, group, index).
//
// Errors, in order, first for a, then for b: ErrWrongCount, those of Opening.Verify; then ErrOtherJob, ErrSameClaim.
func CheckDoubleClaim(a, b *Claim) error {
	for _, c := range [...]*Claim{a, b} {
		// With another n the same leaf could be opened at another index.
		if c.Opening.N != c.Count {
			return ErrWrongCount
		}
		if _, err := c.Opening.Verify(c.Root); err != nil {
			return err
		}
	}
	switch {
	case a.Opening.Leaf.JobID != b.Opening.Leaf.JobID:
		return ErrOtherJob
	case a.BatchID == b.BatchID && a.Group == b.Group && a.Opening.Index == b.Opening.Index:
		return ErrSameClaim
	}
	return nil
}
