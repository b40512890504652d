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

// UpdateTerms gives an asset new terms from the next epoch and emits EventTermsUpdated. A second update in one epoch
// replaces the first and still counts the version on.
// Errors: ErrUnknownAsset, ErrUnauthorized, ErrTakenDown, ErrBadTerms, ErrInvalidAddress (payees).
func (k *Keeper) UpdateTerms(
	ctx context.Context, owner [types.OwnerSize]byte, assetID []byte, royaltyBps uint64, payees []types.Payee,
) (types.Terms, error) {
	asset, err := k.ownedAsset(ctx, owner, assetID)
	if err != nil {
		return types.Terms{}, err
	}
	if asset.Status == types.AssetStatus_ASSET_STATUS_TAKEN_DOWN {
		return types.Terms{}, errorsmod.Wrap(types.ErrTakenDown, "its terms stay as they are")
	}
	payees, err = k.checkTerms(ctx, royaltyBps, payees)
	if err != nil {
		return types.Terms{}, err
	}
	epoch, err := k.epochs.CurrentEpoch(ctx)
	if err != nil {
		return types.Terms{}, err
	}
	asset.Version++
	terms := types.Terms{
		AssetId:    assetID,
		Version:    asset.Version,
		FromEpoch:  epoch + 1,
		RoyaltyBps: royaltyBps,
		Payees:     payees,
	}
	if err := k.assets.Set(ctx, assetID, asset); err != nil {
		return types.Terms{}, err
	}
	if err := k.terms.Set(ctx, collections.Join(assetID, terms.FromEpoch), terms); err != nil {
		return types.Terms{}, err
	}
	return terms, emit(ctx, &types.EventTermsUpdated{Terms: terms})
}

// checkTerms checks a royalty and its payees by the params and returns the payees with their addresses in normal form.
// Errors: ErrBadTerms, ErrInvalidAddress.
func (k *Keeper) checkTerms(ctx context.Context, royaltyBps uint64, payees []types.Payee) ([]types.Payee, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	if royaltyBps > params.RoyaltyCapBps {
		return nil, errorsmod.Wrapf(types.ErrBadTerms, "royalty_bps is %d, the cap is %d", royaltyBps, params.RoyaltyCapBps)
	}
	if len(payees) > int(params.MaxPayees) {
		return nil, errorsmod.Wrapf(types.ErrBadTerms, "%d payees, most is %d", len(payees), params.MaxPayees)
	}
	normal := make([]types.Payee, len(payees))
	for i, p := range payees {
		addr, err := k.address(p.Address)
		if err != nil {
			return nil, errorsmod.Wrapf(err, "payee %d", i)
		}
		text, err := k.bech32(addr)
		if err != nil {
			return nil, errorsmod.Wrapf(err, "payee %d", i)
		}
		normal[i] = types.Payee{Address: text, Bps: p.Bps}
	}
	return normal, nil
}

// TermsFor returns what work of epoch owes for a model and an adapter, by the terms, the cap and the states of that epoch,
// which may be a past one. A zero adapter is none. Parents take part whether they are taken down or not.
//
// Errors: ErrUnknownAsset (also for one that was registered after the epoch), ErrWrongKind, ErrWrongBase, ErrTakenDown,
// ErrNoCommercialUse, for the model and then for the adapter.
func (k *Keeper) TermsFor(ctx context.Context, model, adapter [32]byte, epoch uint64) (types.Pricing, error) {
	_, base, err := k.usable(ctx, model[:], types.AssetKind_ASSET_KIND_BASE, epoch)
	if err != nil {
		return types.Pricing{}, errorsmod.Wrap(err, "model")
	}
	pricing := types.Pricing{Base: &base}
	if pricing.RoyaltyCapBps, err = k.royaltyCap(ctx, epoch); err != nil {
		return types.Pricing{}, err
	}
	if adapter == ([32]byte{}) {
		return pricing, nil
	}
	asset, terms, err := k.usable(ctx, adapter[:], types.AssetKind_ASSET_KIND_ADAPTER, epoch)
	if err != nil {
		return types.Pricing{}, errorsmod.Wrap(err, "adapter")
	}
	if !bytes.Equal(asset.Base, model[:]) {
		return types.Pricing{}, errorsmod.Wrapf(types.ErrWrongBase, "adapter %X is for base %X", asset.Id, asset.Base)
	}
	pricing.Adapter = &terms
	for _, id := range asset.Parents {
		parent, err := k.asset(ctx, id)
		if err != nil {
			return types.Pricing{}, errorsmod.Wrap(err, "parent")
		}
		terms, err := k.termsIn(ctx, &parent, epoch)
		if err != nil {
			return types.Pricing{}, errorsmod.Wrap(err, "parent")
		}
		pricing.Parents = append(pricing.Parents, terms)
	}
	return pricing, nil
}

// usable returns an asset that work of epoch may use, and its terms.
func (k *Keeper) usable(ctx context.Context, id []byte, kind types.AssetKind, epoch uint64) (types.Asset, types.AssetTerms, error) {
	asset, err := k.asset(ctx, id)
	if err != nil {
		return types.Asset{}, types.AssetTerms{}, err
	}
	switch {
	case asset.Kind != kind:
		err = errorsmod.Wrapf(types.ErrWrongKind, "asset %X is %s", id, asset.Kind)
	case asset.TakenDownIn(epoch):
		err = errorsmod.Wrapf(types.ErrTakenDown, "asset %X, from epoch %d", id, asset.TakenDownEpoch)
	case !asset.CommercialUse:
		err = errorsmod.Wrapf(types.ErrNoCommercialUse, "asset %X, licence %s", id, asset.License)
	}
	if err != nil {
		return types.Asset{}, types.AssetTerms{}, err
	}
	terms, err := k.termsIn(ctx, &asset, epoch)
	return asset, terms, err
}

// termsIn returns the terms of an asset in force in epoch. Error: ErrUnknownAsset when it was registered later.
func (k *Keeper) termsIn(ctx context.Context, asset *types.Asset, epoch uint64) (types.AssetTerms, error) {
	until := collections.NewPrefixedPairRange[[]byte, uint64](asset.Id).EndInclusive(epoch).Descending()
	terms, err := newest(ctx, k.terms, until)
	if errors.Is(err, collections.ErrNotFound) {
		return types.AssetTerms{}, errorsmod.Wrapf(types.ErrUnknownAsset, "asset %X was registered after epoch %d", asset.Id, epoch)
	}
	if err != nil {
		return types.AssetTerms{}, err
	}
	return types.AssetTerms{
		ID:         [types.HashSize]byte(asset.Id),
		RoyaltyBps: terms.RoyaltyBps,
		Earning:    asset.Kind != types.AssetKind_ASSET_KIND_BASE || asset.EarnsIn(epoch),
		Payees:     terms.Payees,
	}, nil
}
