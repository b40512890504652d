// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/domain/sumtree"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// forged is a batch of one group whose tree holds its leaves in any order and number, which sumtree.Build refuses.
type forged struct {
	f       *fixture
	group   types.Group
	leaves  []sumtree.Leaf
	records [][]byte
	levels  [][]sumtree.Entry
}

// forge makes a group of true records; order lists the job at each place of the tree.
func (f *fixture) forge(w work, order ...int) *forged {
	f.t.Helper()
	honest := f.buildGroup("host", [32]byte(hostID("host")), 0, w)
	g := &forged{f: f, group: honest.group}
	for _, i := range order {
		opening, err := honest.tree.Open(uint64(i))
		require.NoError(f.t, err)
		g.leaves, g.records = append(g.leaves, opening.Leaf), append(g.records, honest.records[i])
	}
	level := make([]sumtree.Entry, len(order))
	for i := range g.leaves {
		level[i] = g.leaves[i].Entry()
	}
	g.levels = append(g.levels, level)
	for len(level) > 1 { // the number of leaves is a power of two
		above := make([]sumtree.Entry, len(level)/2)
		for i := range above {
			var err error
			above[i], err = sumtree.Node(level[2*i], level[2*i+1])
			require.NoError(f.t, err)
		}
		level = above
		g.levels = append(g.levels, level)
	}
	root := level[0]
	g.group.Count, g.group.AmountUusdc, g.group.Tokens, g.group.Ok, g.group.Root = uint64(len(order)), root.Amount, root.Tokens, root.OK, root.Hash[:]
	g.group.FirstSeq, g.group.LastSeq = 1, 100
	top := g.levels[len(g.levels)-2]
	g.group.Left, g.group.Right = top[0].Append(nil), top[1].Append(nil)
	return g
}

// submit claims the group as a batch of its own in block 21 and goes to the open window.
func (g *forged) submit() types.Batch {
	g.f.t.Helper()
	g.f.goTo(21)
	b := g.f.build("host", 0, direct(plain, jobs(1, 1)))
	b.msg.Groups = []types.Group{g.group}
	stored := g.f.submit(b)
	g.f.goTo(30)
	return stored
}

// openings answers the samples, and returns the places that they ask for.
func (g *forged) openings(stored types.Batch) (*types.MsgOpenSamples, []uint64) {
	g.f.t.Helper()
	groups, err := stored.DomainGroups()
	require.NoError(g.f.t, err)
	msg := &types.MsgOpenSamples{Sender: stored.Operator, BatchId: stored.Id}
	var places []uint64
	for j := range stored.Samples {
		draw, err := sumtree.DrawGroup([32]byte(g.f.epoch(0).Seed), stored.Id, j, stored.Samples, groups)
		require.NoError(g.f.t, err)
		index := draw.Target.R
		if !draw.Target.ByIndex {
			index /= g.leaves[0].Amount // all leaves have the same
		}
		opening := sumtree.Opening{N: uint64(len(g.leaves)), Index: index, Leaf: g.leaves[index]}
		for i, at := 0, index; i < len(g.levels)-1; i, at = i+1, at/2 {
			opening.Path = append(opening.Path, g.levels[i][at^1])
		}
		msg.Samples = append(msg.Samples, types.SampleOpening{Draw: j, Opening: opening.Append(nil), Record: g.records[index]})
		places = append(places, index)
	}
	return msg, places
}

// million makes n jobs of one dollar each, enough for a sample at each doubling.
func million(n int) work {
	amounts := make([]uint64, n)
	for i := range amounts {
		amounts[i] = 1_000_000
	}
	return direct(plain, jobs(1, amounts...))
}

// first returns the first two draws that ask for different places.
func first(t *testing.T, places []uint64) (a, b uint32) {
	t.Helper()
	for j := range places {
		if places[j] != places[0] {
			return 0, uint32(j)
		}
	}
	require.Fail(t, "every draw asks for one place", "%v", places)
	return 0, 0
}

// convicted checks that a batch is void and its operator slashed once.
func (f *fixture) convicted(stored types.Batch, reason, evidence string) {
	f.t.Helper()
	b := f.batch(stored.Id)
	require.Equal(f.t, types.BatchStatus_BATCH_STATUS_VOID, b.Status)
	require.Equal(f.t, reason, b.Reason)
	require.Empty(f.t, b.OpenedLeaves)
	require.Equal(f.t, []operatorstypes.Offence{batchOffence(stored.Id, stored.AmountUusdc, evidence)}, f.operators.punished)
	voided := lastEvent[*types.EventBatchVoided](f)
	require.Equal(f.t, []any{stored.Id, reason, uint64(slashTaken)}, []any{voided.BatchId, voided.Reason, voided.SlashedUltai})
	locked := uint64(0)
	for i := range stored.States {
		locked += stored.States[i].LockedUusdc
	}
	require.Equal(f.t, locked, voided.ReturnedUusdc)
	require.NoError(f.t, f.k.CheckInvariants(f.ctx))
	f.goTo(45)
	require.Len(f.t, f.operators.punished, 1, "nothing comes after it")
	require.Equal(f.t, types.BatchStatus_BATCH_STATUS_VOID, f.batch(stored.Id).Status)
}

// Each copy of a leaf opens to a true record; two of them convict the batch.
func TestRepeatedLeafIsFraud(t *testing.T) {
	f := newFixture(t)
	g := f.forge(million(1), 0, 0, 0, 0, 0, 0, 0, 0)
	stored := g.submit()
	require.Positive(t, stored.Samples)
	msg, places := g.openings(stored)
	a, b := first(t, places)
	require.Equal(t, []uint32{0, 1}, []uint32{a, b})
	resp, err := f.send(msg)
	require.NoError(t, err)
	require.Equal(t, &types.MsgOpenSamplesResponse{Opened: 0b11, Samples: stored.Samples, Status: types.BatchStatus_BATCH_STATUS_VOID}, resp)
	f.refused(types.ErrBatchStatus, msg)
	f.convicted(stored, types.RepeatedLeaf, "repeated leaf batch 1 draws 0 and 1")
}

// It makes no difference that the copies come in two messages, with the state exported between them.
func TestRepeatedLeafOverTwoMessages(t *testing.T) {
	f := newFixture(t)
	g := f.forge(million(1), 0, 0, 0, 0, 0, 0, 0, 0)
	stored := g.submit()
	msg, _ := g.openings(stored)
	f.do(&types.MsgOpenSamples{Sender: msg.Sender, BatchId: 1, Samples: msg.Samples[:1]})
	require.Equal(t, types.BatchStatus_BATCH_STATUS_SUBMITTED, f.batch(1).Status)
	require.Len(t, f.batch(1).OpenedLeaves, 1)
	genesis, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	events := f.ctx.EventManager().Events()
	f = f.reload(genesis)
	f.ctx.EventManager().EmitEvents(events)
	f.do(&types.MsgOpenSamples{Sender: msg.Sender, BatchId: 1, Samples: msg.Samples[1:]})
	f.convicted(stored, types.RepeatedLeaf, "repeated leaf batch 1 draws 0 and 1")
}

// A state whose opened leaves convict their batch while it is open is none that the chain can have been in.
func TestGenesisRefusesContradictoryLeaves(t *testing.T) {
	f := newFixture(t)
	g := f.forge(million(1), 0, 0, 0, 0, 0, 0, 0, 0)
	stored := g.submit()
	require.Greater(t, stored.Samples, uint32(2))
	msg, _ := g.openings(stored)
	f.do(&types.MsgOpenSamples{Sender: msg.Sender, BatchId: 1, Samples: msg.Samples[:1]})
	for reason, spoil := range map[string]func(first, second *types.OpenedLeaf){
		types.RepeatedLeaf: func(_, second *types.OpenedLeaf) { second.Seq += 7 },
		types.LeafOrder: func(first, second *types.OpenedLeaf) {
			second.JobId = make([]byte, 32)
			if first.Seq, second.Seq = 5, 4; second.Index < first.Index {
				second.Seq = 6
			}
		},
	} {
		genesis, err := f.k.ExportGenesis(f.ctx)
		require.NoError(t, err)
		require.NoError(t, genesis.Validate())
		b := &genesis.Batches[0]
		again := b.OpenedLeaves[0]
		again.Draw, again.Index = 1, again.Index^1
		spoil(&b.OpenedLeaves[0], &again)
		b.OpenedLeaves, b.Opened = append(b.OpenedLeaves, again), b.Opened|0b10
		require.ErrorContains(t, genesis.Validate(), reason)
	}
}

func TestLeavesOutOfOrderAreFraud(t *testing.T) {
	f := newFixture(t)
	g := f.forge(million(4), 3, 2, 1, 0)
	stored := g.submit()
	msg, places := g.openings(stored)
	a, b := first(t, places)
	require.Equal(t, []uint32{0, 1}, []uint32{a, b})
	f.do(msg)
	f.convicted(stored, types.LeafOrder, "leaf out of order batch 1 draws 0 and 1")
}

// The same seq in two groups of a batch is one number for two jobs.
func TestOneSeqInTwoGroupsIsFraud(t *testing.T) {
	for amount := range uint64(20) { // until both leaves are drawn
		f, b, stored := submitted(t, 30, routed(plain, jobs(5, 900+amount)), direct(plain, jobs(5, 900)))
		msg := f.openings(b, stored)
		if msg.Samples[0].Group == msg.Samples[1].Group {
			continue
		}
		f.do(msg)
		f.convicted(stored, types.RepeatedLeaf, "repeated leaf batch 1 draws 0 and 1")
		return
	}
	require.Fail(t, "no amount draws both")
}

// A leaf that is drawn twice is opened twice: that is the draw's doing. A single one of a large group shows it.
func TestPlaceDrawnTwiceIsNoFraud(t *testing.T) {
	f := newFixture(t)
	g := f.forge(million(4), 0, 1, 2, 3)
	g.group.FirstSeq, g.group.LastSeq = 1, 4
	stored := g.submit()
	msg, places := g.openings(stored)
	drawn := map[uint64]bool{}
	for _, place := range places {
		drawn[place] = true
	}
	require.Less(t, len(drawn), len(places), "some place is drawn twice")
	f.do(&types.MsgOpenSamples{Sender: msg.Sender, BatchId: 1, Samples: msg.Samples[2:]})
	require.Len(t, f.batch(1).OpenedLeaves, len(places)-2)
	f.do(&types.MsgOpenSamples{Sender: msg.Sender, BatchId: 1, Samples: msg.Samples[:2]})
	require.Equal(t, types.BatchStatus_BATCH_STATUS_SAMPLED, f.batch(1).Status)
	require.Empty(t, f.batch(1).OpenedLeaves, "nothing is left to compare")
	require.Empty(t, f.operators.punished)
}

// While the slash fails nothing is opened; the window's end sees to the batch.
func TestContradictionWhoseSlashFails(t *testing.T) {
	f := newFixture(t)
	g := f.forge(million(1), 0, 0, 0, 0, 0, 0, 0, 0)
	stored := g.submit()
	msg, _ := g.openings(stored)
	f.operators.fails = true
	f.refused(errOffences, msg)
	f.operators.fails = false
	f.goTo(36)
	require.Equal(t, "sample not opened", f.batch(stored.Id).Reason)
	require.Len(t, f.operators.punished, 1)
}
