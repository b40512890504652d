// SPDX-License-Identifier: Apache-2.0

package difftest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/domain/log"
)

// Published or promised figures that the table stands beside.
const (
	// blobstreamGas is Blobstream's submitDataRootTupleRoot on Sepolia: 100 validators, of whom 30 hold two thirds.
	// Source: celestiaorg/blobstream-contracts issue 223.
	blobstreamGas = 328_852
	// maxConsistencyGas is what the proof that the log only grew may add at 10^6 leaves.
	maxConsistencyGas = 27_000
	// maxInclusionGas is what the check of an inclusion proof of 20 hashes may cost.
	maxInclusionGas = 9_500
	millionLeaves   = 1_000_000
	// anchorTime is fixed, so that the signatures and with them the zero bytes of calldata are the same in every run.
	anchorTime = 1_700_000_000
)

// maxSubmitGas is the promise for a set of n equal members: the fewest signatures, an overwritten ring slot, no proof.
var maxSubmitGas = map[int]uint64{4: 61_000, 21: 125_000, 100: 395_000}

// hashesUpTo is the leaf hashes of a log of n leaves.
func hashesUpTo(n uint64) [][32]byte {
	out := make([][32]byte, n)
	for i := range out {
		out[i] = sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
	}
	return out
}

// gasOf is what a transaction that must succeed uses.
func (c *chain) gasOf(to common.Address, data []byte) uint64 {
	c.t.Helper()
	r := c.send(&to, data)
	if r.Status != types.ReceiptStatusSuccessful {
		_, reason := c.call(to, data)
		c.t.Fatalf("reverted: %s", reason)
	}
	return r.GasUsed
}

// step is an anchor one ring after another one, so that its slot is written already.
func step(a anchor.Anchor) anchor.Anchor {
	a.Nonce += ringSize
	a.Height += 600
	return a
}

// measured is one row of the table, in gas.
type measured struct{ quorum, all, grown, rotated uint64 }

// growth is a log that grows from one size to another, and the proof of it.
type growth struct {
	from, to         uint64
	rootFrom, rootTo [32]byte
	proof            [][32]byte
}

func measure(t *testing.T, s, next signers, g growth) (m measured) {
	t.Helper()
	c := newChain(t, osaka)
	to := c.deployAnchor(s.set.Hash(), common.Address{})
	// The ring's nonce and height of a chain that anchored hourly for some years.
	a := anchor.Anchor{
		Nonce: 70_000, Height: 42_000_000, Time: anchorTime, TreeSize: g.from, Root: g.rootFrom, NextValset: s.set.Hash(),
	}
	c.gasOf(to, s.quorum(t, a).pack())
	a = step(a)
	m.quorum = c.gasOf(to, s.quorum(t, a).pack())
	a = step(a)
	m.all = c.gasOf(to, s.all(a).pack())
	a = step(a)
	a.TreeSize, a.Root = g.to, g.rootTo
	grown := s.quorum(t, a)
	grown.consistency = g.proof
	m.grown = c.gasOf(to, grown.pack())
	a = step(a)
	a.NextValset = next.set.Hash()
	c.gasOf(to, s.quorum(t, a).pack())
	a = step(a)
	a.NextValset = s.set.Hash()
	m.rotated = c.gasOf(to, next.quorum(t, a).pack())
	return m
}

// grow returns the dearest growth of logs of about 10^6 leaves: over 2^20 leaves the proof has 22 hashes, the most there are, and
// from an odd size just below all but two of them belong to both logs.
func grow(t *testing.T) growth {
	t.Helper()
	g := growth{from: 1<<20 - 1, to: 1<<20 + 100}
	hashes := hashesUpTo(g.to)
	proof, err := log.ConsistencyProof(hashes, g.from, g.to)
	if err != nil || len(proof) != 22 {
		t.Fatalf("%d hashes, %v", len(proof), err)
	}
	g.rootFrom, g.rootTo, g.proof = log.Root(hashes[:g.from]), log.Root(hashes), proof
	return g
}

func TestGasTable(t *testing.T) {
	g := grow(t)
	fmt.Printf("gas of ReceiptAnchor.submit, Osaka rules, ring slot written before (consistency: %d -> %d leaves, %d hashes)\n",
		g.from, g.to, len(g.proof))
	fmt.Printf("%5s %7s %10s %10s %10s %14s %10s\n", "N", "signers", "gas", "limit", "all sign", "+ consistency", "+ rotation")
	for _, n := range []int{1, 4, 7, 21, 50, 100, 256} {
		s, next := newSigners(t, 1, n, equalPower), newSigners(t, 2, n, equalPower)
		m := measure(t, s, next, g)
		maximum, limited := maxSubmitGas[n]
		if limited && m.quorum > maximum {
			t.Errorf("N = %d: %d gas, the limit is %d", n, m.quorum, maximum)
		}
		if limited && m.grown-m.quorum > maxConsistencyGas {
			t.Errorf("N = %d: the consistency proof adds %d gas, the limit is %d", n, m.grown-m.quorum, maxConsistencyGas)
		}
		limit := "-"
		if limited {
			limit = fmt.Sprint(maximum)
		}
		fmt.Printf("%5d %7d %10d %10s %10d %14d %10d\n", n, 2*n/3+1, m.quorum, limit, m.all, m.grown-m.quorum, m.rotated-m.quorum)
	}
	// Blobstream's published case: 30 of 100 hold two thirds.
	top := func(i int) uint64 {
		if i < 30 {
			return 228
		}
		return 48
	}
	m := measure(t, newSigners(t, 1, 100, top), newSigners(t, 2, 100, top), g)
	fmt.Printf("100 members, 30 hold 2/3: %d, with consistency %d; Blobstream, published: %d\n", m.quorum, m.grown, blobstreamGas)
	if m.grown >= blobstreamGas {
		t.Errorf("%d gas is not below Blobstream's %d", m.grown, blobstreamGas)
	}
}

func TestGasOwnerPosts(t *testing.T) {
	code, definition := artifact(t, "OwnerPosts")
	c := newChain(t, osaka)
	to := c.deploy(code, nil)
	post := func(nonce uint64) uint64 {
		data, err := definition.Pack("post", nonce, 42_000_000+nonce, uint64(anchorTime), millionLeaves+nonce, sha256.Sum256([]byte{byte(nonce)}))
		if err != nil {
			t.Fatal(err)
		}
		return c.gasOf(to, data)
	}
	post(70_000)
	fresh, overwritten := post(70_001), post(70_001+ringSize)
	fmt.Printf("owner posts the root, no signatures: %d into a new slot, %d into a written one\n", fresh, overwritten)
	if overwritten >= fresh {
		t.Errorf("%d into a written slot, %d into a new one", overwritten, fresh)
	}
}

func TestGasInclusion(t *testing.T) {
	hashes := hashesUpTo(1 << 20)
	const index = 777_777
	path, err := log.InclusionProof(hashes, index, 1<<20)
	if err != nil || len(path) != 20 {
		t.Fatal(len(path), err)
	}
	root := log.Root(hashes)
	c := newChain(t, osaka)
	code, definition := artifact(t, "LogProofHarness")
	harness := c.deploy(code, nil)
	ok, check := c.proof(harness, definition, "inclusion", root, uint64(1<<20), big.NewInt(index), hashes[index], path)
	if !ok {
		t.Fatal("a true proof was refused")
	}
	s := newSigners(t, 1, 4, equalPower)
	to := c.deployAnchor(s.set.Hash(), common.Address{})
	a := anchor.Anchor{Nonce: 1, Height: 1, Time: anchorTime, TreeSize: 1 << 20, Root: root, NextValset: s.set.Hash()}
	c.gasOf(to, s.quorum(t, a).pack())
	data := binding.PackVerifyInclusion(bound(a), hashes[index], big.NewInt(index), path)
	ok, whole := c.proof(harness, definition, "measure", to, data)
	if !ok {
		t.Fatal("a true proof was refused")
	}
	fmt.Printf("inclusion, depth 20: %d for the check (limit %d); verifyInclusion called by a contract that touched nothing before: %d,\n"+
		"  of it 6800 for a cold account and two cold slots\n", check, maxInclusionGas, whole)
	if check > maxInclusionGas {
		t.Errorf("%d gas, the limit is %d", check, maxInclusionGas)
	}
}

// proof calls the harness and returns what it says, and its own count of gas.
func (c *chain) proof(to common.Address, definition interface {
	Pack(string, ...any) ([]byte, error)
	Unpack(string, []byte) ([]any, error)
}, method string, args ...any,
) (ok bool, gas uint64) {
	c.t.Helper()
	data, err := definition.Pack(method, args...)
	if err != nil {
		c.t.Fatal(err)
	}
	out, reverted := c.call(to, data)
	if reverted != "" {
		c.t.Fatal(reverted)
	}
	values, err := definition.Unpack(method, out)
	if err != nil {
		c.t.Fatal(err)
	}
	ok, isBool := values[0].(bool)
	used, isInt := values[1].(*big.Int)
	if !isBool || !isInt {
		c.t.Fatalf("the harness answered %v", values)
	}
	return ok, used.Uint64()
}
