// SPDX-License-Identifier: Apache-2.0

package fraud

import "github.com/gpucoord/gpucoord/domain/receipt"

// Conflict says what two signed records share that they must not.
type Conflict uint8

// Conflicts, the gravest first.
const (
	// SameJob is one jobId under two receipts.
	SameJob Conflict = iota + 1
	// SameSeq is one seq of a host key under two receipts.
	SameSeq
	// SamePayment is one payment for two jobs.
	SamePayment
)

// Equivocation is evidence of kind F1': two signed records that exclude each other. It needs no opening.
type Equivocation struct {
	// SR1A and SR1B are the records as stored.
	SR1A, SR1B []byte
}

// DecodeEquivocation reads evidence of kind F1'. Errors: ErrLength.
func DecodeEquivocation(b []byte) (Equivocation, error) {
	r := reader{rest: b}
	e := Equivocation{SR1A: r.record(), SR1B: r.record()}
	return e, r.done()
}

// Append appends the wire form.
func (e *Equivocation) Append(dst []byte) []byte {
	return appendRecord(appendRecord(dst, e.SR1A), e.SR1B)
}

// Check returns the records and what they conflict in.
//
// Records of one host key conflict in the job, else in the seq, else in the payment. Records of two host keys can only
// conflict in the payment. The payer chooses the payment: whether the payers are of one owner, who is to blame for it, is
// for the chain to say, and else it proves nothing. A payment reference of zeros is no payment. Errors: those of the record rules, ErrSameRecord, ErrOtherKey, ErrUnrelated.
func (e *Equivocation) Check(checker receipt.Checker) (a, b receipt.Record, conflict Conflict, err error) {
	if a, err = receipt.Decode(e.SR1A); err != nil {
		return a, b, 0, err
	}
	if b, err = receipt.Decode(e.SR1B); err != nil {
		return a, b, 0, err
	}
	jobA, digestA, err := checker.CheckRecord(&a)
	if err != nil {
		return a, b, 0, err
	}
	jobB, digestB, err := checker.CheckRecord(&b)
	if err != nil {
		return a, b, 0, err
	}
	conflict, err = conflictOf(&a, &b, jobA == jobB, digestA == digestB)
	return a, b, conflict, err
}

func conflictOf(a, b *receipt.Record, sameJob, sameDigest bool) (Conflict, error) {
	sameKey := a.Auth.Operator == b.Auth.Operator
	switch {
	case sameDigest:
		return 0, ErrSameRecord
	case sameKey && sameJob:
		return SameJob, nil
	case sameKey && a.Seq == b.Seq:
		return SameSeq, nil
	case !sameJob && a.Auth.PaymentRef == b.Auth.PaymentRef && a.Auth.PaymentRef != [32]byte{}:
		return SamePayment, nil
	case !sameKey:
		return 0, ErrOtherKey
	}
	return 0, ErrUnrelated
}
