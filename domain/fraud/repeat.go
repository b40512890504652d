// SPDX-License-Identifier: Apache-2.0

package fraud

import "github.com/gpucoord/gpucoord/domain/sumtree"

// Repeat is evidence of kind F1: one job claimed at two places.
//
// Both groups must be of one host key. A jobId names its host key, so a leaf of another key that shows it accuses that
// other key alone, of a record that is not its own (kind F2).
type Repeat struct {
	A, B Placed
}

// DecodeRepeat reads evidence of kind F1. Errors: ErrLength.
func DecodeRepeat(b []byte) (Repeat, error) {
	r := reader{rest: b}
	e := Repeat{A: r.placed(), B: r.placed()}
	return e, r.done()
}

// Append appends the wire form.
func (e *Repeat) Append(dst []byte) []byte { return e.B.Append(e.A.Append(dst)) }

// Check returns nil if the evidence shows one job at two places of groups a and b, as the chain has committed them.
//
// Errors: ErrOtherKey, and those of sumtree.CheckDoubleClaim.
func (e *Repeat) Check(a, b *sumtree.Group) error {
	if a.Operator != b.Operator {
		return ErrOtherKey
	}
	first, second := e.A.Claim(a), e.B.Claim(b)
	return sumtree.CheckDoubleClaim(&first, &second)
}
