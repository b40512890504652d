// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// notice makes changes of keys take effect 90 s later.
func (f *fixture) notice() {
	f.t.Helper()
	f.setParams(func(p *types.Params) { p.KeyNoticeSeconds = 90 })
}

func removal(gateway, key string) *types.MsgRemoveGatewayKey {
	address := receipt.KeyAddress(secret(key))
	return &types.MsgRemoveGatewayKey{Gateway: addr(gateway), Address: address[:]}
}

// jobsIssued is work of a payer whose jobs are issued and served at a time.
func jobsIssued(w work, at uint64) work {
	w.change = func(r *receipt.Record) { r.Auth.IssuedAt, r.Auth.ExpiresAt, r.ServedAt = at, at+60, at }
	return w
}

// A gateway signs a job 29 s ahead, as hosts allow, and removes its key as soon as the batch is there: its samples can still be opened.
func TestRemovedKeyKeepsServedJobsPayable(t *testing.T) {
	f := newFixture(t)
	f.notice()
	f.goTo(21)
	issued := uint64(genesisTime + 6*21 + 29) // epoch 0 has ended; 30 s of clock slack have not
	b := f.build("host", 0, jobsIssued(routed(model, jobs(1, 100)), issued))
	stored := f.submit(b)
	f.do(removal("gw", "payer"))
	require.Equal(t, uint64(genesisTime+6*21+90), lastEvent[*types.EventGatewayKeyRemoved](f).Key.ValidUntil)
	f.goTo(30)
	f.do(f.openings(b, stored))
	f.goTo(41)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_FINALISED, f.batch(1).Status)
	require.Empty(t, f.operators.punished)
}

// The same with a customer's key, which a gateway registers after the host has served it directly.
func TestAddedKeyLeavesDirectJobsToTheOperator(t *testing.T) {
	f := newFixture(t)
	f.notice()
	f.goTo(21)
	issued := uint64(genesisTime + 6*21 + 29)
	b := f.build("host", 0, jobsIssued(direct(plain, jobs(1, 100)), issued))
	stored := f.submit(b)
	f.do(f.keyMsg("gw", "customer", "set"))
	require.Equal(t, uint64(genesisTime+6*21+90), lastEvent[*types.EventGatewayKeyAdded](f).Key.ValidFrom)
	f.goTo(30)
	f.do(f.openings(b, stored))
	f.goTo(41)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_FINALISED, f.batch(1).Status)
	require.Empty(t, f.operators.punished)
}

// A removed key counts as live no more, though its jobs are the gateway's until the notice is over.
func TestRemovedKeyDuringItsNotice(t *testing.T) {
	f := newFixture(t)
	f.notice()
	f.goTo(5)
	f.do(removal("gw", "payer"))
	f.do(removal("gw", "payer2"))
	require.Zero(t, f.gateway("gw").Keys)
	f.refused(types.ErrKeyEnded, removal("gw", "payer"))
	f.do(&types.MsgUnbondGateway{Gateway: addr("gw")})
	ended := uint64(genesisTime + 30 + 90)
	key := receipt.KeyAddress(secret("payer"))
	for at, isGateway := range map[uint64]bool{0: true, ended: true, ended + 1: false} {
		resp, err := f.query.Payer(f.ctx, &types.QueryPayerRequest{Key: hexOf(key[:]), IssuedAt: at, Operator: addr("op")})
		require.NoError(t, err)
		require.Equal(t, isGateway, resp.GatewayKey, "%d", at)
	}
}

// A key that ends before it began is valid for one second: the notice may have become shorter in between.
func TestKeyRemovedBeforeItBegan(t *testing.T) {
	f := newFixture(t)
	f.notice()
	f.do(f.keyMsg("gw", "new", "set"))
	f.setParams(func(p *types.Params) { p.KeyNoticeSeconds = 0 })
	f.do(removal("gw", "new"))
	key := lastEvent[*types.EventGatewayKeyRemoved](f).Key
	require.Equal(t, uint64(genesisTime+6+90), key.ValidFrom)
	require.Equal(t, key.ValidFrom, key.ValidUntil)
}
