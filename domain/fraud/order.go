// SPDX-License-Identifier: Apache-2.0

package fraud

import "github.com/gpucoord/gpucoord/domain/sumtree"

// Order is evidence of kind F4: two leaves of one group whose seqs do not ascend, or one whose seq is not where the group
// says that its range begins, ends or runs.
type Order struct {
	A Placed
	// B is nil where one leaf is enough.
	B *Placed
}

// DecodeOrder reads evidence of kind F4. Errors: ErrLength.
func DecodeOrder(b []byte) (Order, error) {
	r := reader{rest: b}
	e := Order{A: r.placed()}
	if !r.bad && len(r.rest) > 0 {
		second := r.placed()
		e.B = &second
	}
	return e, r.done()
}

// Append appends the wire form.
func (e *Order) Append(dst []byte) []byte {
	dst = e.A.Append(dst)
	if e.B != nil {
		dst = e.B.Append(dst)
	}
	return dst
}

// Check returns nil if the evidence shows that the leaves of group do not ascend strictly through its range.
//
// Errors: ErrOtherGroup, those of openings, ErrInOrder.
func (e *Order) Check(group *sumtree.Group) error {
	if err := e.A.verify(group); err != nil {
		return err
	}
	a := &e.A.Opening
	if e.B == nil {
		if inRange(a, group) {
			return ErrInOrder
		}
		return nil
	}
	if e.B.BatchID != e.A.BatchID || e.B.Group != e.A.Group {
		return ErrOtherGroup
	}
	if err := e.B.verify(group); err != nil {
		return err
	}
	b := &e.B.Opening
	if a.Index < b.Index && a.Leaf.Seq >= b.Leaf.Seq || b.Index < a.Index && b.Leaf.Seq >= a.Leaf.Seq {
		return nil
	}
	return ErrInOrder
}

// inRange says whether a leaf's seq is one that its place in the group allows.
func inRange(o *sumtree.Opening, group *sumtree.Group) bool {
	seq := o.Leaf.Seq
	switch {
	case seq < group.FirstSeq || seq > group.LastSeq:
		return false
	case o.Index == 0 && seq != group.FirstSeq:
		return false
	case o.Index == group.Count-1 && seq != group.LastSeq:
		return false
	}
	return true
}
