// SPDX-License-Identifier: Apache-2.0

package log_test

import (
	"bytes"
	"testing"

	"github.com/gpucoord/gpucoord/domain/internal/vectortest"
	"github.com/gpucoord/gpucoord/domain/log"
)

type vectorEntry struct {
	Index  int
	Kind   int
	Fields struct {
		BatchID                                              vectortest.Uint64
		Operator                                             vectortest.Address
		HostID                                               vectortest.Hash
		Epoch, Count, Amount                                 vectortest.Uint64
		BatchRoot, ReputationRoot, RegistryRoot, RoyaltyRoot vectortest.Hash
		Gate                                                 uint8
	}
	LeafData vectortest.Bytes
	LeafHash vectortest.Hash
}

type vectorInclusion struct {
	Name           string
	Size, Index    uint64
	LeafHash, Root vectortest.Hash
	Path           []vectortest.Hash
}

type vectorConsistency struct {
	Name             string
	From, To         uint64
	RootFrom, RootTo vectortest.Hash
	Path             []vectortest.Hash
}

type vectorFile struct {
	Note      string
	EmptyRoot vectortest.Hash
	Entries   []vectorEntry
	Roots     []struct {
		Size uint64
		Root vectortest.Hash
	}
	Inclusion, InvalidInclusion     []vectorInclusion
	Consistency, InvalidConsistency []vectorConsistency
}

func readVectors(t *testing.T) vectorFile {
	t.Helper()
	var file vectorFile
	vectortest.Read(t, "log.json", &file)
	return file
}

func hashes(path []vectortest.Hash) [][32]byte {
	var out [][32]byte
	for _, h := range path {
		out = append(out, h)
	}
	return out
}

func equal(a, b [][32]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestEntriesVectors(t *testing.T) {
	file := readVectors(t)
	kinds := map[int]bool{}
	for i, e := range vectortest.All(t, "entries", file.Entries) {
		f := e.Fields
		var data []byte
		switch e.Kind {
		case 1:
			data = log.BatchLeaf(uint64(f.BatchID), f.Operator, f.HostID, uint64(f.Epoch), uint64(f.Count), uint64(f.Amount), f.BatchRoot)
		case 2:
			data = log.EpochLeaf(uint64(f.Epoch), f.ReputationRoot, f.RegistryRoot, f.RoyaltyRoot, f.Gate)
		}
		if e.Index != i || !bytes.Equal(data, e.LeafData) || log.LeafHash(data) != e.LeafHash {
			t.Errorf("entry %d: data %x", i, data)
		}
		kinds[e.Kind] = true
	}
	if !kinds[1] || !kinds[2] || len(kinds) != 2 {
		t.Errorf("kinds %v", kinds)
	}
}

func TestRootsVectors(t *testing.T) {
	file := readVectors(t)
	var r log.Range
	if log.Root(nil) != file.EmptyRoot || r.Root() != file.EmptyRoot {
		t.Errorf("empty root %x, %x", log.Root(nil), r.Root())
	}
	leaves := leafHashes(&file)
	for _, v := range vectortest.All(t, "roots", file.Roots) {
		if err := r.Append(leaves[v.Size-1]); err != nil {
			t.Fatal(err)
		}
		if log.Root(leaves[:v.Size]) != v.Root || r.Root() != v.Root || r.Size != v.Size {
			t.Errorf("size %d: root %x, range of %d: %x", v.Size, log.Root(leaves[:v.Size]), r.Size, r.Root())
		}
	}
	if len(file.Roots) != len(leaves) {
		t.Errorf("%d roots of %d entries", len(file.Roots), len(leaves))
	}
}

func leafHashes(file *vectorFile) [][32]byte {
	var leaves [][32]byte
	for _, e := range file.Entries {
		leaves = append(leaves, e.LeafHash)
	}
	return leaves
}

func TestInclusionVectors(t *testing.T) {
	file := readVectors(t)
	leaves := leafHashes(&file)
	for _, v := range vectortest.All(t, "inclusion", file.Inclusion) {
		path, err := log.InclusionProof(leaves, v.Index, v.Size)
		if err != nil || !equal(path, hashes(v.Path)) {
			t.Errorf("index %d of %d: path %x, %v", v.Index, v.Size, path, err)
		}
		if err := log.VerifyInclusion(file.Roots[v.Size-1].Root, v.Size, v.Index, leaves[v.Index], hashes(v.Path)); err != nil {
			t.Errorf("index %d of %d: %v", v.Index, v.Size, err)
		}
	}
	for _, v := range vectortest.All(t, "invalidInclusion", file.InvalidInclusion) {
		if err := log.VerifyInclusion(v.Root, v.Size, v.Index, v.LeafHash, hashes(v.Path)); err == nil {
			t.Errorf("%s (index %d of %d): accepted", v.Name, v.Index, v.Size)
		}
	}
}

func TestConsistencyVectors(t *testing.T) {
	file := readVectors(t)
	leaves := leafHashes(&file)
	for _, v := range vectortest.All(t, "consistency", file.Consistency) {
		path, err := log.ConsistencyProof(leaves, v.From, v.To)
		if err != nil || !equal(path, hashes(v.Path)) {
			t.Errorf("%d to %d: path %x, %v", v.From, v.To, path, err)
		}
		if err := log.VerifyConsistency(file.Roots[v.From-1].Root, file.Roots[v.To-1].Root, v.From, v.To, hashes(v.Path)); err != nil {
			t.Errorf("%d to %d: %v", v.From, v.To, err)
		}
	}
	for _, v := range vectortest.All(t, "invalidConsistency", file.InvalidConsistency) {
		if err := log.VerifyConsistency(v.RootFrom, v.RootTo, v.From, v.To, hashes(v.Path)); err == nil {
			t.Errorf("%s (%d to %d): accepted", v.Name, v.From, v.To)
		}
	}
}
