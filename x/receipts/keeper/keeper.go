// SPDX-License-Identifier: Apache-2.0

// Package keeper holds the receipts module's state: settlers, gateways, batches, their samples and settlement, and the usage ledger.
package keeper

import (
	"context"
	"fmt"

	"github.com/cosmos/gogoproto/proto"

	"cosmossdk.io/collections"
	"cosmossdk.io/core/address"
	"cosmossdk.io/core/store"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/log/v2"
	sdkmath "cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/u128"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// Keeper reads and writes the module's state.
type Keeper struct {
	// Schema is the state's schema.
	Schema collections.Schema

	addressCodec address.Codec
	bank         types.BankKeeper
	operators    types.OperatorsKeeper
	royalties    types.RoyaltiesKeeper
	log          types.LogKeeper
	authority    string

	params      collections.Item[types.Params]
	epochs      collections.Map[uint64, types.EpochState]
	settlers    collections.Map[[]byte, types.Settler]
	limits      collections.Map[bytesPair, types.Limit]
	locks       collections.Map[bytesPair, types.OperatorLock]
	thaws       *collections.IndexedMap[uint64, types.Thaw, thawIndexes]
	nextThaw    collections.Sequence
	gateways    collections.Map[[]byte, types.Gateway]
	consents    collections.Map[bytesPair, types.GatewayConsent]
	gatewayKeys *collections.IndexedMap[[]byte, types.GatewayKey, keyIndexes]
	batches     *collections.IndexedMap[uint64, types.Batch, batchIndexes]
	nextBatch   collections.Sequence
	watermarks  collections.Map[bytesPair, types.Watermark]
	hostEpochs  collections.Map[epochPair, types.HostEpoch]
	openClaims  collections.Map[[]byte, types.OpenClaims]
	usages      collections.Map[epochTriple, types.Usage]
	usageRows   collections.Map[epochPair, uint32]
	spends      collections.Map[epochTriple, types.Spend]
	earnings    collections.Map[[]byte, types.Earnings]
	losses      collections.Map[epochPair, types.Loss]
	prunedEpoch collections.Item[uint64]
	claims      collections.Map[epochPair, uint64]
	demands     *collections.IndexedMap[uint64, types.Demand, demandIndexes]
	nextDemand  collections.Sequence
	evidence    *collections.IndexedMap[[]byte, types.UsedEvidence, evidenceIndexes]
	failures    collections.Map[epochTriple, types.Failures]
	routes      collections.Map[epochPair, types.Routes]

	failureReports collections.Map[epochPair, types.FailureReport]
}

// Deps are what a keeper is built from.
type Deps struct {
	Codec        codec.BinaryCodec
	StoreService store.KVStoreService
	AddressCodec address.Codec
	Bank         types.BankKeeper
	Operators    types.OperatorsKeeper
	Royalties    types.RoyaltiesKeeper
	Log          types.LogKeeper
	Authority    []byte // who governs, unless the consensus parameters name another
}

// NewKeeper returns the keeper. It panics where the wiring is wrong: a bad authority or clashing prefixes.
func NewKeeper(d Deps) *Keeper {
	authority, err := d.AddressCodec.BytesToString(d.Authority)
	if err != nil {
		panic(fmt.Sprintf("x/receipts: bad authority: %s", err))
	}
	k := &Keeper{
		addressCodec: d.AddressCodec,
		bank:         d.Bank,
		operators:    d.Operators,
		royalties:    d.Royalties,
		log:          d.Log,
		authority:    authority,
	}
	if k.Schema, err = k.buildSchema(d.Codec, d.StoreService); err != nil {
		panic(fmt.Sprintf("x/receipts: bad schema: %s", err))
	}
	return k
}

// logger is for operators of nodes; nothing in state depends on it.
func (k *Keeper) logger(ctx context.Context) log.Logger {
	return sdk.UnwrapSDKContext(ctx).Logger().With("module", "x/"+types.ModuleName)
}

// parseAddress reads any account of this chain. Error: ErrInvalidAddress.
func (k *Keeper) parseAddress(field, text string) ([]byte, error) {
	addr, err := k.addressCodec.StringToBytes(text)
	if err != nil {
		return nil, errorsmod.Wrapf(types.ErrInvalidAddress, "%s %q: %s", field, text, err)
	}
	return addr, nil
}

// parseParty reads a settler, gateway or operator, which must have 20 bytes to fit receipts and log leaves. Error: ErrInvalidAddress.
func (k *Keeper) parseParty(field, text string) ([]byte, error) {
	addr, err := k.parseAddress(field, text)
	if err != nil {
		return nil, err
	}
	if len(addr) != types.AddressLength {
		return nil, errorsmod.Wrapf(types.ErrInvalidAddress, "%s %q has %d bytes, want %d", field, text, len(addr), types.AddressLength)
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

// checkAuthority fails unless signer governs. Error: ErrUnauthorized.
func (k *Keeper) checkAuthority(ctx context.Context, signer string) error {
	if err := sdk.ValidateAuthority(sdk.UnwrapSDKContext(ctx), k.authority, signer); err != nil {
		return errorsmod.Wrap(types.ErrUnauthorized, err.Error())
	}
	return nil
}

// height is the height of the present block.
func height(ctx context.Context) uint64 {
	return uint64(max(sdk.UnwrapSDKContext(ctx).BlockHeight(), 0)) //nolint:gosec // not negative
}

// blockTime is the present block's time in Unix seconds; at least 1, because 0 means "none" in state.
func blockTime(ctx context.Context) uint64 {
	return uint64(max(sdk.UnwrapSDKContext(ctx).BlockTime().Unix(), 1)) //nolint:gosec // not negative
}

// emit emits a typed event.
func emit(ctx context.Context, event proto.Message) error {
	return sdk.UnwrapSDKContext(ctx).EventManager().EmitTypedEvent(event)
}

// coins returns an amount of settlement money.
func coins(uusdc uint64) sdk.Coins {
	return sdk.NewCoins(sdk.NewCoin(types.SettlementDenom, sdkmath.NewIntFromUint64(uusdc)))
}

// addTo adds to a sum of state. Error: ErrOverflow.
func addTo(sum *uint64, amount uint64) error {
	total, ok := u128.Add(*sum, amount)
	if !ok {
		return errorsmod.Wrapf(types.ErrOverflow, "%d + %d", *sum, amount)
	}
	*sum = total
	return nil
}

// takeFrom takes from a sum of state that must hold it. Error: ErrInvariant.
func takeFrom(sum *uint64, amount uint64) error {
	if amount > *sum {
		return errorsmod.Wrapf(types.ErrInvariant, "%d is taken from %d", amount, *sum)
	}
	*sum -= amount
	return nil
}
