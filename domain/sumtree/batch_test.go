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

// naiveBatchRoot is the recursive RFC 9162 tree over leaf hashes with the batch's tags.
func naiveBatchRoot(leaves [][32]byte) [32]byte {
	if len(leaves) == 1 {
		return leaves[0]
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	l, r := naiveBatchRoot(leaves[:k]), naiveBatchRoot(leaves[k:])
	return sha256.Sum256(bytes.Join([][]byte{[]byte("GCB1"), l[:], r[:]}, nil))
}

// naiveDraw hashes a tag and words and reduces them by a size.
func naiveDraw(size uint64, tag string, seed [32]byte, batchID uint64, words ...uint32) uint64 {
	preimage := binary.BigEndian.AppendUint64(append([]byte(tag), seed[:]...), batchID)
	for _, w := range words {
		preimage = binary.BigEndian.AppendUint32(preimage, w)
	}
	h := sha256.Sum256(preimage)
	return new(big.Int).Mod(new(big.Int).SetBytes(h[:]), new(big.Int).SetUint64(size)).Uint64()
}

func someGroups(n int) []sumtree.Group {
	groups := make([]sumtree.Group, n)
	for i := range groups {
		groups[i] = sumtree.Group{Operator: [20]byte{1}, HostID: [32]byte{2}, Settler: [20]byte{3}, ModelID: [32]byte{byte(i)}, Count: 1}
	}
	return groups
}

// TestBatchExhaustive checks root and all paths of every size up to 40, and that a path leads nowhere else.
func TestBatchExhaustive(t *testing.T) {
	for n := 1; n <= 40; n++ {
		groups := someGroups(n)
		var leaves [][32]byte
		for i := range groups {
			h := groups[i].Hash()
			leaves = append(leaves, sha256.Sum256(append([]byte("GCB0"), h[:]...)))
		}
		batch, err := sumtree.BatchOf(groups)
		if err != nil || batch.Root != naiveBatchRoot(leaves) || batch.Count != uint64(n) {
			t.Fatalf("n %d: %+v, %v", n, batch, err)
		}
		for i := range groups {
			path, err := sumtree.GroupPath(groups, i)
			if err != nil {
				t.Fatal(err)
			}
			for other := range n + 2 {
				err := sumtree.VerifyGroup(batch.Root, uint64(n), uint64(other), groups[i].Hash(), path)
				if (err == nil) != (other == i) {
					t.Fatalf("n %d: group %d at %d: %v", n, i, other, err)
				}
			}
			checkBadGroupPaths(t, batch.Root, uint64(n), uint64(i), groups[i].Hash(), path)
		}
	}
}

func checkBadGroupPaths(t *testing.T, root [32]byte, n, index uint64, groupHash [32]byte, path [][32]byte) {
	t.Helper()
	if err := sumtree.VerifyGroup(root, n, n, groupHash, path); err != sumtree.ErrBadIndex {
		t.Errorf("index n: %v", err)
	}
	if err := sumtree.VerifyGroup(root, n, index, groupHash, append(path[:len(path):len(path)], root)); err != sumtree.ErrBadPathLength {
		t.Errorf("longer path: %v", err)
	}
	if err := sumtree.VerifyGroup(root, n, index, root, path); err != sumtree.ErrBadGroupPath {
		t.Errorf("other group: %v", err)
	}
	for i := range path {
		changed := append([][32]byte{}, path...)
		changed[i][7] ^= 1
		if err := sumtree.VerifyGroup(root, n, index, groupHash, changed); err != sumtree.ErrBadGroupPath {
			t.Errorf("path changed at %d: %v", i, err)
		}
	}
}

func TestGroupPathRefuses(t *testing.T) {
	for _, index := range []int{-1, 3, math.MaxInt} {
		if _, err := sumtree.GroupPath(someGroups(3), index); err != sumtree.ErrBadIndex {
			t.Errorf("index %d: %v", index, err)
		}
	}
}

// TestGroupHashBindsAll: every member of a group changes its hash.
func TestGroupHashBindsAll(t *testing.T) {
	hashes := map[[32]byte]string{}
	for name, change := range map[string]func(g *sumtree.Group){
		"none": func(*sumtree.Group) {}, "operator": func(g *sumtree.Group) { g.Operator[19]++ }, "host": func(g *sumtree.Group) { g.HostID[31]++ },
		"settler": func(g *sumtree.Group) { g.Settler[0]++ }, "model": func(g *sumtree.Group) { g.ModelID[31]++ },
		"adapter": func(g *sumtree.Group) { g.AdapterID[0]++ }, "count": func(g *sumtree.Group) { g.Count++ },
		"first seq": func(g *sumtree.Group) { g.FirstSeq++ }, "last seq": func(g *sumtree.Group) { g.LastSeq++ },
		"root hash": func(g *sumtree.Group) { g.Root.Hash[0]++ }, "amount": func(g *sumtree.Group) { g.Root.Amount++ },
		"tokens": func(g *sumtree.Group) { g.Root.Tokens++ }, "ok": func(g *sumtree.Group) { g.Root.OK++ },
		"fail": func(g *sumtree.Group) { g.Root.Fail++ },
	} {
		g := someGroups(1)[0]
		change(&g)
		if other, seen := hashes[g.Hash()]; seen {
			t.Errorf("%s and %s have one hash", name, other)
		}
		hashes[g.Hash()] = name
	}
}

func TestSampleCountBounds(t *testing.T) {
	for _, c := range []struct {
		name                     string
		amount, unit, count, rep uint64
		want                     uint32
	}{
		{"unit less one", 99, 100, 50, 400_000, 2},
		{"one unit", 100, 100, 50, 400_000, 2},
		{"two units", 200, 100, 50, 400_000, 3},
		{"capped at 16", math.MaxUint64, 1, 50, 1_000_000, 16},
		{"low reputation comes after the cap", math.MaxUint64, 1, 50, 399_999, 20},
		{"count caps all", math.MaxUint64, 1, 3, 0, 3},
	} {
		if got, err := sumtree.SampleCount(c.amount, c.unit, c.count, c.rep); err != nil || got != c.want {
			t.Errorf("%s: got %d, %v, want %d", c.name, got, err, c.want)
		}
	}
}

func TestTargetOfEmptyGroup(t *testing.T) {
	if _, err := sumtree.TargetOf([32]byte{}, 1, 0, 0, 5, 0); err != sumtree.ErrEmptyTree {
		t.Errorf("got %v", err)
	}
}

func TestDrawGroupErrors(t *testing.T) {
	overflow := []sumtree.Group{{Count: math.MaxUint64}, {Count: 1}}
	for _, c := range []struct {
		name   string
		j, k   uint32
		groups []sumtree.Group
		want   error
	}{
		{"j = k", 3, 3, someGroups(2), sumtree.ErrBadDraw},
		{"k = 0", 0, 0, someGroups(2), sumtree.ErrBadDraw},
		{"overflow", 0, 1, overflow, sumtree.ErrSumOverflow},
		{"no groups", 0, 1, nil, sumtree.ErrEmptyBatch},
		{"no records", 0, 1, []sumtree.Group{{}}, sumtree.ErrEmptyBatch},
	} {
		if _, err := sumtree.DrawGroup([32]byte{}, 1, c.j, c.k, c.groups); err != c.want {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
		if err := sumtree.CheckSample([32]byte{}, 1, c.j, c.k, c.groups, 0, &sumtree.Opening{}); err != c.want {
			t.Errorf("%s: sample: got %v, want %v", c.name, err, c.want)
		}
	}
}

// propDraw: a draw is the one a scan over all leaves of all groups gives; exactly that leaf passes the check, every other one fails it.
func propDraw(t *rapid.T) {
	var groups []sumtree.Group
	var leaves [][]sumtree.Leaf
	for i := range rapid.IntRange(1, 5).Draw(t, "groups") {
		some := someLeaves(rapid.IntRange(1, 9).Draw(t, "leaves"))
		for j := range some {
			some[j].Amount = rapid.SampledFrom([]uint64{0, 0, 1, 2, 1 << 40}).Draw(t, "amount")
		}
		tree, err := sumtree.Build(some)
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, some)
		groups = append(groups, sumtree.Group{ModelID: [32]byte{byte(i)}, Count: tree.Len(), Root: tree.Root()})
	}
	batch, err := sumtree.BatchOf(groups)
	if err != nil {
		t.Fatal(err)
	}
	seed, batchID := [32]byte{rapid.Byte().Draw(t, "seed")}, rapid.Uint64().Draw(t, "batch")
	k := rapid.Uint32Range(1, 20).Draw(t, "k")
	j := rapid.Uint32Max(k-1).Draw(t, "j")
	byIndex := j == k-1 || batch.Amount == 0
	wantGroup, wantIndex := scan(leaves, byIndex, seed, batchID, j)
	d, err := sumtree.DrawGroup(seed, batchID, j, k, groups)
	if err != nil || d.Group != wantGroup || d.Target.ByIndex != byIndex {
		t.Fatalf("draw %+v, %v, want group %d", d, err, wantGroup)
	}
	for g := range groups {
		tree, err := sumtree.Build(leaves[g])
		if err != nil {
			t.Fatal(err)
		}
		for i := range leaves[g] {
			o, err := tree.Open(uint64(i))
			if err != nil {
				t.Fatal(err)
			}
			want := error(nil)
			switch {
			case g != wantGroup:
				want = sumtree.ErrWrongGroup
			case i != wantIndex:
				want = sumtree.ErrNotCovered
			}
			if err := sumtree.CheckSample(seed, batchID, j, k, groups, g, &o); err != want {
				t.Fatalf("group %d, leaf %d: got %v, want %v", g, i, err, want)
			}
		}
	}
}

// scan finds the drawn leaf by counting through all of them.
func scan(leaves [][]sumtree.Leaf, byIndex bool, seed [32]byte, batchID uint64, j uint32) (group, index int) {
	size := func(l *sumtree.Leaf) uint64 {
		if byIndex {
			return 1
		}
		return l.Amount
	}
	sizes := make([]uint64, len(leaves))
	total := uint64(0)
	for g := range leaves {
		for i := range leaves[g] {
			sizes[g] += size(&leaves[g][i])
		}
		total += sizes[g]
	}
	rest := naiveDraw(total, "GCS0", seed, batchID, j)
	for rest >= sizes[group] {
		rest -= sizes[group]
		group++
	}
	rest = naiveDraw(sizes[group], "GCS1", seed, batchID, uint32(group), j)
	for rest >= size(&leaves[group][index]) {
		rest -= size(&leaves[group][index])
		index++
	}
	return group, index
}

func TestDraw(t *testing.T) { rapid.Check(t, propDraw) }

func FuzzDraw(f *testing.F) { f.Fuzz(rapid.MakeFuzz(propDraw)) }
