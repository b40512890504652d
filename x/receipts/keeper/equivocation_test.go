// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/domain/fraud"
	"github.com/gpucoord/gpucoord/domain/receipt"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// onePayment are two jobs with seqs 1 and 2 that name one payment.
func (f *fixture) onePayment(hostA string, a work, hostB string, b work) []byte {
	f.t.Helper()
	ref := func(r *receipt.Record) { r.Auth.PaymentRef = [32]byte{4, 2} }
	a.change, b.change = ref, ref
	return pair(f.sr1(hostA, a, job{seq: 1, amount: 100}), f.sr1(hostB, b, job{seq: 2, amount: 100}))
}

// Two receipts of one job or of one seq void the open batches that are named with them.
func TestEquivocationVoidsNamedBatches(t *testing.T) {
	f, b, _ := submittedIn(t, routed(model, jobs(1, 100, 100)), direct(plain, jobs(1, 50)))
	other := routed(model, nil)
	other.change = func(r *receipt.Record) { r.Auth.Nonce = 99 }
	sameSeq := pair(b.groups[1].records[0], f.sr1("host", other, job{seq: 1, amount: 100}))
	f.refused(types.ErrUnknownBatch, f.report("watch", f1e, sameSeq, 9))
	resp := f.challenge(f.report("watch", f1e, sameSeq, 1))
	require.Equal(t, types.FaultEquivocation, resp.Reason)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_VOID, f.batch(1).Status)
	require.Equal(t, operatorstypes.OffenceDoubleClaim, f.operators.punished[0].Kind)
	require.Equal(t, fraud.ID(fraud.RepeatedSeq, receipt.KeyAddress(secret("host")), fraud.Number(1)), f.operators.punished[0].EvidenceID)
	f.refused(types.ErrEvidenceUsed, f.report("late", f1e, sameSeq))
}

// Only batches that claim one of the records by host key, epoch, group and range may be named.
func TestEquivocationNamesOwnBatches(t *testing.T) {
	f := newFixture(t)
	f.goTo(21)
	f.submit(f.build("host", 0, routed(model, jobs(1, 100))))
	f.submit(f.build("host2", 0, routed(model, jobs(1, 100, 100))))
	f.submit(f.build("host", 0, routed(plain, jobs(5, 100))))
	f.submit(f.build("host", 0, routed(model, jobs(6, 100))))
	two := f.twoReceipts(routed(model, nil), 1)
	for _, id := range []uint64{2, 3, 4} {
		f.refused(types.ErrNotInBatch, f.report("watch", f1e, two, id))
	}
	same := f.report("watch", f1e, two, 1, 1)
	f.refused(types.ErrInvalidRequest, same)
	same.Batches = []uint64{1, 2, 3}
	f.refused(types.ErrInvalidRequest, same)
	same.Batches = []uint64{1}
	require.True(t, f.challenge(same).Proven)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_VOID, f.batch(1).Status)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_SUBMITTED, f.batch(2).Status)
}

func TestEquivocationRefusals(t *testing.T) {
	f, _, _ := submittedIn(t, routed(model, jobs(1, 100)))
	nobody := pair(f.sr1("nobody", routed(model, nil), job{seq: 1, amount: 1}), f.sr1("nobody", routed(model, nil), job{seq: 2, amount: 1}))
	f.refused(operatorstypes.ErrUnknownHostKey, f.report("watch", f1e, nobody))
	future := routed(model, nil)
	future.change = func(r *receipt.Record) { r.Epoch = 1 << 40 }
	a, b := f.sr1("host", future, job{seq: 1, amount: 1}), f.sr1("host", routed(model, nil), job{seq: 1, amount: 1})
	f.refused(types.ErrUnknownEpoch, f.report("watch", f1e, pair(a, b)))
	malformed := f.report("watch", f1e, pair(append([]byte{7}, a[1:]...), b))
	f.refused(types.ErrBadEvidence, malformed)
	malformed.Evidence = pair(a, append([]byte{7}, b[1:]...))
	f.refused(types.ErrBadEvidence, malformed)
}

// paidBy is work that the operator "op" settles itself, for a payer.
func paidBy(payer string) work { return work{settler: "op", payer: payer, model: plain} }

// An operator that pays for two jobs with its own host keys, settles both and names one payment for both, has claimed it twice.
func TestPaymentUsedTwiceByOperator(t *testing.T) {
	f := newFixture(t)
	f.addHost("other", "op")
	f.goTo(21)
	w := direct(plain, jobs(1, 100, 100))
	f.submit(f.build("host", 0, w))
	f.goTo(30)
	two := f.onePayment("host", paidBy("host"), "host", paidBy("other"))
	resp := f.challenge(f.report("watch", f1e, two, 1))
	require.Equal(t, types.FaultPayment, resp.Reason)
	require.Equal(t, operatorstypes.OffenceDoubleClaim, f.operators.punished[0].Kind)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_VOID, f.batch(1).Status)
	f.refused(types.ErrEvidenceUsed, f.report("late", f1e, two))
}

// A customer who names one payment for two jobs, and has the host serve both, convicts nobody by it; his bond is the operator's. It is
// no difference that one of the payers is the operator's key, or that both are another operator's.
func TestCustomersPaymentProvesNothing(t *testing.T) {
	f := newFixture(t)
	f.goTo(21)
	f.submit(f.build("host", 0, direct(plain, jobs(1, 100, 100))))
	f.goTo(30)
	for i, payers := range [][2]string{
		{"customer", "customer"}, {"customer", "accomplice"}, {"host", "customer"}, {"customer", "host"}, {"host2", "host2"},
	} {
		two := f.onePayment("host", paidBy(payers[0]), "host", paidBy(payers[1]))
		resp := f.challenge(f.report("customer", f1e, two, 1))
		require.False(t, resp.Proven, "%v", payers)
		require.Equal(t, fraud.ErrUnrelated.Error(), resp.Reason)
		require.Equal(t, int64((i+1)*reportBond), f.operators.ultai[addr("op")])
	}
	require.Empty(t, f.operators.punished)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_SUBMITTED, f.batch(1).Status)
}

// Of two operators, or of a gateway and an operator, nobody can tell who named the payment twice.
func TestPaymentOfTwoPartiesProvesNothing(t *testing.T) {
	f, _, _ := submittedIn(t, routed(model, jobs(1, 100)))
	operatorPays := work{settler: "op", payer: "customer", model: plain}
	for _, evidence := range [][]byte{
		f.onePayment("host", operatorPays, "host2", operatorPays),
		f.onePayment("host", routed(model, nil), "host", operatorPays),
	} {
		resp := f.challenge(f.report("watch", f1e, evidence))
		require.False(t, resp.Proven)
		require.Equal(t, fraud.ErrUnrelated.Error(), resp.Reason)
	}
	require.Empty(t, f.operators.punished)
	unknown := f.onePayment("host", operatorPays, "nobody", operatorPays)
	f.refused(operatorstypes.ErrUnknownHostKey, f.report("watch", f1e, unknown))
}

// A gateway that names one payment for two jobs pays with half its bond, by whichever of its keys, hosts and operators; they are
// unharmed.
func TestPaymentUsedTwiceByGateway(t *testing.T) {
	f, _, _ := submittedIn(t, routed(model, jobs(1, 100)))
	pinned := work{settler: "paying", payer: "payer2", model: plain}
	two := f.onePayment("host", routed(model, nil), "host2", pinned)
	f.refused(types.ErrOwnEvidence, f.report("gw", f1e, two))
	insurance, held := f.held(types.InsuranceAccount), f.held(types.ModuleName)
	msg := f.report("watch", f1e, two)
	resp := f.challenge(msg)
	require.Equal(t, &types.MsgChallengeResponse{Proven: true, Reason: types.FaultPayment}, resp)
	require.Empty(t, f.operators.punished)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_SUBMITTED, f.batch(1).Status)
	require.Equal(t, uint64(500_000), f.gateway("gw").BondUusdc)
	require.Equal(t, uint64(500_000), f.gateway("gw").SlashedUusdc)
	// Five times 1,000 ultai at 2 uusdc each is less than a fifth of 500,000.
	require.Equal(t, uint64(10_000), f.bank.balances[string(raw("watch"))])
	require.Equal(t, insurance+490_000, f.held(types.InsuranceAccount))
	require.Equal(t, held-500_000, f.held(types.ModuleName))
	require.Zero(t, f.operators.ultai[addr("watch")]) // his bond is back
	ref := [32]byte{4, 2}
	require.Equal(t, &types.EventGatewaySlashed{
		Gateway: addr("gw"), PaymentRef: ref[:], SlashUusdc: 500_000, ReporterUusdc: 10_000, InsuranceUusdc: 490_000, BondUusdc: 500_000,
	}, lastEvent[*types.EventGatewaySlashed](f))
	require.Equal(t, addr("gw"), lastEvent[*types.EventChallengeProven](f).Operator)
	f.refused(types.ErrEvidenceUsed, f.report("late", f1e, two))
}

// A bond that thaws is reached as well, and a small slash has a small reward.
func TestThawingGatewayBondIsSlashed(t *testing.T) {
	f, _, _ := submittedIn(t, routed(model, jobs(1, 100)))
	two := f.onePayment("host", routed(model, nil), "host", work{settler: "paying", payer: "payer2", model: plain})
	for _, key := range []string{"payer", "payer2"} {
		address := receipt.KeyAddress(secret(key))
		f.do(&types.MsgRemoveGatewayKey{Gateway: addr("gw"), Address: address[:]})
	}
	f.do(&types.MsgUnbondGateway{Gateway: addr("gw")})
	f.pay("gw", 3)
	f.do(&types.MsgBondGateway{Gateway: addr("gw"), AmountUusdc: 3})
	require.True(t, f.challenge(f.report("watch", f1e, two)).Proven)
	g := f.gateway("gw")
	require.Zero(t, g.BondUusdc)
	require.Equal(t, uint64(500_001), g.UnbondingUusdc) // 1,000,003 less the half, rounded up
	slashed := lastEvent[*types.EventGatewaySlashed](f)
	require.Equal(t, uint64(500_002), slashed.SlashUusdc)
	require.Equal(t, uint64(500_001), slashed.UnbondingUusdc)
	f.goTo(300)
	require.Equal(t, uint64(500_001), f.bank.balances[string(raw("gw"))])
	require.Zero(t, f.gateway("gw").UnbondingThaw)
}

func TestSmallGatewaySlash(t *testing.T) {
	f, _, _ := submittedIn(t, routed(model, jobs(1, 100)))
	f.setParams(func(p *types.Params) { p.MinGatewayBondUusdc = 0 })
	f.pay("gw2", 99)
	f.do(&types.MsgRegisterGateway{Gateway: addr("gw2"), Moniker: "second", BondUusdc: 99})
	f.setHeight(2) // the key is valid for the jobs of epoch 0
	f.addSettler("set2", "gw2", types.Class_CLASS_ROUTED, false, "payer3")
	f.setHeight(30)
	w := work{settler: "set2", payer: "payer3", model: model}
	require.True(t, f.challenge(f.report("watch", f1e, f.onePayment("host", w, "host", w))).Proven)
	slashed := lastEvent[*types.EventGatewaySlashed](f)
	require.Equal(t, uint64(50), slashed.SlashUusdc)
	require.Equal(t, uint64(10), slashed.ReporterUusdc) // a fifth
	require.Equal(t, uint64(49), f.gateway("gw2").BondUusdc)
}
