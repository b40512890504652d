// SPDX-License-Identifier: Apache-2.0

package types

import (
	"context"

	"github.com/gpucoord/gpucoord/domain/split"
)

// Pricer prices the work of one epoch for a model and an adapter, zero for none. It remembers what it has read, so it serves one
// message or one settlement and no longer.
type Pricer func(ctx context.Context, model, adapter [HashSize]byte) (Pricing, error)

// Pricing is what the work of one model and adapter owes in one epoch.
type Pricing struct {
	RoyaltyCapBps uint64      // most that all royalties together take, of the amount
	Adapter       *AssetTerms // nil: none
	Base          *AssetTerms // the model
	Parents       []AssetTerms
}

// AssetTerms are the terms of one asset in one epoch.
type AssetTerms struct {
	ID         [HashSize]byte
	RoyaltyBps uint64 // of the amount
	Earning    bool   // whether it may be paid; only a base may be false
	Payees     []Payee
}

// GroupDue is what one settled group of a batch owes to its authors.
type GroupDue struct {
	Group     uint32 // position in the batch
	Pricing   Pricing
	Waterfall split.Waterfall // by Pricing
}

// Waterfall divides amount (uusdc) between take, royalties and operator by [split.Settle].
//
// The take goes first: royalties are also capped by what takeBps leaves. The rate of a base that does not earn stays with
// the operator where the adapter names no payees, since nobody could get it. So terms that the module accepted never make
// a settlement fail. Error: split.ErrBadBps (takeBps above 10,000).
func (p *Pricing) Waterfall(amount, takeBps uint64) (split.Waterfall, error) {
	if takeBps > WholeBps {
		return split.Waterfall{}, split.ErrBadBps
	}
	in := split.WaterfallIn{
		Amount:        amount,
		TakeBps:       takeBps,
		RoyaltyCapBps: min(p.RoyaltyCapBps, WholeBps-takeBps),
		Adapter:       p.Adapter.splitAsset(),
		Base:          p.Base.splitAsset(),
	}
	if in.Adapter != nil && len(in.Adapter.PayeeBps) == 0 && in.Base != nil && !in.Base.Earning {
		in.Base.RoyaltyBps = 0
	}
	for i := range p.Parents {
		in.Parents = append(in.Parents, *p.Parents[i].splitAsset())
	}
	return split.Settle(in)
}

// splitAsset returns the terms in the shape of the domain, nil for nil.
func (t *AssetTerms) splitAsset() *split.Asset {
	if t == nil {
		return nil
	}
	asset := &split.Asset{RoyaltyBps: t.RoyaltyBps, Earning: t.Earning, PayeeBps: make([]uint64, len(t.Payees))}
	for i, p := range t.Payees {
		asset.PayeeBps[i] = p.Bps
	}
	return asset
}
