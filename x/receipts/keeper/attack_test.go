// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// Anybody can register a settler that names a gateway. Unless the gateway gives it a key, no claim may carry the gateway's name: neither
// its scorecard nor its accreditation is a stranger's to use.
func TestSettlerThatItsGatewayNeverKeyed(t *testing.T) {
	f := newFixture(t)
	f.do(&types.MsgRegisterSettler{Settler: addr("stranger"), Gateway: addr("gw"), Class: types.Class_CLASS_ROUTED})
	w := routed(plain, jobs(1, 1_000))
	w.settler = "stranger"
	f.goTo(21)
	f.refused(types.ErrWrongSettler, f.build("host", 0, w).msg)
	f.do(f.keyMsg("gw", "payer3", "stranger"))
	require.Equal(t, uint64(1), f.settler("stranger").Keys)
	f.do(f.build("host", 0, w).msg)
}

// A claim that is never proved leaves no mark on a gateway's scorecard, not even while it is open.
func TestUnprovedClaimIsNoSlander(t *testing.T) {
	f := newFixture(t)
	f.do(&types.MsgSetLimit{Settler: addr("set"), Operator: addr("op"), LimitUusdc: 0})
	f.goTo(21)
	require.True(t, f.submit(f.build("host", 0, routed(plain, jobs(1, 1_000)))).States[0].Unfunded)
	require.Zero(t, f.gateway("gw").JobsUnfunded)
	f.goTo(36)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_VOID, f.batch(1).Status)
	require.Zero(t, f.gateway("gw").JobsUnfunded)
}

// A tree that repeats one leaf of no value is cheap at any size, so the count alone must not be able to fill sums that others add to.
func TestCountCannotFillSharedSums(t *testing.T) {
	f := newFixture(t)
	b := f.build("host", 0, routed(plain, jobs(1, 600, 400)))
	g := &b.msg.Groups[0]
	g.Count, g.FirstSeq, g.LastSeq = math.MaxUint64, 1, math.MaxUint64
	f.goTo(21)
	f.refused(types.ErrTooManyReceipts, b.msg)
	g.Count = types.MaxGroupReceipts + 1
	f.refused(types.ErrTooManyReceipts, b.msg)
	g.Count = types.MaxGroupReceipts
	f.do(b.msg)
}

// A settler that is leaving may not take new jobs on money that is gone when their batch arrives.
func TestNewJobsDoNotCountOnThawingMoney(t *testing.T) {
	f := newFixture(t)
	f.do(&types.MsgWithdraw{Settler: addr("set"), AmountUusdc: 900_000})
	key := receipt.KeyAddress(secret("payer"))
	payer, err := f.query.Payer(f.ctx, &types.QueryPayerRequest{Key: hexOf(key[:]), Operator: addr("op")})
	require.NoError(t, err)
	require.Equal(t, uint64(100_000), payer.LockableUusdc)
	// What is done already may still lock it: an eighth of all escrow.
	limit, err := f.query.Limit(f.ctx, &types.QueryLimitRequest{Settler: addr("set"), Operator: addr("op")})
	require.NoError(t, err)
	require.Equal(t, uint64(125_000), limit.LockableUusdc)
}

// Governance cannot settle what was never proved, and a batch that got stuck on its own slash is slashed when that works again.
func TestStuckBatchWithoutSamples(t *testing.T) {
	f := newFixture(t)
	f.goTo(21)
	b := f.submit(f.build("host", 0, big(1)))
	f.operators.fails = true
	f.goTo(40)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_STUCK, f.batch(b.Id).Status)
	f.refused(types.ErrBatchStatus, &types.MsgSettleStuck{Authority: addr("governance"), BatchId: b.Id, Settle: true})
	f.operators.fails = false
	f.goTo(int64(f.batch(b.Id).DueHeight) + 1)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_VOID, f.batch(b.Id).Status)
	require.Len(t, f.operators.punished, 1)
	require.Equal(t, uint64(1_000_000), f.settler("set").AvailableUusdc)
}

// A lock that is not what its group owes would be paid with other settlers' escrow.
func TestLockThatDoesNotFitItsDebtIsRefused(t *testing.T) {
	f := newFixture(t)
	f.goTo(21)
	f.submit(f.build("host", 0, big(1)))
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	g.Batches[0].States[0].LockedUusdc -= 400
	g.Locks[0].LockedUusdc -= 400
	for i := range g.Settlers {
		if g.Settlers[i].LockedUusdc > 0 {
			g.Settlers[i].LockedUusdc -= 400
			g.Settlers[i].AvailableUusdc += 400
		}
	}
	require.ErrorIs(t, g.Validate(), types.ErrInvalidGenesis)
}
