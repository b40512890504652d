// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/x/royalties/types"
)

// Reassign gives an asset to another owner and emits EventAssetReassigned. Whoever reveals an id first has it, so somebody could
// sit on a public model's id, or shut it to paid serving; this is how the arbiter sets that right.
//
// From the next epoch the royalty goes to the new owner alone, at the old rate, until he sets terms of his own; what the asset
// earned stays with its payees. An open author proof was the old owner's and is rejected. allowCommercialUse opens the asset to
// paid serving at once; the other way, from open to shut, is a take-down.
//
// Errors: ErrUnknownAsset, ErrTakenDown.
func (k *Keeper) Reassign(
	ctx context.Context, assetID []byte, owner [types.OwnerSize]byte, allowCommercialUse bool,
) (types.Terms, error) {
	asset, err := k.asset(ctx, assetID)
	if err != nil {
		return types.Terms{}, err
	}
	if asset.Status == types.AssetStatus_ASSET_STATUS_TAKEN_DOWN {
		return types.Terms{}, errorsmod.Wrapf(types.ErrTakenDown, "from epoch %d", asset.TakenDownEpoch)
	}
	old, err := newest(ctx, k.terms, collections.NewPrefixedPairRange[[]byte, uint64](assetID).Descending())
	if err != nil {
		return types.Terms{}, err
	}
	epoch, err := k.epochs.CurrentEpoch(ctx)
	if err != nil {
		return types.Terms{}, err
	}
	if asset.Owner, err = k.bech32(owner[:]); err != nil {
		return types.Terms{}, err
	}
	asset.Version, asset.TermsFrom = asset.Version+1, epoch+1
	asset.CommercialUse = asset.CommercialUse || allowCommercialUse
	terms := types.Terms{
		AssetId:    assetID,
		Version:    asset.Version,
		FromEpoch:  asset.TermsFrom,
		RoyaltyBps: old.RoyaltyBps,
		Payees:     []types.Payee{{Address: asset.Owner, Bps: types.WholeBps}},
	}
	if err := k.rejectProof(ctx, assetID); err != nil {
		return types.Terms{}, err
	}
	if err := k.assets.Set(ctx, assetID, asset); err != nil {
		return types.Terms{}, err
	}
	if err := k.terms.Set(ctx, collections.Join(assetID, terms.FromEpoch), terms); err != nil {
		return types.Terms{}, err
	}
	return terms, emit(ctx, &types.EventAssetReassigned{Asset: asset, Terms: terms})
}

// rejectProof closes an open author proof, if there is one, and emits EventAuthorProofRejected.
func (k *Keeper) rejectProof(ctx context.Context, assetID []byte) error {
	if found, err := k.proofs.Has(ctx, assetID); err != nil || !found {
		return err
	}
	if err := k.proofs.Remove(ctx, assetID); err != nil {
		return err
	}
	return emit(ctx, &types.EventAuthorProofRejected{AssetId: assetID})
}
