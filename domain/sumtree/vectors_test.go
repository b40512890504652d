// SPDX-License-Identifier: Apache-2.0

package sumtree_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math/big"
	"testing"

	"github.com/gpucoord/gpucoord/domain/internal/vectortest"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
)

// errorNames are the vectors' names of this package's errors.
var errorNames = map[string]error{
	"OK": nil, "EMPTY_TREE": sumtree.ErrEmptyTree, "BAD_SEQ_ORDER": sumtree.ErrBadSeqOrder, "SUM_OVERFLOW": sumtree.ErrSumOverflow,
	"BAD_INDEX": sumtree.ErrBadIndex, "BAD_PATH_LENGTH": sumtree.ErrBadPathLength, "ROOT_MISMATCH": sumtree.ErrRootMismatch,
	"EMPTY_BATCH": sumtree.ErrEmptyBatch, "MIXED_HOST": sumtree.ErrMixedHost, "BAD_GROUP_ORDER": sumtree.ErrBadGroupOrder,
	"NOT_COVERED": sumtree.ErrNotCovered, "BAD_UNIT": sumtree.ErrBadUnit, "BAD_PPM": sumtree.ErrBadPPM,
	"BAD_DRAW": sumtree.ErrBadDraw, "WRONG_GROUP": sumtree.ErrWrongGroup,
}

// checkError fails the test unless got is the sentinel of the vectors' name.
func checkError(t *testing.T, got error, name string) {
	t.Helper()
	want, known := errorNames[name]
	if !known {
		t.Fatalf("unknown error name %s", name)
	}
	if !errors.Is(got, want) {
		t.Errorf("got %v, want %s", got, name)
	}
}

type vectorLeaf struct {
	Seq               vectortest.Uint64
	JobID, RecordHash vectortest.Hash
	Amount, Tokens    vectortest.Uint64
	OK, Fail          uint32
	Preimage          vectortest.Bytes
	Hash              vectortest.Hash
}

func (v *vectorLeaf) leaf() sumtree.Leaf {
	return sumtree.Leaf{
		Seq: uint64(v.Seq), JobID: v.JobID, RecordHash: v.RecordHash, Amount: uint64(v.Amount), Tokens: uint64(v.Tokens), OK: v.OK, Fail: v.Fail,
	}
}

// check compares the leaf's hash with its preimage and the package.
func (v *vectorLeaf) check(t *testing.T) {
	t.Helper()
	l := v.leaf()
	want := sumtree.Entry{Hash: v.Hash, Amount: l.Amount, Tokens: l.Tokens, OK: l.OK, Fail: l.Fail}
	if l.Entry() != want || sha256.Sum256(v.Preimage) != v.Hash {
		t.Errorf("leaf %d: entry %+v", l.Seq, l.Entry())
	}
}

func leavesOf(vs []vectorLeaf) []sumtree.Leaf {
	leaves := make([]sumtree.Leaf, len(vs))
	for i := range vs {
		leaves[i] = vs[i].leaf()
	}
	return leaves
}

type vectorOpening struct {
	Name, Error, Result string
	Seed                vectortest.Hash
	BatchID             vectortest.Uint64
	GroupIndex, J       uint32
	Root                vectortest.Bytes
	N, Index            uint64
	Leaf                vectorLeaf
	Path                []vectortest.Bytes
}

func (v *vectorOpening) opening(t *testing.T) sumtree.Opening {
	t.Helper()
	return sumtree.Opening{N: v.N, Index: v.Index, Leaf: v.Leaf.leaf(), Path: entries(t, v.Path)}
}

func entry(t *testing.T, b []byte) sumtree.Entry {
	t.Helper()
	e, err := sumtree.DecodeEntry(b)
	if err != nil {
		t.Fatal(err)
	}
	if got := e.Append(nil); !bytes.Equal(got, b) {
		t.Fatalf("entry encodes to %x, want %x", got, b)
	}
	return e
}

func entries(t *testing.T, path []vectortest.Bytes) []sumtree.Entry {
	t.Helper()
	var out []sumtree.Entry
	for _, b := range path {
		out = append(out, entry(t, b))
	}
	return out
}

func equalPath(got []sumtree.Entry, want []vectortest.Bytes) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		if !bytes.Equal(got[i].Append(nil), want[i]) {
			return false
		}
	}
	return true
}

type vectorTree struct {
	Name   string
	N      uint64
	Leaves []vectorLeaf
	Levels [][]vectortest.Bytes
	Root   struct {
		Entry          vectortest.Bytes
		Hash           vectortest.Hash
		Amount, Tokens vectortest.Uint64
		OK, Fail       uint32
	}
	Openings []struct {
		Index  uint64
		Offset vectortest.Uint64
		Path   []vectortest.Bytes
	}
}

type vectorSampling struct {
	Tree         string
	Seed         vectortest.Hash
	BatchID      vectortest.Uint64
	GroupIndex   uint32
	Mode         string
	Total, Count vectorNumber
	Samples      []struct {
		J        uint32
		Preimage vectortest.Bytes
		H        vectortest.Hash
		R        vectortest.Uint64
		Index    uint64
		Offset   vectortest.Uint64
		Path     []vectortest.Bytes
	}
}

// vectorNumber is a u64 that is a string for amounts and a number for counts.
type vectorNumber uint64

// UnmarshalJSON implements json.Unmarshaler.
func (n *vectorNumber) UnmarshalJSON(data []byte) error {
	var u vectortest.Uint64
	err := u.UnmarshalJSON([]byte(`"` + string(bytes.Trim(data, `"`)) + `"`))
	*n = vectorNumber(u)
	return err
}

type vectorFile struct {
	Note        string
	NodeExample struct{ Left, Right, Preimage, Entry vectortest.Bytes }
	Trees       []vectorTree

	InvalidOpenings, AcceptedOpenings, InvalidSampling []vectorOpening

	BuildErrors []struct {
		Name, Error string
		Leaves      []vectorLeaf
	}
	DuplicateClaims []struct {
		Name, Result string
		A, B         vectorOpening
	}
	Sampling []vectorSampling
}

func readVectors(t *testing.T) vectorFile {
	t.Helper()
	var file vectorFile
	vectortest.Read(t, "sumtree.json", &file)
	return file
}

func builtTrees(t *testing.T, file *vectorFile) map[string]*sumtree.Tree {
	t.Helper()
	trees := map[string]*sumtree.Tree{}
	for _, v := range vectortest.All(t, "trees", file.Trees) {
		tree, err := sumtree.Build(leavesOf(v.Leaves))
		if err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		trees[v.Name] = tree
	}
	return trees
}

func TestNodeVectors(t *testing.T) {
	v := readVectors(t).NodeExample
	got, err := sumtree.Node(entry(t, v.Left), entry(t, v.Right))
	if err != nil || got != entry(t, v.Entry) || sha256.Sum256(v.Preimage) != got.Hash {
		t.Errorf("node %+v, %v", got, err)
	}
}

func TestLeavesVectors(t *testing.T) {
	var file struct {
		Chains []struct {
			Name, CometChainID string
			ChainID            vectortest.Uint64
		}
		Valid []struct {
			Name, Chain, LeafError string
			SR1                    vectortest.Bytes
			Leaf                   *vectorLeaf
		}
	}
	vectortest.ReadPart(t, "receipts.json", &file)
	domains := map[string]receipt.Domain{}
	for _, c := range vectortest.All(t, "chains", file.Chains) {
		domains[c.Name] = receipt.NewDomain(c.CometChainID, uint64(c.ChainID))
	}
	var made []sumtree.Leaf
	for _, v := range vectortest.All(t, "valid", file.Valid) {
		t.Run(v.Name, func(t *testing.T) {
			r, err := receipt.Checker{Domain: domains[v.Chain]}.Check(v.SR1)
			if err != nil {
				t.Fatal(err)
			}
			l, err := sumtree.LeafOf(&r, r.JobID(domains[v.Chain]), v.SR1)
			checkError(t, err, v.LeafError)
			if v.Leaf == nil {
				if v.LeafError == "OK" || l != (sumtree.Leaf{}) {
					t.Errorf("leaf %+v for %s", l, v.LeafError)
				}
				return
			}
			v.Leaf.check(t)
			if l != v.Leaf.leaf() {
				t.Errorf("leaf %+v", l)
			}
			made = append(made, l)
		})
	}
	trees := readVectors(t)
	for _, tree := range vectortest.All(t, "trees", trees.Trees) {
		if tree.Name != "receipts" {
			continue
		}
		for i, l := range leavesOf(vectortest.All(t, "leaves", tree.Leaves)) {
			if l != made[i] {
				t.Errorf("leaf %d of the tree of receipts: %+v", i, l)
			}
		}
		return
	}
	t.Error("no tree of receipts")
}

func TestTreesVectors(t *testing.T) {
	file := readVectors(t)
	trees := builtTrees(t, &file)
	for _, v := range file.Trees {
		t.Run(v.Name, func(t *testing.T) {
			tree, root := trees[v.Name], entry(t, v.Root.Entry)
			for i := range vectortest.All(t, "leaves", v.Leaves) {
				v.Leaves[i].check(t)
			}
			want := sumtree.Entry{Hash: v.Root.Hash, Amount: uint64(v.Root.Amount), Tokens: uint64(v.Root.Tokens), OK: v.Root.OK, Fail: v.Root.Fail}
			if tree.Root() != root || root != want || tree.Len() != v.N {
				t.Errorf("root %+v of %d leaves", tree.Root(), tree.Len())
			}
			checkLevels(t, tree, &v)
			if uint64(len(v.Openings)) != v.N {
				t.Fatalf("%d openings of %d leaves", len(v.Openings), v.N)
			}
			for _, o := range v.Openings {
				got, err := tree.Open(o.Index)
				if err != nil || got.N != v.N || got.Index != o.Index || got.Leaf != v.Leaves[o.Index].leaf() || !equalPath(got.Path, o.Path) {
					t.Errorf("opening %d: %+v, %v", o.Index, got, err)
				}
				if offset, err := got.Verify(root); err != nil || offset != uint64(o.Offset) {
					t.Errorf("opening %d: offset %d, %v", o.Index, offset, err)
				}
			}
		})
	}
}

// checkLevels folds the vector's levels with Node and compares the last but one with the top.
func checkLevels(t *testing.T, tree *sumtree.Tree, v *vectorTree) {
	t.Helper()
	level := make([]sumtree.Entry, len(v.Leaves))
	for i := range v.Leaves {
		l := v.Leaves[i].leaf()
		level[i] = l.Entry()
	}
	for i, want := range vectortest.All(t, "levels", v.Levels) {
		if !equalPath(level, want) {
			t.Errorf("level %d differs", i)
		}
		if len(level) == 2 {
			if left, right, ok := tree.Top(); !ok || left != level[0] || right != level[1] {
				t.Errorf("top %+v, %+v, %t", left, right, ok)
			}
		}
		var above []sumtree.Entry
		for ; len(level) > 1; level = level[2:] {
			e, err := sumtree.Node(level[0], level[1])
			if err != nil {
				t.Fatal(err)
			}
			above = append(above, e)
		}
		level = append(above, level...)
	}
}

func TestOpeningsVectors(t *testing.T) {
	file := readVectors(t)
	for name, list := range map[string][]vectorOpening{"invalidOpenings": file.InvalidOpenings, "acceptedOpenings": file.AcceptedOpenings} {
		for _, v := range vectortest.All(t, name, list) {
			t.Run(v.Name, func(t *testing.T) {
				o := v.opening(t)
				_, err := o.Verify(entry(t, v.Root))
				checkError(t, err, v.Error)
				if (name == "acceptedOpenings") != (v.Error == "OK") {
					t.Errorf("%s has error %s", name, v.Error)
				}
			})
		}
	}
}

func TestBuildErrorsVectors(t *testing.T) {
	file := readVectors(t)
	for _, v := range vectortest.All(t, "buildErrors", file.BuildErrors) {
		t.Run(v.Name, func(t *testing.T) {
			tree, err := sumtree.Build(leavesOf(v.Leaves))
			checkError(t, err, v.Error)
			if tree != nil {
				t.Error("a tree in spite of the error")
			}
		})
	}
}

func TestDuplicateClaimsVectors(t *testing.T) {
	file := readVectors(t)
	results := map[error]string{nil: "DUPLICATE", sumtree.ErrOtherJob: "NOT_DUPLICATE", sumtree.ErrSameClaim: "NOT_DUPLICATE"}
	for _, v := range vectortest.All(t, "duplicateClaims", file.DuplicateClaims) {
		t.Run(v.Name, func(t *testing.T) {
			claim := func(o *vectorOpening) *sumtree.Claim {
				return &sumtree.Claim{
					BatchID: uint64(o.BatchID), Group: o.GroupIndex, Count: o.N, Root: entry(t, o.Root), Opening: o.opening(t),
				}
			}
			a, b := claim(&v.A), claim(&v.B)
			if err := sumtree.CheckDoubleClaim(a, b); results[err] != v.Result {
				t.Errorf("got %v, want %s", err, v.Result)
			}
			if err := sumtree.CheckDoubleClaim(b, a); results[err] != v.Result {
				t.Errorf("swapped: got %v, want %s", err, v.Result)
			}
		})
	}
}

func TestSamplingVectors(t *testing.T) {
	file := readVectors(t)
	trees := builtTrees(t, &file)
	for _, v := range vectortest.All(t, "sampling", file.Sampling) {
		t.Run(v.Tree, func(t *testing.T) {
			tree := trees[v.Tree]
			root := tree.Root()
			if root.Amount != uint64(v.Total) || tree.Len() != uint64(v.Count) {
				t.Fatalf("total %d, count %d", root.Amount, tree.Len())
			}
			for _, s := range vectortest.All(t, "samples", v.Samples) {
				size := uint64(v.Total)
				if v.Mode == "index" {
					size = uint64(v.Count)
				}
				if sha256.Sum256(s.Preimage) != s.H || bigMod(s.H, size) != uint64(s.R) {
					t.Fatalf("draw %d: the vector is inconsistent", s.J)
				}
				target, err := sumtree.TargetOf(v.Seed, uint64(v.BatchID), v.GroupIndex, s.J, root.Amount, tree.Len())
				if err != nil || target != (sumtree.Target{ByIndex: v.Mode == "index", R: uint64(s.R)}) {
					t.Errorf("draw %d: target %+v, %v", s.J, target, err)
				}
				if index, err := sumtree.Locate(tree, target); err != nil || index != s.Index {
					t.Errorf("draw %d: index %d, %v", s.J, index, err)
				}
				o, err := tree.Open(s.Index)
				if err != nil || !equalPath(o.Path, s.Path) {
					t.Errorf("draw %d: opening %+v, %v", s.J, o, err)
				}
				if offset, err := o.Verify(root); err != nil || offset != uint64(s.Offset) {
					t.Errorf("draw %d: offset %d, %v", s.J, offset, err)
				}
				if err := target.Check(root, &o); err != nil {
					t.Errorf("draw %d: %v", s.J, err)
				}
			}
		})
	}
	for _, v := range vectortest.All(t, "invalidSampling", file.InvalidSampling) {
		t.Run(v.Name, func(t *testing.T) {
			root, o := entry(t, v.Root), v.opening(t)
			target, err := sumtree.TargetOf(v.Seed, uint64(v.BatchID), v.GroupIndex, v.J, root.Amount, v.N)
			if err != nil {
				t.Fatal(err)
			}
			checkError(t, target.Check(root, &o), v.Error)
		})
	}
}

func bigMod(h [32]byte, m uint64) uint64 {
	return new(big.Int).Mod(new(big.Int).SetBytes(h[:]), new(big.Int).SetUint64(m)).Uint64()
}
