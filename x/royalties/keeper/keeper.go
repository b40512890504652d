// SPDX-License-Identifier: Apache-2.0

// Package keeper holds the state of x/royalties: models and adapters, their terms, and what their payees may claim.
package keeper

import (
	"context"
	"fmt"

	"github.com/cosmos/gogoproto/proto"

	"cosmossdk.io/collections"
	"cosmossdk.io/collections/indexes"
	"cosmossdk.io/core/address"
	"cosmossdk.io/core/store"
	errorsmod "cosmossdk.io/errors"
	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/x/royalties/types"
)

// Keeper owns the module's state.
type Keeper struct {
	Schema collections.Schema

	addressCodec address.Codec
	bank         types.BankKeeper
	epochs       types.EpochClock
	authority    string

	params   collections.Item[types.Params]
	caps     collections.Map[uint64, uint64]
	assets   collections.Map[[]byte, types.Asset]
	terms    collections.Map[collections.Pair[[]byte, uint64], types.Terms]
	commits  *collections.IndexedMap[commitKey, types.Commit, commitIndexes]
	proofs   collections.Map[[]byte, types.AuthorProof]
	accruals collections.Map[[]byte, types.Accrual]
	earnings collections.Map[[]byte, types.AssetEarnings]
}

// Deps are what a keeper is built from.
type Deps struct {
	Codec        codec.BinaryCodec
	StoreService store.KVStoreService
	AddressCodec address.Codec
	Bank         types.BankKeeper
	Epochs       types.EpochClock
	Authority    []byte // who may change the parameters, unless the consensus parameters name another
}

// commitKey is (hash, owner): a copy of another's hash is a commit of its own, which opens nothing and blocks nobody.
type commitKey = collections.Pair[[]byte, []byte]

// commitIndexes finds commits by height, and at one height by hash.
type commitIndexes struct {
	byHeight *indexes.Multi[uint64, commitKey, types.Commit]
}

// IndexesList implements collections.Indexes.
func (i commitIndexes) IndexesList() []collections.Index[commitKey, types.Commit] {
	return []collections.Index[commitKey, types.Commit]{i.byHeight}
}

// NewKeeper builds the keeper. It panics when the wiring itself is wrong.
func NewKeeper(deps Deps) *Keeper {
	authority, err := deps.AddressCodec.BytesToString(deps.Authority)
	if err != nil {
		panic(fmt.Sprintf("x/royalties: bad authority: %s", err))
	}
	sb := collections.NewSchemaBuilder(deps.StoreService)
	commitKeys := collections.PairKeyCodec(collections.BytesKey, collections.BytesKey)
	byHeight := indexes.NewMulti(sb, types.CommitsHeightPrefix, "commits_by_height", collections.Uint64Key, commitKeys,
		func(_ commitKey, c types.Commit) (uint64, error) { return c.Height, nil })
	k := &Keeper{
		addressCodec: deps.AddressCodec,
		bank:         deps.Bank,
		epochs:       deps.Epochs,
		authority:    authority,
		params:       collections.NewItem(sb, types.ParamsPrefix, "params", codec.CollValue[types.Params](deps.Codec)),
		caps:         collections.NewMap(sb, types.RoyaltyCapsPrefix, "royalty_caps", collections.Uint64Key, collections.Uint64Value),
		assets:       collections.NewMap(sb, types.AssetsPrefix, "assets", collections.BytesKey, codec.CollValue[types.Asset](deps.Codec)),
		terms: collections.NewMap(sb, types.TermsPrefix, "terms",
			collections.PairKeyCodec(collections.BytesKey, collections.Uint64Key), codec.CollValue[types.Terms](deps.Codec)),
		commits: collections.NewIndexedMap(sb, types.CommitsPrefix, "commits",
			commitKeys, codec.CollValue[types.Commit](deps.Codec), commitIndexes{byHeight: byHeight}),
		proofs:   collections.NewMap(sb, types.ProofsPrefix, "author_proofs", collections.BytesKey, codec.CollValue[types.AuthorProof](deps.Codec)),
		accruals: collections.NewMap(sb, types.AccrualsPrefix, "accruals", collections.BytesKey, codec.CollValue[types.Accrual](deps.Codec)),
		earnings: collections.NewMap(sb, types.EarningsPrefix, "earnings", collections.BytesKey, codec.CollValue[types.AssetEarnings](deps.Codec)),
	}
	if k.Schema, err = sb.Build(); err != nil {
		panic(fmt.Sprintf("x/royalties: bad schema: %s", err))
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

// owner reads the bech32 address of somebody who may own assets. Error: ErrInvalidAddress.
func (k *Keeper) owner(text string) ([types.OwnerSize]byte, error) {
	addr, err := k.address(text)
	if err != nil {
		return [types.OwnerSize]byte{}, err
	}
	if len(addr) != types.OwnerSize {
		return [types.OwnerSize]byte{}, errorsmod.Wrapf(types.ErrInvalidAddress, "%q has %d bytes, an owner has %d", text, len(addr), types.OwnerSize)
	}
	return [types.OwnerSize]byte(addr), nil
}

// bech32 writes an address. Error: ErrInvalidAddress.
func (k *Keeper) bech32(addr []byte) (string, error) {
	text, err := k.addressCodec.BytesToString(addr)
	if err != nil {
		return "", errorsmod.Wrapf(types.ErrInvalidAddress, "%X: %s", addr, err)
	}
	return text, nil
}

// height returns the height of the block in work.
func height(ctx context.Context) uint64 {
	return uint64(sdk.UnwrapSDKContext(ctx).BlockHeight())
}

func emit(ctx context.Context, event proto.Message) error {
	return sdk.UnwrapSDKContext(ctx).EventManager().EmitTypedEvent(event)
}
