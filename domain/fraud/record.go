// SPDX-License-Identifier: Apache-2.0

package fraud

import (
	"crypto/sha256"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
)

// Record is evidence of kind F2: the bytes behind a leaf.
type Record struct {
	Placed Placed
	// SR1 is the record as stored; it may break any rule but its length.
	SR1 []byte
}

// DecodeRecord reads evidence of kind F2. Errors: ErrLength.
func DecodeRecord(b []byte) (Record, error) {
	r := reader{rest: b}
	e := Record{Placed: r.placed(), SR1: r.record()}
	return e, r.done()
}

// Append appends the wire form.
func (e *Record) Append(dst []byte) []byte { return appendRecord(e.Placed.Append(dst), e.SR1) }

// Check says whether the record is the one behind a leaf of group, and if it is, what is wrong with it as far as the record
// alone tells: fault is the broken record rule, or sumtree's error for a leaf that says other things, or nil.
//
// Errors, which mean that nothing is shown: those of openings, ErrRecordHash.
func (e *Record) Check(group *sumtree.Group, checker receipt.Checker) (record receipt.Record, fault, err error) {
	if err := e.Placed.verify(group); err != nil {
		return record, nil, err
	}
	leaf := &e.Placed.Opening.Leaf
	if sha256.Sum256(e.SR1) != leaf.RecordHash {
		return record, nil, ErrRecordHash
	}
	if record, fault = receipt.Decode(e.SR1); fault != nil {
		return record, fault, nil
	}
	jobID, _, fault := checker.CheckRecord(&record)
	if fault != nil {
		return record, fault, nil
	}
	want, fault := sumtree.LeafOf(&record, jobID, e.SR1)
	if fault == nil && want != *leaf {
		fault = ErrLeafDiffers
	}
	return record, fault, nil
}
