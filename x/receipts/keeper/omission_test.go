// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/domain/fraud"
	"github.com/gpucoord/gpucoord/domain/receipt"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/receipts/types"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

// omitted is a claim of a customer that a record was never claimed.
func omitted(sr1 []byte, around ...fraud.Placed) *types.MsgClaimOmitted {
	e := fraud.Omission{SR1: sr1, Around: around}
	return &types.MsgClaimOmitted{Reporter: addr("customer"), Evidence: e.Append(nil)}
}

// A job that a gateway settles is no offence: it is counted against its host and at the gateway.
func TestOmittedRoutedJob(t *testing.T) {
	f, b, _ := submittedIn(t, routed(model, jobs(1, 100, 100)), direct(plain, jobs(9, 50)))
	sr1 := f.sr1("host", routed(model, nil), job{seq: 7, amount: 1_000})
	f.do(omitted(sr1)) // above every group's range
	require.Empty(t, f.operators.punished)
	require.Empty(t, f.operators.fines)
	require.Equal(t, uint64(1), f.gateway("gw").JobsOmitted)
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Equal(t, uint64(1), g.HostEpochs[0].Omitted)
	record, err := receipt.Decode(sr1)
	require.NoError(t, err)
	jobID, host := record.JobID(f.operators.domain), receipt.KeyAddress(secret("host"))
	require.Equal(t, &types.EventOmissionProven{
		Operator: addr("op"), HostKey: host[:], Seq: 7, JobId: jobID[:], Gateway: addr("gw"), AmountUusdc: 1_000, OwedUusdc: 150,
		Reporter: addr("customer"),
	}, lastEvent[*types.EventOmissionProven](f))
	f.refused(types.ErrEvidenceUsed, omitted(sr1))

	// A record of another model is in no group either, though its seq is in the range of one.
	other := f.sr1("host", routed(plain, nil), job{seq: 2, amount: 1_000})
	f.refused(types.ErrNotOmitted, omitted(other, b.placed(f, 1, 0, 0)))
	f.do(omitted(other))
	require.Equal(t, uint64(2), f.gateway("gw").JobsOmitted)

	// Nor one of a host that claimed nothing.
	f.do(omitted(f.sr1("host2", routed(plain, nil), job{seq: 2, amount: 1_000})))
	require.NoError(t, f.k.CheckInvariants(f.ctx))
}

// A job that the operator settles costs it three times what it kept back; the third one is receipt fraud.
func TestOmittedDirectJob(t *testing.T) {
	f, _, _ := submittedIn(t, direct(model, jobs(5, 100)))
	own := func(seq, amount uint64) *types.MsgClaimOmitted {
		return omitted(f.sr1("host", direct(model, nil), job{seq: seq, amount: amount}))
	}
	for i, amount := range []uint64{1_000, 10_000} {
		resp, err := f.send(own(uint64(10+i), amount))
		require.NoError(t, err)
		// The take is 10 % and the royalty 5 %.
		require.Equal(t, fine{operator: addr("op"), kind: "omitted_receipt", uusdc: 3 * amount * 15 / 100}, f.operators.fines[i])
		require.Equal(t, &types.MsgClaimOmittedResponse{SlashedUltai: f.operators.fines[i].uusdc / 2}, resp)
	}
	require.Empty(t, f.operators.punished)
	f.do(own(12, 5_000))
	require.Len(t, f.operators.fines, 2)
	require.Len(t, f.operators.punished, 1)
	require.Equal(t, operatorstypes.OffenceReceiptFraud, f.operators.punished[0].Kind)
	require.Equal(t, uint64(5_000), f.operators.punished[0].ClaimUusdc)
	require.Empty(t, f.operators.punished[0].Reporter)
	require.Equal(t, uint64(slashTaken), lastEvent[*types.EventOmissionProven](f).SlashedUltai)
	require.Zero(t, f.gateway("gw").JobsOmitted)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_SUBMITTED, f.batch(1).Status) // what was claimed is none of it
}

// A host that has declared its records lost cannot claim them any more, and pays nothing for them.
func TestOmittedAfterLoss(t *testing.T) {
	f := newFixture(t)
	f.goTo(21)
	f.do(&types.MsgDeclareLoss{Sender: addr("op"), HostId: hostID("host"), Epoch: 0})
	f.goTo(26)
	f.do(omitted(f.sr1("host", direct(model, nil), job{seq: 1, amount: 1_000})))
	require.Empty(t, f.operators.fines)
	require.Empty(t, f.operators.strikes)
}

// Inside a group's range the two leaves around its seq are shown, or the other job at its seq.
func TestOmittedInsideRange(t *testing.T) {
	list := []job{{seq: 1, amount: 100}, {seq: 2, amount: 100}, {seq: 5, amount: 100}, {seq: 9, amount: 100}}
	f, b, _ := submittedIn(t, direct(model, list))
	p := func(i uint64) fraud.Placed { return b.placed(f, 1, 0, i) }
	gap := f.sr1("host", direct(model, nil), job{seq: 4, amount: 100})
	f.refused(types.ErrNotOmitted, omitted(gap))
	f.refused(types.ErrNotOmitted, omitted(gap, p(0), p(1)))
	f.refused(types.ErrNotOmitted, omitted(gap, p(2), p(1)))
	f.refused(types.ErrNotOmitted, omitted(gap, p(2)))
	wrong := p(2)
	wrong.Opening.Path[0].Amount++
	f.refused(types.ErrNotOmitted, omitted(gap, p(1), wrong))
	f.do(omitted(gap, p(1), p(2)))

	f.refused(types.ErrNotOmitted, omitted(b.groups[0].records[1], p(1))) // it is there
	other := direct(model, nil)
	other.change = func(r *receipt.Record) { r.Auth.Nonce = 77 }
	f.do(omitted(f.sr1("host", other, job{seq: 5, amount: 100}), p(2)))
	require.Len(t, f.operators.fines, 2)
}

// The batch that must hold a seq is found among many, and those of other epochs, settlers and keys are not looked at.
func TestClaimIsFoundAmongMany(t *testing.T) {
	f := newFixture(t)
	f.goTo(21)
	var all []*built
	for i := range uint64(6) {
		b := f.build("host", 0, direct(plain, jobs(10*i+1, 50, 50, 50)))
		f.submit(b)
		f.submit(f.build("host2", 0, routed(plain, jobs(10*i+1, 50))))
		all = append(all, b)
	}
	f.goTo(26)
	// Seq 32 is claimed in the fourth, between its neighbours it is there; 34 is in no range.
	three := all[3].placed(f, 7, 0, 1)
	f.refused(types.ErrNotOmitted, omitted(all[3].groups[0].records[1], three))
	f.refused(types.ErrNotOmitted, omitted(all[3].groups[0].records[1]))
	f.do(omitted(f.sr1("host", direct(plain, nil), job{seq: 34, amount: 10})))
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	other := f.reload(g) // the index is made anew
	other.refused(types.ErrNotOmitted, omitted(all[3].groups[0].records[1]))
	other.do(omitted(other.sr1("host", direct(plain, nil), job{seq: 35, amount: 10})))
}

func TestOmissionRefusals(t *testing.T) {
	f, _, _ := submittedIn(t, direct(model, jobs(5, 100)))
	good := job{seq: 9, amount: 100}
	with := func(w work, change func(*receipt.Record)) []byte {
		w.change = change
		return f.sr1("host", w, good)
	}
	f.refused(types.ErrBadEvidence, &types.MsgClaimOmitted{Reporter: addr("customer"), Evidence: []byte{1}})
	f.refused(types.ErrBadEvidence, &types.MsgClaimOmitted{Reporter: addr("customer"), Evidence: make([]byte, fraud.MaxEvidence+1)})
	f.refused(types.ErrBadRecord, omitted(with(routed(model, nil), func(r *receipt.Record) { r.Countersigned = false })))
	f.refused(types.ErrBadRecord, omitted(with(direct(model, nil), func(r *receipt.Record) { r.HostID[0] ^= 1 })))
	f.refused(types.ErrBadRecord, omitted(with(direct(model, nil), func(r *receipt.Record) { r.ServedAt, r.Auth.IssuedAt = 1, 1 })))
	f.refused(types.ErrBadRecord, omitted(with(direct(model, nil), func(r *receipt.Record) { r.Amount++ })))
	f.refused(types.ErrUnknownEpoch, omitted(with(direct(model, nil), func(r *receipt.Record) { r.Epoch = 77 })))
	f.refused(types.ErrChallengeWindow, omitted(with(direct(model, nil), func(r *receipt.Record) { r.Epoch = 1 })))
	f.refused(royaltiestypes.ErrUnknownAsset, omitted(with(direct(model, nil), func(r *receipt.Record) { r.Auth.ModelID[0] ^= 1 })))
	f.refused(operatorstypes.ErrUnknownHostKey, omitted(f.sr1("nobody", direct(model, nil), good)))
	own := omitted(with(direct(model, nil), nil))
	own.Reporter = addr("op")
	f.refused(types.ErrOwnEvidence, own)
	f.operators.tooOld = true
	f.refused(operatorstypes.ErrEvidenceTooOld, omitted(with(direct(model, nil), nil)))
}
