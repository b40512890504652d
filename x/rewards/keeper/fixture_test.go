// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"crypto/sha256"
	"fmt"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/codec"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"

	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/rewards/keeper"
	"github.com/gpucoord/gpucoord/x/rewards/types"
)

// sponsorMoney is what the account "sponsor" starts with.
const sponsorMoney = 1_000_000_000

var addressCodec = addresscodec.NewBech32Codec("gpucoord")

// world is what is outside the module: the bank and the other keepers, by hand.
type world struct {
	bank      *bank
	receipts  *receipts
	operators *operators
	anchors   *anchors
}

// fixture is the module on a real store.
type fixture struct {
	*world
	ctx   sdk.Context
	k     *keeper.Keeper
	msgs  types.MsgServer
	query types.QueryServer
}

func newWorld() *world {
	return &world{
		bank:      &bank{balances: map[string]uint64{string(rawAddr("sponsor")): sponsorMoney}},
		receipts:  newReceipts(),
		operators: &operators{known: map[string]*operatorstypes.Operator{}, capacity: map[string]operatorstypes.Capacity{}, epoch: 9},
		anchors:   &anchors{},
	}
}

// newFixture starts at height 100 with the default parameters as change leaves them.
func newFixture(t require.TestingT, change func(*types.Params)) *fixture {
	genesis := types.DefaultGenesis()
	if change != nil {
		change(&genesis.Params)
	}
	f := emptyFixture(newWorld())
	require.NoError(t, f.k.InitGenesis(f.ctx, genesis))
	return f
}

// emptyFixture is the module without state in a world.
func emptyFixture(w *world) *fixture {
	key := storetypes.NewKVStoreKey(types.StoreKey)
	ctx := testutil.DefaultContext(key, storetypes.NewTransientStoreKey("transient"))
	f := &fixture{world: w, ctx: ctx.WithBlockHeight(100)}
	f.k = keeper.NewKeeper(keeper.Deps{
		Codec:        codec.NewProtoCodec(codectypes.NewInterfaceRegistry()),
		StoreService: runtime.NewKVStoreService(key),
		AddressCodec: addressCodec,
		Bank:         w.bank,
		Receipts:     w.receipts,
		Operators:    w.operators,
		Anchors:      w.anchors,
		Authority:    rawAddr("governance"),
	})
	f.msgs, f.query = keeper.NewMsgServer(f.k), keeper.NewQueryServer(f.k)
	return f
}

// block runs EndBlock at the next height and checks the invariants after it. Events are those of this block.
func (f *fixture) block(t require.TestingT) {
	f.ctx = f.ctx.WithBlockHeight(f.ctx.BlockHeight() + 1).WithEventManager(sdk.NewEventManager())
	require.NoError(t, f.k.EndBlock(f.ctx))
	require.NoError(t, f.k.CheckInvariants(f.ctx))
}

// settle runs blocks until epoch e is settled and returns its settlement.
func (f *fixture) settle(t require.TestingT, e uint64) types.EpochSettlement {
	for range 1_000 {
		f.block(t)
		if resp, err := f.query.Epoch(f.ctx, &types.QueryEpochRequest{Epoch: e}); err == nil && resp.Settlement.SettledHeight > 0 {
			return resp.Settlement
		}
	}
	require.FailNow(t, "the epoch is not settled after 1000 blocks")
	return types.EpochSettlement{}
}

// sponsor adds money of the account "sponsor".
func (f *fixture) sponsor(t require.TestingT, amount uint64) {
	_, err := f.msgs.Sponsor(f.ctx, &types.MsgSponsor{Sponsor: addr("sponsor"), AmountUusdc: amount})
	require.NoError(t, err)
}

// row returns an operator's row.
func (f *fixture) row(t require.TestingT, e uint64, operator string) types.OperatorEpoch {
	return f.explain(t, e, operator).Row
}

func (f *fixture) explain(t require.TestingT, e uint64, operator string) *types.QueryExplainResponse {
	resp, err := f.query.Explain(f.ctx, &types.QueryExplainRequest{Epoch: e, Operator: addr(operator)})
	require.NoError(t, err)
	return resp
}

// points returns an operator's points as stored.
func (f *fixture) points(t require.TestingT, operator string) types.Points {
	resp, err := f.query.Points(f.ctx, &types.QueryPointsRequest{Operator: addr(operator)})
	require.NoError(t, err)
	return resp.Points
}

// claimable returns what an operator may claim.
func (f *fixture) claimable(t require.TestingT, operator string) uint64 {
	resp, err := f.query.Reward(f.ctx, &types.QueryRewardRequest{Operator: addr(operator)})
	require.NoError(t, err)
	return resp.Reward.ClaimableUusdc
}

// export returns the state as bytes.
func (f *fixture) export(t require.TestingT) []byte {
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	raw, err := proto.Marshal(g)
	require.NoError(t, err)
	return raw
}

// emitted returns the events of a type of the last block.
func emitted[T proto.Message](t require.TestingT, ctx sdk.Context) []T {
	var list []T
	for _, event := range ctx.EventManager().ABCIEvents() {
		var want T
		if event.Type != proto.MessageName(want) {
			continue
		}
		msg, err := sdk.ParseTypedEvent(event)
		require.NoError(t, err)
		typed, ok := msg.(T)
		require.True(t, ok)
		list = append(list, typed)
	}
	return list
}

// rawAddr is the address of a name.
func rawAddr(name string) []byte {
	hash := sha256.Sum256([]byte(name))
	return hash[:20]
}

func addr(name string) string {
	text, err := addressCodec.BytesToString(rawAddr(name))
	if err != nil {
		panic(fmt.Sprintf("bad test address: %s", err))
	}
	return text
}
