// SPDX-License-Identifier: Apache-2.0

package sumtree_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/sumtree"
)

// The oracle below is the recursive definition of RFC 9162 (split at the largest power of two below n), with sums in big integers and
// entries as plain bytes.

type naive struct {
	hash [32]byte
	sums [4]*big.Int // amount, tokens, ok, fail
}

func (n naive) bytes() []byte {
	out := bytes.Clone(n.hash[:])
	for i, size := range []int{8, 8, 4, 4} {
		out = append(out, n.sums[i].FillBytes(make([]byte, size))...)
	}
	return out
}

func (n naive) overflows() bool {
	return n.sums[0].BitLen() > 64 || n.sums[1].BitLen() > 64 || n.sums[2].BitLen() > 32 || n.sums[3].BitLen() > 32
}

func naiveLeaf(l sumtree.Leaf) naive {
	n := naive{sums: [4]*big.Int{
		new(big.Int).SetUint64(l.Amount), new(big.Int).SetUint64(l.Tokens), big.NewInt(int64(l.OK)), big.NewInt(int64(l.Fail)),
	}}
	preimage := binary.BigEndian.AppendUint64([]byte("GCL1"), l.Seq)
	preimage = append(append(preimage, l.JobID[:]...), l.RecordHash[:]...)
	n.hash = sha256.Sum256(append(preimage, n.bytes()[32:]...))
	return n
}

// naiveTree returns the root over leaves; ok is false if any sum overflows.
func naiveTree(leaves []sumtree.Leaf) (root naive, ok bool) {
	if len(leaves) == 1 {
		return naiveLeaf(leaves[0]), true
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	l, lok := naiveTree(leaves[:k])
	r, rok := naiveTree(leaves[k:])
	if !lok || !rok {
		return naive{}, false
	}
	for i := range root.sums {
		root.sums[i] = new(big.Int).Add(l.sums[i], r.sums[i])
	}
	if root.overflows() {
		return naive{}, false
	}
	root.hash = sha256.Sum256(bytes.Join([][]byte{[]byte("GCN1"), l.bytes(), r.bytes()}, nil))
	return root, true
}

// naivePath returns the siblings of index bottom up, and the sum of the amounts before it.
func naivePath(leaves []sumtree.Leaf, index int) (path [][]byte, offset uint64) {
	for _, l := range leaves[:index] {
		offset += l.Amount
	}
	for len(leaves) > 1 {
		k := 1
		for 2*k < len(leaves) {
			k *= 2
		}
		sibling := leaves[:k]
		if index < k {
			sibling, leaves = leaves[k:], leaves[:k]
		} else {
			index, leaves = index-k, leaves[k:]
		}
		root, _ := naiveTree(sibling)
		path = append([][]byte{root.bytes()}, path...)
	}
	return path, offset
}

func someLeaves(n int) []sumtree.Leaf {
	leaves := make([]sumtree.Leaf, n)
	for i := range leaves {
		seed := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		leaves[i] = sumtree.Leaf{
			Seq: uint64(3*i + 1), JobID: seed, RecordHash: sha256.Sum256(seed[:]), Amount: uint64(seed[0] % 4),
			Tokens: uint64(seed[1]), OK: uint32(seed[2] & 1), Fail: uint32(seed[3] & 1),
		}
	}
	return leaves
}

func mustBuild(t testing.TB, leaves []sumtree.Leaf) *sumtree.Tree {
	t.Helper()
	tree, err := sumtree.Build(leaves)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// TestExhaustive compares every opening of every size up to 70 with the oracle, and every place in it with a scan.
func TestExhaustive(t *testing.T) {
	for n := 1; n <= 70; n++ {
		leaves := someLeaves(n)
		tree := mustBuild(t, leaves)
		want, _ := naiveTree(leaves)
		root := tree.Root()
		if !bytes.Equal(root.Append(nil), want.bytes()) {
			t.Fatalf("n %d: root %+v", n, root)
		}
		var covered uint64
		for i := range leaves {
			path, offset := naivePath(leaves, i)
			o, err := tree.Open(uint64(i))
			if err != nil || len(o.Path) != len(path) {
				t.Fatalf("n %d, index %d: path of %d, want %d, %v", n, i, len(o.Path), len(path), err)
			}
			for level := range path {
				if !bytes.Equal(o.Path[level].Append(nil), path[level]) {
					t.Fatalf("n %d, index %d: level %d differs", n, i, level)
				}
			}
			if got, err := o.Verify(root); err != nil || got != offset {
				t.Fatalf("n %d, index %d: offset %d, want %d, %v", n, i, got, offset, err)
			}
			if got, err := sumtree.Locate(tree, sumtree.Target{ByIndex: true, R: uint64(i)}); err != nil || got != uint64(i) {
				t.Fatalf("n %d: located index %d at %d, %v", n, i, got, err)
			}
			for ; covered < offset+leaves[i].Amount; covered++ {
				target := sumtree.Target{R: covered}
				if got, err := sumtree.Locate(tree, target); err != nil || got != uint64(i) {
					t.Fatalf("n %d: located %d at %d, want %d, %v", n, covered, got, i, err)
				}
				if err := target.Check(root, &o); err != nil {
					t.Fatalf("n %d, place %d: %v", n, covered, err)
				}
			}
		}
		for _, target := range []sumtree.Target{{R: covered}, {R: math.MaxUint64}, {ByIndex: true, R: uint64(n)}} {
			if _, err := sumtree.Locate(tree, target); err != sumtree.ErrNotCovered {
				t.Fatalf("n %d: located %+v: %v", n, target, err)
			}
		}
		if _, err := tree.Open(uint64(n)); err != sumtree.ErrBadIndex {
			t.Fatalf("n %d: opened index %d: %v", n, n, err)
		}
	}
}

// TestWrongPositions: an opening verifies at another position or size only where its path has the same shape, so never at another
// index of the same n.
func TestWrongPositions(t *testing.T) {
	for n := 1; n <= 33; n++ {
		tree := mustBuild(t, someLeaves(n))
		for i := range n {
			o, err := tree.Open(uint64(i))
			if err != nil {
				t.Fatal(err)
			}
			for other := range n + 3 {
				o.Index = uint64(other)
				if _, err := o.Verify(tree.Root()); (err == nil) != (other == i) {
					t.Fatalf("n %d: leaf %d opens at %d: %v", n, i, other, err)
				}
			}
		}
	}
}

// drawLeaves draws ascending leaves; some have values near the limits, so that sums overflow.
func drawLeaves(t *rapid.T) []sumtree.Leaf {
	n := rapid.IntRange(1, 40).Draw(t, "n")
	huge := rapid.Bool().Draw(t, "huge")
	leaves := make([]sumtree.Leaf, n)
	seq := uint64(0)
	for i := range leaves {
		seq += rapid.Uint64Range(1, 1000).Draw(t, "gap")
		leaves[i] = sumtree.Leaf{Seq: seq, JobID: [32]byte{byte(i)}, RecordHash: [32]byte{rapid.Byte().Draw(t, "record")}}
		l := &leaves[i]
		if huge {
			l.Amount, l.Tokens = rapid.Uint64Max(1<<60).Draw(t, "amount"), rapid.Uint64Max(1<<60).Draw(t, "tokens")
			l.OK, l.Fail = rapid.Uint32Max(1<<28).Draw(t, "ok"), rapid.Uint32Max(1<<28).Draw(t, "fail")
		} else {
			l.Amount, l.Tokens = rapid.Uint64Max(1000).Draw(t, "amount"), rapid.Uint64Max(1000).Draw(t, "tokens")
			l.OK, l.Fail = rapid.Uint32Max(1).Draw(t, "ok"), rapid.Uint32Max(1).Draw(t, "fail")
		}
	}
	return leaves
}

// propTree: Build gives the oracle's root or overflows where the oracle does, and all its parts agree with each other.
func propTree(t *rapid.T) {
	leaves := drawLeaves(t)
	tree, err := sumtree.Build(leaves)
	want, ok := naiveTree(leaves)
	if !ok {
		if err != sumtree.ErrSumOverflow {
			t.Fatalf("got %v, want an overflow", err)
		}
		return
	}
	if err != nil || !bytes.Equal(tree.Root().Append(nil), want.bytes()) {
		t.Fatalf("root %v", err)
	}
	left, right, _ := tree.Top()
	if err := sumtree.CheckTop(tree.Root(), left, right, tree.Len()); err != nil {
		t.Fatalf("top: %v", err)
	}
	index := rapid.IntRange(0, len(leaves)-1).Draw(t, "index")
	o, err := tree.Open(uint64(index))
	if err != nil {
		t.Fatal(err)
	}
	_, wantOffset := naivePath(leaves, index)
	if offset, err := o.Verify(tree.Root()); err != nil || offset != wantOffset {
		t.Fatalf("offset %d, want %d, %v", offset, wantOffset, err)
	}
	propOpeningForm(t, &o)
	propMutations(t, tree.Root(), &o)
	if len(leaves) > 1 {
		at := rapid.IntRange(1, len(leaves)-1).Draw(t, "disorder")
		leaves[at].Seq = rapid.Uint64Max(leaves[at-1].Seq).Draw(t, "bad seq")
		if _, err := sumtree.Build(leaves); err != sumtree.ErrBadSeqOrder {
			t.Fatalf("disorder at %d: %v", at, err)
		}
	}
}

// propOpeningForm: the transport form gives the opening back, and nothing longer or shorter is one.
func propOpeningForm(t *rapid.T, o *sumtree.Opening) {
	b := o.Append([]byte("x"))[1:]
	got, err := sumtree.DecodeOpening(b)
	if err != nil || !bytes.Equal(got.Append(nil), b) || got.Leaf != o.Leaf || got.N != o.N || got.Index != o.Index {
		t.Fatalf("decoded %+v, %v", got, err)
	}
	cut := rapid.IntRange(0, len(b)-1).Draw(t, "cut")
	for _, bad := range [][]byte{b[:cut], append(bytes.Clone(b), 0)} {
		if _, err := sumtree.DecodeOpening(bad); err != sumtree.ErrBadOpening {
			t.Fatalf("%d bytes of %d: %v", len(bad), len(b), err)
		}
	}
}

// propMutations: a change of any byte of leaf, path or root, or another number of path entries, is refused.
func propMutations(t *rapid.T, root sumtree.Entry, o *sumtree.Opening) {
	const leafAt, leafEnd = 16, 16 + 96
	b := o.Append(nil)
	at := rapid.IntRange(leafAt, len(b)-1).Filter(func(i int) bool { return i < leafEnd || i >= leafEnd+2 }).Draw(t, "changed byte")
	change := rapid.ByteRange(1, 255).Draw(t, "change")
	b[at] ^= change
	changed, err := sumtree.DecodeOpening(b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := changed.Verify(root); err != sumtree.ErrRootMismatch && err != sumtree.ErrSumOverflow {
		t.Fatalf("byte %d changed: %v", at, err)
	}
	rootBytes := root.Append(nil)
	rootBytes[rapid.IntRange(0, len(rootBytes)-1).Draw(t, "changed root byte")] ^= change
	otherRoot, err := sumtree.DecodeEntry(rootBytes)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Verify(otherRoot); err != sumtree.ErrRootMismatch {
		t.Fatalf("root changed: %v", err)
	}
	longer := *o
	longer.Path = append(append([]sumtree.Entry{}, o.Path...), root)
	if _, err := longer.Verify(root); err != sumtree.ErrBadPathLength {
		t.Fatalf("longer path: %v", err)
	}
	if len(o.Path) > 0 {
		longer.Path = o.Path[1:]
		if _, err := longer.Verify(root); err != sumtree.ErrBadPathLength {
			t.Fatalf("shorter path: %v", err)
		}
	}
}

func TestTree(t *testing.T) { rapid.Check(t, propTree) }

func FuzzTree(f *testing.F) { f.Fuzz(rapid.MakeFuzz(propTree)) }

// propAnyOpening: whatever bytes come as an opening, and at whatever n, nothing panics, and what decodes encodes to the same bytes.
func propAnyOpening(t *rapid.T) {
	o := sumtree.Opening{N: rapid.Uint64().Draw(t, "n"), Index: rapid.Uint64().Draw(t, "index")}
	o.Path = make([]sumtree.Entry, rapid.IntRange(0, 66).Draw(t, "path"))
	for i := range o.Path {
		o.Path[i].Amount = rapid.Uint64Max(1<<59).Draw(t, "amount")
	}
	if _, err := o.Verify(sumtree.Entry{}); err == nil {
		t.Fatal("an opening of a zero root")
	}
	b := o.Append(nil)
	got, err := sumtree.DecodeOpening(b)
	if (err == nil) != (len(o.Path) <= 64) {
		t.Fatalf("path of %d: %v", len(o.Path), err)
	}
	if err == nil && !bytes.Equal(got.Append(nil), b) {
		t.Fatal("encodes to other bytes")
	}
}

func TestAnyOpening(t *testing.T) { rapid.Check(t, propAnyOpening) }

func FuzzAnyOpening(f *testing.F) { f.Fuzz(rapid.MakeFuzz(propAnyOpening)) }
