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

// TermsFor returns what work of epoch owes for a model and an adapter, by the terms, the cap and the states of that epoch,
// which may be a past one. A zero adapter is none. Parents take part whether they are taken down or not.
//
// Errors: ErrUnknownAsset (also for one that was registered after the epoch), ErrWrongKind, ErrWrongBase, ErrTakenDown,
// ErrNoCommercialUse, for the model and then for the adapter.
func (k *Keeper) TermsFor(ctx context.Context, model, adapter [32]byte, epoch uint64) (types.Pricing, error) {
	return k.Pricer(epoch)(ctx, model, adapter)
}

// Pricer returns TermsFor for many models and adapters of one epoch: it reads every asset, its terms and the cap once. What it
// has read must not change while it is in use.
func (k *Keeper) Pricer(epoch uint64) types.Pricer {
	p := &pricer{k: k, epoch: epoch, pricings: map[pricedPair]types.Pricing{}, assets: map[[types.HashSize]byte]pricedAsset{}}
	return p.price
}

// pricer holds what it has read of one epoch. Its maps are only looked up.
type pricer struct {
	k        *Keeper
	epoch    uint64
	cap      *uint64
	pricings map[pricedPair]types.Pricing
	assets   map[[types.HashSize]byte]pricedAsset
}

type pricedPair struct{ model, adapter [types.HashSize]byte }

type pricedAsset struct {
	asset types.Asset
	terms types.AssetTerms
}

func (p *pricer) price(ctx context.Context, model, adapter [types.HashSize]byte) (types.Pricing, error) {
	pair := pricedPair{model: model, adapter: adapter}
	if known, found := p.pricings[pair]; found {
		return known, nil
	}
	pricing, err := p.read(ctx, model, adapter)
	if err != nil {
		return types.Pricing{}, err
	}
	p.pricings[pair] = pricing
	return pricing, nil
}

func (p *pricer) read(ctx context.Context, model, adapter [types.HashSize]byte) (types.Pricing, error) {
	base, err := p.usable(ctx, model, types.AssetKind_ASSET_KIND_BASE)
	if err != nil {
		return types.Pricing{}, errorsmod.Wrap(err, "model")
	}
	if p.cap == nil {
		royaltyCap, err := p.k.royaltyCap(ctx, p.epoch)
		if err != nil {
			return types.Pricing{}, err
		}
		p.cap = &royaltyCap
	}
	pricing := types.Pricing{Base: &base.terms, RoyaltyCapBps: *p.cap}
	if adapter == ([types.HashSize]byte{}) {
		return pricing, nil
	}
	priced, err := p.usable(ctx, adapter, types.AssetKind_ASSET_KIND_ADAPTER)
	if err != nil {
		return types.Pricing{}, errorsmod.Wrap(err, "adapter")
	}
	if !bytes.Equal(priced.asset.Base, model[:]) {
		return types.Pricing{}, errorsmod.Wrapf(types.ErrWrongBase, "adapter %X is for base %X", priced.asset.Id, priced.asset.Base)
	}
	pricing.Adapter = &priced.terms
	for _, id := range priced.asset.Parents {
		parent, err := p.k.asset(ctx, id)
		if err != nil {
			return types.Pricing{}, errorsmod.Wrap(err, "parent")
		}
		terms, err := p.k.termsIn(ctx, &parent, p.epoch)
		if err != nil {
			return types.Pricing{}, errorsmod.Wrap(err, "parent")
		}
		pricing.Parents = append(pricing.Parents, terms)
	}
	return pricing, nil
}

// usable returns an asset that work of the epoch may use, and its terms.
func (p *pricer) usable(ctx context.Context, id [types.HashSize]byte, kind types.AssetKind) (pricedAsset, error) {
	priced, found := p.assets[id]
	if !found {
		asset, err := p.k.asset(ctx, id[:])
		if err != nil {
			return pricedAsset{}, err
		}
		priced.asset = asset
	}
	asset := &priced.asset
	switch {
	case asset.Kind != kind:
		return pricedAsset{}, errorsmod.Wrapf(types.ErrWrongKind, "asset %X is %s", id, asset.Kind)
	case asset.TakenDownIn(p.epoch):
		return pricedAsset{}, errorsmod.Wrapf(types.ErrTakenDown, "asset %X, from epoch %d", id, asset.TakenDownEpoch)
	case !asset.CommercialUse:
		return pricedAsset{}, errorsmod.Wrapf(types.ErrNoCommercialUse, "asset %X, licence %s", id, asset.License)
	case found:
		return priced, nil
	}
	terms, err := p.k.termsIn(ctx, asset, p.epoch)
	if err != nil {
		return pricedAsset{}, err
	}
	priced.terms = terms
	p.assets[id] = priced
	return priced, nil
}

// termsIn returns the terms of an asset in force in epoch. Error: ErrUnknownAsset when it was registered later.
func (k *Keeper) termsIn(ctx context.Context, asset *types.Asset, epoch uint64) (types.AssetTerms, error) {
	var terms types.Terms
	var err error
	if asset.TermsFrom <= epoch { // mostly; an iterator costs ten times as much
		terms, err = k.terms.Get(ctx, collections.Join(asset.Id, asset.TermsFrom))
	} else {
		until := collections.NewPrefixedPairRange[[]byte, uint64](asset.Id).EndInclusive(epoch).Descending()
		terms, err = newest(ctx, k.terms, until)
	}
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
