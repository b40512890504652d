// SPDX-License-Identifier: Apache-2.0

package fraud_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/fraud"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
)

func hashOf(b []byte) [32]byte { return sha256.Sum256(b) }

// fastChecker refuses every signature without looking at it, so that a property may try many records. With it no record is valid, which
// is all that a property over arbitrary bytes can meet anyway.
var fastChecker = receipt.Checker{
	Domain:  checker.Domain,
	Recover: func([32]byte, [65]byte) ([20]byte, error) { return [20]byte{}, errors.New("not looked at") },
}

var kinds = []string{"repeat", "equivocation", "record", "node", "order", "omission"}

// again decodes evidence and encodes it again.
func again(kind string, b []byte) ([]byte, error) {
	switch kind {
	case "repeat":
		e, err := fraud.DecodeRepeat(b)
		return e.Append(nil), err
	case "equivocation":
		e, err := fraud.DecodeEquivocation(b)
		return e.Append(nil), err
	case "record":
		e, err := fraud.DecodeRecord(b)
		return e.Append(nil), err
	case "node":
		e, err := fraud.DecodeNode(b)
		return e.Append(nil), err
	case "order":
		e, err := fraud.DecodeOrder(b)
		return e.Append(nil), err
	default:
		e, err := fraud.DecodeOmission(b)
		return e.Append(nil), err
	}
}

// spliced draws evidence: arbitrary bytes, or true evidence with a part of it replaced, cut or doubled.
func spliced(t *rapid.T) (kind string, b []byte) {
	kind = rapid.SampledFrom(kinds).Draw(t, "kind")
	if rapid.Bool().Draw(t, "arbitrary") {
		return kind, rapid.SliceOfN(rapid.Byte(), 0, 2_000).Draw(t, "bytes")
	}
	p := rapid.SampledFrom(theWorld().proofs()).Draw(t, "proof")
	b = bytes.Clone(p.evidence)
	at := rapid.IntRange(0, len(b)-1).Draw(t, "at")
	part := rapid.SliceOfN(rapid.Byte(), 0, 64).Draw(t, "part")
	if rapid.Bool().Draw(t, "insert") {
		return p.kind, append(b[:at:at], append(part, b[at:]...)...)
	}
	copy(b[at:], part)
	return p.kind, b
}

// readProps: whatever is read is written back byte for byte, what is not gives ErrLength, and nothing panics.
func readProps(t *rapid.T) {
	kind, b := spliced(t)
	back, err := again(kind, b)
	switch {
	case err != nil && !errors.Is(err, fraud.ErrLength):
		t.Fatalf("%s: error %v", kind, err)
	case err == nil && !bytes.Equal(b, back):
		t.Fatalf("%s: %x is written back as %x", kind, b, back)
	}
}

// honestProps: no bytes convict the honest batch of anything that its tree alone decides. Of records, whose rules are tested one by
// one, only the signatures are not looked at.
func honestProps(t *rapid.T) {
	kind, b := spliced(t)
	g := &theWorld().honest.group
	var err error
	switch kind {
	case "repeat":
		e, fault := fraud.DecodeRepeat(b)
		e.A.BatchID, e.A.Group, e.B.BatchID, e.B.Group = 1, 0, 1, 0
		err = errors.Join(fault, e.Check(g, g))
	case "node":
		e, fault := fraud.DecodeNode(b)
		err = errors.Join(fault, e.Check(g))
	case "order":
		e, fault := fraud.DecodeOrder(b)
		err = errors.Join(fault, e.Check(g))
	case "record":
		e, fault := fraud.DecodeRecord(b)
		if _, _, err = e.Check(g, fastChecker); err == nil && fault == nil && !isHonest(e.SR1) {
			t.Fatalf("%x is behind no leaf", e.SR1)
		}
		return
	case "equivocation":
		e, fault := fraud.DecodeEquivocation(b)
		_, _, _, err = e.Check(fastChecker)
		err = errors.Join(fault, err)
	default:
		e, fault := fraud.DecodeOmission(b)
		_, _, err = e.Record(fastChecker)
		err = errors.Join(fault, err)
	}
	if err == nil {
		t.Fatalf("%s convicts the honest batch: %x", kind, b)
	}
}

func isHonest(sr1 []byte) bool {
	for _, record := range theWorld().honest.sr1 {
		if bytes.Equal(sr1, record) {
			return true
		}
	}
	return false
}

// nodeProps: in a tree of any shape, one entry with wrong sums is shown where it is made. Entries below it do not lead to the root any
// more, and every other one adds up.
func nodeProps(t *rapid.T) {
	n := rapid.IntRange(1, 40).Draw(t, "leaves")
	leaves := make([]sumtree.Leaf, n)
	for i := range leaves {
		leaves[i] = sumtree.Leaf{Seq: uint64(i), JobID: hashOf([]byte{byte(i)}), Amount: uint64(i * i), Tokens: uint64(i), OK: 1}
	}
	level := rapid.IntRange(0, depth(n)).Draw(t, "level")
	index := rapid.IntRange(0, (n-1)>>level).Draw(t, "index")
	spoilt := false
	tr := grow(leaves, func(l, i int, e *sumtree.Entry) {
		if l == level && i == index {
			e.Tokens += rapid.Uint64Range(1, 1_000).Draw(t, "more")
			spoilt = true
		}
	})
	for l := range tr.levels {
		for i := range tr.levels[l] {
			var want error
			switch {
			case l > 0 && 2*i == len(tr.levels[l-1])-1:
				want = fraud.ErrPromoted
			case spoilt && l < level && i>>(level-l) == index:
				want = sumtree.ErrRootMismatch
			case !spoilt || l != level || i != index:
				want = fraud.ErrAddsUp
			}
			e := fraud.Node{Level: uint8(l), Index: uint64(i)}
			if !errors.Is(want, fraud.ErrPromoted) {
				e = tr.node(1, l, i)
			}
			if err := e.Check(&tr.group); !errors.Is(err, want) {
				t.Fatalf("%d leaves, level %d index %d: got %v, want %v", n, l, i, err, want)
			}
		}
	}
}

func TestReadProps(t *testing.T)   { rapid.Check(t, readProps) }
func TestHonestProps(t *testing.T) { rapid.Check(t, honestProps) }
func TestNodeProps(t *testing.T)   { rapid.Check(t, nodeProps) }

func FuzzRead(f *testing.F) {
	f.Add(make([]byte, 1024))
	f.Fuzz(rapid.MakeFuzz(readProps))
}

func FuzzHonest(f *testing.F) {
	f.Add(make([]byte, 1024))
	f.Fuzz(rapid.MakeFuzz(honestProps))
}

func FuzzNode(f *testing.F) {
	f.Add(make([]byte, 1024))
	f.Fuzz(rapid.MakeFuzz(nodeProps))
}
