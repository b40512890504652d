// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// answer opens the leaf of group 0 that a demand asks for.
func (b *built) answer(f *fixture, demand, index uint64) *types.MsgAnswerData {
	f.t.Helper()
	opening, err := b.groups[0].tree.Open(index)
	require.NoError(f.t, err)
	return &types.MsgAnswerData{Sender: addr("op"), DemandId: demand, Opening: opening.Append(nil), Record: b.groups[0].records[index]}
}

func demandOf(reporter string, batch, index uint64) *types.MsgDemandData {
	return &types.MsgDemandData{Reporter: addr(reporter), BatchId: batch, Index: index}
}

func (f *fixture) demands() []types.Demand {
	f.t.Helper()
	resp, err := f.query.Demands(f.ctx, &types.QueryDemandsRequest{})
	require.NoError(f.t, err)
	return resp.Demands
}

// sampledIn is work of "host" that has shown its samples, in the challenge window.
func sampledIn(t *testing.T, works ...work) (*fixture, *built) {
	t.Helper()
	f, b, stored := submittedIn(t, works...)
	f.do(f.openings(b, stored))
	f.goTo(36)
	return f, b
}

// An answered demand costs its reporter the bond, and the batch is settled later but in full.
func TestDemandAnswered(t *testing.T) {
	f, b := sampledIn(t, routed(model, jobs(1, 100, 200, 300)))
	f.do(demandOf("watch", 1, 2))
	d := types.Demand{Id: 1, BatchId: 1, Index: 2, Reporter: addr("watch"), ReportId: 1, BondUltai: reportBond, DueHeight: 41}
	require.Equal(t, []types.Demand{d}, f.demands())
	require.Equal(t, &types.EventDataDemanded{Demand: d, Operator: addr("op"), SettleHeight: 45}, lastEvent[*types.EventDataDemanded](f))
	require.Equal(t, uint64(45), f.batch(1).DueHeight)
	f.goTo(41) // the last block in which it can be answered
	f.do(b.answer(f, 1, 2))
	require.Empty(t, f.demands())
	require.Equal(t, &types.EventDemandClosed{Demand: d, Operator: addr("op"), Outcome: types.DemandAnswered}, lastEvent[*types.EventDemandClosed](f))
	require.Equal(t, int64(reportBond), f.operators.ultai[addr("op")])
	require.Equal(t, int64(-reportBond), f.operators.ultai[addr("watch")])
	f.refused(types.ErrUnknownDemand, b.answer(f, 1, 2))
	f.goTo(45)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_SAMPLED, f.batch(1).Status)
	f.goTo(46)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_FINALISED, f.batch(1).Status)
	require.Empty(t, f.operators.punished)
}

// A demand that nobody answers is fraud: the batch is void, and the reporter has his bond back and his reward.
func TestDemandWithheld(t *testing.T) {
	f, _ := sampledIn(t, routed(model, jobs(1, 100, 200, 300)))
	locked := f.settler("set").LockedUusdc
	require.NotZero(t, locked)
	f.do(demandOf("watch", 1, 0))
	f.do(demandOf("second", 1, 1))
	f.goTo(41)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_SAMPLED, f.batch(1).Status)
	f.endBlock()
	b := f.batch(1)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_VOID, b.Status)
	require.Equal(t, types.FaultWithheld, b.Reason)
	require.Zero(t, f.settler("set").LockedUusdc)
	require.Empty(t, f.demands())
	require.Len(t, f.operators.punished, 1)
	offence := f.operators.punished[0]
	require.Equal(t, operatorstypes.OffenceReceiptFraud, offence.Kind)
	require.Equal(t, uint64(600), offence.ClaimUusdc)
	require.Equal(t, raw("watch"), offence.Reporter)
	require.Equal(t, int64(slashTaken/10), f.operators.ultai[addr("watch")])
	require.Zero(t, f.operators.ultai[addr("second")]) // moot: the bond is back
	closed := events[*types.EventDemandClosed](f)
	require.Len(t, closed, 2)
	require.Equal(t, types.DemandWithheld, closed[0].Outcome)
	require.Equal(t, uint64(slashTaken), closed[0].SlashedUltai)
	require.Equal(t, uint64(slashTaken/10), closed[0].ReporterUltai)
	require.Equal(t, types.DemandMoot, closed[1].Outcome)
	f.goTo(60)
	require.Len(t, f.operators.punished, 1)
}

func TestDemandRefusals(t *testing.T) {
	f, _ := sampledIn(t, routed(model, jobs(1, 100, 200, 300)))
	f.operators.relayers[string(raw("relayer"))] = string(raw("op"))
	f.refused(types.ErrInvalidRequest, demandOf("watch", 0, 0))
	f.refused(types.ErrUnknownBatch, demandOf("watch", 9, 0))
	f.refused(types.ErrInvalidRequest, demandOf("watch", 1, 3))
	f.refused(types.ErrUnknownGroup, &types.MsgDemandData{Reporter: addr("watch"), BatchId: 1, Group: 1})
	f.refused(types.ErrOwnEvidence, demandOf("op", 1, 0))
	f.refused(types.ErrOwnEvidence, demandOf("relayer", 1, 0))
	f.do(demandOf("watch", 1, 0))
	f.refused(types.ErrDemandExists, demandOf("watch", 1, 1))
	for i := range types.MaxDemands - 1 {
		f.do(demandOf(fmt.Sprint("watch", i), 1, 0))
	}
	f.refused(types.ErrTooManyDemands, demandOf("fifth", 1, 1))
	require.Equal(t, uint32(types.MaxDemands), f.batch(1).OpenDemands)
	f.goTo(40)
	f.refused(types.ErrChallengeWindow, demandOf("late", 1, 0))
	f.goTo(60)
	f.refused(types.ErrBatchStatus, demandOf("late", 1, 0))
}

func TestAnswerRefusals(t *testing.T) {
	f, b := sampledIn(t, routed(model, jobs(1, 100, 200, 300)))
	f.do(demandOf("watch", 1, 1))
	for name, tc := range map[string]struct {
		spoil func(*types.MsgAnswerData)
		want  error
	}{
		"stranger":        {func(m *types.MsgAnswerData) { m.Sender = addr("op2") }, operatorstypes.ErrUnauthorized},
		"another demand":  {func(m *types.MsgAnswerData) { m.DemandId = 2 }, types.ErrUnknownDemand},
		"no demand":       {func(m *types.MsgAnswerData) { m.DemandId = 0 }, types.ErrInvalidRequest},
		"long opening":    {func(m *types.MsgAnswerData) { m.Opening = make([]byte, types.MaxOpeningBytes+1) }, types.ErrInvalidRequest},
		"record's length": {func(m *types.MsgAnswerData) { m.Record = nil }, types.ErrInvalidRequest},
		"garbage":         {func(m *types.MsgAnswerData) { m.Opening = []byte{1} }, types.ErrBadSample},
		"another leaf":    {func(m *types.MsgAnswerData) { *m = *b.answer(f, 1, 0) }, types.ErrBadSample},
		"path":            {func(m *types.MsgAnswerData) { m.Opening[len(m.Opening)-1] ^= 1 }, types.ErrBadSample},
		"another record":  {func(m *types.MsgAnswerData) { m.Record = b.groups[0].records[0] }, types.ErrRecordMismatch},
	} {
		t.Run(name, func(t *testing.T) {
			m := b.answer(f, 1, 1)
			tc.spoil(m)
			f.refused(tc.want, m)
		})
	}
	f.do(b.answer(f, 1, 1))
}

// A leaf whose record breaks a rule cannot be an answer.
func TestBadLeafCannotAnswer(t *testing.T) {
	f := newFixture(t)
	f.goTo(21)
	w := routed(model, jobs(1, 100, 200))
	w.change = func(r *receipt.Record) { r.Countersigned = false }
	b := f.build("host", 0, w)
	b.alter(f, 0, func(i int, l *sumtree.Leaf) { l.Tokens += uint64(i) })
	f.submit(b)
	f.do(demandOf("watch", 1, 0))
	f.do(demandOf("watch2", 1, 1))
	f.refused(types.ErrBadRecord, b.answer(f, 1, 0))
	f.refused(types.ErrRecordMismatch, b.answer(f, 2, 1))
}

// A batch that fails by itself takes its demands with it. One that has a demand before its samples are shown is put off then.
func TestDemandBeforeSamples(t *testing.T) {
	f, b, stored := submittedIn(t, routed(model, jobs(1, 100, 200)))
	f.do(demandOf("watch", 1, 0))
	f.do(f.openings(b, stored))
	require.Equal(t, uint64(45), f.batch(1).DueHeight)
	f.do(b.answer(f, 1, 0))
	f.goTo(46)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_FINALISED, f.batch(1).Status)

	g, _, _ := submittedIn(t, routed(model, jobs(1, 100, 200)))
	g.goTo(33)
	g.do(demandOf("watch", 1, 0))
	g.goTo(36) // its samples were not opened
	require.Equal(t, types.BatchStatus_BATCH_STATUS_VOID, g.batch(1).Status)
	require.Empty(t, g.demands())
	require.Zero(t, g.operators.ultai[addr("watch")])
	require.Equal(t, types.DemandMoot, lastEvent[*types.EventDemandClosed](g).Outcome)
}

// While its demand cannot be executed, a batch is not settled: it becomes stuck, and its locks and the bond return.
func TestDemandExecutorFails(t *testing.T) {
	f, _ := sampledIn(t, routed(model, jobs(1, 100, 200)))
	f.do(demandOf("watch", 1, 0))
	f.operators.fails = true
	f.goTo(60)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_STUCK, f.batch(1).Status)
	require.Equal(t, uint32(types.MaxFailures), f.demands()[0].Failures)
	f.refused(types.ErrOpenDemands, &types.MsgSettleStuck{Authority: addr("governance"), BatchId: 1, Settle: true})
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	other := f.reload(g)
	for _, x := range []*fixture{f, other} {
		x.operators.fails = true
		x.goTo(200)
		require.Equal(t, types.BatchStatus_BATCH_STATUS_VOID, x.batch(1).Status)
		require.Zero(t, x.settler("set").LockedUusdc)
		require.Empty(t, x.demands())
	}
	require.Zero(t, f.operators.ultai[addr("watch")])

	// One that works again before that is executed.
	f, _ = sampledIn(t, routed(model, jobs(1, 100, 200)))
	f.do(demandOf("watch", 1, 0))
	f.operators.fails = true
	f.goTo(42)
	f.operators.fails = false
	f.goTo(44)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_VOID, f.batch(1).Status)
	require.Len(t, f.operators.punished, 1)
}

// One block ends at most max_finalise_per_block demands; the others follow, and no batch of theirs is settled meanwhile.
func TestDemandsAreCappedPerBlock(t *testing.T) {
	f := newFixture(t)
	f.setParams(func(p *types.Params) { p.MaxFinalisePerBlock = 2 })
	f.goTo(21)
	const batches = 5
	var stored []types.Batch
	var all []*built
	for i := range uint64(batches) {
		b := f.build("host", 0, routed(plain, jobs(10*i+1, 100, 100)))
		all, stored = append(all, b), append(stored, f.submit(b))
	}
	f.goTo(30)
	for i := range all {
		f.do(f.openings(all[i], stored[i]))
	}
	f.goTo(36)
	for i := range uint64(batches) {
		f.do(demandOf("watch", i+1, 0))
	}
	for _, want := range []int{5, 3, 1, 0} {
		f.goTo(max(41, f.ctx.BlockHeight()))
		require.Len(t, f.demands(), want)
		f.goTo(f.ctx.BlockHeight() + 1)
	}
	require.Len(t, f.operators.punished, batches)
	for i := range uint64(batches) {
		require.Equal(t, types.BatchStatus_BATCH_STATUS_VOID, f.batch(i+1).Status)
	}
}

// Twelve demands fall due at once where a block works on one. Batches whose demands wait for their turn are neither settled nor stuck by it,
// however often they are looked at.
func TestBatchWaitsForItsDemandsTurn(t *testing.T) {
	f := newFixture(t)
	f.setParams(func(p *types.Params) { p.MaxFinalisePerBlock = 1 })
	f.goTo(21)
	const batches = 12
	var stored []types.Batch
	var all []*built
	for i := range uint64(batches) {
		b := f.build("host", 0, routed(plain, jobs(10*i+1, 100, 100)))
		all, stored = append(all, b), append(stored, f.submit(b))
	}
	f.goTo(30)
	for i := range all {
		f.do(f.openings(all[i], stored[i]))
	}
	f.goTo(39) // the last block of the challenge window, so that all fall due together, just before the batches
	for i := range uint64(batches) {
		f.do(demandOf("watch", i+1, 0))
	}
	f.goTo(44)
	require.Len(t, f.demands(), batches)
	for f.ctx.BlockHeight() < 44+batches {
		f.goTo(f.ctx.BlockHeight() + 1)
		for i := range uint64(batches) {
			require.Zero(t, f.batch(i+1).Failures, "batch %d", i+1)
		}
	}
	require.Empty(t, f.demands())
	for i := range uint64(batches) {
		require.Equal(t, types.FaultWithheld, f.batch(i+1).Reason)
	}
	require.Len(t, f.operators.punished, batches)
}

func TestDemandGenesisFaults(t *testing.T) {
	f, _ := sampledIn(t, routed(model, jobs(1, 100, 200)))
	f.do(demandOf("watch", 1, 0))
	require.True(t, f.challenge(f.report("watch", f1e, f.twoReceipts(routed(model, nil), 9))).Proven)
	good, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Equal(t, string(f.export()), string(f.reload(good).export()))
	for name, spoil := range map[string]func(*types.GenesisState){
		"no next id":        func(g *types.GenesisState) { g.NextDemandId = 0 },
		"id not below next": func(g *types.GenesisState) { g.NextDemandId = 1 },
		"twice":             func(g *types.GenesisState) { g.Demands = append(g.Demands, g.Demands[0]) },
		"one reporter's second": func(g *types.GenesisState) {
			d := g.Demands[0]
			d.Id, g.NextDemandId = 2, 3
			g.Demands, g.Batches[0].OpenDemands = append(g.Demands, d), 2
		},
		"unknown batch":     func(g *types.GenesisState) { g.Demands[0].BatchId = 7 },
		"unknown group":     func(g *types.GenesisState) { g.Demands[0].Group = 1 },
		"unknown leaf":      func(g *types.GenesisState) { g.Demands[0].Index = 2 },
		"no deadline":       func(g *types.GenesisState) { g.Demands[0].DueHeight = 0 },
		"no report":         func(g *types.GenesisState) { g.Demands[0].ReportId = 0 },
		"not counted":       func(g *types.GenesisState) { g.Batches[0].OpenDemands = 0 },
		"missing":           func(g *types.GenesisState) { g.Demands = nil },
		"not extended":      func(g *types.GenesisState) { g.Batches[0].Extended = false },
		"evidence's id":     func(g *types.GenesisState) { g.UsedEvidence[0].Id = nil },
		"evidence twice":    func(g *types.GenesisState) { g.UsedEvidence = append(g.UsedEvidence, g.UsedEvidence[0]) },
		"evidence's epoch":  func(g *types.GenesisState) { g.UsedEvidence[0].Epoch = 99 },
		"gateway's thaw id": func(g *types.GenesisState) { g.Gateways[0].UnbondingThaw = 4 },
	} {
		t.Run(name, func(t *testing.T) {
			g, err := f.k.ExportGenesis(f.ctx)
			require.NoError(t, err)
			spoil(g)
			require.Error(t, g.Validate())
		})
	}
}
