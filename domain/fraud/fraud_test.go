// SPDX-License-Identifier: Apache-2.0

package fraud_test

import (
	"bytes"
	"testing"

	"github.com/gpucoord/gpucoord/domain/fraud"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
)

func TestProofsProve(t *testing.T) {
	w := theWorld()
	for _, p := range w.proofs() {
		if err := w.judge(p.kind, p.evidence); err != nil {
			t.Errorf("%s: %v", p.name, err)
		}
		if len(p.evidence) > fraud.MaxEvidence {
			t.Errorf("%s has %d bytes, most is %d", p.name, len(p.evidence), fraud.MaxEvidence)
		}
	}
}

// Every byte of evidence is bound: with any of them changed it is malformed, or proves nothing.
func TestNoByteIsFree(t *testing.T) {
	w := theWorld()
	for _, p := range w.proofs() {
		t.Run(p.name, func(t *testing.T) {
			for i := range p.evidence {
				mutated := bytes.Clone(p.evidence)
				mutated[i] ^= 1 << (i % 8)
				if err := w.judge(p.kind, mutated); err == nil {
					t.Errorf("byte %d of %d can be changed", i, len(p.evidence))
				}
			}
		})
	}
}

func TestLengths(t *testing.T) {
	w := theWorld()
	for _, p := range w.proofs() {
		t.Run(p.name, func(t *testing.T) {
			wantError(t, w.judge(p.kind, append(bytes.Clone(p.evidence), 0)), fraud.ErrLength)
			wantError(t, w.judge(p.kind, nil), fraud.ErrLength)
			for n := range len(p.evidence) {
				err := w.judge(p.kind, p.evidence[:n])
				if p.kind == "order" && n == len(p.evidence)/2 {
					wantError(t, err, fraud.ErrInOrder) // one leaf alone, which is in its range
					continue
				}
				wantError(t, err, fraud.ErrLength)
			}
		})
	}
}

// Evidence of the largest size that a tree can ask for is read; more is not.
func TestOversizedPaths(t *testing.T) {
	w := theWorld()
	placed := w.honest.placed(1, 0)
	placed.Opening.Path = make([]sumtree.Entry, 64)
	o := fraud.Omission{SR1: w.honest.sr1[0], Around: []fraud.Placed{placed, placed}}
	if got := len(o.Append(nil)); got != fraud.MaxEvidence {
		t.Errorf("largest evidence has %d bytes, MaxEvidence is %d", got, fraud.MaxEvidence)
	}
	wantError(t, w.judge("omission", o.Append(nil)), sumtree.ErrBadPathLength)
	placed.Opening.Path = make([]sumtree.Entry, 65)
	o.Around = []fraud.Placed{placed}
	wantError(t, w.judge("omission", o.Append(nil)), fraud.ErrLength)
	n := w.trees[4].node(4, 1, 1)
	n.Path = make([]sumtree.Entry, 65)
	wantError(t, w.judge("node", n.Append(nil)), fraud.ErrLength)
	n.Path = make([]sumtree.Entry, 64)
	wantError(t, w.judge("node", n.Append(nil)), sumtree.ErrBadPathLength)
}

func TestRepeat(t *testing.T) {
	w := theWorld()
	same := fraud.Repeat{A: w.honest.placed(1, 2), B: w.honest.placed(1, 2)}
	wantError(t, w.judge("repeat", same.Append(nil)), sumtree.ErrSameClaim)
	two := fraud.Repeat{A: w.honest.placed(1, 1), B: w.honest.placed(1, 2)}
	wantError(t, w.judge("repeat", two.Append(nil)), sumtree.ErrOtherJob)
	hosts := fraud.Repeat{A: w.honest.placed(1, 2), B: w.trees[7].placed(7, 2)}
	wantError(t, w.judge("repeat", hosts.Append(nil)), fraud.ErrOtherKey)
	size := fraud.Repeat{A: w.honest.placed(1, 2), B: w.trees[2].placed(2, 2)}
	size.B.Opening.N = 6
	wantError(t, w.judge("repeat", size.Append(nil)), sumtree.ErrWrongCount)
}

func TestEquivocation(t *testing.T) {
	w := theWorld()
	for name, tc := range map[string]struct {
		b    []byte
		want error
	}{
		"the same record":     {w.honest.sr1[1], fraud.ErrSameRecord},
		"another job":         {w.honest.sr1[2], fraud.ErrUnrelated},
		"another host's":      {sr1Of(otherKey, 12, nil), fraud.ErrOtherKey},
		"breaks a rule":       {sr1Of(hostKey, 11, func(r *receipt.Record) { r.ServedAt = 1 }), receipt.ErrTimeOrder},
		"version":             {append([]byte{9}, w.honest.sr1[1][1:]...), receipt.ErrBadVersion},
		"without its payment": {sr1Of(hostKey, 12, func(r *receipt.Record) { r.Auth.PaymentRef = [32]byte{} }), fraud.ErrUnrelated},
	} {
		t.Run(name, func(t *testing.T) {
			e := fraud.Equivocation{SR1A: w.honest.sr1[1], SR1B: tc.b}
			wantError(t, w.judge("equivocation", e.Append(nil)), tc.want)
			e = fraud.Equivocation{SR1A: tc.b, SR1B: w.honest.sr1[1]}
			wantError(t, w.judge("equivocation", e.Append(nil)), tc.want)
		})
	}
	// A receipt and its countersigned form are one.
	signed := sr1Of(hostKey, 11, func(r *receipt.Record) { r.Countersigned = true })
	e := fraud.Equivocation{SR1A: w.honest.sr1[1], SR1B: signed}
	wantError(t, w.judge("equivocation", e.Append(nil)), fraud.ErrSameRecord)
	// No payment at all is no payment used twice.
	unpaid := func(r *receipt.Record) { r.Auth.PaymentRef = [32]byte{} }
	e = fraud.Equivocation{SR1A: sr1Of(hostKey, 11, unpaid), SR1B: sr1Of(hostKey, 12, unpaid)}
	wantError(t, w.judge("equivocation", e.Append(nil)), fraud.ErrUnrelated)

	for i, want := range map[int]fraud.Conflict{1: fraud.SameJob, 2: fraud.SameSeq, 3: fraud.SamePayment} {
		e, err := fraud.DecodeEquivocation(w.proofs()[i].evidence)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, got, err := e.Check(checker); got != want || err != nil {
			t.Errorf("got conflict %d (%v), want %d", got, err, want)
		}
	}
	// Evidence of another chain has no valid signature here.
	other := receipt.Checker{Domain: receipt.NewDomain("another-1", 8453)}
	e, err := fraud.DecodeEquivocation(w.proofs()[1].evidence)
	if err != nil {
		t.Fatal(err)
	}
	_, _, _, err = e.Check(other)
	wantError(t, err, receipt.ErrBadPayerSig)
}

func TestRecord(t *testing.T) {
	w := theWorld()
	honest := fraud.Record{Placed: w.honest.placed(1, 3), SR1: w.honest.sr1[3]}
	wantError(t, w.judge("record", honest.Append(nil)), errHonestRecord)
	other := fraud.Record{Placed: w.honest.placed(1, 3), SR1: w.honest.sr1[2]}
	wantError(t, w.judge("record", other.Append(nil)), fraud.ErrRecordHash)

	group := &w.trees[3].group
	e := fraud.Record{Placed: w.trees[3].placed(3, 3), SR1: w.honest.sr1[3]}
	record, fault, err := e.Check(group, checker)
	if err != nil || record.Seq != 15 {
		t.Fatalf("record %d: %v", record.Seq, err)
	}
	wantError(t, fault, fraud.ErrLeafDiffers)

	bad := fraud.Record{Placed: w.trees[6].placed(6, 3), SR1: w.trees[6].sr1[3]}
	_, fault, err = bad.Check(&w.trees[6].group, checker)
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, fault, receipt.ErrAmountOverMax)

	// Bytes that are no record may be behind a leaf as well, and tokens that no leaf can hold.
	for want, sr1 := range map[error][]byte{
		receipt.ErrBadVersion: make([]byte, receipt.Size),
		sumtree.ErrSumOverflow: sr1Of(hostKey, 11, func(r *receipt.Record) {
			r.PromptTokens, r.OutputTokens = 1<<63, 1<<63
		}),
	} {
		leaf := leafOf(w.honest.sr1[1])
		e := fraud.Record{SR1: sr1}
		leaf.RecordHash = hashOf(sr1)
		g := grow([]sumtree.Leaf{leaf}, nil)
		e.Placed = g.placed(1, 0)
		_, fault, err := e.Check(&g.group, checker)
		if err != nil {
			t.Fatal(err)
		}
		wantError(t, fault, want)
	}
}

func TestNode(t *testing.T) {
	w := theWorld()
	sound := w.honest.node(1, 1, 1)
	wantError(t, w.judge("node", sound.Append(nil)), fraud.ErrAddsUp)
	above := w.trees[4].node(4, 2, 0) // its children are as they say, wrong as one of them is
	wantError(t, w.judge("node", above.Append(nil)), fraud.ErrAddsUp)

	swapped := w.trees[4].node(4, 1, 1)
	copy(swapped.Preimage[4:], w.honest.levels[0][3].Append(nil))
	copy(swapped.Preimage[60:], w.honest.levels[0][2].Append(nil))
	wantError(t, w.judge("node", swapped.Append(nil)), sumtree.ErrRootMismatch)

	for name, tc := range map[string]struct {
		change func(*fraud.Node)
		want   error
	}{
		"level beyond":   {func(n *fraud.Node) { n.Level = 64 }, fraud.ErrLevel},
		"index beyond":   {func(n *fraud.Node) { n.Index = 3 }, fraud.ErrLevel},
		"promoted":       {func(n *fraud.Node) { n.Index = 2 }, fraud.ErrPromoted},
		"path too short": {func(n *fraud.Node) { n.Path = n.Path[:1] }, sumtree.ErrBadPathLength},
		"path too long":  {func(n *fraud.Node) { n.Path = append(n.Path, n.Path[0]) }, sumtree.ErrBadPathLength},
		"other index":    {func(n *fraud.Node) { n.Index = 0 }, sumtree.ErrRootMismatch},
		"overflow":       {func(n *fraud.Node) { n.Amount = 1<<64 - 1 }, sumtree.ErrSumOverflow},
		"other size":     {func(n *fraud.Node) { n.Preimage = n.Preimage[:99] }, fraud.ErrLength},
	} {
		t.Run(name, func(t *testing.T) {
			n := w.trees[4].node(4, 1, 1)
			tc.change(&n)
			wantError(t, w.judge("node", n.Append(nil)), tc.want)
		})
	}
	empty := sumtree.Group{}
	wantError(t, sound.Check(&empty), fraud.ErrLevel)
}

// An entry whose preimage is of the other kind than its level needs is wrong, whatever its sums are.
func TestNodeOfWrongKind(t *testing.T) {
	leaf := theWorld().honest.leaves[0]
	for name, preimage := range map[string][]byte{
		"node among leaves":      append([]byte("GCN1"), make([]byte, 112)...),
		"leaf with a node's tag": append([]byte("GCN1"), leafPreimage(leaf)[4:]...),
	} {
		g := grow([]sumtree.Leaf{leaf}, func(_, _ int, e *sumtree.Entry) { e.Hash = hashOf(preimage) })
		n := g.node(1, 0, 0)
		n.Preimage = preimage
		if err := n.Check(&g.group); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	overflow := append([]byte("GCN1"), bytes.Repeat([]byte{0xff}, 112)...)
	for name, preimage := range map[string][]byte{
		"leaf among nodes":       leafPreimage(leaf),
		"node with a leaf's tag": append([]byte("GCL1"), make([]byte, 112)...),
		"children overflow":      overflow,
	} {
		g := grow([]sumtree.Leaf{leaf, theWorld().honest.leaves[1]}, func(level, _ int, e *sumtree.Entry) {
			if level == 1 {
				e.Hash = hashOf(preimage)
			}
		})
		n := g.node(1, 1, 0)
		n.Preimage = preimage
		if err := n.Check(&g.group); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOrder(t *testing.T) {
	w := theWorld()
	leaf := func(batch uint64, index int) *fraud.Placed {
		p := w.trees[batch].placed(batch, index)
		return &p
	}
	for name, tc := range map[string]struct {
		a, b *fraud.Placed
		want error
	}{
		"ascending":          {leaf(1, 1), leaf(1, 3), fraud.ErrInOrder},
		"ascending, swapped": {leaf(1, 3), leaf(1, 1), fraud.ErrInOrder},
		"one place":          {leaf(1, 1), leaf(1, 1), fraud.ErrInOrder},
		"other batch":        {leaf(1, 1), leaf(2, 3), fraud.ErrOtherGroup},
		"descending":         {leaf(5, 1), leaf(5, 2), nil},
		"descending, second": {leaf(5, 2), leaf(5, 1), nil},
		"alone in range":     {leaf(1, 1), nil, fraud.ErrInOrder},
	} {
		t.Run(name, func(t *testing.T) {
			e := fraud.Order{A: *tc.a, B: tc.b}
			wantError(t, w.judge("order", e.Append(nil)), tc.want)
		})
	}
	broken := leaf(1, 3)
	broken.Opening.Path = broken.Opening.Path[1:]
	e := fraud.Order{A: *leaf(1, 1), B: broken}
	wantError(t, w.judge("order", e.Append(nil)), sumtree.ErrBadPathLength)

	for name, change := range map[string]func(*sumtree.Group){
		"before the range":   func(g *sumtree.Group) { g.FirstSeq = 12 },
		"behind the range":   func(g *sumtree.Group) { g.LastSeq = 10 },
		"range begins early": func(g *sumtree.Group) { g.FirstSeq = 9 },
		"range ends late":    func(g *sumtree.Group) { g.LastSeq = 21 },
	} {
		g := w.honest.group
		change(&g)
		index := map[string]int{"before the range": 1, "behind the range": 1, "range begins early": 0, "range ends late": 4}[name]
		if e := (fraud.Order{A: *leaf(1, index)}); e.Check(&g) != nil {
			t.Errorf("%s: %v", name, e.Check(&g))
		}
	}
}

func TestOmission(t *testing.T) {
	w := theWorld()
	leaf := func(index int) fraud.Placed { return w.honest.placed(1, index) }
	other := leaf(2)
	other.BatchID = 2
	for name, tc := range map[string]struct {
		sr1    []byte
		around []fraud.Placed
		want   error
	}{
		"included":           {w.honest.sr1[2], []fraud.Placed{leaf(2)}, fraud.ErrIncluded},
		"nothing shown":      {w.honest.sr1[2], nil, fraud.ErrIncluded},
		"not next":           {sr1Of(hostKey, 12, nil), []fraud.Placed{leaf(0), leaf(2)}, fraud.ErrIncluded},
		"not between":        {w.honest.sr1[2], []fraud.Placed{leaf(2), leaf(3)}, fraud.ErrIncluded},
		"not between, right": {w.honest.sr1[2], []fraud.Placed{leaf(1), leaf(2)}, fraud.ErrIncluded},
		"other seq":          {sr1Of(hostKey, 12, nil), []fraud.Placed{leaf(2)}, fraud.ErrIncluded},
		"other batch":        {sr1Of(hostKey, 12, nil), []fraud.Placed{other}, fraud.ErrOtherGroup},
		"swapped":            {sr1Of(hostKey, 12, nil), []fraud.Placed{leaf(2), leaf(1)}, fraud.ErrIncluded},
		"bad record":         {make([]byte, receipt.Size), nil, receipt.ErrBadVersion},
		"bad signature":      {sr1Of(hostKey, 12, func(r *receipt.Record) { r.Auth.Payer[0] ^= 1 }), nil, receipt.ErrBadPayerSig},
	} {
		t.Run(name, func(t *testing.T) {
			e := fraud.Omission{SR1: tc.sr1, Around: tc.around}
			wantError(t, w.judge("omission", e.Append(nil)), tc.want)
		})
	}
	three := fraud.Omission{SR1: w.honest.sr1[2], Around: []fraud.Placed{leaf(0), leaf(1), leaf(2)}}
	wantError(t, w.judge("omission", three.Append(nil)), fraud.ErrLength)
}

func TestIDs(t *testing.T) {
	seen := map[[32]byte]bool{}
	for subject := fraud.RepeatedJob; subject <= fraud.StaleAttestation; subject++ {
		for _, account := range [][20]byte{{}, {1}} {
			for _, value := range [][32]byte{fraud.Number(0), fraud.Number(1), fraud.Number(256), {1}} {
				seen[fraud.ID(subject, account, value)] = true
			}
		}
	}
	if want := 7 * 2 * 4; len(seen) != want {
		t.Errorf("%d ids, want %d different ones", len(seen), want)
	}
}
