// SPDX-License-Identifier: Apache-2.0

package types

import (
	"bytes"

	errorsmod "cosmossdk.io/errors"
	sdkmath "cosmossdk.io/math"
)

// DefaultGenesis returns an empty state with the default parameters.
func DefaultGenesis() *GenesisState {
	return &GenesisState{Params: DefaultParams()}
}

// Validate checks every entry by itself, and that no key occurs twice, no reference dangles and no counter disagrees.
// Addresses are only checked to be there; InitGenesis reads them. Errors: ErrInvalidParams, ErrInvalidGenesis, and what
// [Asset.Validate] and [ValidateTerms] return.
func (g *GenesisState) Validate() error {
	if err := g.Params.Validate(); err != nil {
		return err
	}
	if err := g.validateCaps(); err != nil {
		return err
	}
	assets, err := g.validateAssets()
	if err != nil {
		return err
	}
	if err := g.validateTerms(assets); err != nil {
		return err
	}
	if err := g.validateCommits(); err != nil {
		return err
	}
	if err := g.validateProofs(assets); err != nil {
		return err
	}
	return g.validateMoney(assets)
}

// validateCaps checks that the caps cover all epochs in order, and that the newest is the parameter.
func (g *GenesisState) validateCaps() error {
	for i, c := range g.RoyaltyCaps {
		switch {
		case i == 0 && c.FromEpoch != 0:
			return errorsmod.Wrapf(ErrInvalidGenesis, "the first royalty cap is from epoch %d, want 0", c.FromEpoch)
		case i > 0 && c.FromEpoch <= g.RoyaltyCaps[i-1].FromEpoch:
			return errorsmod.Wrapf(ErrInvalidGenesis, "royalty cap %d is not after the one before", i)
		case c.RoyaltyCapBps > WholeBps:
			return errorsmod.Wrapf(ErrInvalidGenesis, "royalty cap %d is %d bps", i, c.RoyaltyCapBps)
		}
	}
	if n := len(g.RoyaltyCaps); n > 0 && g.RoyaltyCaps[n-1].RoyaltyCapBps != g.Params.RoyaltyCapBps {
		return errorsmod.Wrap(ErrInvalidGenesis, "the newest royalty cap is not the one in the params")
	}
	return nil
}

// assetIndex finds assets by id; it is never walked, so its order does not matter.
type assetIndex map[string]*Asset

// validateAssets checks the assets and their lineage.
func (g *GenesisState) validateAssets() (assetIndex, error) {
	assets := make(assetIndex, len(g.Assets))
	for i := range g.Assets {
		asset := &g.Assets[i]
		if err := asset.Validate(); err != nil {
			return nil, err
		}
		if _, found := assets[string(asset.Id)]; found {
			return nil, errorsmod.Wrapf(ErrInvalidGenesis, "asset %X occurs twice", asset.Id)
		}
		assets[string(asset.Id)] = asset
	}
	for i := range g.Assets {
		if err := assets.validateLineage(&g.Assets[i]); err != nil {
			return nil, err
		}
	}
	return assets, nil
}

// validateLineage checks that what an adapter names exists and fits.
func (assets assetIndex) validateLineage(asset *Asset) error {
	if asset.Kind != AssetKind_ASSET_KIND_ADAPTER {
		return nil
	}
	base, found := assets[string(asset.Base)]
	if !found || base.Kind != AssetKind_ASSET_KIND_BASE {
		return errorsmod.Wrapf(ErrInvalidGenesis, "the base of adapter %X is no base", asset.Id)
	}
	for _, id := range asset.Parents {
		parent, found := assets[string(id)]
		if !found || parent.Kind != AssetKind_ASSET_KIND_ADAPTER || !bytes.Equal(parent.Base, asset.Base) {
			return errorsmod.Wrapf(ErrInvalidGenesis, "parent %X of adapter %X is no adapter on its base", id, asset.Id)
		}
	}
	return nil
}

// validateTerms checks the terms, that no two of an asset are from the same epoch, that they are numbered in the order of
// their epochs, and that the newest of each asset has the number the asset says.
func (g *GenesisState) validateTerms(assets assetIndex) error {
	newest := make(map[string]*Terms, len(assets))
	for i := range g.Terms {
		terms := &g.Terms[i]
		id := string(terms.AssetId)
		if _, found := assets[id]; !found {
			return errorsmod.Wrapf(ErrInvalidGenesis, "terms %d are for the unknown asset %X", i, terms.AssetId)
		}
		if err := ValidateTerms(terms.RoyaltyBps, terms.Payees); err != nil {
			return err
		}
		before, found := newest[id]
		if terms.Version == 0 || (found && (terms.FromEpoch <= before.FromEpoch || terms.Version <= before.Version)) {
			return errorsmod.Wrapf(ErrInvalidGenesis, "terms %d of asset %X are not after the ones before", i, terms.AssetId)
		}
		newest[id] = terms
	}
	for i := range g.Assets {
		asset := &g.Assets[i]
		if terms, found := newest[string(asset.Id)]; !found || terms.Version != asset.Version || terms.FromEpoch != asset.TermsFrom {
			return errorsmod.Wrapf(ErrInvalidGenesis, "asset %X has no terms of its version %d from epoch %d", asset.Id, asset.Version, asset.TermsFrom)
		}
	}
	return nil
}

func (g *GenesisState) validateCommits() error {
	type key struct{ hash, owner string }
	seen := make(map[key]struct{}, len(g.Commits))
	for i, c := range g.Commits {
		if err := validateHash("hash", c.Hash); err != nil {
			return err
		}
		if c.Owner == "" {
			return errorsmod.Wrapf(ErrInvalidAddress, "commit %d has no owner", i)
		}
		k := key{hash: string(c.Hash), owner: c.Owner}
		if _, found := seen[k]; found {
			return errorsmod.Wrapf(ErrInvalidGenesis, "commit %X of %s occurs twice", c.Hash, c.Owner)
		}
		seen[k] = struct{}{}
	}
	return nil
}

func (g *GenesisState) validateProofs(assets assetIndex) error {
	seen := make(map[string]struct{}, len(g.AuthorProofs))
	for _, p := range g.AuthorProofs {
		if err := validateProof(p.Uri, p.Sha256); err != nil {
			return err
		}
		asset, found := assets[string(p.AssetId)]
		if !found || asset.Kind != AssetKind_ASSET_KIND_BASE || asset.EarningFrom > 0 {
			return errorsmod.Wrapf(ErrInvalidGenesis, "author proof for %X, which is no base that does not earn", p.AssetId)
		}
		if _, found := seen[string(p.AssetId)]; found {
			return errorsmod.Wrapf(ErrInvalidGenesis, "author proof for %X occurs twice", p.AssetId)
		}
		seen[string(p.AssetId)] = struct{}{}
	}
	return nil
}

// validateMoney checks that payees and assets have accrued the same in all.
func (g *GenesisState) validateMoney(assets assetIndex) error {
	payees, byPayee := make(map[string]struct{}, len(g.Accruals)), sdkmath.ZeroInt()
	for i, a := range g.Accruals {
		if _, found := payees[a.Payee]; found || a.Payee == "" {
			return errorsmod.Wrapf(ErrInvalidGenesis, "accrual %d has no payee, or one that occurs twice", i)
		}
		if a.ClaimableUusdc > a.LifetimeUusdc {
			return errorsmod.Wrapf(ErrInvalidGenesis, "%s may claim more than ever accrued", a.Payee)
		}
		payees[a.Payee] = struct{}{}
		byPayee = byPayee.Add(sdkmath.NewIntFromUint64(a.LifetimeUusdc))
	}
	seen, byAsset := make(map[string]struct{}, len(g.Earnings)), sdkmath.ZeroInt()
	for i, e := range g.Earnings {
		_, known := assets[string(e.AssetId)]
		if _, found := seen[string(e.AssetId)]; found || !known {
			return errorsmod.Wrapf(ErrInvalidGenesis, "earnings %d are of an unknown asset, or of one that occurs twice", i)
		}
		seen[string(e.AssetId)] = struct{}{}
		byAsset = byAsset.Add(sdkmath.NewIntFromUint64(e.LifetimeUusdc))
	}
	if !byPayee.Equal(byAsset) {
		return errorsmod.Wrapf(ErrInvalidGenesis, "payees accrued %suusdc in all, assets earned %suusdc", byPayee, byAsset)
	}
	return nil
}
