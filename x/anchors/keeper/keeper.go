// SPDX-License-Identifier: Apache-2.0

// Package keeper holds the anchors module's state: the append-only log of facts and the anchors that validators sign about it.
package keeper

import (
	"context"
	"fmt"

	"cosmossdk.io/collections"
	"cosmossdk.io/collections/indexes"
	"cosmossdk.io/core/address"
	"cosmossdk.io/core/store"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/log/v2"
	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/x/anchors/types"
)

// Deps are what the keeper is made of.
type Deps struct {
	Codec          codec.BinaryCodec
	StoreService   store.KVStoreService
	AddressCodec   address.Codec
	ValidatorCodec address.Codec
	Authority      []byte
	Staking        types.StakingKeeper
	Slashing       types.SlashingKeeper
	// Recover finds the signer of an anchor; nil means receipt.RecoverAddress, which any other must agree with.
	Recover anchor.Recover
	// Archive serves proofs that reach back beyond the state; nil means none. No block reads it.
	Archive Archive
}

// Keeper reads and writes the module's state.
type Keeper struct {
	// Schema is the state's schema.
	Schema collections.Schema

	authority      string
	validatorCodec address.Codec
	staking        types.StakingKeeper
	slashing       types.SlashingKeeper
	recoverSigner  anchor.Recover
	archive        Archive

	params collections.Item[types.Params]

	log    collections.Item[types.LogState]
	leaves collections.Map[uint64, types.Leaf]
	nodes  collections.Map[collections.Pair[uint16, uint64], []byte]

	origin         collections.Item[[]byte]
	head           collections.Item[types.AnchorHead]
	open           collections.Item[types.OpenAnchor]
	openSignatures collections.Map[uint32, []byte]
	attested       *collections.IndexedMap[uint64, types.AttestedAnchor, attestedIndexes]
	made           collections.Map[uint64, types.MadeAnchor]
	valsets        collections.Map[[]byte, types.Valset]
	valsetUse      collections.Map[[]byte, uint64]

	keys        collections.Map[[]byte, types.AnchorKey]
	currentKeys collections.Map[[]byte, []byte]
	missed      collections.Map[[]byte, uint64]
}

// attestedIndexes find attested anchors by the set that signed them.
type attestedIndexes struct {
	Signers *indexes.Multi[[]byte, uint64, types.AttestedAnchor]
}

// IndexesList implements collections.Indexes.
func (i attestedIndexes) IndexesList() []collections.Index[uint64, types.AttestedAnchor] {
	return []collections.Index[uint64, types.AttestedAnchor]{i.Signers}
}

// NewKeeper returns the keeper. It panics where the wiring is wrong: a bad authority or clashing prefixes.
func NewKeeper(deps Deps) *Keeper {
	authority, err := deps.AddressCodec.BytesToString(deps.Authority)
	if err != nil {
		panic(err)
	}
	k := &Keeper{
		authority: authority, validatorCodec: deps.ValidatorCodec, staking: deps.Staking, slashing: deps.Slashing,
		recoverSigner: deps.Recover, archive: deps.Archive,
	}
	if k.recoverSigner == nil {
		k.recoverSigner = receipt.RecoverAddress
	}
	sb := collections.NewSchemaBuilder(deps.StoreService)
	k.setCollections(sb, deps.Codec)
	if k.Schema, err = sb.Build(); err != nil {
		panic(err)
	}
	return k
}

func (k *Keeper) setCollections(sb *collections.SchemaBuilder, cdc codec.BinaryCodec) {
	k.params = collections.NewItem(sb, types.ParamsPrefix, "params", codec.CollValue[types.Params](cdc))
	k.log = collections.NewItem(sb, types.LogPrefix, "log", codec.CollValue[types.LogState](cdc))
	k.leaves = collections.NewMap(sb, types.LeavesPrefix, "leaves", collections.Uint64Key, codec.CollValue[types.Leaf](cdc))
	k.nodes = collections.NewMap(sb, types.NodesPrefix, "nodes",
		collections.PairKeyCodec(collections.Uint16Key, collections.Uint64Key), collections.BytesValue)

	k.origin = collections.NewItem(sb, types.OriginPrefix, "origin", collections.BytesValue)
	k.head = collections.NewItem(sb, types.HeadPrefix, "head", codec.CollValue[types.AnchorHead](cdc))
	k.open = collections.NewItem(sb, types.OpenPrefix, "open", codec.CollValue[types.OpenAnchor](cdc))
	k.openSignatures = collections.NewMap(sb, types.OpenSignaturesPrefix, "open_signatures", collections.Uint32Key, collections.BytesValue)
	k.attested = collections.NewIndexedMap(sb, types.AttestedPrefix, "attested", collections.Uint64Key,
		codec.CollValue[types.AttestedAnchor](cdc), attestedIndexes{Signers: indexes.NewMulti(
			sb, types.AttestedBySignersPrefix, "attested_by_signers", collections.BytesKey, collections.Uint64Key,
			func(_ uint64, a types.AttestedAnchor) ([]byte, error) { return a.SignersHash, nil },
		)})
	k.made = collections.NewMap(sb, types.MadePrefix, "made", collections.Uint64Key, codec.CollValue[types.MadeAnchor](cdc))
	k.valsets = collections.NewMap(sb, types.ValsetsPrefix, "valsets", collections.BytesKey, codec.CollValue[types.Valset](cdc))
	k.valsetUse = collections.NewMap(sb, types.ValsetUsePrefix, "valset_use", collections.BytesKey, collections.Uint64Value)

	k.keys = collections.NewMap(sb, types.KeysPrefix, "keys", collections.BytesKey, codec.CollValue[types.AnchorKey](cdc))
	k.currentKeys = collections.NewMap(sb, types.CurrentKeysPrefix, "current_keys", collections.BytesKey, collections.BytesValue)
	k.missed = collections.NewMap(sb, types.MissedPrefix, "missed", collections.BytesKey, collections.Uint64Value)
}

// Params returns the parameters, with defaults for those that the state does not have yet.
func (k *Keeper) Params(ctx context.Context) (types.Params, error) {
	params, err := k.params.Get(ctx)
	return params.Filled(), err
}

// UpdateParams replaces the parameters in the name of authority, which the caller has checked. A shorter retention takes effect as
// leaves are appended.
//
// Errors: ErrInvalidParams, also when the trusting period is not below the unbonding time: a set must be trusted no longer than
// its stake can be slashed.
func (k *Keeper) UpdateParams(ctx context.Context, authority string, params types.Params) error {
	if err := params.Validate(); err != nil {
		return err
	}
	params = params.Filled()
	unbonding, err := k.staking.UnbondingTime(ctx)
	if err != nil {
		return err
	}
	if params.TrustingPeriodSeconds >= uint64(max(0, unbonding/1e9)) { //nolint:gosec // not negative
		return errorsmod.Wrapf(types.ErrInvalidParams, "trusting_period_seconds is %d, not below the unbonding time %s", params.TrustingPeriodSeconds, unbonding)
	}
	if err := k.params.Set(ctx, params); err != nil {
		return err
	}
	return sdk.UnwrapSDKContext(ctx).EventManager().EmitTypedEvent(&types.EventParamsUpdated{Authority: authority, Params: params})
}

// checkAuthority checks that a message comes from governance; the consensus parameters may name another authority.
func (k *Keeper) checkAuthority(ctx context.Context, sender string) error {
	if err := sdk.ValidateAuthority(sdk.UnwrapSDKContext(ctx), k.authority, sender); err != nil {
		return errorsmod.Wrap(types.ErrUnauthorized, err.Error())
	}
	return nil
}

// guarded runs a step of a block so that it can neither stop the chain nor leave half of its writes: an error or a panic is logged
// and undoes the step. It comes out alike on every node, for it follows from the state.
func (k *Keeper) guarded(ctx context.Context, step string, f func(context.Context) error) {
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	cached, write := sdkCtx.CacheContext()
	if err := attempt(cached, f); err != nil {
		k.logger(ctx).Error("anchoring step undone", "step", step, "height", sdkCtx.BlockHeight(), "err", err)
		return
	}
	write()
}

func attempt(ctx context.Context, f func(context.Context) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errorsmod.Wrap(types.ErrInvariant, fmt.Sprint(r))
		}
	}()
	return f(ctx)
}

func (k *Keeper) logger(ctx context.Context) log.Logger {
	return sdk.UnwrapSDKContext(ctx).Logger().With("module", "x/"+types.ModuleName)
}

// clock returns the block's height and time, in Unix seconds.
func clock(ctx context.Context) (height, now uint64) {
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	return uint64(max(sdkCtx.BlockHeight(), 0)), uint64(max(sdkCtx.BlockTime().Unix(), 0)) //nolint:gosec // not negative
}
