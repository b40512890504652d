// SPDX-License-Identifier: Apache-2.0

package fraud

import (
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
)

// Omission is evidence of kind F6: a true record that the group it belongs to lacks.
type Omission struct {
	// SR1 is the record as stored.
	SR1 []byte
	// Around holds no opening where no group's range has the record's seq; the leaf of that seq where it is another job's;
	// else the two leaves next to each other on both sides of the seq.
	Around []Placed
}

// DecodeOmission reads evidence of kind F6. Errors: ErrLength.
func DecodeOmission(b []byte) (Omission, error) {
	r := reader{rest: b}
	e := Omission{SR1: r.record()}
	count := r.u8()
	if count > 2 {
		return Omission{}, ErrLength
	}
	for range count {
		e.Around = append(e.Around, r.placed())
	}
	return e, r.done()
}

// Append appends the wire form.
func (e *Omission) Append(dst []byte) []byte {
	dst = append(appendRecord(dst, e.SR1), byte(len(e.Around)))
	for i := range e.Around {
		dst = e.Around[i].Append(dst)
	}
	return dst
}

// Record checks the record by itself and returns it with its job id. Errors: those of the record rules.
func (e *Omission) Record(checker receipt.Checker) (record receipt.Record, jobID [32]byte, err error) {
	if record, err = receipt.Decode(e.SR1); err != nil {
		return record, jobID, err
	}
	jobID, _, err = checker.CheckRecord(&record)
	return record, jobID, err
}

// Check returns nil if group, the one of the record's settler, model and adapter whose range has its seq, lacks the record.
//
// The caller says that group is the one by its place; with no such group the record is omitted without openings.
// Errors: those of openings, ErrOtherGroup, ErrIncluded.
func (e *Omission) Check(seq uint64, jobID [32]byte, batchID uint64, position uint32, group *sumtree.Group) error {
	for i := range e.Around {
		if e.Around[i].BatchID != batchID || e.Around[i].Group != position {
			return ErrOtherGroup
		}
		if err := e.Around[i].verify(group); err != nil {
			return err
		}
	}
	switch len(e.Around) {
	case 1:
		if leaf := &e.Around[0].Opening.Leaf; leaf.Seq == seq && leaf.JobID != jobID {
			return nil
		}
	case 2:
		left, right := &e.Around[0].Opening, &e.Around[1].Opening
		// left.Index is below the count, so the sum cannot wrap.
		if left.Index+1 == right.Index && left.Leaf.Seq < seq && seq < right.Leaf.Seq {
			return nil
		}
	}
	return ErrIncluded
}
