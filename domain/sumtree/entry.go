// SPDX-License-Identifier: Apache-2.0

package sumtree

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/bits"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

const (
	// EntrySize is the length in bytes of an encoded entry.
	EntrySize = 56

	leafPreimageSize = 100
	nodePreimageSize = 116
)

// Errors of entries.
var (
	ErrBadEntryLength = errors.New("entry is not 56 bytes: send hash 32 | amount u64 | tokens u64 | ok u32 | fail u32")
	ErrSumOverflow    = errors.New("sum does not fit its integer: split the leaves or groups over several trees or batches")
)

// Entry is a node of the tree: its hash and the sums of the leaves below it. Amount is in micro-USD.
type Entry struct {
	Hash           [32]byte
	Amount, Tokens uint64
	OK, Fail       uint32
}

// Append appends the 56 bytes of the entry.
func (e Entry) Append(dst []byte) []byte {
	var b [EntrySize]byte
	e.put(b[:])
	return append(dst, b[:]...)
}

func (e *Entry) put(b []byte) {
	copy(b, e.Hash[:])
	binary.BigEndian.PutUint64(b[32:], e.Amount)
	binary.BigEndian.PutUint64(b[40:], e.Tokens)
	binary.BigEndian.PutUint32(b[48:], e.OK)
	binary.BigEndian.PutUint32(b[52:], e.Fail)
}

// DecodeEntry reads an entry; every 56 bytes are one.
//
// Errors: ErrBadEntryLength.
func DecodeEntry(b []byte) (Entry, error) {
	if len(b) != EntrySize {
		return Entry{}, ErrBadEntryLength
	}
	return entryAt(b), nil
}

// entryAt reads an entry off the front of b, which must have its 56 bytes.
func entryAt(b []byte) Entry {
	return Entry{
		Hash:   [32]byte(b[:32]),
		Amount: binary.BigEndian.Uint64(b[32:]),
		Tokens: binary.BigEndian.Uint64(b[40:]),
		OK:     binary.BigEndian.Uint32(b[48:]),
		Fail:   binary.BigEndian.Uint32(b[52:]),
	}
}

// Leaf is what the tree says about one record.
type Leaf struct {
	// Seq is the record's number in the host key's sequence.
	Seq uint64
	// JobID identifies the job, RecordHash is SHA256 of the record as stored.
	JobID, RecordHash [32]byte
	// Amount is in micro-USD; Tokens are prompt and output tokens together.
	Amount, Tokens uint64
	// OK is 1 for a served job, Fail is 1 for one that the host's side failed; both are 0 for a customer's cancel or idling.
	OK, Fail uint32
}

// LeafOf returns the leaf of a valid record; sr1 are the record's stored bytes and jobID its id in the chain's domain.
//
// Errors: ErrSumOverflow if the record's tokens do not fit 64 bits: such a record has no leaf.
func LeafOf(r *receipt.Record, jobID [32]byte, sr1 []byte) (Leaf, error) {
	tokens, carry := bits.Add64(r.PromptTokens, r.OutputTokens, 0)
	if carry != 0 {
		return Leaf{}, ErrSumOverflow
	}
	l := Leaf{Seq: r.Seq, JobID: jobID, RecordHash: sha256.Sum256(sr1), Amount: r.Amount, Tokens: tokens}
	switch r.Outcome {
	case receipt.OutcomeOK:
		l.OK = 1
	case receipt.OutcomeProviderFail, receipt.OutcomeUpstreamFail, receipt.OutcomeRefused:
		l.Fail = 1
	case receipt.OutcomeUserCancel, receipt.OutcomeUserIdle:
	}
	return l, nil
}

// Entry returns the leaf's entry in the tree.
func (l *Leaf) Entry() Entry {
	var b [leafPreimageSize]byte
	copy(b[:], "GCL1")
	l.put(b[4:])
	return Entry{Hash: sha256.Sum256(b[:]), Amount: l.Amount, Tokens: l.Tokens, OK: l.OK, Fail: l.Fail}
}

func (l *Leaf) put(b []byte) {
	binary.BigEndian.PutUint64(b, l.Seq)
	copy(b[8:], l.JobID[:])
	copy(b[40:], l.RecordHash[:])
	binary.BigEndian.PutUint64(b[72:], l.Amount)
	binary.BigEndian.PutUint64(b[80:], l.Tokens)
	binary.BigEndian.PutUint32(b[88:], l.OK)
	binary.BigEndian.PutUint32(b[92:], l.Fail)
}

// Node returns the parent of two entries.
//
// Errors: ErrSumOverflow if any of the four sums does not fit.
func Node(l, r Entry) (Entry, error) {
	var e Entry
	if err := setNode(&e, &l, &r); err != nil {
		return Entry{}, err
	}
	return e, nil
}

func setNode(e, l, r *Entry) error {
	amount, amountCarry := bits.Add64(l.Amount, r.Amount, 0)
	tokens, tokensCarry := bits.Add64(l.Tokens, r.Tokens, 0)
	ok, okCarry := bits.Add32(l.OK, r.OK, 0)
	fail, failCarry := bits.Add32(l.Fail, r.Fail, 0)
	if amountCarry|tokensCarry != 0 || okCarry|failCarry != 0 {
		return ErrSumOverflow
	}
	var b [nodePreimageSize]byte
	copy(b[:], "GCN1")
	l.put(b[4:])
	r.put(b[4+EntrySize:])
	e.Hash = sha256.Sum256(b[:])
	e.Amount, e.Tokens, e.OK, e.Fail = amount, tokens, ok, fail
	return nil
}

// CheckTop checks that left and right are the children of a group's root, so that the root's sums are those of its parts.
// A group of one leaf has no children: both must then be zero.
//
// Errors: ErrEmptyTree (count 0), ErrTopNotZero, ErrSumOverflow, ErrRootMismatch.
func CheckTop(root, left, right Entry, count uint64) error {
	switch {
	case count == 0:
		return ErrEmptyTree
	case count == 1 && (left != Entry{} || right != Entry{}):
		return ErrTopNotZero
	case count == 1:
		return nil
	}
	top, err := Node(left, right)
	if err != nil {
		return err
	}
	if top != root {
		return ErrRootMismatch
	}
	return nil
}
