// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

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
	asset.Version, asset.TermsFrom = asset.Version+1, epoch+1
	terms := types.Terms{
		AssetId:    assetID,
		Version:    asset.Version,
		FromEpoch:  asset.TermsFrom,
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
