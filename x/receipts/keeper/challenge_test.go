// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/fraud"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

const (
	f1  = types.ChallengeKind_CHALLENGE_KIND_REPEAT
	f1e = types.ChallengeKind_CHALLENGE_KIND_EQUIVOCATION
	f2  = types.ChallengeKind_CHALLENGE_KIND_RECORD
	f3  = types.ChallengeKind_CHALLENGE_KIND_NODE
	f4  = types.ChallengeKind_CHALLENGE_KIND_ORDER
)

// caught is a batch with a fault, in its open window, and the evidence of it.
type caught struct {
	name     string
	kind     types.ChallengeKind
	fault    string
	offence  operatorstypes.OffenceKind
	evidence func(t *testing.T) (*fixture, []byte)
}

// altered submits routed work whose third leaf was changed, and shows the record behind it.
func altered(change func(*sumtree.Leaf), record func(*receipt.Record)) func(*testing.T) (*fixture, []byte) {
	return func(t *testing.T) (*fixture, []byte) {
		t.Helper()
		f := newFixture(t)
		f.goTo(21)
		w := routed(model, jobs(1, 100, 100, 100, 100))
		w.change = record
		b := f.build("host", 0, w)
		b.alter(f, 0, func(i int, leaf *sumtree.Leaf) {
			if i == 2 && change != nil {
				change(leaf)
			}
		})
		f.submit(b)
		f.goTo(30)
		e := fraud.Record{Placed: b.placed(f, 1, 0, 2), SR1: b.groups[0].records[2]}
		return f, e.Append(nil)
	}
}

func allCaught() []caught {
	fraudulent := operatorstypes.OffenceReceiptFraud
	return []caught{
		{"F1 in one batch", f1, types.FaultDoubleClaim, operatorstypes.OffenceDoubleClaim, func(t *testing.T) (*fixture, []byte) {
			f := newFixture(t)
			g := f.forge(routed(model, jobs(1, 100, 100, 100, 100)), 0, 1, 1, 3)
			g.submit()
			e := fraud.Repeat{A: g.placed(1, 1), B: g.placed(1, 2)}
			return f, e.Append(nil)
		}},
		{"F2 amount over the record's", f2, types.FaultRecord, fraudulent, altered(func(l *sumtree.Leaf) { l.Amount += 5 }, nil)},
		{"F2 tokens over the record's", f2, types.FaultRecord, fraudulent, altered(func(l *sumtree.Leaf) { l.Tokens = 900 }, nil)},
		{"F2 another job", f2, types.FaultRecord, fraudulent, altered(func(l *sumtree.Leaf) { l.JobID[5] ^= 1 }, nil)},
		{"F2 adapter of nobody's JobAuth", f2, types.FaultRecord, fraudulent, altered(nil, func(r *receipt.Record) { r.Auth.AdapterID = adapter })},
		{"F2 not countersigned", f2, types.FaultRecord, fraudulent, altered(nil, func(r *receipt.Record) { r.Countersigned = false })},
		{"F2 another epoch", f2, types.FaultRecord, fraudulent, altered(nil, func(r *receipt.Record) { r.Epoch = 5 })},
		{"F2 over its maximum", f2, types.FaultRecord, fraudulent, altered(nil, func(r *receipt.Record) { r.Auth.MaxAmount = 1 })},
		{"F2 served after its time", f2, types.FaultRecord, fraudulent, altered(nil, func(r *receipt.Record) { r.ServedAt += 3_000 })},
		{"F2 settled by another", f2, types.FaultRecord, fraudulent, func(t *testing.T) (*fixture, []byte) {
			f := newFixture(t)
			f.goTo(21)
			w := routed(model, jobs(1, 100))
			w.payer = "payer2" // who pays by another settler
			b := f.build("host", 0, w)
			f.submit(b)
			f.goTo(30)
			e := fraud.Record{Placed: b.placed(f, 1, 0, 0), SR1: b.groups[0].records[0]}
			return f, e.Append(nil)
		}},
		{"F3 inflated entry", f3, types.FaultNode, fraudulent, func(t *testing.T) (*fixture, []byte) {
			f := newFixture(t)
			g := f.forge(routed(model, jobs(1, 100, 100, 100, 100)), 0, 1, 2, 3)
			g.inflate(5_000)
			g.submit()
			return f, g.inflated(1)
		}},
		{"F4 leaves swapped", f4, types.LeafOrder, fraudulent, func(t *testing.T) (*fixture, []byte) {
			f := newFixture(t)
			g := f.forge(routed(model, jobs(1, 100, 100, 100, 100)), 0, 2, 1, 3)
			g.submit()
			b := g.placed(1, 2)
			e := fraud.Order{A: g.placed(1, 1), B: &b}
			return f, e.Append(nil)
		}},
		{"F4 leaf where the range does not begin", f4, types.LeafOrder, fraudulent, func(t *testing.T) (*fixture, []byte) {
			f := newFixture(t)
			g := f.forge(routed(model, jobs(2, 100, 100, 100, 100)), 0, 1, 2, 3)
			g.submit()
			e := fraud.Order{A: g.placed(1, 0)}
			return f, e.Append(nil)
		}},
	}
}

func TestChallengeProves(t *testing.T) {
	for _, tc := range allCaught() {
		t.Run(tc.name, func(t *testing.T) {
			f, evidence := tc.evidence(t)
			before := f.batch(1)
			require.NotZero(t, before.States[0].LockedUusdc)
			total := f.settler("set").AvailableUusdc + f.settler("set").LockedUusdc
			msg := f.report("watch", tc.kind, evidence)
			resp := f.challenge(msg)
			require.Equal(t, &types.MsgChallengeResponse{Proven: true, Reason: tc.fault, SlashedUltai: slashTaken}, resp)

			b := f.batch(1)
			require.Equal(t, types.BatchStatus_BATCH_STATUS_VOID, b.Status)
			require.Equal(t, tc.fault, b.Reason)
			require.Zero(t, f.settler("set").LockedUusdc)
			require.Equal(t, total, f.settler("set").AvailableUusdc) // the locks return
			require.Len(t, f.operators.punished, 1)
			offence := f.operators.punished[0]
			require.Equal(t, tc.offence, offence.Kind)
			require.Equal(t, raw("op"), offence.Operator)
			require.Equal(t, raw("watch"), offence.Reporter)
			require.Equal(t, uint64(reportBond), offence.ReporterBondUltai)
			if tc.offence == operatorstypes.OffenceReceiptFraud {
				require.Equal(t, before.AmountUusdc, offence.ClaimUusdc)
			}
			require.Equal(t, int64(slashTaken/10), f.operators.ultai[addr("watch")]) // the bond is back, and the reward
			proven := lastEvent[*types.EventChallengeProven](f)
			require.Equal(t, &types.EventChallengeProven{
				Kind: tc.kind, Operator: addr("op"), Reporter: addr("watch"), ReportId: msg.ReportId, EvidenceId: offence.EvidenceID[:],
				Fault: tc.fault, Batches: []uint64{1}, SlashedUltai: slashTaken, ReporterUltai: slashTaken / 10,
				InsuranceUltai: slashTaken - slashTaken/10,
			}, proven)
			require.Equal(t, uint64(slashTaken), lastEvent[*types.EventBatchVoided](f).SlashedUltai)

			// A second reporter is late: nothing happens, and his bond is not lost.
			late := f.report("late", tc.kind, evidence)
			f.refused(types.ErrBatchStatus, late)
			require.Contains(t, f.operators.reports, late.ReportId)
			f.goTo(60)
			require.Len(t, f.operators.punished, 1)
		})
	}
}

// One job in two batches hits every open one of them.
func TestDoubleClaimHitsBothBatches(t *testing.T) {
	f := newFixture(t)
	f.goTo(21)
	first := f.build("host", 0, routed(model, jobs(1, 100, 100)))
	f.submit(first)
	second := f.build("host", 0, routed(model, jobs(11, 100, 100)))
	opening, err := first.groups[0].tree.Open(0)
	require.NoError(t, err)
	second.alter(f, 0, func(i int, leaf *sumtree.Leaf) {
		if i == 1 {
			leaf.JobID = opening.Leaf.JobID
		}
	})
	f.submit(second)
	f.goTo(30)
	e := fraud.Repeat{A: first.placed(f, 1, 0, 0), B: second.placed(f, 2, 0, 1)}
	resp := f.challenge(f.report("watch", f1, e.Append(nil)))
	require.True(t, resp.Proven)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_VOID, f.batch(1).Status)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_VOID, f.batch(2).Status)
	require.Equal(t, []uint64{1, 2}, lastEvent[*types.EventChallengeProven](f).Batches)
	voided := events[*types.EventBatchVoided](f)
	require.Len(t, voided, 2)
	require.Equal(t, uint64(slashTaken), voided[0].SlashedUltai+voided[1].SlashedUltai)
	require.Len(t, f.operators.punished, 1)

	// The same job as two signed receipts is the same fault.
	again := f.report("late", f1e, f.twoReceipts(routed(model, nil), 1))
	f.refused(types.ErrEvidenceUsed, again)
}

// Evidence that shows nothing costs the reporter his bond, which the accused gets; the batch goes on.
func TestWrongChallengeForfeits(t *testing.T) {
	f, b, _ := submittedIn(t, routed(model, jobs(1, 100, 100, 100, 100)))
	p := func(i uint64) fraud.Placed { return b.placed(f, 1, 0, i) }
	record := func(i int) []byte { return b.groups[0].records[i] }
	second, third := p(1), p(2)
	elsewhere := p(1)
	elsewhere.Group = 4
	left, _, _ := b.groups[0].tree.Top()
	size := p(1)
	size.Opening.N = 3
	for name, tc := range map[string]struct {
		kind     types.ChallengeKind
		evidence []byte
		reason   error
	}{
		"one leaf":         {f1, (&fraud.Repeat{A: p(1), B: p(1)}).Append(nil), sumtree.ErrSameClaim},
		"two jobs":         {f1, (&fraud.Repeat{A: p(1), B: p(2)}).Append(nil), sumtree.ErrOtherJob},
		"no such group":    {f1, (&fraud.Repeat{A: p(1), B: elsewhere}).Append(nil), types.ErrUnknownGroup},
		"no group A":       {f1, (&fraud.Repeat{A: elsewhere, B: p(1)}).Append(nil), types.ErrUnknownGroup},
		"wrong size":       {f1, (&fraud.Repeat{A: p(1), B: size}).Append(nil), sumtree.ErrWrongCount},
		"one record":       {f1e, pair(record(0), record(0)), fraud.ErrSameRecord},
		"two records":      {f1e, pair(record(0), record(1)), fraud.ErrUnrelated},
		"good record":      {f2, (&fraud.Record{Placed: p(1), SR1: record(1)}).Append(nil), nil},
		"another record":   {f2, (&fraud.Record{Placed: p(1), SR1: record(2)}).Append(nil), fraud.ErrRecordHash},
		"group of record":  {f2, (&fraud.Record{Placed: elsewhere, SR1: record(1)}).Append(nil), types.ErrUnknownGroup},
		"ascending":        {f4, (&fraud.Order{A: p(1), B: &third}).Append(nil), fraud.ErrInOrder},
		"ascending, again": {f4, (&fraud.Order{A: p(2), B: &second}).Append(nil), fraud.ErrInOrder},
		"node's group": {f3, (&fraud.Node{
			BatchID: 1, Group: 9, Level: 1, Amount: left.Amount, Preimage: make([]byte, 116), Path: []sumtree.Entry{left},
		}).Append(nil), types.ErrUnknownGroup},
		"node": {f3, (&fraud.Node{
			BatchID: 1, Level: 1, Amount: left.Amount, Preimage: make([]byte, 116), Path: []sumtree.Entry{left},
		}).Append(nil), sumtree.ErrRootMismatch},
	} {
		t.Run(name, func(t *testing.T) {
			f.ctx = f.ctx.WithEventManager(sdk.NewEventManager())
			won, lost := f.operators.ultai[addr("op")], f.operators.ultai[addr(name)]
			msg := f.report(name, tc.kind, tc.evidence)
			before := f.export()
			resp := f.challenge(msg)
			require.False(t, resp.Proven)
			if tc.reason != nil {
				require.Contains(t, resp.Reason, tc.reason.Error())
			}
			require.Equal(t, before, f.export()) // nothing in state changes
			require.Empty(t, f.operators.punished)
			require.Equal(t, won+reportBond, f.operators.ultai[addr("op")])
			require.Equal(t, lost-reportBond, f.operators.ultai[addr(name)])
			require.Equal(t, &types.EventChallengeRefused{
				Kind: tc.kind, Operator: addr("op"), Reporter: addr(name), ReportId: msg.ReportId, ForfeitedUltai: reportBond, Reason: resp.Reason,
			}, lastEvent[*types.EventChallengeRefused](f))
			f.setHeight(30) // all in one window
			f.refused(operatorstypes.ErrUnknownReport, msg)
		})
	}
}

func TestChallengeRefusals(t *testing.T) {
	f, evidence := allCaught()[0].evidence(t)
	f.operators.list[string(raw("op"))] = operatorstypes.Operator{Address: addr("op"), Controller: addr("boss")}
	f.operators.relayers[string(raw("relayer"))] = string(raw("op"))
	for _, accused := range []string{"op", "boss", "relayer"} {
		msg := f.report(accused, f1, evidence)
		f.refused(types.ErrOwnEvidence, msg)
	}
	msg := f.report("watch", f1, evidence)
	for name, tc := range map[string]struct {
		spoil func(*types.MsgChallenge)
		want  error
	}{
		"another's report": {func(m *types.MsgChallenge) { m.Reporter = addr("thief") }, operatorstypes.ErrUnknownReport},
		"another salt":     {func(m *types.MsgChallenge) { m.Salt = make([]byte, 32) }, operatorstypes.ErrBadReveal},
		"salt's length":    {func(m *types.MsgChallenge) { m.Salt = nil }, types.ErrInvalidRequest},
		"no report":        {func(m *types.MsgChallenge) { m.ReportId = 0 }, types.ErrInvalidRequest},
		"no kind":          {func(m *types.MsgChallenge) { m.Kind = 0 }, types.ErrBadEvidence},
		"another kind":     {func(m *types.MsgChallenge) { m.Kind = f3 }, types.ErrBadEvidence},
		"cut":              {func(m *types.MsgChallenge) { m.Evidence = m.Evidence[1:] }, types.ErrBadEvidence},
		"too long":         {func(m *types.MsgChallenge) { m.Evidence = make([]byte, fraud.MaxEvidence+1) }, types.ErrBadEvidence},
		"named batch":      {func(m *types.MsgChallenge) { m.Batches = []uint64{1} }, types.ErrInvalidRequest},
		"unknown batch":    {func(m *types.MsgChallenge) { m.Evidence[7] = 9 }, types.ErrUnknownBatch},
		"another's bytes":  {func(m *types.MsgChallenge) { m.Evidence[40] ^= 1 }, operatorstypes.ErrBadReveal},
	} {
		t.Run(name, func(t *testing.T) {
			spoilt := *msg
			spoilt.Evidence = bytes.Clone(msg.Evidence)
			tc.spoil(&spoilt)
			f.refused(tc.want, &spoilt)
		})
	}
	early := f.report("watch", f1, evidence)
	f.setHeight(f.ctx.BlockHeight() - 1) // the block of the commitment
	f.refused(operatorstypes.ErrReportState, early)
}

// A record of another chain has no valid signature on this one.
func TestEvidenceOfAnotherChain(t *testing.T) {
	f, _, _ := submittedIn(t, routed(model, jobs(1, 100)))
	other := newFixture(t)
	other.operators.domain = receipt.NewDomain("other-1", 7)
	resp := f.challenge(f.report("watch", f1e, other.twoReceipts(routed(model, nil), 1)))
	require.False(t, resp.Proven)
	require.Equal(t, receipt.ErrBadPayerSig.Error(), resp.Reason)
}

// Of a final or pruned batch only what its operator signed can still be shown.
func TestChallengeOfDoneBatch(t *testing.T) {
	f := newFixture(t)
	b := f.build("host", 0, routed(model, jobs(1, 100, 100)))
	f.goTo(21)
	stored := f.submit(b)
	f.goTo(30)
	f.do(f.openings(b, stored))
	f.goTo(41)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_FINALISED, f.batch(1).Status)
	e := fraud.Repeat{A: b.placed(f, 1, 0, 0), B: b.placed(f, 1, 0, 1)}
	f.refused(types.ErrBatchStatus, f.report("watch", f1, e.Append(nil)))

	two := f.twoReceipts(routed(model, nil), 1)
	f.refused(types.ErrBatchStatus, f.report("watch", f1e, two, 1))
	f.operators.tooOld = true
	msg := f.report("watch", f1e, two)
	f.refused(operatorstypes.ErrEvidenceTooOld, msg)
	f.operators.tooOld = false
	resp := f.challenge(msg)
	require.True(t, resp.Proven)
	require.Equal(t, operatorstypes.OffenceDoubleClaim, f.operators.punished[0].Kind)
	require.Empty(t, lastEvent[*types.EventChallengeProven](f).Batches)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_FINALISED, f.batch(1).Status)
	f.refused(types.ErrEvidenceUsed, f.report("late", f1e, two))
	swapped, err := fraud.DecodeEquivocation(two)
	require.NoError(t, err)
	f.refused(types.ErrEvidenceUsed, f.report("late", f1e, pair(swapped.SR1B, swapped.SR1A)))
}

func TestEvidenceIsPrunedWithItsEpoch(t *testing.T) {
	f, _, _ := submittedIn(t, routed(model, jobs(1, 100)))
	two := f.twoReceipts(routed(model, nil), 7)
	require.True(t, f.challenge(f.report("watch", f1e, two)).Proven)
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Len(t, g.UsedEvidence, 1)
	require.Equal(t, types.FaultEquivocation, g.UsedEvidence[0].Fault)
	for e := range uint64(20) {
		f.goTo(int64(20*e + 120))
		_, err := f.k.CloseEpoch(f.ctx, e)
		require.NoError(t, err)
	}
	f.goTo(f.ctx.BlockHeight() + 5)
	g, err = f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Empty(t, g.UsedEvidence)
	require.Positive(t, g.PrunedEpoch)
	f.refused(types.ErrUnknownEpoch, f.report("watch", f1e, two))
}

// A record that keeps every rule but names an expired attestation costs its operator, and the batch stands.
func TestStaleAttestation(t *testing.T) {
	f := newFixture(t)
	f.goTo(21)
	w := routed(model, jobs(1, 100, 100))
	ref := [32]byte{9}
	w.change = func(r *receipt.Record) { r.AttestRef = ref }
	b := f.build("host", 0, w)
	f.submit(b)
	f.goTo(30)
	e := fraud.Record{Placed: b.placed(f, 1, 0, 0), SR1: b.groups[0].records[0]}
	require.False(t, f.challenge(f.report("watch", f2, e.Append(nil))).Proven) // it is not known
	f.operators.attestations = map[[32]byte]uint64{ref: genesisTime + 10_000}
	require.False(t, f.challenge(f.report("watch", f2, e.Append(nil))).Proven) // it holds
	f.operators.attestations[ref] = genesisTime
	resp := f.challenge(f.report("watch", f2, e.Append(nil)))
	require.Equal(t, types.FaultStaleAttestation, resp.Reason)
	require.Equal(t, operatorstypes.OffenceStaleAttestation, f.operators.punished[0].Kind)
	require.Equal(t, [][32]byte{ref}, f.operators.demoted)
	require.True(t, func() bool { b := f.batch(1); return b.Open() }())
	second := fraud.Record{Placed: b.placed(f, 1, 0, 1), SR1: b.groups[0].records[1]}
	f.refused(types.ErrEvidenceUsed, f.report("watch", f2, second.Append(nil)))
}
