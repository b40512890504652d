// SPDX-License-Identifier: Apache-2.0

package difftest

import (
	"errors"
	"math/big"
	"testing"

	"github.com/gpucoord/gpucoord/domain/log"
)

// logVectors is testdata/vectors/log.json.
type logVectors struct {
	Entries []struct {
		LeafHash hash
	}
	Roots []struct {
		Size uint64
		Root hash
	}
	Inclusion, InvalidInclusion     []inclusionVector
	Consistency, InvalidConsistency []consistencyVector
}

type inclusionVector struct {
	Name           string
	Size, Index    uint64
	LeafHash, Root hash
	Path           []hash
}

type consistencyVector struct {
	Name             string
	From, To         uint64
	RootFrom, RootTo hash
	Path             []hash
}

// TestLogVectors asks the library and domain/log the same: true proofs pass both, altered ones neither.
func TestLogVectors(t *testing.T) {
	var v logVectors
	readJSON(t, "vectors/log.json", &v)
	if len(v.Inclusion) == 0 || len(v.Consistency) == 0 || len(v.InvalidInclusion) == 0 || len(v.InvalidConsistency) == 0 {
		t.Fatal("a list of vectors is empty")
	}
	roots := map[uint64]hash{}
	for _, r := range v.Roots {
		roots[r.Size] = r.Root
	}
	for i, inc := range v.Inclusion {
		v.Inclusion[i].Root, v.Inclusion[i].LeafHash = roots[inc.Size], v.Entries[inc.Index].LeafHash
	}
	for i, con := range v.Consistency {
		v.Consistency[i].RootFrom, v.Consistency[i].RootTo = roots[con.From], roots[con.To]
	}
	c := newChain(t, osaka)
	code, definition := artifact(t, "LogProofHarness")
	to := c.deploy(code, nil)
	inclusion := func(list []inclusionVector, want bool) {
		for _, x := range list {
			path := unhash(x.Path)
			ok, _ := c.proof(to, definition, "inclusion", [32]byte(x.Root), x.Size, new(big.Int).SetUint64(x.Index), [32]byte(x.LeafHash), path)
			err := log.VerifyInclusion(x.Root, x.Size, x.Index, x.LeafHash, path)
			if ok != want || (err == nil) != want {
				t.Errorf("inclusion %d of %d, %q: contract %t, domain/log %v", x.Index, x.Size, x.Name, ok, err)
			}
		}
	}
	consistency := func(list []consistencyVector, want bool) {
		for _, x := range list {
			path := unhash(x.Path)
			ok, _ := c.proof(to, definition, "consistency", x.From, x.To, [32]byte(x.RootFrom), [32]byte(x.RootTo), path)
			err := log.VerifyConsistency(x.RootFrom, x.RootTo, x.From, x.To, path)
			if ok != want || (err == nil) != want {
				t.Errorf("consistency %d to %d, %q: contract %t, domain/log %v", x.From, x.To, x.Name, ok, err)
			}
		}
	}
	inclusion(v.Inclusion, true)
	inclusion(v.InvalidInclusion, false)
	consistency(v.Consistency, true)
	consistency(v.InvalidConsistency, false)
}

// TestProofsOfLargeLogs compares true and cut proofs of sizes around powers of two, where the paths' shape changes.
func TestProofsOfLargeLogs(t *testing.T) {
	c := newChain(t, osaka)
	code, definition := artifact(t, "LogProofHarness")
	to := c.deploy(code, nil)
	hashes := hashesUpTo(2100)
	for _, p := range [][2]uint64{{1, 2100}, {1023, 1024}, {1023, 2049}, {1024, 1025}, {1024, 2048}, {1025, 2047}, {1536, 2100}, {2047, 2048}, {2048, 2100}, {2099, 2100}} {
		path, err := log.ConsistencyProof(hashes, p[0], p[1])
		if err != nil {
			t.Fatal(err)
		}
		before, after := log.Root(hashes[:p[0]]), log.Root(hashes[:p[1]])
		ok, _ := c.proof(to, definition, "consistency", p[0], p[1], before, after, path)
		cut, _ := c.proof(to, definition, "consistency", p[0], p[1], before, after, path[1:])
		if !ok || cut {
			t.Errorf("%d to %d: true %t, cut %t", p[0], p[1], ok, cut)
		}
		if err := log.VerifyConsistency(before, after, p[0], p[1], path[1:]); !errors.Is(err, log.ErrBadPathLength) {
			t.Errorf("domain/log: %v", err)
		}
		path, err = log.InclusionProof(hashes, p[0]-1, p[1])
		if err != nil {
			t.Fatal(err)
		}
		index := new(big.Int).SetUint64(p[0] - 1)
		ok, _ = c.proof(to, definition, "inclusion", after, p[1], index, hashes[p[0]-1], path)
		cut, _ = c.proof(to, definition, "inclusion", after, p[1], index, hashes[p[0]-1], path[1:])
		if !ok || cut {
			t.Errorf("leaf %d of %d: true %t, cut %t", index, p[1], ok, cut)
		}
	}
}
