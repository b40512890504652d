// SPDX-License-Identifier: Apache-2.0

package sumtree_test

import (
	"crypto/sha256"
	"testing"

	"github.com/gpucoord/gpucoord/domain/internal/vectortest"
	"github.com/gpucoord/gpucoord/domain/sumtree"
)

type vectorGroup struct {
	Tree                     string
	Operator                 vectortest.Address
	HostID                   vectortest.Hash
	Settler                  vectortest.Address
	ModelID, AdapterID       vectortest.Hash
	Count, FirstSeq, LastSeq vectortest.Uint64
	Root, Preimage           vectortest.Bytes
	GroupHash, LeafHash      vectortest.Hash
}

func groupsOf(t *testing.T, vs []vectorGroup) []sumtree.Group {
	t.Helper()
	groups := make([]sumtree.Group, len(vs))
	for i, v := range vs {
		groups[i] = sumtree.Group{
			Operator: v.Operator, HostID: v.HostID, Settler: v.Settler, ModelID: v.ModelID, AdapterID: v.AdapterID, Count: uint64(v.Count),
			FirstSeq: uint64(v.FirstSeq), LastSeq: uint64(v.LastSeq), Root: entry(t, v.Root),
		}
	}
	return groups
}

type vectorBatch struct {
	Name          string
	Groups        []vectorGroup
	Levels        [][]vectortest.Hash
	BatchRoot     vectortest.Hash
	Count, Amount vectorNumber
	Paths         []struct {
		Index uint64
		Path  []vectortest.Hash
	}
}

func TestBatchVectors(t *testing.T) {
	var file struct {
		Note    string
		Batches []vectorBatch
		Invalid []struct {
			Name, Error string
			Groups      []vectorGroup
		}
	}
	vectortest.Read(t, "batch.json", &file)
	treesFile := readVectors(t)
	trees := builtTrees(t, &treesFile)
	for _, v := range vectortest.All(t, "batches", file.Batches) {
		t.Run(v.Name, func(t *testing.T) { checkBatch(t, &v, trees) })
	}
	for _, v := range vectortest.All(t, "invalid", file.Invalid) {
		t.Run(v.Name, func(t *testing.T) {
			got, err := sumtree.BatchOf(groupsOf(t, v.Groups))
			checkError(t, err, v.Error)
			if got != (sumtree.Batch{}) {
				t.Errorf("batch %+v in spite of the error", got)
			}
		})
	}
}

func checkBatch(t *testing.T, v *vectorBatch, trees map[string]*sumtree.Tree) {
	t.Helper()
	groups := groupsOf(t, vectortest.All(t, "groups", v.Groups))
	for i, g := range v.Groups {
		leafHash := sha256.Sum256(append([]byte("GCB0"), g.GroupHash[:]...))
		if groups[i].Hash() != g.GroupHash || sha256.Sum256(g.Preimage) != g.GroupHash || leafHash != g.LeafHash {
			t.Errorf("group %d: hash %x", i, groups[i].Hash())
		}
		if key := string(groups[i].AppendKey(nil)); key != string(g.Preimage[56:140]) {
			t.Errorf("group %d: key %x", i, key)
		}
		tree := trees[g.Tree]
		if tree == nil || tree.Root() != groups[i].Root || tree.Len() != groups[i].Count {
			t.Fatalf("group %d is not of tree %s", i, g.Tree)
		}
		left, right, ok := tree.Top()
		if err := sumtree.CheckTop(groups[i].Root, left, right, groups[i].Count); err != nil || ok != (tree.Len() > 1) {
			t.Errorf("group %d: top: %v, %t", i, err, ok)
		}
	}
	want := sumtree.Batch{Root: v.BatchRoot, Count: uint64(v.Count), Amount: uint64(v.Amount)}
	if got, err := sumtree.BatchOf(groups); err != nil || got != want {
		t.Errorf("batch %+v, %v", got, err)
	}
	checkBatchLevels(t, v)
	if len(v.Paths) != len(groups) {
		t.Fatalf("%d paths of %d groups", len(v.Paths), len(groups))
	}
	for _, p := range v.Paths {
		path, err := sumtree.GroupPath(groups, int(p.Index))
		if err != nil || len(path) != len(p.Path) {
			t.Fatalf("path %d: %x, %v", p.Index, path, err)
		}
		for i := range path {
			if path[i] != p.Path[i] {
				t.Errorf("path %d differs at %d", p.Index, i)
			}
		}
		if err := sumtree.VerifyGroup(v.BatchRoot, uint64(len(groups)), p.Index, v.Groups[p.Index].GroupHash, path); err != nil {
			t.Errorf("path %d: %v", p.Index, err)
		}
	}
}

// checkBatchLevels folds the leaf hashes and compares every level.
func checkBatchLevels(t *testing.T, v *vectorBatch) {
	t.Helper()
	var level [][32]byte
	for _, g := range v.Groups {
		level = append(level, g.LeafHash)
	}
	for i, want := range vectortest.All(t, "levels", v.Levels) {
		if len(level) != len(want) {
			t.Fatalf("level %d has %d hashes, want %d", i, len(level), len(want))
		}
		var above [][32]byte
		for at := 0; at < len(level); at += 2 {
			if level[at] != want[at] || at+1 < len(level) && level[at+1] != want[at+1] {
				t.Errorf("level %d differs at %d", i, at)
			}
			if at+1 == len(level) {
				above = append(above, level[at])
				continue
			}
			above = append(above, sha256.Sum256(append(append([]byte("GCB1"), level[at][:]...), level[at+1][:]...)))
		}
		level = above
	}
	if level[0] != v.BatchRoot {
		t.Errorf("root %x", level[0])
	}
}

type vectorDraws struct {
	Name                string
	Seed                vectortest.Hash
	BatchID, SampleUnit vectortest.Uint64
	Reputation          uint64
	Amount, Count       vectortest.Uint64
	K                   uint32
	Groups              []struct {
		Count, Amount vectortest.Uint64
		Root          vectortest.Bytes
		Leaves        []vectorLeaf
	}
	Draws []struct {
		J                   uint32
		Mode                string
		GroupPreimage       vectortest.Bytes
		GroupHash           vectortest.Hash
		GroupR, GroupOffset vectortest.Uint64
		Group               int
		LeafPreimage        vectortest.Bytes
		LeafHash            vectortest.Hash
		LeafR               vectortest.Uint64
		Index               uint64
		Offset              vectortest.Uint64
		Path                []vectortest.Bytes
	}
}

func (v *vectorDraws) build(t *testing.T) ([]sumtree.Group, []*sumtree.Tree) {
	t.Helper()
	var groups []sumtree.Group
	var trees []*sumtree.Tree
	for i, g := range vectortest.All(t, "groups", v.Groups) {
		tree, err := sumtree.Build(leavesOf(vectortest.All(t, "leaves", g.Leaves)))
		if err != nil {
			t.Fatal(err)
		}
		if tree.Root() != entry(t, g.Root) || tree.Root().Amount != uint64(g.Amount) || tree.Len() != uint64(g.Count) {
			t.Fatalf("group %d: root %+v", i, tree.Root())
		}
		trees = append(trees, tree)
		groups = append(groups, sumtree.Group{Settler: [20]byte{byte(i)}, Count: uint64(g.Count), Root: tree.Root()})
	}
	return groups, trees
}

func TestDrawsVectors(t *testing.T) {
	var file struct {
		Draws      []vectorDraws
		DrawChecks []struct {
			Name  string
			Batch int
			J     uint32
			Group int
			Index uint64
			Leaf  vectorLeaf
			Path  []vectortest.Bytes
			Error string
		}
	}
	vectortest.ReadPart(t, "economics.json", &file)
	for _, v := range vectortest.All(t, "draws", file.Draws) {
		t.Run(v.Name, func(t *testing.T) { checkDraws(t, &v) })
	}
	for _, v := range vectortest.All(t, "drawChecks", file.DrawChecks) {
		t.Run(v.Name, func(t *testing.T) {
			batch := &file.Draws[v.Batch]
			groups, _ := batch.build(t)
			o := sumtree.Opening{Index: v.Index, Leaf: v.Leaf.leaf(), Path: entries(t, v.Path)}
			if v.Group < len(groups) {
				o.N = groups[v.Group].Count
			}
			checkError(t, sumtree.CheckSample(batch.Seed, uint64(batch.BatchID), v.J, batch.K, groups, v.Group, &o), v.Error)
		})
	}
}

func checkDraws(t *testing.T, v *vectorDraws) {
	t.Helper()
	groups, trees := v.build(t)
	if k, err := sumtree.SampleCount(uint64(v.Amount), uint64(v.SampleUnit), uint64(v.Count), v.Reputation); err != nil || k != v.K {
		t.Errorf("%d samples, %v", k, err)
	}
	if batch, err := sumtree.BatchOf(groups); err != nil || batch.Amount != uint64(v.Amount) || batch.Count != uint64(v.Count) {
		t.Errorf("batch %+v, %v", batch, err)
	}
	if len(vectortest.All(t, "draws", v.Draws)) != int(v.K) {
		t.Errorf("%d draws, want %d", len(v.Draws), v.K)
	}
	for _, d := range v.Draws {
		if sha256.Sum256(d.GroupPreimage) != d.GroupHash || sha256.Sum256(d.LeafPreimage) != d.LeafHash {
			t.Errorf("draw %d: the vector is inconsistent", d.J)
		}
		got, err := sumtree.DrawGroup(v.Seed, uint64(v.BatchID), d.J, v.K, groups)
		want := sumtree.Draw{
			J: d.J, Group: d.Group, GroupR: uint64(d.GroupR), GroupOffset: uint64(d.GroupOffset),
			Target: sumtree.Target{ByIndex: d.Mode == "index", R: uint64(d.LeafR)},
		}
		if err != nil || got != want {
			t.Fatalf("draw %d: got %+v, %v, want %+v", d.J, got, err, want)
		}
		if index, err := sumtree.Locate(trees[d.Group], got.Target); err != nil || index != d.Index {
			t.Errorf("draw %d: index %d, %v", d.J, index, err)
		}
		o, err := trees[d.Group].Open(d.Index)
		if err != nil || !equalPath(o.Path, d.Path) {
			t.Errorf("draw %d: opening %+v, %v", d.J, o, err)
		}
		if offset, err := o.Verify(groups[d.Group].Root); err != nil || offset != uint64(d.Offset) {
			t.Errorf("draw %d: offset %d, %v", d.J, offset, err)
		}
		if err := sumtree.CheckSample(v.Seed, uint64(v.BatchID), d.J, v.K, groups, d.Group, &o); err != nil {
			t.Errorf("draw %d: %v", d.J, err)
		}
	}
}

func TestSampleCountVectors(t *testing.T) {
	var file struct {
		SampleCount []struct {
			Name string
			In   struct {
				Amount, SampleUnit, Count vectortest.Uint64
				Reputation                uint64
			}
			Error string
			Out   struct{ K uint32 }
		}
	}
	vectortest.ReadPart(t, "economics.json", &file)
	for _, v := range vectortest.All(t, "sampleCount", file.SampleCount) {
		t.Run(v.Name, func(t *testing.T) {
			k, err := sumtree.SampleCount(uint64(v.In.Amount), uint64(v.In.SampleUnit), uint64(v.In.Count), v.In.Reputation)
			checkError(t, err, v.Error)
			if k != v.Out.K {
				t.Errorf("got %d, want %d", k, v.Out.K)
			}
		})
	}
}
