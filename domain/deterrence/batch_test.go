// SPDX-License-Identifier: Apache-2.0

package deterrence_test

import (
	"encoding/binary"
	"math/big"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/split"
	"github.com/gpucoord/gpucoord/domain/sumtree"
)

// leaf is one claimed job: what is claimed for it and what it was worth. A leaf that claims more breaks a rule.
type leaf struct{ claimed, worth uint64 }

func (l leaf) bad() bool { return l.claimed > l.worth }

// batch is a claim that a cheat has built, tree and all.
type batch struct {
	leaves [][]leaf
	trees  []*sumtree.Tree
	groups []sumtree.Group
	k      uint32

	count, amount, badCount, badAmount uint64
}

// newBatch commits to leaves.
func newBatch(t tester, leaves [][]leaf, sampleUnit uint64) *batch {
	t.Helper()
	b := &batch{leaves: leaves}
	for g, list := range leaves {
		tree := make([]sumtree.Leaf, len(list))
		for i, l := range list {
			tree[i] = sumtree.Leaf{Seq: uint64(i) + 1, JobID: [32]byte{byte(g), byte(i)}, Amount: l.claimed, OK: 1}
			b.amount += l.claimed
			if l.bad() {
				b.badCount++
				b.badAmount += l.claimed
			}
		}
		built, err := sumtree.Build(tree)
		if err != nil {
			t.Fatalf("tree: %v", err)
		}
		b.count += uint64(len(list))
		b.trees = append(b.trees, built)
		b.groups = append(b.groups, sumtree.Group{
			Settler: [20]byte{byte(g)}, Count: built.Len(), FirstSeq: 1, LastSeq: built.Len(), Root: built.Root(),
		})
	}
	if _, err := sumtree.BatchOf(b.groups); err != nil {
		t.Fatalf("batch: %v", err)
	}
	var err error
	if b.k, err = sumtree.SampleCount(b.amount, sampleUnit, b.count, 1_000_000); err != nil {
		t.Fatalf("samples: %v", err)
	}
	return b
}

// drawBatch draws a batch in which any leaves claim too much by any part.
func drawBatch(t *rapid.T) *batch {
	leaves := make([][]leaf, rapid.IntRange(1, 3).Draw(t, "groups"))
	for g := range leaves {
		for range rapid.IntRange(1, 8).Draw(t, "leaves") {
			l := leaf{claimed: rapid.OneOf(rapid.Uint64Range(0, 20), rapid.Uint64Range(0, 1<<30)).Draw(t, "claimed")}
			l.worth = l.claimed
			if rapid.Bool().Draw(t, "inflated") {
				l.worth = rapid.Uint64Range(0, l.claimed).Draw(t, "worth")
			}
			leaves[g] = append(leaves[g], l)
		}
	}
	return newBatch(t, leaves, rapid.Uint64Range(1, 1<<33).Draw(t, "sample_unit"))
}

// caught opens the samples of a seed as the chain checks them, and says whether one of them is of a bad leaf.
func (b *batch) caught(t tester, seed [32]byte, id uint64) bool {
	t.Helper()
	caught := false
	for j := range b.k {
		d, err := sumtree.DrawGroup(seed, id, j, b.k, b.groups)
		if err != nil {
			t.Fatalf("draw: %v", err)
		}
		index, err := sumtree.Locate(b.trees[d.Group], d.Target)
		if err != nil {
			t.Fatalf("locate: %v", err)
		}
		opening, err := b.trees[d.Group].Open(index)
		if err != nil {
			t.Fatalf("open: %v", err)
		}
		if err := sumtree.CheckSample(seed, id, j, b.k, b.groups, d.Group, &opening); err != nil {
			t.Fatalf("sample: %v", err)
		}
		caught = caught || b.leaves[d.Group][index].bad()
	}
	return caught
}

// chance is the exact chance that one seed catches the batch.
func (b *batch) chance() *big.Rat {
	one := whole(1)
	byIndex := minus(one, rat(b.badCount, b.count))
	byValue := byIndex
	if b.amount > 0 {
		byValue = minus(one, rat(b.badAmount, b.amount))
	}
	missed := byIndex
	for range b.k - 1 {
		missed = times(missed, byValue)
	}
	return minus(one, missed)
}

// gain is what the inflated part brings one who owns operator and assets, and to whom 95 % of the take comes back.
func (b *batch) gain(t tester, e *economy) *big.Rat {
	t.Helper()
	var claimed, worth []uint64
	for _, list := range b.leaves {
		c, w := uint64(0), uint64(0)
		for _, l := range list {
			c, w = c+l.claimed, w+l.worth
		}
		claimed, worth = append(claimed, c), append(worth, w)
	}
	kept := func(groups []uint64) *big.Rat {
		amount, paid := e.pay(t, groups)
		return minus(whole(amount), times(rat(500, 10_000), whole(paid.take)))
	}
	return minus(kept(claimed), kept(worth))
}

// bond is the bond of one whose open claims are amount: the least whose cover is the multiple of them at a price.
func bond(t tester, amount, multiple, price uint64) uint64 {
	t.Helper()
	least := (amount*multiple*1_000_000 + price - 1) / price
	if cover, err := split.Cover(least, price); err != nil || cover < amount*multiple {
		t.Fatalf("bond %d covers %d (%v), want %d times %d", least, cover, err, multiple, amount)
	}
	return least
}

// loss is what proven fraud costs, in micro-USD at the price it has come to, when the cheat is his own reporter. A sample has
// no reporter, whose bond is then 0.
func loss(t tester, amount, bond, price, reporterBond uint64) *big.Rat {
	t.Helper()
	slash, err := split.SlashFraud(amount, price, bond)
	if err != nil {
		t.Fatalf("slash: %v", err)
	}
	shares, err := split.SplitSlash(split.SlashIn{Slash: slash, BondPrice: price, ReporterBond: reporterBond})
	if err != nil {
		t.Fatalf("split: %v", err)
	}
	return times(whole(slash-shares.Reporter), rat(price, 1_000_000))
}

// expectation is the cheat's, if he is caught with the chance given.
func expectation(caught, gain, loss *big.Rat) *big.Rat {
	return minus(times(minus(whole(1), caught), gain), times(caught, loss))
}

// anyReporter is a reporter's bond that is never what limits his part.
const anyReporter = 1 << 62

// seed is any seed but predictable, so that a failure repeats.
func seed(n uint64) [32]byte {
	var s [32]byte
	binary.BigEndian.PutUint64(s[:], n)
	return s
}
