// SPDX-License-Identifier: Apache-2.0

package sumtree_test

import (
	"math"
	"testing"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
)

func TestLeafOfOutcomes(t *testing.T) {
	for outcome, want := range map[receipt.Outcome][2]uint32{
		receipt.OutcomeOK: {1, 0}, receipt.OutcomeUserCancel: {0, 0}, receipt.OutcomeUserIdle: {0, 0},
		receipt.OutcomeProviderFail: {0, 1}, receipt.OutcomeUpstreamFail: {0, 1}, receipt.OutcomeRefused: {0, 1},
	} {
		l, err := sumtree.LeafOf(&receipt.Record{Outcome: outcome}, [32]byte{}, nil)
		if err != nil || l.OK != want[0] || l.Fail != want[1] {
			t.Errorf("%s: ok %d, fail %d, %v", outcome, l.OK, l.Fail, err)
		}
	}
}

func TestDecodeEntryRefuses(t *testing.T) {
	for _, size := range []int{0, 55, 57} {
		if _, err := sumtree.DecodeEntry(make([]byte, size)); err != sumtree.ErrBadEntryLength {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestNodeOverflow(t *testing.T) {
	one := sumtree.Entry{Amount: 1, Tokens: 1, OK: 1, Fail: 1}
	for name, full := range map[string]sumtree.Entry{
		"amount": {Amount: math.MaxUint64}, "tokens": {Tokens: math.MaxUint64}, "ok": {OK: math.MaxUint32}, "fail": {Fail: math.MaxUint32},
	} {
		if got, err := sumtree.Node(full, one); err != sumtree.ErrSumOverflow || got != (sumtree.Entry{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if _, err := sumtree.Node(one, full); err != sumtree.ErrSumOverflow {
			t.Errorf("%s on the right: %v", name, err)
		}
		if _, err := sumtree.Node(full, sumtree.Entry{}); err != nil {
			t.Errorf("%s at its maximum: %v", name, err)
		}
	}
}

func TestTopOfOneLeaf(t *testing.T) {
	tree := mustBuild(t, someLeaves(1))
	if left, right, ok := tree.Top(); ok || left != (sumtree.Entry{}) || right != (sumtree.Entry{}) {
		t.Errorf("top %+v, %+v, %t", left, right, ok)
	}
}

func TestCheckTop(t *testing.T) {
	tree := mustBuild(t, someLeaves(5))
	root := tree.Root()
	left, right, _ := tree.Top()
	inflated := root
	inflated.Amount++
	for _, c := range []struct {
		name              string
		root, left, right sumtree.Entry
		count             uint64
		want              error
	}{
		{"good", root, left, right, 5, nil},
		{"no leaves", root, left, right, 0, sumtree.ErrEmptyTree},
		{"one leaf", root, sumtree.Entry{}, sumtree.Entry{}, 1, nil},
		{"one leaf with a left child", root, left, sumtree.Entry{}, 1, sumtree.ErrTopNotZero},
		{"one leaf with a right child", root, sumtree.Entry{}, right, 1, sumtree.ErrTopNotZero},
		{"inflated amount", inflated, left, right, 5, sumtree.ErrRootMismatch},
		{"children swapped", root, right, left, 5, sumtree.ErrRootMismatch},
		{"no children", root, sumtree.Entry{}, sumtree.Entry{}, 2, sumtree.ErrRootMismatch},
		{"overflow", root, sumtree.Entry{Amount: math.MaxUint64}, sumtree.Entry{Amount: 1}, 2, sumtree.ErrSumOverflow},
	} {
		if got := sumtree.CheckTop(c.root, c.left, c.right, c.count); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestDecodeOpeningRefuses(t *testing.T) {
	long := sumtree.Opening{N: 1, Path: make([]sumtree.Entry, 65)}
	wrapped := sumtree.Opening{N: 1, Path: make([]sumtree.Entry, 1<<16)}
	for name, b := range map[string][]byte{
		"nothing": nil, "a header less a byte": make([]byte, 113), "65 entries": long.Append(nil), "65536 entries": wrapped.Append(nil),
	} {
		if _, err := sumtree.DecodeOpening(b); err != sumtree.ErrBadOpening {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckDoubleClaimErrors(t *testing.T) {
	leaves := someLeaves(4)
	leaves[3].JobID = leaves[0].JobID
	tree := mustBuild(t, leaves)
	claim := func(index uint64) sumtree.Claim {
		o, err := tree.Open(index)
		if err != nil {
			t.Fatal(err)
		}
		return sumtree.Claim{BatchID: 7, Group: 1, Count: 4, Root: tree.Root(), Opening: o}
	}
	good, otherCount, otherRoot := claim(3), claim(3), claim(3)
	otherCount.Count = 5
	otherRoot.Root.Amount++
	otherBatch, otherGroup := claim(0), claim(0)
	otherBatch.BatchID, otherGroup.Group = 8, 2
	first, second := claim(0), claim(1)
	for _, c := range []struct {
		name string
		b    *sumtree.Claim
		want error
	}{
		{"same job at another index", &good, nil},
		{"same leaf in another batch", &otherBatch, nil},
		{"same leaf in another group", &otherGroup, nil},
		{"same place", &first, sumtree.ErrSameClaim},
		{"other job", &second, sumtree.ErrOtherJob},
		{"n is not the count", &otherCount, sumtree.ErrWrongCount},
		{"other root", &otherRoot, sumtree.ErrRootMismatch},
	} {
		if got := sumtree.CheckDoubleClaim(&first, c.b); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
		if got := sumtree.CheckDoubleClaim(c.b, &first); got != c.want {
			t.Errorf("%s, swapped: got %v, want %v", c.name, got, c.want)
		}
	}
}

// TestWrongNForgesNoClaim: with another n one leaf opens at two indices, so the count must decide.
func TestWrongNForgesNoClaim(t *testing.T) {
	tree := mustBuild(t, someLeaves(3))
	o, err := tree.Open(2)
	if err != nil {
		t.Fatal(err)
	}
	moved := o
	moved.N, moved.Index = 2, 1
	if _, err := moved.Verify(tree.Root()); err != nil {
		t.Fatalf("the premise does not hold: %v", err)
	}
	a := sumtree.Claim{Count: 3, Root: tree.Root(), Opening: o}
	b := sumtree.Claim{Count: 3, Root: tree.Root(), Opening: moved}
	if err := sumtree.CheckDoubleClaim(&a, &b); err != sumtree.ErrWrongCount {
		t.Errorf("claims: %v", err)
	}
	groups := []sumtree.Group{{Count: 3, Root: tree.Root()}}
	if err := sumtree.CheckSample([32]byte{}, 1, 0, 1, groups, 0, &moved); err != sumtree.ErrWrongCount {
		t.Errorf("sample: %v", err)
	}
}

// TestBuildAllocations: the number of allocations does not depend on the number of leaves.
func TestBuildAllocations(t *testing.T) {
	leaves := make([]sumtree.Leaf, 4096)
	for i := range leaves {
		leaves[i].Seq = uint64(i)
	}
	few := testing.AllocsPerRun(5, func() { mustBuild(t, leaves[:2]) })
	many := testing.AllocsPerRun(5, func() { mustBuild(t, leaves) })
	if many != few || many > 4 {
		t.Errorf("%v allocations for 4096 leaves, %v for 2", many, few)
	}
}

func BenchmarkBuild(b *testing.B) {
	leaves := make([]sumtree.Leaf, 1<<20)
	for i := range leaves {
		leaves[i] = sumtree.Leaf{Seq: uint64(i), Amount: 1, Tokens: 1, OK: 1}
	}
	b.ReportAllocs()
	for b.Loop() {
		mustBuild(b, leaves)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(leaves)), "ns/leaf")
}

func BenchmarkVerify(b *testing.B) {
	leaves := make([]sumtree.Leaf, 1<<20)
	for i := range leaves {
		leaves[i] = sumtree.Leaf{Seq: uint64(i), Amount: 1}
	}
	tree := mustBuild(b, leaves)
	o, err := tree.Open(12345)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := o.Verify(tree.Root()); err != nil {
			b.Fatal(err)
		}
	}
}
