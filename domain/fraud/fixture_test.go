// SPDX-License-Identifier: Apache-2.0

package fraud_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/bits"
	"sync"
	"testing"

	"github.com/gpucoord/gpucoord/domain/fraud"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
)

var (
	checker  = receipt.Checker{Domain: receipt.NewDomain("gpucoord-golden-1", 8453)}
	payerKey = mustKey("payer")
	hostKey  = mustKey("host")
	otherKey = mustKey("other host")

	errNoGroup = errors.New("no such group on the chain")
)

func mustKey(label string) *receipt.PrivateKey {
	seed := sha256.Sum256([]byte("throwaway " + label))
	key, err := receipt.ParsePrivateKey(seed[:])
	if err != nil {
		panic(err)
	}
	return key
}

// sr1Of makes a signed record of a host key; change is applied before it is signed.
func sr1Of(key *receipt.PrivateKey, seq uint64, change func(*receipt.Record)) []byte {
	r := receipt.Record{
		Auth: receipt.JobAuth{
			Payer: receipt.KeyAddress(payerKey), Operator: receipt.KeyAddress(key), ModelID: [32]byte{1}, AdapterID: [32]byte{2},
			PaymentRef: sha256.Sum256(fmt.Appendf(nil, "payment %d", seq)), MaxAmount: 1_000, Nonce: seq,
			IssuedAt: 1_700_000_000, ExpiresAt: 1_700_003_600,
		},
		HostID: [32]byte{5}, Epoch: 9, Seq: seq, Outcome: receipt.OutcomeOK, PromptTokens: 100, OutputTokens: seq, Amount: 10 * seq,
		ServedAt: 1_700_000_010, Countersigned: seq%2 == 0,
	}
	if change != nil {
		change(&r)
	}
	digest := r.Digest(checker.Domain)
	r.SigPayer, r.SigOperator = receipt.Sign(payerKey, r.JobID(checker.Domain)), receipt.Sign(key, digest)
	if r.Countersigned {
		r.SigFinal = receipt.Sign(payerKey, digest)
	}
	return r.AppendSR1(nil)
}

// tree is a committed group, honest or not, and what is behind it.
type tree struct {
	group  sumtree.Group
	leaves []sumtree.Leaf
	levels [][]sumtree.Entry
	sr1    [][]byte
}

// grow makes a tree of any leaves, in any order. spoil may change an entry after it was made; what is above it is made of that.
func grow(leaves []sumtree.Leaf, spoil func(level, index int, e *sumtree.Entry)) *tree {
	t := &tree{leaves: leaves}
	level := make([]sumtree.Entry, len(leaves))
	for i := range leaves {
		level[i] = leaves[i].Entry()
	}
	for at := 0; ; at++ {
		for i := range level {
			promoted := at > 0 && 2*i == len(t.levels[at-1])-1
			if spoil != nil && !promoted {
				spoil(at, i, &level[i])
			}
		}
		t.levels = append(t.levels, level)
		if len(level) == 1 {
			break
		}
		above := make([]sumtree.Entry, 0, len(level)/2+1)
		for i := 0; i+1 < len(level); i += 2 {
			e, err := sumtree.Node(level[i], level[i+1])
			if err != nil {
				panic(err)
			}
			above = append(above, e)
		}
		if len(level)%2 == 1 {
			above = append(above, level[len(level)-1])
		}
		level = above
	}
	t.group = sumtree.Group{
		Operator: receipt.KeyAddress(hostKey), HostID: [32]byte{5}, Settler: [20]byte{7}, ModelID: [32]byte{1}, AdapterID: [32]byte{2},
		Count: uint64(len(leaves)), FirstSeq: leaves[0].Seq, LastSeq: leaves[len(leaves)-1].Seq, Root: level[0],
	}
	return t
}

// path returns the siblings of an entry, bottom up.
func (t *tree) path(level, index int) []sumtree.Entry {
	var path []sumtree.Entry
	for ; level < len(t.levels)-1; level, index = level+1, index/2 {
		if sibling := index ^ 1; sibling < len(t.levels[level]) {
			path = append(path, t.levels[level][sibling])
		}
	}
	return path
}

func (t *tree) placed(batch uint64, index int) fraud.Placed {
	return fraud.Placed{BatchID: batch, Opening: sumtree.Opening{
		N: t.group.Count, Index: uint64(index), Leaf: t.leaves[index], Path: t.path(0, index),
	}}
}

// node shows an entry with what is below it.
func (t *tree) node(batch uint64, level, index int) fraud.Node {
	e := t.levels[level][index]
	n := fraud.Node{
		BatchID: batch, Level: uint8(level), Index: uint64(index), Amount: e.Amount, Tokens: e.Tokens, OK: e.OK, Fail: e.Fail,
		Path: t.path(level, index),
	}
	if level == 0 {
		n.Preimage = leafPreimage(t.leaves[index])
		return n
	}
	n.Preimage = append([]byte("GCN1"), t.levels[level-1][2*index].Append(nil)...)
	n.Preimage = t.levels[level-1][2*index+1].Append(n.Preimage)
	return n
}

// leafPreimage is the 100 bytes that a leaf's hash is of, cut out of an opening's bytes.
func leafPreimage(l sumtree.Leaf) []byte {
	o := sumtree.Opening{N: 1, Leaf: l}
	return append([]byte("GCL1"), o.Append(nil)[16:112]...)
}

// leafOf returns the leaf of a record.
func leafOf(sr1 []byte) sumtree.Leaf {
	r, err := receipt.Decode(sr1)
	if err != nil {
		panic(err)
	}
	l, err := sumtree.LeafOf(&r, r.JobID(checker.Domain), sr1)
	if err != nil {
		panic(err)
	}
	return l
}

// world is what the chain has committed: the batches 1, honest, and 2 to 7, each with a fault of its own, of one group each.
type world struct {
	honest *tree
	trees  map[uint64]*tree
}

// theWorld is made once: signatures are slow.
var theWorld = sync.OnceValue(func() *world {
	w := &world{trees: map[uint64]*tree{}}
	records := make([][]byte, 0, 5)
	leaves := make([]sumtree.Leaf, 0, 5)
	for _, seq := range []uint64{10, 11, 14, 15, 20} {
		sr1 := sr1Of(hostKey, seq, nil)
		records, leaves = append(records, sr1), append(leaves, leafOf(sr1))
	}
	w.honest = grow(leaves, nil)
	w.honest.sr1 = records
	w.trees[1] = w.honest

	again := append([]sumtree.Leaf(nil), leaves...)
	again[2].Seq = 114 // the job of leaf 2 once more
	w.trees[2] = grow(again, nil)

	inflated := append([]sumtree.Leaf(nil), leaves...)
	inflated[3].Amount++
	w.trees[3] = grow(inflated, nil)

	w.trees[4] = grow(leaves, func(level, index int, e *sumtree.Entry) {
		if level == 1 && index == 1 {
			e.Amount += 1_000
		}
	})

	swapped := append([]sumtree.Leaf(nil), leaves...)
	swapped[1], swapped[2] = swapped[2], swapped[1]
	w.trees[5] = grow(swapped, nil)

	bad := append([]sumtree.Leaf(nil), leaves...)
	badRecord := sr1Of(hostKey, 15, func(r *receipt.Record) { r.Amount = r.Auth.MaxAmount + 1 })
	bad[3] = leafOf(badRecord)
	w.trees[6] = grow(bad, nil)
	w.trees[6].sr1 = [][]byte{nil, nil, nil, badRecord}

	w.trees[7] = grow(leaves, nil)
	w.trees[7].group.Operator = receipt.KeyAddress(otherKey)
	return w
})

func (w *world) group(batch uint64, position uint32) (*sumtree.Group, error) {
	t, found := w.trees[batch]
	if !found || position > 0 {
		return nil, errNoGroup
	}
	return &t.group, nil
}

// judge reads and checks evidence as the chain does, and returns nil if it proves something.
func (w *world) judge(kind string, evidence []byte) error {
	switch kind {
	case "repeat":
		return w.judgeRepeat(evidence)
	case "equivocation":
		e, err := fraud.DecodeEquivocation(evidence)
		if err != nil {
			return err
		}
		_, _, _, err = e.Check(checker)
		return err
	case "record":
		return w.judgeRecord(evidence)
	case "node":
		e, err := fraud.DecodeNode(evidence)
		if err != nil {
			return err
		}
		g, err := w.group(e.BatchID, e.Group)
		if err != nil {
			return err
		}
		return e.Check(g)
	case "order":
		e, err := fraud.DecodeOrder(evidence)
		if err != nil {
			return err
		}
		g, err := w.group(e.A.BatchID, e.A.Group)
		if err != nil {
			return err
		}
		return e.Check(g)
	case "omission":
		return w.judgeOmission(evidence)
	default:
		return fmt.Errorf("kind %q", kind)
	}
}

func (w *world) judgeRepeat(evidence []byte) error {
	e, err := fraud.DecodeRepeat(evidence)
	if err != nil {
		return err
	}
	a, err := w.group(e.A.BatchID, e.A.Group)
	if err != nil {
		return err
	}
	b, err := w.group(e.B.BatchID, e.B.Group)
	if err != nil {
		return err
	}
	return e.Check(a, b)
}

// errHonestRecord stands for the context rules, which the chain applies to a record that has no fault of its own.
var errHonestRecord = errors.New("the record has no fault of its own")

func (w *world) judgeRecord(evidence []byte) error {
	e, err := fraud.DecodeRecord(evidence)
	if err != nil {
		return err
	}
	g, err := w.group(e.Placed.BatchID, e.Placed.Group)
	if err != nil {
		return err
	}
	_, fault, err := e.Check(g, checker)
	if err == nil && fault == nil {
		return errHonestRecord
	}
	return err
}

// judgeOmission looks for the record in batch 1, the only one of its epoch.
func (w *world) judgeOmission(evidence []byte) error {
	e, err := fraud.DecodeOmission(evidence)
	if err != nil {
		return err
	}
	r, jobID, err := e.Record(checker)
	if err != nil {
		return err
	}
	return e.Check(r.Seq, jobID, 1, 0, &w.honest.group)
}

// proof is evidence that proves something.
type proof struct {
	name, kind string
	evidence   []byte
}

// proofs returns evidence of every kind and shape.
func (w *world) proofs() []proof {
	repeat := fraud.Repeat{A: w.trees[1].placed(1, 2), B: w.trees[2].placed(2, 2)}
	record := fraud.Record{Placed: w.trees[3].placed(3, 3), SR1: w.honest.sr1[3]}
	badRecord := fraud.Record{Placed: w.trees[6].placed(6, 3), SR1: w.trees[6].sr1[3]}
	node := w.trees[4].node(4, 1, 1)
	b := w.trees[5].placed(5, 2)
	order := fraud.Order{A: w.trees[5].placed(5, 1), B: &b}
	sameJob := fraud.Equivocation{SR1A: w.honest.sr1[2], SR1B: sr1Of(hostKey, 14, func(r *receipt.Record) { r.Amount++ })}
	sameSeq := fraud.Equivocation{SR1A: w.honest.sr1[1], SR1B: sr1Of(hostKey, 11, func(r *receipt.Record) { r.Auth.Nonce = 77 })}
	payment := fraud.Equivocation{SR1A: w.honest.sr1[0], SR1B: sr1Of(otherKey, 10, nil)}
	between := fraud.Omission{SR1: sr1Of(hostKey, 17, nil), Around: []fraud.Placed{w.honest.placed(1, 3), w.honest.placed(1, 4)}}
	instead := fraud.Omission{
		SR1: sr1Of(hostKey, 14, func(r *receipt.Record) { r.Auth.Nonce = 78 }), Around: []fraud.Placed{w.honest.placed(1, 2)},
	}
	return []proof{
		{"one job in two batches", "repeat", repeat.Append(nil)},
		{"one job under two receipts", "equivocation", sameJob.Append(nil)},
		{"one seq under two receipts", "equivocation", sameSeq.Append(nil)},
		{"one payment at two hosts", "equivocation", payment.Append(nil)},
		{"leaf says more than its record", "record", record.Append(nil)},
		{"record over its maximum", "record", badRecord.Append(nil)},
		{"node that does not add up", "node", node.Append(nil)},
		{"leaves swapped", "order", order.Append(nil)},
		{"no leaf between its neighbours", "omission", between.Append(nil)},
		{"another job at its seq", "omission", instead.Append(nil)},
	}
}

// depth is the number of levels above the leaves of a tree of n.
func depth(n int) int { return bits.Len(uint(n - 1)) }

func wantError(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("got error %v, want %v", got, want)
	}
}
