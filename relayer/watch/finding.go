// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/gpucoord/gpucoord/domain/fraud"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// Kind names what was found, as metrics and logs do.
type Kind string

// The kinds, in the order in which they are filed against one batch.
const (
	// Repeat (F1) is one job at two places.
	Repeat Kind = "repeat"
	// Equivocation (F1') are two signed records that exclude each other.
	Equivocation Kind = "equivocation"
	// Record (F2) is a record that breaks a rule, or a leaf that says other things than its record.
	Record Kind = "record"
	// Node (F3) is an entry of a tree that is not the sum of its children.
	Node Kind = "node"
	// Order (F4) are leaves whose seqs do not ascend through their group's range.
	Order Kind = "order"
	// Stale is a record that names an attestation after its expiry. The chain takes it as evidence of kind F2.
	Stale Kind = "stale"
	// Withheld (F5) is a leaf that cannot be read, or not as it was committed.
	Withheld Kind = "withheld"
)

// Kinds are all kinds.
var Kinds = []Kind{Repeat, Equivocation, Record, Node, Order, Stale, Withheld}

// challenge returns the chain's name of a kind that is shown by evidence.
func (k Kind) challenge() receiptstypes.ChallengeKind {
	return map[Kind]receiptstypes.ChallengeKind{
		Repeat: receiptstypes.ChallengeKind_CHALLENGE_KIND_REPEAT, Equivocation: receiptstypes.ChallengeKind_CHALLENGE_KIND_EQUIVOCATION,
		Record: receiptstypes.ChallengeKind_CHALLENGE_KIND_RECORD, Node: receiptstypes.ChallengeKind_CHALLENGE_KIND_NODE,
		Order: receiptstypes.ChallengeKind_CHALLENGE_KIND_ORDER, Stale: receiptstypes.ChallengeKind_CHALLENGE_KIND_RECORD,
	}[k]
}

// rank orders the findings about one batch.
func (k Kind) rank() int {
	for i, kind := range Kinds {
		if kind == k {
			return i
		}
	}
	return len(Kinds)
}

// Finding is one thing that is wrong, with the evidence that the chain takes.
type Finding struct {
	Kind Kind
	// BatchID is the batch that it is about; Other is the second one of a claim in two batches, else 0.
	BatchID, Other uint64
	// Group and Index say which leaf is demanded (Withheld).
	Group uint32
	Index uint64
	// Evidence is what domain/fraud reads; a demand has none.
	Evidence []byte
	// Reason is short and without ids, so that reasons can be counted.
	Reason string
}

// key names a finding, so that it is filed once.
func (f *Finding) key() string {
	if f.Kind == Withheld {
		return fmt.Sprintf("%s/%d", f.Kind, f.BatchID)
	}
	sum := sha256.Sum256(f.Evidence)
	return fmt.Sprintf("%s/%d/%s", f.Kind, f.BatchID, hex.EncodeToString(sum[:]))
}

// groupOf returns a group of one of some batches, nil if there is none such.
type groupOf func(batch uint64, position uint32) *sumtree.Group

// check reads the evidence of a finding as the chain does, and returns the error with which the chain would refuse it. What
// only the chain's state can say, the context rules and whose payment is named twice, was checked before.
func (f *Finding) check(groups groupOf, checker receipt.Checker, context func(group uint32, r *receipt.Record) error) error {
	switch f.Kind {
	case Repeat:
		e, err := fraud.DecodeRepeat(f.Evidence)
		if err != nil {
			return err
		}
		a, b := groups(e.A.BatchID, e.A.Group), groups(e.B.BatchID, e.B.Group)
		if a == nil || b == nil {
			return fraud.ErrOtherGroup
		}
		return e.Check(a, b)
	case Equivocation:
		e, err := fraud.DecodeEquivocation(f.Evidence)
		if err != nil {
			return err
		}
		_, _, _, err = e.Check(checker)
		return err
	case Record, Stale:
		e, err := fraud.DecodeRecord(f.Evidence)
		if err != nil {
			return err
		}
		return checkRecord(&e, groups, checker, context)
	case Node:
		e, err := fraud.DecodeNode(f.Evidence)
		if err != nil {
			return err
		}
		return checkIn(groups, e.BatchID, e.Group, e.Check)
	case Order:
		e, err := fraud.DecodeOrder(f.Evidence)
		if err != nil {
			return err
		}
		return checkIn(groups, e.A.BatchID, e.A.Group, e.Check)
	}
	return nil // a demand shows nothing
}

func checkIn(groups groupOf, batch uint64, position uint32, check func(*sumtree.Group) error) error {
	group := groups(batch, position)
	if group == nil {
		return fraud.ErrOtherGroup
	}
	return check(group)
}

func checkRecord(e *fraud.Record, groups groupOf, checker receipt.Checker, context func(uint32, *receipt.Record) error) error {
	return checkIn(groups, e.Placed.BatchID, e.Placed.Group, func(group *sumtree.Group) error {
		record, fault, err := e.Check(group, checker)
		if err != nil {
			return err
		}
		if fault == nil && context(e.Placed.Group, &record) == nil {
			return errNoFault
		}
		return nil
	})
}
