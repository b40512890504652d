// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// The event of a batch is what the SDK would make of it, whatever its text is, and holds no child entries.
func TestSubmittedEventIsTyped(t *testing.T) {
	f := newFixture(t)
	f.do(&types.MsgSetLimit{Settler: addr("set"), Operator: addr("op"), LimitUusdc: 99})
	f.goTo(21)
	built := f.build("host", 0, routed(model, jobs(5, 600, 400)), direct(plain, jobs(7, 100)))
	built.msg.DaUri = "da://<\"é\">\\"
	require.NotEmpty(t, routedGroup(built.msg).Left)
	f.do(built.msg)
	b := f.batch(1)
	for i := range b.Groups {
		require.Empty(t, b.Groups[i].Left)
		require.Empty(t, b.Groups[i].Right)
	}
	require.NotEmpty(t, routedGroup(built.msg).Left)
	f.requireEvent(&types.EventBatchSubmitted{Batch: b})
}

// So is the event of a settled batch, which names the groups that were not paid.
func TestFinalisedEventIsTyped(t *testing.T) {
	f := newFixture(t)
	f.do(&types.MsgSetLimit{Settler: addr("set"), Operator: addr("op"), LimitUusdc: 99})
	b := f.settle("host",
		routed(plain, jobs(1, 600, 400)),
		work{settler: "paying", payer: "payer2", model: model, adapter: adapter, jobs: jobs(3, 999)})
	unfunded := uint32(0)
	if !b.States[0].Unfunded {
		unfunded = 1
	}
	id := hostID("host")
	f.requireEvent(&types.EventBatchFinalised{
		BatchId: 1, Operator: addr("op"), HostId: id, Epoch: 0, Count: 3, AmountUusdc: 1_999, PaidAmountUusdc: 999,
		TakeUusdc: 99, PoolUusdc: 59, ProbersUusdc: 4, AlephUusdc: 14, InsuranceUusdc: 22, RoyaltyUusdc: 149, OperatorUusdc: 751,
		Unfunded: []uint32{unfunded}, LogIndex: 0, Credited: true, EarningsUusdc: 751,
	})
}

// requireEvent checks that the only event of a type is what the SDK makes of want.
func (f *fixture) requireEvent(want proto.Message) {
	f.t.Helper()
	event, err := sdk.TypedEventToEvent(want)
	require.NoError(f.t, err)
	var got []abci.Event
	for _, e := range f.ctx.EventManager().ABCIEvents() {
		if e.Type == event.Type {
			got = append(got, e)
		}
	}
	require.Equal(f.t, []abci.Event{abci.Event(event)}, got)
}
