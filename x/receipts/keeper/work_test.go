// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// job is one receipt of a group: 7 prompt and 3 output tokens, served well unless failed.
type job struct {
	seq, amount uint64
	failed      bool
}

// work is what a group is made of. change, if any, is applied to each record before it is signed.
type work struct {
	settler, payer string
	model, adapter [32]byte
	jobs           []job
	change         func(*receipt.Record)
}

// jobs makes jobs of the given amounts with seqs from first on.
func jobs(first uint64, amounts ...uint64) []job {
	list := make([]job, len(amounts))
	for i, amount := range amounts {
		list[i] = job{seq: first + uint64(i), amount: amount}
	}
	return list
}

// routed is work of the gateway's routed settler on a model.
func routed(model [32]byte, list []job) work {
	return work{settler: "set", payer: "payer", model: model, jobs: list}
}

// direct is work that the operator "op" settles itself.
func direct(model [32]byte, list []job) work {
	return work{settler: "op", payer: "customer", model: model, jobs: list}
}

// builtGroup is a group with its records and its tree.
type builtGroup struct {
	group   types.Group
	tree    *sumtree.Tree
	records [][]byte
}

// built is a batch as its host would make it.
type built struct {
	msg    *types.MsgSubmitBatch
	groups []builtGroup
}

// build makes a batch of a host for an epoch, sent by its operator.
func (f *fixture) build(host string, e uint64, works ...work) *built {
	f.t.Helper()
	key, err := f.operators.HostKey(f.ctx, receipt.KeyAddress(secret(host)))
	require.NoError(f.t, err)
	b := &built{msg: &types.MsgSubmitBatch{
		Sender: key.Operator, HostKey: key.Address, Epoch: e, DaUri: "https://da.example/file", DaSha256: make([]byte, 32),
	}}
	for _, w := range works {
		b.groups = append(b.groups, f.buildGroup(host, [32]byte(key.HostId), e, w))
	}
	slices.SortFunc(b.groups, func(x, y builtGroup) int {
		return bytes.Compare(slices.Concat(x.group.Settler, x.group.ModelId, x.group.AdapterId),
			slices.Concat(y.group.Settler, y.group.ModelId, y.group.AdapterId))
	})
	for _, g := range b.groups {
		b.msg.Groups = append(b.msg.Groups, g.group)
	}
	return b
}

func (f *fixture) buildGroup(host string, hostID [32]byte, e uint64, w work) builtGroup {
	f.t.Helper()
	var g builtGroup
	var leaves []sumtree.Leaf
	for _, j := range w.jobs {
		record, jobID := f.record(host, hostID, e, w, j)
		sr1 := record.AppendSR1(nil)
		leaf, err := sumtree.LeafOf(record, jobID, sr1)
		require.NoError(f.t, err)
		leaves, g.records = append(leaves, leaf), append(g.records, sr1)
	}
	var err error
	g.tree, err = sumtree.Build(leaves)
	require.NoError(f.t, err)
	root := g.tree.Root()
	g.group = types.Group{
		Settler: raw(w.settler), ModelId: w.model[:], AdapterId: w.adapter[:], Count: g.tree.Len(),
		AmountUusdc: root.Amount, Tokens: root.Tokens, Ok: root.OK, Fail: root.Fail,
		FirstSeq: leaves[0].Seq, LastSeq: leaves[len(leaves)-1].Seq, Root: root.Hash[:],
	}
	if left, right, ok := g.tree.Top(); ok {
		g.group.Left, g.group.Right = left.Append(nil), right.Append(nil)
	}
	return g
}

// record makes a signed record that keeps all rules, unless the work changes it. Only a gateway's payer countersigns.
func (f *fixture) record(host string, hostID [32]byte, e uint64, w work, j job) (*receipt.Record, [32]byte) {
	f.t.Helper()
	start, _, err := f.operators.EpochStartTime(f.ctx, e)
	require.NoError(f.t, err)
	served := start + 60
	r := &receipt.Record{
		Auth: receipt.JobAuth{
			Payer: receipt.KeyAddress(secret(w.payer)), Operator: receipt.KeyAddress(secret(host)), ModelID: w.model, AdapterID: w.adapter,
			PaymentRef: sha256.Sum256(fmt.Appendf(nil, "%s/%d/%d", host, e, j.seq)),
			MaxAmount:  j.amount, Nonce: j.seq, IssuedAt: served - 5, ExpiresAt: served + 60,
		},
		HostID: hostID, Epoch: e, Seq: j.seq, Outcome: receipt.OutcomeOK, PromptTokens: 7, OutputTokens: 3, Amount: j.amount, ServedAt: served,
		Countersigned: w.settler != "op",
	}
	if j.failed {
		r.Outcome = receipt.OutcomeProviderFail
	}
	if w.change != nil {
		w.change(r)
	}
	jobID := r.JobID(f.operators.domain)
	r.SigPayer = receipt.Sign(secret(w.payer), jobID)
	digest := r.Digest(f.operators.domain)
	r.SigOperator = receipt.Sign(secret(host), digest)
	if r.Countersigned {
		r.SigFinal = receipt.Sign(secret(w.payer), digest)
	}
	return r, jobID
}

// submit sends a batch and returns it as stored.
func (f *fixture) submit(b *built) types.Batch {
	f.t.Helper()
	resp, err := f.send(b.msg)
	require.NoError(f.t, err)
	submitted, ok := resp.(*types.MsgSubmitBatchResponse)
	require.True(f.t, ok)
	return f.batch(submitted.BatchId)
}

// openings answers all samples of a stored batch.
func (f *fixture) openings(b *built, stored types.Batch) *types.MsgOpenSamples {
	f.t.Helper()
	seed := f.epoch(stored.Epoch).Seed
	require.Len(f.t, seed, 32)
	groups, err := stored.DomainGroups()
	require.NoError(f.t, err)
	msg := &types.MsgOpenSamples{Sender: stored.Operator, BatchId: stored.Id}
	for j := range stored.Samples {
		draw, err := sumtree.DrawGroup([32]byte(seed), stored.Id, j, stored.Samples, groups)
		require.NoError(f.t, err)
		g := &b.groups[draw.Group]
		index, err := sumtree.Locate(g.tree, draw.Target)
		require.NoError(f.t, err)
		opening, err := g.tree.Open(index)
		require.NoError(f.t, err)
		msg.Samples = append(msg.Samples, types.SampleOpening{
			Draw: j, Group: uint32(draw.Group), Opening: opening.Append(nil), Record: g.records[index],
		})
	}
	return msg
}

// settle submits a batch of epoch 0 in block 21, opens its samples in 30 and settles it in 40. The fixture is then in block 41.
func (f *fixture) settle(host string, works ...work) types.Batch {
	f.t.Helper()
	b := f.build(host, 0, works...)
	f.goTo(21)
	stored := f.submit(b)
	f.goTo(30)
	f.do(f.openings(b, stored))
	f.goTo(41)
	return f.batch(stored.Id)
}
