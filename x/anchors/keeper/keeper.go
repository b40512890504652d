// SPDX-License-Identifier: Apache-2.0

// Package keeper holds the anchors module's state: the append-only log of facts.
package keeper

import (
	"context"

	"cosmossdk.io/collections"
	"cosmossdk.io/core/address"
	"cosmossdk.io/core/store"
	errorsmod "cosmossdk.io/errors"
	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/x/anchors/types"
)

// Keeper reads and writes the module's state.
type Keeper struct {
	// Schema is the state's schema.
	Schema collections.Schema

	authority string

	params collections.Item[types.Params]
	log    collections.Item[types.LogState]
	leaves collections.Map[uint64, types.Leaf]
}

// NewKeeper returns the keeper. It panics where the wiring is wrong: a bad authority or clashing prefixes.
func NewKeeper(cdc codec.BinaryCodec, storeService store.KVStoreService, addressCodec address.Codec, authority []byte) *Keeper {
	authorityText, err := addressCodec.BytesToString(authority)
	if err != nil {
		panic(err)
	}
	sb := collections.NewSchemaBuilder(storeService)
	k := &Keeper{
		authority: authorityText,
		params:    collections.NewItem(sb, types.ParamsPrefix, "params", codec.CollValue[types.Params](cdc)),
		log:       collections.NewItem(sb, types.LogPrefix, "log", codec.CollValue[types.LogState](cdc)),
		leaves:    collections.NewMap(sb, types.LeavesPrefix, "leaves", collections.Uint64Key, codec.CollValue[types.Leaf](cdc)),
	}
	k.Schema, err = sb.Build()
	if err != nil {
		panic(err)
	}
	return k
}

// UpdateParams replaces the parameters in the name of authority, which the caller has checked. A shorter retention takes effect as
// leaves are appended. Errors: ErrInvalidParams.
func (k *Keeper) UpdateParams(ctx context.Context, authority string, params types.Params) error {
	if err := params.Validate(); err != nil {
		return err
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
