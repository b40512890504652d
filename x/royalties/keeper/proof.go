// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/x/royalties/types"
)

// ProposeAuthorProof opens a proof that the owner of a base is its author, and emits EventAuthorProofProposed.
// Errors: ErrUnknownAsset, ErrUnauthorized, ErrWrongKind, ErrTakenDown, ErrAlreadyEarning, ErrProofExists.
func (k *Keeper) ProposeAuthorProof(ctx context.Context, owner [types.OwnerSize]byte, assetID []byte, uri string, sha256 []byte) error {
	asset, err := k.ownedAsset(ctx, owner, assetID)
	if err != nil {
		return err
	}
	switch {
	case asset.Kind != types.AssetKind_ASSET_KIND_BASE:
		return errorsmod.Wrap(types.ErrWrongKind, "an adapter earns without a proof")
	case asset.Status == types.AssetStatus_ASSET_STATUS_TAKEN_DOWN:
		return types.ErrTakenDown
	case asset.EarningFrom > 0:
		return types.ErrAlreadyEarning
	}
	if found, err := k.proofs.Has(ctx, assetID); err != nil {
		return err
	} else if found {
		return types.ErrProofExists
	}
	proof := types.AuthorProof{AssetId: assetID, Uri: uri, Sha256: sha256, ProposedHeight: height(ctx)}
	if err := k.proofs.Set(ctx, assetID, proof); err != nil {
		return err
	}
	return emit(ctx, &types.EventAuthorProofProposed{Proof: proof})
}

// DecideAuthorProof closes a proof after its objection window. An accepted one lets the base earn from the next epoch and
// emits EventAuthorProofAccepted; a rejected one emits EventAuthorProofRejected, and another may be proposed.
// Errors: ErrUnknownProof, ErrTooEarly.
func (k *Keeper) DecideAuthorProof(ctx context.Context, assetID []byte, accept bool) error {
	proof, err := k.proofs.Get(ctx, assetID)
	if errors.Is(err, collections.ErrNotFound) {
		return errorsmod.Wrapf(types.ErrUnknownProof, "asset %X", assetID)
	}
	if err != nil {
		return err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	if from := proof.ProposedHeight + params.ObjectionBlocks; height(ctx) < from {
		return errorsmod.Wrapf(types.ErrTooEarly, "decide from height %d", from)
	}
	if !accept {
		return k.rejectProof(ctx, assetID)
	}
	asset, err := k.asset(ctx, assetID)
	if err != nil {
		return err
	}
	epoch, err := k.epochs.CurrentEpoch(ctx)
	if err != nil {
		return err
	}
	earning := epoch + 1
	asset.EarningFrom = earning + 1 // stored plus 1, since 0 means that it does not earn
	if err := k.assets.Set(ctx, assetID, asset); err != nil {
		return err
	}
	if err := k.proofs.Remove(ctx, assetID); err != nil {
		return err
	}
	return emit(ctx, &types.EventAuthorProofAccepted{AssetId: assetID, EarningEpoch: earning})
}
