// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"strings"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
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
	var got []abci.Event
	for _, e := range sdk.UnwrapSDKContext(f.ctx).EventManager().ABCIEvents() {
		if strings.HasSuffix(e.Type, ".EventBatchSubmitted") {
			got = append(got, e)
		}
	}
	want, err := sdk.TypedEventToEvent(&types.EventBatchSubmitted{Batch: b})
	require.NoError(t, err)
	require.Equal(t, []abci.Event{abci.Event(want)}, got)
}
