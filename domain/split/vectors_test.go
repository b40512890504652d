// SPDX-License-Identifier: Apache-2.0

package split_test

import (
	"fmt"
	"testing"

	"github.com/gpucoord/gpucoord/domain/internal/economicstest"
	"github.com/gpucoord/gpucoord/domain/split"
)

var errorNames = map[string]error{
	"EMPTY":        split.ErrEmpty,
	"NO_WEIGHT":    split.ErrNoWeight,
	"SUM_OVERFLOW": split.ErrSumOverflow,
	"OVERFLOW":     split.ErrOverflow,
	"BAD_BPS":      split.ErrBadBps,
	"BAD_PARENTS":  split.ErrBadParents,
	"BAD_PAYEES":   split.ErrBadPayees,
	"BAD_PRICE":    split.ErrBadPrice,
}

func TestByWeightVectors(t *testing.T) {
	type in struct {
		Total   uint64
		Weights []uint64
	}
	type out struct{ Parts []uint64 }
	economicstest.Walk(t, "byWeight", errorNames, func(v in) (out, error) {
		parts, err := split.ByWeight(v.Total, v.Weights)
		return out{Parts: parts}, err
	})
}

func TestTakeVectors(t *testing.T) {
	type in struct{ Amount, TakeBps, PoolBps, ProbersBps, InsuranceBps, AlephBps uint64 }
	economicstest.Walk(t, "takeSplit", errorNames, func(v in) (split.Take, error) {
		return split.TakeOf(v.Amount, split.TakeBps{
			Take: v.TakeBps, Pool: v.PoolBps, Probers: v.ProbersBps, Insurance: v.InsuranceBps, Aleph: v.AlephBps,
		})
	})
}

type vectorAsset struct {
	RoyaltyBps uint64
	Earning    bool
	Payees     []struct {
		Address string
		Bps     uint64
	}
}

func (a *vectorAsset) asset() *split.Asset {
	if a == nil {
		return nil
	}
	asset := &split.Asset{RoyaltyBps: a.RoyaltyBps, Earning: a.Earning}
	for _, payee := range a.Payees {
		asset.PayeeBps = append(asset.PayeeBps, payee.Bps)
	}
	return asset
}

type vectorShare struct {
	Asset       string
	Bps, Amount uint64
	Payees      []uint64
}

func shareNamed(name string, share *split.Share) vectorShare {
	// The file lists no payees as an empty list.
	return vectorShare{Asset: name, Bps: share.Bps, Amount: share.Amount, Payees: append([]uint64{}, share.Payees...)}
}

func TestWaterfallVectors(t *testing.T) {
	type in struct {
		Amount, TakeBps, RoyaltyCapBps uint64
		Adapter, Base                  *vectorAsset
		Parents                        []vectorAsset
	}
	type out struct {
		Take, Royalty, Operator uint64
		Assets                  []vectorShare
	}
	economicstest.Walk(t, "waterfall", errorNames, func(v in) (out, error) {
		settle := split.WaterfallIn{
			Amount: v.Amount, TakeBps: v.TakeBps, RoyaltyCapBps: v.RoyaltyCapBps, Adapter: v.Adapter.asset(), Base: v.Base.asset(),
		}
		for i := range v.Parents {
			settle.Parents = append(settle.Parents, *v.Parents[i].asset())
		}
		w, err := split.Settle(settle)
		got := out{Take: w.Take, Royalty: w.Royalty, Operator: w.Operator, Assets: []vectorShare{}}
		if w.Adapter != nil {
			got.Assets = append(got.Assets, shareNamed("adapter", w.Adapter))
		}
		if w.Base != nil {
			got.Assets = append(got.Assets, shareNamed("base", w.Base))
		}
		for i := range w.Parents {
			got.Assets = append(got.Assets, shareNamed(fmt.Sprintf("parent%d", i), &w.Parents[i]))
		}
		return got, err
	})
}

type slashOut struct{ Slash uint64 }

func TestCoverVectors(t *testing.T) {
	type in struct{ Bond, BondPrice uint64 }
	type out struct{ Cover uint64 }
	economicstest.Walk(t, "cover", errorNames, func(v in) (out, error) {
		cover, err := split.Cover(v.Bond, v.BondPrice)
		return out{Cover: cover}, err
	})
}

func TestSlashValueVectors(t *testing.T) {
	type in struct{ Value, BondPrice, Bond uint64 }
	economicstest.Walk(t, "slashValue", errorNames, func(v in) (slashOut, error) {
		slash, err := split.SlashValue(v.Value, v.BondPrice, v.Bond)
		return slashOut{Slash: slash}, err
	})
}

func TestSlashFraudVectors(t *testing.T) {
	type in struct{ Claim, BondPrice, Bond uint64 }
	economicstest.Walk(t, "slashFraud", errorNames, func(v in) (slashOut, error) {
		slash, err := split.SlashFraud(v.Claim, v.BondPrice, v.Bond)
		return slashOut{Slash: slash}, err
	})
}

func TestSlashBpsVectors(t *testing.T) {
	type in struct{ Bond, Bps uint64 }
	economicstest.Walk(t, "slashBps", errorNames, func(v in) (slashOut, error) {
		slash, err := split.SlashBps(v.Bond, v.Bps)
		return slashOut{Slash: slash}, err
	})
}

func TestSlashSplitVectors(t *testing.T) {
	economicstest.Walk(t, "slashSplit", errorNames, split.SplitSlash)
}
