// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/codec"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/x/anchors/keeper"
	"github.com/gpucoord/gpucoord/x/anchors/types"
)

var (
	addressCodec   = addresscodec.NewBech32Codec("gpucoord")
	validatorCodec = addresscodec.NewBech32Codec("gpucoordvaloper")
)

// fixture is the module on a real store.
type fixture struct {
	ctx   sdk.Context
	k     *keeper.Keeper
	msgs  types.MsgServer
	query types.QueryServer

	staking *fakeStaking
}

// newFixture has an empty log and default parameters, at height 5.
func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := emptyFixture(t)
	require.NoError(t, f.k.InitGenesis(f.ctx, types.DefaultGenesis()))
	return f
}

// emptyFixture is a fixture without any state.
func emptyFixture(t *testing.T) *fixture {
	t.Helper()
	key := storetypes.NewKVStoreKey(types.StoreKey)
	ctx := testutil.DefaultContext(key, storetypes.NewTransientStoreKey("transient")).WithBlockHeight(5)
	cdc := codec.NewProtoCodec(codectypes.NewInterfaceRegistry())
	f := &fixture{ctx: ctx, staking: newStaking()}
	f.k = keeper.NewKeeper(keeper.Deps{
		Codec: cdc, StoreService: runtime.NewKVStoreService(key), AddressCodec: addressCodec, ValidatorCodec: validatorCodec,
		Authority: account("governance"), Staking: f.staking, Slashing: f.staking,
	})
	f.msgs, f.query = keeper.NewMsgServer(f.k), keeper.NewQueryServer(f.k)
	return f
}

// append appends n leaves, the first of that number.
func (f *fixture) append(t *testing.T, first, n uint64) {
	t.Helper()
	for i := first; i < first+n; i++ {
		index, err := f.k.Append(f.ctx, leaf(i))
		require.NoError(t, err)
		require.Equal(t, i, index)
	}
}

// export returns the state as JSON.
func (f *fixture) export(t *testing.T) string {
	t.Helper()
	genesis, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	return string(codec.NewProtoCodec(codectypes.NewInterfaceRegistry()).MustMarshalJSON(genesis))
}

// events checks that exactly these were emitted, in order.
func (f *fixture) events(t *testing.T, want ...proto.Message) {
	t.Helper()
	expected := sdk.Events{}
	for _, w := range want {
		event, err := sdk.TypedEventToEvent(w)
		require.NoError(t, err)
		expected = append(expected, event)
	}
	require.Equal(t, expected, f.ctx.EventManager().Events())
}

// leaf is leaf data of number i: an epoch statement for odd numbers, else a batch.
func leaf(i uint64) []byte {
	if i%2 == 1 {
		return log.EpochLeaf(i, [32]byte{1}, [32]byte{}, [32]byte{}, 0)
	}
	return log.BatchLeaf(i, [20]byte{2}, [32]byte{3}, i, 10, 100, [32]byte{4})
}

func account(name string) []byte { return append([]byte(name), make([]byte, 20-len(name))...) }

func addr(name string) string {
	text, err := addressCodec.BytesToString(account(name))
	if err != nil {
		panic(err)
	}
	return text
}
