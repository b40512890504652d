// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// big is routed work that owes 1,000 at 10 % take.
func big(first uint64) work { return routed(plain, jobs(first, 10_000)) }

func TestUnfundedGroupIsToppedUp(t *testing.T) {
	f := newFixture(t)
	f.do(&types.MsgWithdraw{Settler: addr("op"), AmountUusdc: 1_000_000})
	f.goTo(21)
	// The default limit of "set" is an eighth of 1,000,000, so 125,000; the group owes 125,001.
	b := f.build("host", 0, routed(plain, jobs(1, 1_250_010)), direct(plain, jobs(5, 100)))
	stored := f.submit(b)
	i := 0
	if stored.States[0].Class == types.Class_CLASS_DIRECT {
		i = 1
	}
	require.True(t, stored.States[i].Unfunded)
	require.Zero(t, stored.States[i].LockedUusdc)
	require.False(t, stored.States[1-i].Unfunded) // thawing money was locked
	require.Zero(t, f.settler("set").LockedUusdc)

	fund := &types.MsgFundGroup{Sender: addr("anyone"), BatchId: 1, Group: uint32(i)}
	f.refused(types.ErrNotFunded, fund)
	f.refused(types.ErrUnknownGroup, &types.MsgFundGroup{Sender: addr("anyone"), BatchId: 1, Group: 2})
	f.refused(types.ErrGroupFunded, &types.MsgFundGroup{Sender: addr("anyone"), BatchId: 1, Group: uint32(1 - i)})
	f.refused(types.ErrUnknownBatch, &types.MsgFundGroup{Sender: addr("anyone"), BatchId: 2})
	f.deposit("set", 8)
	f.do(fund)
	require.Equal(t, uint64(125_001), f.settler("set").LockedUusdc)
	require.Equal(t, uint64(125_001), lastEvent[*types.EventGroupFunded](f).State.LockedUusdc)

	f.goTo(30)
	f.do(f.openings(b, stored))
	f.goTo(41)
	require.Equal(t, uint64(1_250_110), lastEvent[*types.EventBatchFinalised](f).PaidAmountUusdc)
	require.Zero(t, f.gateway("gw").JobsUnfunded)
	f.refused(types.ErrBatchStatus, fund)
}

// A group that stays unfunded pays nothing, is no usage and stays on the gateway's scorecard; the batch is settled all the same.
func TestUnfundedGroupPaysNothing(t *testing.T) {
	f := newFixture(t)
	f.do(&types.MsgSetLimit{Settler: addr("set"), Operator: addr("op"), LimitUusdc: 99})
	b := f.settle("host", routed(plain, jobs(1, 600, 400)), direct(plain, jobs(5, 100)))
	require.Equal(t, types.BatchStatus_BATCH_STATUS_FINALISED, b.Status)
	event := lastEvent[*types.EventBatchFinalised](f)
	require.Equal(t, uint64(1_100), event.AmountUusdc)
	require.Equal(t, uint64(100), event.PaidAmountUusdc)
	require.Equal(t, uint64(10), event.TakeUusdc)
	require.Equal(t, uint64(1_000_000), f.settler("set").AvailableUusdc)
	gateway := f.gateway("gw")
	require.Equal(t, uint64(2), gateway.JobsUnfunded)
	require.Zero(t, gateway.JobsSettled)
	entries, err := f.k.UsageEntries(f.ctx, 0, raw("op"))
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.Equal(t, types.Class_CLASS_DIRECT, entries[0].Class)
}

// Of one settler's groups each is funded by itself, in order: one that is too dear leaves room for the next.
func TestGroupsOfOneSettlerAreFundedByThemselves(t *testing.T) {
	f := newFixture(t)
	f.do(&types.MsgSetLimit{Settler: addr("set"), Operator: addr("op"), LimitUusdc: 1_150})
	f.goTo(21)
	// They owe 10 % take, and 5 % for the model and 10 % for the adapter: 1,000, 150 and 500. The batch orders them by id.
	b := f.submit(f.build("host", 0,
		routed(plain, jobs(1, 10_000)), routed(model, jobs(2, 1_000)), work{settler: "set", payer: "payer", model: model, adapter: adapter, jobs: jobs(3, 2_000)}))
	locked, sum := map[uint64]uint64{}, uint64(0)
	for i := range b.States {
		require.Equal(t, b.States[i].Unfunded, b.States[i].LockedUusdc == 0)
		locked[b.Groups[i].AmountUusdc] = b.States[i].LockedUusdc
		sum += b.States[i].LockedUusdc
	}
	require.Equal(t, sum, f.settler("set").LockedUusdc)
	require.LessOrEqual(t, sum, uint64(1_150))
	room := uint64(1_150)
	for i := range b.States {
		need := map[uint64]uint64{10_000: 1_000, 1_000: 150, 2_000: 500}[b.Groups[i].AmountUusdc]
		if need > room {
			need = 0
		}
		require.Equal(t, need, locked[b.Groups[i].AmountUusdc])
		room -= need
	}
	require.NoError(t, f.k.CheckInvariants(f.ctx))
}

// An operator that never registered as a settler cannot pay, which is no error.
func TestUnregisteredOperatorIsUnfunded(t *testing.T) {
	f := newFixture(t)
	w := direct(plain, jobs(1, 100))
	w.settler = "op2"
	w.change = nil
	f.goTo(21)
	b := f.submit(f.build("host2", 0, w))
	require.True(t, b.States[0].Unfunded)
	require.Equal(t, addr("op2"), b.States[0].Settler)
	require.NoError(t, f.k.CheckInvariants(f.ctx))
	f.do(&types.MsgRegisterSettler{Settler: addr("op2"), Class: types.Class_CLASS_DIRECT})
	f.deposit("op2", 10)
	f.do(&types.MsgFundGroup{Sender: addr("op2"), BatchId: 1}) // its own work may lock all of its escrow
	require.Equal(t, uint64(10), f.settler("op2").LockedUusdc)
}

func TestLimits(t *testing.T) {
	f := newFixture(t)
	limit := func() *types.QueryLimitResponse {
		resp, err := f.query.Limit(f.ctx, &types.QueryLimitRequest{Settler: addr("set"), Operator: addr("op")})
		require.NoError(t, err)
		return resp
	}
	require.Equal(t, &types.QueryLimitResponse{LimitUusdc: 125_000, IsDefault: true, LockableUusdc: 125_000}, limit())
	f.do(&types.MsgSetLimit{Settler: addr("set"), Operator: addr("op"), LimitUusdc: 1_500})
	f.goTo(21)
	require.False(t, f.submit(f.build("host", 0, big(1))).States[0].Unfunded)
	require.Equal(t, &types.QueryLimitResponse{LimitUusdc: 1_500, LockedUusdc: 1_000, LockableUusdc: 500}, limit())
	require.True(t, f.submit(f.build("host", 0, big(2))).States[0].Unfunded)
	require.False(t, f.submit(f.build("host2", 0, big(1))).States[0].Unfunded) // each operator has its own limit
	// A limit below what is locked leaves that as it is.
	f.do(&types.MsgSetLimit{Settler: addr("set"), Operator: addr("op"), LimitUusdc: 0})
	require.Zero(t, limit().LockableUusdc)
	f.do(&types.MsgSetLimit{Settler: addr("set"), Operator: addr("op"), UseDefault: true})
	require.Equal(t, uint64(124_000), limit().LockableUusdc)
	require.Equal(t, uint64(125_000), lastEvent[*types.EventLimitSet](f).Limit.LimitUusdc)
	f.refused(types.ErrUnknownSettler, &types.MsgSetLimit{Settler: addr("nobody"), Operator: addr("op")})
	f.refused(types.ErrInvalidRequest, &types.MsgSetLimit{Settler: addr("set"), Operator: addr("op"), UseDefault: true, LimitUusdc: 1})
}

// Locking takes available money first and then the newest thawing entries.
func TestThawingMoneyIsLocked(t *testing.T) {
	f := newFixture(t)
	f.do(&types.MsgSetLimit{Settler: addr("set"), Operator: addr("op"), LimitUusdc: math.MaxUint64})
	for _, amount := range []uint64{100, 200, 999_400} {
		f.do(&types.MsgWithdraw{Settler: addr("set"), AmountUusdc: amount})
	}
	f.goTo(21)
	// 300 are available; of the rest 999,400 come from the newest entry, which ends, and 100 from the one before.
	f.submit(f.build("host", 0, routed(plain, jobs(1, 9_998_000))))
	s := f.settler("set")
	require.Equal(t, []uint64{0, 999_800, 200}, []uint64{s.AvailableUusdc, s.LockedUusdc, s.ThawingUusdc})
	require.Equal(t, uint32(2), s.Thaws)
	require.True(t, f.submit(f.build("host", 0, routed(plain, jobs(2, 2_010)))).States[0].Unfunded) // 201 of 200
	f.goTo(203)
	require.Equal(t, uint64(200), f.bank.balances[string(raw("set"))])
	paid := events[*types.EventWithdrawalPaid](f)
	require.Len(t, paid, 2)
	require.Equal(t, []uint64{100, 100}, []uint64{paid[0].Thaw.AmountUusdc, paid[1].Thaw.AmountUusdc})
	require.Zero(t, paid[1].ThawingUusdc)
	// Nobody opened its samples: the void batch's lock returned to what is available.
	s = f.settler("set")
	require.Equal(t, []uint64{999_800, 0, 0}, []uint64{s.AvailableUusdc, s.LockedUusdc, s.ThawingUusdc})
}

func TestWithdraw(t *testing.T) {
	f := newFixture(t)
	f.refused(types.ErrNotAvailable, &types.MsgWithdraw{Settler: addr("set"), AmountUusdc: 1_000_001})
	f.refused(types.ErrInvalidRequest, &types.MsgWithdraw{Settler: addr("set")})
	f.refused(types.ErrUnknownSettler, &types.MsgWithdraw{Settler: addr("nobody"), AmountUusdc: 1})
	for range 16 {
		f.do(&types.MsgWithdraw{Settler: addr("set"), AmountUusdc: 10})
	}
	require.Equal(t, uint64(201), lastEvent[*types.EventWithdrawalStarted](f).Thaw.MatureHeight)
	f.refused(types.ErrTooManyThaws, &types.MsgWithdraw{Settler: addr("set"), AmountUusdc: 10})
	f.goTo(201)
	require.Zero(t, f.bank.balances[string(raw("set"))])
	f.endBlock()
	require.Equal(t, uint64(160), f.bank.balances[string(raw("set"))])
}

// A withdrawal that the bank refuses waits again and holds nobody up.
func TestRefusedWithdrawalWaits(t *testing.T) {
	f := newFixture(t)
	f.do(&types.MsgWithdraw{Settler: addr("set"), AmountUusdc: 10})
	f.do(&types.MsgWithdraw{Settler: addr("paying"), AmountUusdc: 20})
	f.bank.refuse[string(raw("set"))] = true
	f.goTo(202)
	require.Zero(t, f.bank.balances[string(raw("set"))])
	require.Equal(t, uint64(20), f.bank.balances[string(raw("paying"))])
	f.bank.refuse[string(raw("set"))] = false
	f.goTo(402)
	require.Equal(t, uint64(10), f.bank.balances[string(raw("set"))])
}

func TestThawsPerBlock(t *testing.T) {
	f := newFixture(t)
	f.setParams(func(p *types.Params) { p.MaxThawsPerBlock = 2 })
	for range 3 {
		f.do(&types.MsgWithdraw{Settler: addr("set"), AmountUusdc: 10})
	}
	f.goTo(202)
	require.Equal(t, uint64(20), f.bank.balances[string(raw("set"))])
	f.goTo(203)
	require.Equal(t, uint64(30), f.bank.balances[string(raw("set"))])
}

func TestDeposit(t *testing.T) {
	f := newFixture(t)
	f.refused(types.ErrUnknownSettler, &types.MsgDeposit{Depositor: addr("gw"), Settler: addr("nobody"), AmountUusdc: 1})
	f.refused(types.ErrInvalidRequest, &types.MsgDeposit{Depositor: addr("gw"), Settler: addr("set")})
	f.refused(errBank, &types.MsgDeposit{Depositor: addr("poor"), Settler: addr("set"), AmountUusdc: 1})
	f.refused(types.ErrOverflow, &types.MsgDeposit{Depositor: addr("poor"), Settler: addr("set"), AmountUusdc: math.MaxUint64})
	f.pay("friend", 5)
	f.do(&types.MsgDeposit{Depositor: addr("friend"), Settler: addr("set"), AmountUusdc: 5})
	require.Equal(t, &types.EventDeposited{
		Settler: addr("set"), Depositor: addr("friend"), AmountUusdc: 5, AvailableUusdc: 1_000_005,
	}, lastEvent[*types.EventDeposited](f))
}
