// SPDX-License-Identifier: Apache-2.0

// Package fraud reads and checks the evidence against a batch: what it shows of committed groups, without any other state.
//
// All integers are big-endian and unsigned; | is concatenation. An opening is sumtree's transport form; a record is SR1.
//
//	placed      batchId u64 | group u32 | length u16 | opening
//	sized       length u16 | SR1 (533 or 598)
//
//	F1  repeat        placed | placed          one jobId at two places
//	F1' equivocation  sized | sized            two records of one host key with one jobId or one seq; or one paymentRef,
//	                                           if the payers are of one owner who answers for it
//	F2  record        placed | sized           the record behind a leaf, which breaks a rule or says other things
//	F3  node          batchId u64 | group u32 | level u8 | index u64 | amount u64 | tokens u64 | ok u32 | fail u32 |
//	                  length u8 | preimage (100 or 116) | path length u8 | entries 56 each
//	F4  order         placed | placed, or placed alone for a leaf outside its group's range
//	F6  omission      sized | count u8 (0 to 2) | placed each
//
// F5, withheld data, is a question and needs no evidence.
//
// # What a node shows
//
// The entry at (level, index) of the tree, leaves at level 0, has the sums shown and the hash of the preimage shown; its
// path leads to the group's root with every sum above it right. It is fraud if the preimage is of the wrong kind for the
// level, or does not add up to the entry's sums. The topmost wrong entry of a tree can always be shown so. An entry that
// was promoted stands at the lowest level that has it.
package fraud

import "errors"

// Errors of evidence. Those of openings are sumtree's, those of records receipt's.
var (
	ErrLength      = errors.New("the evidence has the wrong length for its kind: encode every part with its length and nothing behind it")
	ErrOtherGroup  = errors.New("the evidence names another group: show the one it is about")
	ErrSameRecord  = errors.New("both are the same record: one claim is no fraud")
	ErrOtherKey    = errors.New("the records are of different host keys: show two of one key")
	ErrUnrelated   = errors.New("the records share no job, no seq and no payment: show two that do")
	ErrRecordHash  = errors.New("the record is not the one behind the leaf: show the bytes that the leaf's hash is of")
	ErrInOrder     = errors.New("the leaves are in order and in the group's range: this is no fraud")
	ErrLeafDiffers = errors.New("the leaf says other things than its record: derive every leaf from its record")
	ErrAddsUp      = errors.New("the node is of the right kind and adds up: show the topmost one that does not")
	ErrPromoted    = errors.New("the entry was promoted from the level below: show it there")
	ErrLevel       = errors.New("the tree has no entry at this level and index")
	ErrIncluded    = errors.New("the openings do not show that the group lacks the record: show the leaves on both sides of its seq")
)
