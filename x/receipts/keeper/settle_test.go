// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// The numbers of a batch worked out by hand: take 10 % rounded down; of it pool 60 %, probers 5 %, ALEPH 15 % rounded down, insurance
// the rest.
//
//	group                amount  take  pool probers aleph insurance  royalty       operator share
//	routed, model        30,001  3,000 1,800 150    450   600        5 %  = 1,500  25,501, paid off chain
//	pinned, model+adapter 999      99     59   4     14    22        15 % =   149     751, paid here
//	direct, plain         50        5      3   0      0     2        0 %  =     0      45, collected by the operator
func TestSettlementByHand(t *testing.T) {
	f := newFixture(t)
	b := f.settle("host",
		routed(model, jobs(1, 10_000, 20_001)),
		work{settler: "paying", payer: "payer2", model: model, adapter: adapter, jobs: jobs(1, 999)},
		direct(plain, append(jobs(5, 50), job{seq: 9, failed: true})))

	require.Equal(t, types.BatchStatus_BATCH_STATUS_FINALISED, b.Status)
	require.Zero(t, b.DueHeight)
	require.Equal(t, uint64(1), b.LogIndex)
	require.Equal(t, uint64(1_800+59+3), f.held("rewards"))
	require.Equal(t, uint64(150+4), f.held("probers_pool"))
	require.Equal(t, uint64(450+14), f.held("aleph_pool"))
	require.Equal(t, uint64(600+22+2), f.held("insurance"))
	require.Equal(t, uint64(1_500+149), f.held("royalties"))
	// Three deposits and the gateway's bond, less what was sent.
	require.Equal(t, uint64(4_000_000-1_862-154-464-624-1_649), f.held("receipts"))

	set, paying, op := f.settler("set"), f.settler("paying"), f.settler("op")
	require.Equal(t, uint64(1_000_000-3_000-1_500), set.AvailableUusdc)
	require.Equal(t, uint64(1_000_000-999), paying.AvailableUusdc)
	require.Equal(t, uint64(1_000_000-5), op.AvailableUusdc)
	require.Zero(t, set.LockedUusdc+paying.LockedUusdc+op.LockedUusdc)

	require.ElementsMatch(t, []uint64{1_500, 149}, []uint64{f.royalties.accruals[0].royalty, f.royalties.accruals[1].royalty})
	require.Len(t, f.royalties.accruals, 2)

	state := f.epoch(0)
	require.Equal(t, uint64(1_862), state.PoolUusdc)
	require.Equal(t, uint64(3_104), state.TakeUusdc)
	require.Equal(t, uint64(1_649), state.RoyaltyUusdc)
	require.Equal(t, uint64(751), state.OperatorUusdc)
	require.Equal(t, uint64(31_050), state.AmountUusdc)
	require.Equal(t, uint64(1), state.Batches)
	require.Equal(t, uint64(5), state.Receipts)
	require.Zero(t, state.OpenBatches)

	hostID := sha256.Sum256([]byte("host"))
	require.Equal(t, [][]byte{log.BatchLeaf(1, [20]byte(raw("op")), hostID, 0, 5, 31_050, [32]byte(b.Root))}, f.log.leaves)

	event := lastEvent[*types.EventBatchFinalised](f)
	require.Equal(t, uint64(31_050), event.PaidAmountUusdc)
	require.Equal(t, uint64(3_104), event.TakeUusdc)
	require.Equal(t, uint64(1_862), event.PoolUusdc)
	require.Equal(t, uint64(751), event.EarningsUusdc)
	require.True(t, event.Credited)

	gateway := f.gateway("gw")
	require.Equal(t, uint64(3), gateway.JobsSettled)
	require.Equal(t, uint64(31_000), gateway.AmountSettledUusdc)
	require.Zero(t, gateway.JobsUnfunded)
}

func TestUsageOfSettledBatch(t *testing.T) {
	f := newFixture(t)
	f.do(&types.MsgAccredit{Authority: addr("governance"), Gateway: addr("gw"), Accredited: true})
	f.settle("host",
		routed(model, jobs(1, 10_000, 20_001)),
		routed(plain, append(jobs(10, 400), job{seq: 11, failed: true})),
		direct(plain, jobs(5, 50)))

	entries, err := f.k.UsageEntries(f.ctx, 0, raw("op"))
	require.NoError(t, err)
	byClass := map[types.Class]types.UsageEntry{}
	for _, e := range entries {
		byClass[e.Class] = e
	}
	require.Len(t, byClass, 2)
	require.Equal(t, types.UsageEntry{
		Settler: [20]byte(raw("set")), Class: types.Class_CLASS_ROUTED, Amount: 30_401, Take: 3_040, Pool: 1_824, Tokens: 40, OK: 3, Fail: 1,
		TotalSpend: 30_401, ControllerSpend: 30_401, Accredited: true,
	}, byClass[types.Class_CLASS_ROUTED])
	require.Equal(t, types.UsageEntry{
		Settler: [20]byte(raw("op")), Class: types.Class_CLASS_DIRECT, Amount: 50, Take: 5, Pool: 3, Tokens: 10, OK: 1,
		TotalSpend: 50, ControllerSpend: 50, SameController: true,
	}, byClass[types.Class_CLASS_DIRECT])

	operators, err := f.k.OperatorsWithUsage(f.ctx, 0, nil, 10)
	require.NoError(t, err)
	require.Equal(t, [][]byte{raw("op")}, operators)

	ok, fail, err := f.k.SuccessCounts(f.ctx, raw("op"), raw("set"), types.Class_CLASS_ROUTED, 0, 6)
	require.NoError(t, err)
	require.Equal(t, []uint64{3, 1}, []uint64{ok, fail})
	ok, fail, err = f.k.SuccessCounts(f.ctx, raw("op"), raw("set"), types.Class_CLASS_PINNED, 0, 6)
	require.NoError(t, err)
	require.Zero(t, ok+fail)
	_, _, err = f.k.SuccessCounts(f.ctx, raw("op"), raw("set"), types.Class_CLASS_ROUTED, 0, types.MaxSuccessEpochs)
	require.ErrorIs(t, err, types.ErrInvalidRequest)
}

// Accreditation is pinned when a row is first credited.
func TestAccreditationIsPinned(t *testing.T) {
	f := newFixture(t)
	f.settle("host", routed(plain, jobs(1, 1_000)))
	f.do(&types.MsgAccredit{Authority: addr("governance"), Gateway: addr("gw"), Accredited: true})
	entries, err := f.k.UsageEntries(f.ctx, 0, raw("op"))
	require.NoError(t, err)
	require.False(t, entries[0].Accredited)
	require.True(t, f.settler("set").Accredited)
}

func TestSpendCountsOperatorsOfOneController(t *testing.T) {
	f := newFixture(t)
	f.addOperator("op2", "op") // both are op's
	b1, b2 := f.build("host", 0, routed(plain, jobs(1, 1_000))), f.build("host2", 0, routed(plain, jobs(1, 500)))
	f.goTo(21)
	s1, s2 := f.submit(b1), f.submit(b2)
	f.goTo(30)
	f.do(f.openings(b1, s1))
	f.do(f.openings(b2, s2))
	f.goTo(41)
	entries, err := f.k.UsageEntries(f.ctx, 0, raw("op2"))
	require.NoError(t, err)
	require.Equal(t, uint64(500), entries[0].Amount)
	require.Equal(t, uint64(1_500), entries[0].TotalSpend)
	require.Equal(t, uint64(1_500), entries[0].ControllerSpend)

	first, err := f.k.OperatorsWithUsage(f.ctx, 0, nil, 1)
	require.NoError(t, err)
	require.Len(t, first, 1)
	second, err := f.k.OperatorsWithUsage(f.ctx, 0, first[0], 1)
	require.NoError(t, err)
	require.Len(t, second, 1)
	require.Less(t, string(first[0]), string(second[0]))
	third, err := f.k.OperatorsWithUsage(f.ctx, 0, second[0], 1)
	require.NoError(t, err)
	require.Empty(t, third)
}

func TestClaimEarnings(t *testing.T) {
	f := newFixture(t)
	f.settle("host", work{settler: "paying", payer: "payer2", model: plain, jobs: jobs(1, 1_000)})
	f.do(&types.MsgClaimEarnings{Operator: addr("op")})
	require.Equal(t, uint64(900), f.bank.balances[string(raw("op"))])
	require.Equal(t, uint64(900), lastEvent[*types.EventEarningsClaimed](f).AmountUusdc)
	f.refused(types.ErrNothingToClaim, &types.MsgClaimEarnings{Operator: addr("op")})
	require.NoError(t, f.k.CheckInvariants(f.ctx))
}

// A batch that settles after its epoch closed pays all its money, the pool's part to insurance, and credits nothing.
func TestLateBatchCreditsNothing(t *testing.T) {
	f := newFixture(t)
	b := f.build("host", 0, routed(model, jobs(1, 10_000)))
	f.goTo(21)
	stored := f.submit(b)
	f.goTo(30)
	f.do(f.openings(b, stored))
	f.log.refuse = true // so it cannot settle
	f.goTo(40 + 5 + 50) // finalise_latest 45, and 50 to the deadline
	require.Equal(t, types.BatchStatus_BATCH_STATUS_STUCK, f.batch(1).Status)
	closed, err := f.k.CloseEpoch(f.ctx, 0)
	require.NoError(t, err)
	require.Equal(t, uint64(1), closed.OpenBatches)
	f.log.refuse = false
	f.do(&types.MsgSettleStuck{Authority: addr("governance"), BatchId: 1, Settle: true})

	require.Equal(t, types.BatchStatus_BATCH_STATUS_FINALISED, f.batch(1).Status)
	require.Zero(t, f.held("rewards"))
	require.Equal(t, uint64(600+200), f.held("insurance"))
	require.Equal(t, uint64(500), f.held("royalties"))
	event := lastEvent[*types.EventBatchFinalised](f)
	require.False(t, event.Credited)
	require.Equal(t, uint64(600), event.PoolUusdc)
	entries, err := f.k.UsageEntries(f.ctx, 0, raw("op"))
	require.NoError(t, err)
	require.Empty(t, entries)
	closed.OpenBatches = 0
	require.Equal(t, closed, f.epoch(0))
	require.NoError(t, f.k.CheckInvariants(f.ctx))
}

// A price that differs from what was locked fails the settlement rather than pay other sums.
func TestChangedPriceIsRefused(t *testing.T) {
	f := newFixture(t)
	b := f.build("host", 0, routed(model, jobs(1, 10_000)))
	f.goTo(21)
	stored := f.submit(b)
	f.goTo(30)
	f.do(f.openings(b, stored))
	key := [2][32]byte{model, none}
	changed := f.royalties.pricing[key]
	base := *changed.Base
	base.RoyaltyBps = 600
	changed.Base = &base
	f.royalties.pricing[key] = changed
	f.goTo(45)
	got := f.batch(1)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_STUCK, got.Status)
	require.Contains(t, got.Reason, types.ErrPriceChanged.Error())
	f.refused(types.ErrPriceChanged, &types.MsgSettleStuck{Authority: addr("governance"), BatchId: 1, Settle: true})
}
