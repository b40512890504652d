// SPDX-License-Identifier: Apache-2.0

// Package keeper holds the state of x/rewards: the settlement of epochs, the rows that explain it, and what operators may
// claim.
package keeper

import (
	"context"
	"fmt"
	"runtime"

	"github.com/cosmos/gogoproto/proto"

	"cosmossdk.io/collections"
	"cosmossdk.io/core/address"
	"cosmossdk.io/core/store"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/log/v2"
	sdkmath "cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/x/rewards/types"
)

// rowKey is (epoch, operator).
type rowKey = collections.Pair[uint64, []byte]

// controllerKey is (epoch, controller in bech32).
type controllerKey = collections.Pair[uint64, string]

// Keeper owns the module's state.
type Keeper struct {
	// Schema is the state's schema.
	Schema collections.Schema

	addressCodec address.Codec
	bank         types.BankKeeper
	receipts     types.ReceiptsKeeper
	operators    types.OperatorsKeeper
	anchors      types.AnchorsKeeper
	authority    string

	params           collections.Item[types.Params]
	nextEpoch        collections.Item[uint64]
	sponsors         collections.Item[uint64]
	prunedEpoch      collections.Item[uint64]
	settlements      collections.Map[uint64, types.EpochSettlement]
	rows             collections.Map[rowKey, types.OperatorEpoch]
	points           collections.Map[[]byte, types.Points]
	confirmed        collections.Map[[]byte, types.Confirmed]
	rewards          collections.Map[[]byte, types.Reward]
	controllerPoints collections.Map[controllerKey, types.ControllerPoints]
}

// Deps are what a keeper is built from.
type Deps struct {
	Codec        codec.BinaryCodec
	StoreService store.KVStoreService
	AddressCodec address.Codec
	Bank         types.BankKeeper
	Receipts     types.ReceiptsKeeper
	Operators    types.OperatorsKeeper
	Anchors      types.AnchorsKeeper
	Authority    []byte // who may change the parameters, unless the consensus parameters name another
}

// NewKeeper builds the keeper. It panics when the wiring itself is wrong.
func NewKeeper(deps Deps) *Keeper {
	authority, err := deps.AddressCodec.BytesToString(deps.Authority)
	if err != nil {
		panic(fmt.Sprintf("x/rewards: bad authority: %s", err))
	}
	sb := collections.NewSchemaBuilder(deps.StoreService)
	k := &Keeper{
		addressCodec: deps.AddressCodec,
		bank:         deps.Bank,
		receipts:     deps.Receipts,
		operators:    deps.Operators,
		anchors:      deps.Anchors,
		authority:    authority,

		params:      collections.NewItem(sb, types.ParamsPrefix, "params", codec.CollValue[types.Params](deps.Codec)),
		nextEpoch:   collections.NewItem(sb, types.NextEpochPrefix, "next_epoch", collections.Uint64Value),
		sponsors:    collections.NewItem(sb, types.SponsorsPrefix, "sponsors", collections.Uint64Value),
		prunedEpoch: collections.NewItem(sb, types.PrunedEpochPrefix, "pruned_epoch", collections.Uint64Value),
		settlements: collections.NewMap(sb, types.SettlementsPrefix, "settlements",
			collections.Uint64Key, codec.CollValue[types.EpochSettlement](deps.Codec)),
		rows: collections.NewMap(sb, types.RowsPrefix, "rows",
			collections.PairKeyCodec(collections.Uint64Key, collections.BytesKey), codec.CollValue[types.OperatorEpoch](deps.Codec)),
		points:    collections.NewMap(sb, types.PointsPrefix, "points", collections.BytesKey, codec.CollValue[types.Points](deps.Codec)),
		confirmed: collections.NewMap(sb, types.ConfirmedPrefix, "confirmed", collections.BytesKey, codec.CollValue[types.Confirmed](deps.Codec)),
		rewards:   collections.NewMap(sb, types.RewardsPrefix, "rewards", collections.BytesKey, codec.CollValue[types.Reward](deps.Codec)),
		controllerPoints: collections.NewMap(sb, types.ControllerPointsPrefix, "controller_points",
			collections.PairKeyCodec(collections.Uint64Key, collections.StringKey), codec.CollValue[types.ControllerPoints](deps.Codec)),
	}
	if k.Schema, err = sb.Build(); err != nil {
		panic(fmt.Sprintf("x/rewards: bad schema: %s", err))
	}
	return k
}

// address reads a bech32 address. Error: ErrInvalidAddress.
func (k *Keeper) address(text string) ([]byte, error) {
	addr, err := k.addressCodec.StringToBytes(text)
	if err != nil {
		return nil, errorsmod.Wrapf(types.ErrInvalidAddress, "%q: %s", text, err)
	}
	return addr, nil
}

// bech32 writes an address. Error: ErrInvalidAddress.
func (k *Keeper) bech32(addr []byte) (string, error) {
	text, err := k.addressCodec.BytesToString(addr)
	if err != nil {
		return "", errorsmod.Wrapf(types.ErrInvalidAddress, "%X: %s", addr, err)
	}
	return text, nil
}

// logger is for operators of nodes; nothing in state depends on it.
func (k *Keeper) logger(ctx context.Context) log.Logger {
	return sdk.UnwrapSDKContext(ctx).Logger().With("module", "x/"+types.ModuleName)
}

// coins is an amount of the settlement denom.
func coins(amount uint64) sdk.Coins {
	return sdk.NewCoins(sdk.NewCoin(types.SettlementDenom, sdkmath.NewIntFromUint64(amount)))
}

// height is the height of the block in work.
func height(ctx context.Context) uint64 {
	return uint64(max(sdk.UnwrapSDKContext(ctx).BlockHeight(), 0)) //nolint:gosec // never negative here
}

func emit(ctx context.Context, event proto.Message) error {
	return sdk.UnwrapSDKContext(ctx).EventManager().EmitTypedEvent(event)
}

// attempt runs do in a cached context, so that a failure leaves no trace. A runtime error of do, such as an index out of
// range, is a failure too: it follows from state alone, and one operator's data must not halt the chain. Any other panic
// goes on, because a store that cannot read its disk panics too: a fault of one machine must stop that machine and never
// become a reason code in its state.
func attempt(ctx context.Context, do func(context.Context) error) (err error) {
	cached, write := sdk.UnwrapSDKContext(ctx).CacheContext()
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		bug, isBug := r.(runtime.Error)
		if !isBug {
			panic(r)
		}
		err = types.At(types.AtPanic, bug)
	}()
	if err := do(cached); err != nil {
		return err
	}
	write()
	return nil
}
