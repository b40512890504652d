// SPDX-License-Identifier: Apache-2.0

package log_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/log"
)

var hasher = rfc6962.DefaultHasher

func slices(hashes [][32]byte) [][]byte {
	out := make([][]byte, len(hashes))
	for i := range hashes {
		out[i] = hashes[i][:]
	}
	return out
}

func arrays(hashes [][]byte) [][32]byte {
	out := make([][32]byte, len(hashes))
	for i := range hashes {
		out[i] = [32]byte(hashes[i])
	}
	return out
}

func someLeaves(n int) [][32]byte {
	leaves := make([][32]byte, n)
	for i := range leaves {
		leaves[i] = [32]byte(hasher.HashLeaf([]byte{byte(i), byte(i >> 8)}))
	}
	return leaves
}

// peerRange builds the peer's compact range of [begin, end) and returns it.
func peerRange(t testing.TB, leaves [][32]byte, begin, end uint64) *compact.Range {
	t.Helper()
	r := (&compact.RangeFactory{Hash: hasher.HashChildren}).NewEmptyRange(begin)
	for _, l := range leaves[begin:end] {
		if err := r.Append(l[:], nil); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// peerNode returns the hash of a full subtree, or of the ephemeral one that ends the tree, over leaves [begin, end).
func peerNode(t testing.TB, leaves [][32]byte, begin, end uint64) []byte {
	t.Helper()
	h := peerRange(t, leaves, begin, end).Hashes()
	root := h[len(h)-1]
	for i := len(h) - 2; i >= 0; i-- {
		root = hasher.HashChildren(h[i], root)
	}
	return root
}

// peerProof resolves the peer's description of a proof over the tree of size leaves.
func peerProof(t testing.TB, leaves [][32]byte, size uint64, nodes proof.Nodes) [][32]byte {
	t.Helper()
	var hashes [][]byte
	for _, id := range nodes.IDs {
		begin := id.Index << id.Level
		hashes = append(hashes, peerNode(t, leaves, begin, min(size, begin+1<<id.Level)))
	}
	path, err := nodes.Rehash(hashes, hasher.HashChildren)
	if err != nil {
		t.Fatal(err)
	}
	return arrays(path)
}

// TestExhaustive compares roots, ranges and all proofs of every size up to 34 with the peer's, and refuses every mutation of them.
func TestExhaustive(t *testing.T) {
	const limit = 34
	leaves := someLeaves(limit)
	var r log.Range
	for size := uint64(1); size <= limit; size++ {
		before := r
		beforeRoot := r.Root()
		if err := r.Append(leaves[size-1]); err != nil {
			t.Fatal(err)
		}
		if before.Root() != beforeRoot {
			t.Fatalf("size %d: a copy of the range changed", size)
		}
		peer := peerRange(t, leaves, 0, size)
		root, err := peer.GetRootHash(nil)
		if err != nil {
			t.Fatal(err)
		}
		got := r.Root()
		if !bytes.Equal(got[:], root) || log.Root(leaves[:size]) != got || !equal(r.Hashes, arrays(peer.Hashes())) || r.Validate() != nil {
			t.Fatalf("size %d: root %x, want %x", size, got, root)
		}
		for index := range size {
			checkInclusion(t, leaves, index, size)
		}
		for from := uint64(1); from <= size; from++ {
			checkConsistency(t, leaves, from, size)
		}
	}
}

func checkInclusion(t *testing.T, leaves [][32]byte, index, size uint64) {
	t.Helper()
	root := log.Root(leaves[:size])
	path, err := log.InclusionProof(leaves, index, size)
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := proof.Inclusion(index, size)
	if err != nil {
		t.Fatal(err)
	}
	if !equal(path, peerProof(t, leaves, size, nodes)) {
		t.Fatalf("index %d of %d: path differs from the peer's", index, size)
	}
	leaf := leaves[index]
	for otherSize := range size + 3 {
		for otherIndex := range size + 2 {
			// The root binds neither size nor index by itself: where the shape is the same, the peer accepts as well.
			got := log.VerifyInclusion(root, otherSize, otherIndex, leaf, path)
			peer := proof.VerifyInclusion(hasher, otherIndex, otherSize, leaf[:], slices(path), root[:])
			if (got == nil) != (peer == nil) || (otherSize == size && (got == nil) != (otherIndex == index)) {
				t.Fatalf("index %d of %d as %d of %d: %v, peer %v", index, size, otherIndex, otherSize, got, peer)
			}
		}
	}
	refuse := func(what string, root, leaf [32]byte, path [][32]byte, want error) {
		if err := log.VerifyInclusion(root, size, index, leaf, path); err != want {
			t.Fatalf("index %d of %d: %s: got %v, want %v", index, size, what, err, want)
		}
	}
	refuse("root changed", flip(root), leaf, path, log.ErrRootMismatch)
	refuse("leaf changed", root, flip(leaf), path, log.ErrRootMismatch)
	refuse("longer path", root, leaf, append(path[:len(path):len(path)], root), log.ErrBadPathLength)
	for i := range path {
		changed := append([][32]byte{}, path...)
		changed[i] = flip(changed[i])
		refuse("path changed", root, leaf, changed, log.ErrRootMismatch)
		refuse("path cut", root, leaf, path[:i], log.ErrBadPathLength)
	}
}

func checkConsistency(t *testing.T, leaves [][32]byte, from, to uint64) {
	t.Helper()
	rootFrom, rootTo := log.Root(leaves[:from]), log.Root(leaves[:to])
	path, err := log.ConsistencyProof(leaves, from, to)
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := proof.Consistency(from, to)
	if err != nil {
		t.Fatal(err)
	}
	if !equal(path, peerProof(t, leaves, to, nodes)) {
		t.Fatalf("%d to %d: path differs from the peer's", from, to)
	}
	for otherFrom := uint64(1); otherFrom <= to+1; otherFrom++ {
		for otherTo := uint64(1); otherTo <= to+2; otherTo++ {
			got := log.VerifyConsistency(rootFrom, rootTo, otherFrom, otherTo, path)
			peer := proof.VerifyConsistency(hasher, otherFrom, otherTo, slices(path), rootFrom[:], rootTo[:])
			if (got == nil) != (peer == nil) || (otherFrom == from && otherTo == to && got != nil) {
				t.Fatalf("%d to %d as %d to %d: %v, peer %v", from, to, otherFrom, otherTo, got, peer)
			}
		}
	}
	refuse := func(what string, rootFrom, rootTo [32]byte, path [][32]byte, want error) {
		if err := log.VerifyConsistency(rootFrom, rootTo, from, to, path); err != want {
			t.Fatalf("%d to %d: %s: got %v, want %v", from, to, what, err, want)
		}
	}
	refuse("first root changed", flip(rootFrom), rootTo, path, log.ErrRootMismatch)
	refuse("second root changed", rootFrom, flip(rootTo), path, log.ErrRootMismatch)
	refuse("longer path", rootFrom, rootTo, append(path[:len(path):len(path)], rootTo), log.ErrBadPathLength)
	for i := range path {
		changed := append([][32]byte{}, path...)
		changed[i] = flip(changed[i])
		refuse("path changed", rootFrom, rootTo, changed, log.ErrRootMismatch)
		refuse("path cut", rootFrom, rootTo, path[:i], log.ErrBadPathLength)
	}
}

func flip(h [32]byte) [32]byte {
	h[13] ^= 4
	return h
}

// propGiant: at sizes up to 2^64-1, and with any path, the verifiers agree with the peer's and do not panic.
func propGiant(t *rapid.T) {
	size := rapid.Uint64Min(1).Draw(t, "size")
	if rapid.Bool().Draw(t, "largest") {
		size = math.MaxUint64 - rapid.Uint64Max(3).Draw(t, "less")
	}
	other := rapid.Uint64Max(size).Draw(t, "other")
	path := make([][32]byte, rapid.IntRange(0, 66).Draw(t, "path"))
	for i := range path {
		path[i][0] = byte(i)
	}
	if nodes, err := proof.Inclusion(other, size); err == nil && rapid.Bool().Draw(t, "exact") {
		path = make([][32]byte, pathLength(nodes))
		root, err := proof.RootFromInclusionProof(hasher, other, size, make([]byte, 32), slices(path))
		if err != nil {
			t.Fatal(err)
		}
		if err := log.VerifyInclusion([32]byte(root), size, other, [32]byte{}, path); err != nil {
			t.Fatalf("index %d of %d: %v", other, size, err)
		}
	}
	root := [32]byte{1}
	got := log.VerifyInclusion(root, size, other, [32]byte{}, path)
	peer := proof.VerifyInclusion(hasher, other, size, make([]byte, 32), slices(path), root[:])
	if (got == nil) != (peer == nil) {
		t.Fatalf("index %d of %d: %v, peer %v", other, size, got, peer)
	}
	got = log.VerifyConsistency(root, root, other, size, path)
	if other == 0 && got != log.ErrBadSize {
		t.Fatalf("from 0: %v", got)
	}
	peer = proof.VerifyConsistency(hasher, other, size, slices(path), root[:], root[:])
	if other != 0 && (got == nil) != (peer == nil) {
		t.Fatalf("%d to %d: %v, peer %v", other, size, got, peer)
	}
}

func pathLength(nodes proof.Nodes) int {
	length := len(nodes.IDs)
	if _, begin, end := nodes.Ephem(); end > begin {
		length -= end - begin - 1
	}
	return length
}

func TestGiant(t *testing.T) { rapid.Check(t, propGiant) }

func FuzzGiant(f *testing.F) { f.Fuzz(rapid.MakeFuzz(propGiant)) }

// propGrow: any two sizes of a growing log are consistent, and every leaf of the smaller is in the larger.
func propGrow(t *rapid.T) {
	var leaves [][32]byte
	var r log.Range
	roots := [][32]byte{r.Root()}
	for range rapid.IntRange(1, 80).Draw(t, "size") {
		data := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "data")
		leaf := log.LeafHash(data)
		if !bytes.Equal(leaf[:], hasher.HashLeaf(data)) {
			t.Fatalf("leaf hash of %x", data)
		}
		leaves = append(leaves, leaf)
		if err := r.Append(leaf); err != nil {
			t.Fatal(err)
		}
		roots = append(roots, r.Root())
	}
	to := rapid.Uint64Range(1, r.Size).Draw(t, "to")
	from := rapid.Uint64Range(1, to).Draw(t, "from")
	path, err := log.ConsistencyProof(leaves, from, to)
	if err != nil {
		t.Fatal(err)
	}
	if err := log.VerifyConsistency(roots[from], roots[to], from, to, path); err != nil {
		t.Fatalf("%d to %d: %v", from, to, err)
	}
	index := rapid.Uint64Max(to-1).Draw(t, "index")
	path, err = log.InclusionProof(leaves, index, to)
	if err != nil {
		t.Fatal(err)
	}
	if err := log.VerifyInclusion(roots[to], to, index, leaves[index], path); err != nil {
		t.Fatalf("index %d of %d: %v", index, to, err)
	}
}

func TestGrow(t *testing.T) { rapid.Check(t, propGrow) }

func FuzzGrow(f *testing.F) { f.Fuzz(rapid.MakeFuzz(propGrow)) }
