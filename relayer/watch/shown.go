// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"encoding/binary"
	"errors"
	"strings"

	"github.com/gpucoord/gpucoord/domain/fraud"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	"github.com/gpucoord/gpucoord/relayer/da"
	"github.com/gpucoord/gpucoord/relayer/watch/index"
)

// tree compares what the records give with what was committed, and finds what can be shown.
func (e *examination) tree(group int, leaves []sumtree.Leaf, faults, stale []faulty) error {
	g := &e.facts.groups[group]
	for i := range faults {
		if faults[i].noLeaf {
			e.demand(group, uint64(faults[i].index), shortText(faults[i].fault)) //nolint:gosec // an index
			return nil
		}
	}
	t, err := buildTree(leaves)
	if err != nil {
		e.demand(group, e.anyLeaf(group), reasonOtherTree)
		return nil //nolint:nilerr // a tree that cannot be is a finding
	}
	if t.root() != g.Root {
		return e.bent(group, t, t.findBent(g.Root), faults)
	}
	e.records(group, t, Record, faults)
	e.records(group, t, Stale, stale)
	e.order(group, t)
	return nil
}

// records shows faulty records behind their leaves.
func (e *examination) records(group int, t *tree, kind Kind, faults []faulty) {
	for i := range faults {
		f := &faults[i]
		evidence := fraud.Record{Placed: e.placed(group, t.open(f.index)), SR1: f.sr1}
		e.add(Finding{Kind: kind, Evidence: evidence.Append(nil), Reason: shortText(f.fault)})
	}
}

// order finds the first leaf that does not ascend through the group's range.
func (e *examination) order(group int, t *tree) {
	g := &e.facts.groups[group]
	last := len(t.leaves) - 1
	for i := range t.leaves {
		seq := t.leaves[i].Seq
		outside := seq < g.FirstSeq || seq > g.LastSeq || i == 0 && seq != g.FirstSeq || i == last && seq != g.LastSeq
		behind := i > 0 && t.leaves[i-1].Seq >= seq
		if !outside && !behind {
			continue
		}
		evidence := fraud.Order{A: e.placed(group, t.open(i))}
		if !outside {
			second := evidence.A
			evidence = fraud.Order{A: e.placed(group, t.open(i-1)), B: &second}
		}
		e.add(Finding{Kind: Order, Evidence: evidence.Append(nil), Reason: "seqs do not ascend through the group's range"})
		return
	}
}

// bent turns the place at which a committed tree differs into a finding; without one a leaf is demanded, a faulty one if there is.
func (e *examination) bent(group int, t *tree, b *bent, faults []faulty) error {
	switch {
	case b == nil && len(faults) > 0:
		e.demand(group, uint64(faults[0].index), reasonOtherTree) //nolint:gosec // an index
	case b == nil:
		e.demand(group, e.anyLeaf(group), reasonOtherTree)
	case b.leaf != nil:
		opening := t.open(b.index)
		opening.Leaf = *b.leaf
		sr1, err := recordAt(e.open, e.facts.groups, group, opening.Index)
		if err != nil {
			return err
		}
		evidence := fraud.Record{Placed: e.placed(group, opening), SR1: sr1}
		e.add(Finding{Kind: Record, Evidence: evidence.Append(nil), Reason: "leaf says other sums than its record"})
	default:
		evidence := fraud.Node{
			BatchID: e.facts.batch.Id, Group: uint32(group), Level: uint8(b.level), Index: uint64(b.index), //nolint:gosec // indexes
			Amount: b.entry.Amount, Tokens: b.entry.Tokens, OK: b.entry.OK, Fail: b.entry.Fail,
			Preimage: t.preimage(b.level, b.index), Path: t.path(b.level, b.index),
		}
		e.add(Finding{Kind: Node, Evidence: evidence.Append(nil), Reason: "entry is not the sum of its children"})
	}
	return nil
}

// recordAt reads one record of a DA file.
func recordAt(open func() (*da.Reader, error), groups []sumtree.Group, group int, leaf uint64) ([]byte, error) {
	file, err := open()
	if err != nil {
		return nil, err
	}
	before := leaf
	for i := range group {
		before += groups[i].Count
	}
	err = file.Skip(before)
	var sr1 []byte
	if err == nil {
		sr1, err = file.Next(nil)
	}
	return sr1, errors.Join(err, file.Close())
}

// anyLeaf is a leaf of a group that nobody can foretell who does not know the index's secret.
func (e *examination) anyLeaf(group int) uint64 {
	g := &e.facts.groups[group]
	key := e.keys(0, g.Root.Hash[:], binary.BigEndian.AppendUint64(nil, e.facts.batch.Id))
	return binary.BigEndian.Uint64(key[:]) % g.Count
}

func (e *examination) placed(group int, opening sumtree.Opening) fraud.Placed {
	return fraud.Placed{BatchID: e.facts.batch.Id, Group: uint32(group), Opening: opening} //nolint:gosec // at most 256 groups
}

func (e *examination) add(f Finding) {
	f.BatchID = e.facts.batch.Id
	e.findings = append(e.findings, f)
}

func (e *examination) demand(group int, leaf uint64, reason string) {
	e.add(Finding{Kind: Withheld, Group: uint32(group), Index: leaf, Reason: reason}) //nolint:gosec // at most 256 groups
}

// shortText is an error without its advice.
func shortText(err error) string {
	short, _, _ := strings.Cut(err.Error(), ":")
	return short
}

// demandUnread is the finding about a batch whose records cannot be had.
func demandUnread(f *facts, keys func(index.Kind, ...[]byte) index.Key) Finding {
	e := &examination{facts: f, keys: keys}
	group := 0
	for i := range f.groups { // the one that is worth most
		if f.groups[i].Root.Amount > f.groups[group].Root.Amount {
			group = i
		}
	}
	e.demand(group, e.anyLeaf(group), reasonUnreadable)
	return e.findings[0]
}
