// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/domain/fraud"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

var reportSalt = [32]byte{1, 2, 3}

// report commits a reporter to evidence and goes to the next block. It returns the message that shows it.
func (f *fixture) report(reporter string, kind types.ChallengeKind, evidence []byte, batches ...uint64) *types.MsgChallenge {
	f.t.Helper()
	commitment := operatorstypes.ReportCommitment(f.operators.domain.Salt(), [20]byte(raw(reporter)), reportSalt, sha256.Sum256(evidence))
	id := f.operators.commit(addr(reporter), commitment, f.ctx.BlockHeight())
	f.goTo(f.ctx.BlockHeight() + 1)
	return &types.MsgChallenge{
		Reporter: addr(reporter), ReportId: id, Salt: reportSalt[:], Kind: kind, Evidence: evidence, Batches: batches,
	}
}

// challenge sends a challenge that must be handled, and returns whether it was proven.
func (f *fixture) challenge(msg *types.MsgChallenge) *types.MsgChallengeResponse {
	f.t.Helper()
	resp, err := f.send(msg)
	require.NoError(f.t, err)
	result, ok := resp.(*types.MsgChallengeResponse)
	require.True(f.t, ok)
	require.NoError(f.t, f.k.CheckInvariants(f.ctx))
	return result
}

// placed opens a leaf of a group of a batch.
func (b *built) placed(f *fixture, batch uint64, group uint32, index uint64) fraud.Placed {
	f.t.Helper()
	opening, err := b.groups[group].tree.Open(index)
	require.NoError(f.t, err)
	return fraud.Placed{BatchID: batch, Group: group, Opening: opening}
}

// alter rebuilds a group with its leaves changed.
func (b *built) alter(f *fixture, group int, change func(i int, leaf *sumtree.Leaf)) {
	f.t.Helper()
	g := &b.groups[group]
	leaves := make([]sumtree.Leaf, g.tree.Len())
	for i := range leaves {
		opening, err := g.tree.Open(uint64(i))
		require.NoError(f.t, err)
		leaves[i] = opening.Leaf
		change(i, &leaves[i])
	}
	var err error
	g.tree, err = sumtree.Build(leaves)
	require.NoError(f.t, err)
	root := g.tree.Root()
	g.group.AmountUusdc, g.group.Tokens, g.group.Ok, g.group.Fail, g.group.Root = root.Amount, root.Tokens, root.OK, root.Fail, root.Hash[:]
	g.group.FirstSeq, g.group.LastSeq = leaves[0].Seq, leaves[len(leaves)-1].Seq
	if left, right, ok := g.tree.Top(); ok {
		g.group.Left, g.group.Right = left.Append(nil), right.Append(nil)
	}
	b.msg.Groups[group] = g.group
}

// placed opens a leaf of a forged group, which is the only one of its batch.
func (g *forged) placed(batch, index uint64) fraud.Placed {
	opening := sumtree.Opening{N: uint64(len(g.leaves)), Index: index, Leaf: g.leaves[index]}
	for i, at := 0, index; i < len(g.levels)-1; i, at = i+1, at/2 {
		opening.Path = append(opening.Path, g.levels[i][at^1])
	}
	return fraud.Placed{BatchID: batch, Opening: opening}
}

// inflate makes the first leaf's entry worth more than its leaf says, and all above it.
func (g *forged) inflate(by uint64) {
	g.levels[0][0].Amount += by
	for l := 1; l < len(g.levels); l++ {
		e, err := sumtree.Node(g.levels[l-1][0], g.levels[l-1][1])
		require.NoError(g.f.t, err)
		g.levels[l][0] = e
	}
	root := g.levels[len(g.levels)-1][0]
	g.group.AmountUusdc, g.group.Root = root.Amount, root.Hash[:]
	top := g.levels[len(g.levels)-2]
	g.group.Left, g.group.Right = top[0].Append(nil), top[1].Append(nil)
}

// inflated is the evidence of it.
func (g *forged) inflated(batch uint64) []byte {
	e, leaf := g.levels[0][0], sumtree.Opening{N: 1, Leaf: g.leaves[0]}
	n := fraud.Node{
		BatchID: batch, Amount: e.Amount, Tokens: e.Tokens, OK: e.OK, Fail: e.Fail,
		Preimage: append([]byte("GCL1"), leaf.Append(nil)[16:112]...),
	}
	for l := range len(g.levels) - 1 {
		n.Path = append(n.Path, g.levels[l][1])
	}
	return n.Append(nil)
}

// sr1 makes a record of "host" in epoch 0.
func (f *fixture) sr1(host string, w work, j job) []byte {
	f.t.Helper()
	record, _ := f.record(host, [32]byte(hostID(host)), 0, w, j)
	return record.AppendSR1(nil)
}

// pair is evidence of two records.
func pair(a, b []byte) []byte {
	e := fraud.Equivocation{SR1A: a, SR1B: b}
	return e.Append(nil)
}

// twoReceipts are two receipts of "host" for one job.
func (f *fixture) twoReceipts(w work, seq uint64) []byte {
	f.t.Helper()
	again := w
	again.change = func(r *receipt.Record) { r.Seq, r.OutputTokens = seq+50, 4 }
	return pair(f.sr1("host", w, job{seq: seq, amount: 100}), f.sr1("host", again, job{seq: seq, amount: 100}))
}

// submittedIn enters a batch of "host" in block 21 and goes to block 30.
func submittedIn(t *testing.T, works ...work) (*fixture, *built, types.Batch) {
	t.Helper()
	return submitted(t, 30, works...)
}
