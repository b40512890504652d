// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/x/royalties/types"
)

// firstVersion is the version of an asset's first terms.
const firstVersion = 1

// RegisterAsset reveals a commit of owner, registers the asset with its first terms, which hold from the current epoch,
// and emits EventAssetRegistered. The message has passed ValidateBasic.
//
// Errors: ErrUnknownCommit, ErrTooEarly, ErrCommitExpired, ErrAssetExists (whoever reveals first has the id),
// ErrUnknownAsset, ErrTakenDown, ErrWrongKind (base), ErrBadParents, ErrBadTerms, ErrInvalidAddress (payees).
func (k *Keeper) RegisterAsset(ctx context.Context, owner [types.OwnerSize]byte, msg *types.MsgRegisterAsset) error {
	asset, terms, err := k.newAsset(ctx, owner, msg)
	if err != nil {
		return err
	}
	hash, err := k.takeCommit(ctx, owner, [types.HashSize]byte(msg.AssetId), [types.HashSize]byte(msg.Salt))
	if err != nil {
		return err
	}
	if err := k.assets.Set(ctx, asset.Id, asset); err != nil {
		return err
	}
	if err := k.terms.Set(ctx, collections.Join(asset.Id, terms.FromEpoch), terms); err != nil {
		return err
	}
	return emit(ctx, &types.EventAssetRegistered{Asset: asset, Terms: terms, CommitHash: hash[:]})
}

// newAsset checks all of a registration but its commit, and returns the asset and its first terms.
func (k *Keeper) newAsset(ctx context.Context, owner [types.OwnerSize]byte, msg *types.MsgRegisterAsset) (types.Asset, types.Terms, error) {
	if found, err := k.assets.Has(ctx, msg.AssetId); err != nil {
		return types.Asset{}, types.Terms{}, err
	} else if found {
		return types.Asset{}, types.Terms{}, errorsmod.Wrapf(types.ErrAssetExists, "asset %X", msg.AssetId)
	}
	if msg.Kind == types.AssetKind_ASSET_KIND_ADAPTER {
		if err := k.checkLineage(ctx, msg.Base, msg.Parents); err != nil {
			return types.Asset{}, types.Terms{}, err
		}
	}
	payees, err := k.checkTerms(ctx, msg.RoyaltyBps, msg.Payees)
	if err != nil {
		return types.Asset{}, types.Terms{}, err
	}
	epoch, err := k.epochs.CurrentEpoch(ctx)
	if err != nil {
		return types.Asset{}, types.Terms{}, err
	}
	name, err := k.bech32(owner[:])
	if err != nil {
		return types.Asset{}, types.Terms{}, err
	}
	asset := types.Asset{
		Id:               msg.AssetId,
		Kind:             msg.Kind,
		Owner:            name,
		Base:             msg.Base,
		Parents:          msg.Parents,
		ManifestUri:      msg.ManifestUri,
		ManifestSha256:   msg.ManifestSha256,
		License:          msg.License,
		CommercialUse:    msg.CommercialUse,
		Status:           types.AssetStatus_ASSET_STATUS_ACTIVE,
		RegisteredHeight: height(ctx),
		Version:          firstVersion,
		Name:             msg.Name,
		TermsFrom:        epoch,
	}
	terms := types.Terms{
		AssetId:    msg.AssetId,
		Version:    firstVersion,
		FromEpoch:  epoch,
		RoyaltyBps: msg.RoyaltyBps,
		Payees:     payees,
	}
	return asset, terms, nil
}

// checkLineage checks that base is a base in use and that each parent is an adapter on it, in use or not.
func (k *Keeper) checkLineage(ctx context.Context, baseID []byte, parents [][]byte) error {
	base, err := k.asset(ctx, baseID)
	if err != nil {
		return errorsmod.Wrap(err, "base")
	}
	if base.Kind != types.AssetKind_ASSET_KIND_BASE {
		return errorsmod.Wrap(types.ErrWrongKind, "the base is an adapter")
	}
	if base.Status == types.AssetStatus_ASSET_STATUS_TAKEN_DOWN {
		return errorsmod.Wrap(types.ErrTakenDown, "base")
	}
	for i, id := range parents {
		parent, err := k.asset(ctx, id)
		if err != nil {
			return errorsmod.Wrapf(err, "parent %d", i)
		}
		if parent.Kind != types.AssetKind_ASSET_KIND_ADAPTER || !bytes.Equal(parent.Base, baseID) {
			return errorsmod.Wrapf(types.ErrBadParents, "parent %d is no adapter on the same base", i)
		}
	}
	return nil
}

// TakeDown stops new use of an asset from the next epoch and emits EventAssetTakenDown. What it earned stays, and as a
// parent it goes on earning. Errors: ErrUnknownAsset, ErrTakenDown.
func (k *Keeper) TakeDown(ctx context.Context, assetID []byte) error {
	asset, err := k.asset(ctx, assetID)
	if err != nil {
		return err
	}
	if asset.Status == types.AssetStatus_ASSET_STATUS_TAKEN_DOWN {
		return errorsmod.Wrapf(types.ErrTakenDown, "from epoch %d", asset.TakenDownEpoch)
	}
	epoch, err := k.epochs.CurrentEpoch(ctx)
	if err != nil {
		return err
	}
	asset.Status = types.AssetStatus_ASSET_STATUS_TAKEN_DOWN
	asset.TakenDownEpoch = epoch + 1
	if err := k.assets.Set(ctx, assetID, asset); err != nil {
		return err
	}
	return emit(ctx, &types.EventAssetTakenDown{AssetId: assetID, Epoch: asset.TakenDownEpoch})
}

// asset returns one asset. Error: ErrUnknownAsset.
func (k *Keeper) asset(ctx context.Context, id []byte) (types.Asset, error) {
	asset, err := k.assets.Get(ctx, id)
	if errors.Is(err, collections.ErrNotFound) {
		return types.Asset{}, errorsmod.Wrapf(types.ErrUnknownAsset, "asset %X", id)
	}
	return asset, err
}

// ownedAsset returns an asset of owner. Errors: ErrUnknownAsset, ErrUnauthorized.
func (k *Keeper) ownedAsset(ctx context.Context, owner [types.OwnerSize]byte, id []byte) (types.Asset, error) {
	asset, err := k.asset(ctx, id)
	if err != nil {
		return types.Asset{}, err
	}
	holder, err := k.address(asset.Owner)
	if err != nil {
		return types.Asset{}, err
	}
	if !bytes.Equal(holder, owner[:]) {
		return types.Asset{}, errorsmod.Wrapf(types.ErrUnauthorized, "asset %X belongs to %s", id, asset.Owner)
	}
	return asset, nil
}
