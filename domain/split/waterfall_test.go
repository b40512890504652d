// SPDX-License-Identifier: Apache-2.0

package split_test

import (
	"errors"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/split"
)

const whole = 10_000

// rates draws rates above 0 that add up to 10,000 bps.
func rates(t *rapid.T, name string) []uint64 {
	left := uint64(whole)
	var list []uint64
	for left > 0 && len(list) < 5 {
		bps := rapid.Uint64Range(1, left).Draw(t, name)
		list = append(list, bps)
		left -= bps
	}
	if left > 0 {
		list = append(list, left)
	}
	return list
}

func takeProps(t *rapid.T) {
	amount := amounts().Draw(t, "amount")
	b := split.TakeBps{Take: rapid.Uint64Range(0, whole).Draw(t, "take")}
	left := uint64(whole)
	for i, part := range []*uint64{&b.Pool, &b.Probers, &b.Aleph} {
		*part = rapid.Uint64Range(0, left).Draw(t, []string{"pool", "probers", "aleph"}[i])
		left -= *part
	}
	b.Insurance = left
	got, err := split.TakeOf(amount, b)
	if err != nil {
		t.Fatalf("take: %v", err)
	}
	checkFloor(t, "take", got.Take, amount, b.Take)
	checkFloor(t, "pool", got.Pool, got.Take, b.Pool)
	checkFloor(t, "probers", got.Probers, got.Take, b.Probers)
	checkFloor(t, "aleph", got.Aleph, got.Take, b.Aleph)
	if sum := sumOf([]uint64{got.Pool, got.Probers, got.Aleph, got.Insurance}); sum.Cmp(bigOf(got.Take)) != 0 {
		t.Fatalf("the parts %+v add up to %v", got, sum)
	}
	// Insurance has its own part and less than one unit from each of the three others.
	more := new(big.Int).Sub(new(big.Int).Mul(bigOf(got.Insurance), big.NewInt(whole)), times(got.Take, b.Insurance))
	if more.Sign() < 0 || more.Cmp(big.NewInt(3*whole)) >= 0 {
		t.Fatalf("insurance %d is not its part of %d and the remainders", got.Insurance, got.Take)
	}
}

// checkFloor checks that got is total·bps / 10000 rounded down: got·10000 <= total·bps < (got + 1)·10000.
func checkFloor(t *rapid.T, name string, got, total, bps uint64) {
	rest := new(big.Int).Sub(times(total, bps), new(big.Int).Mul(bigOf(got), big.NewInt(whole)))
	if rest.Sign() < 0 || rest.Cmp(big.NewInt(whole)) >= 0 {
		t.Fatalf("%s: %d is not %d bps of %d", name, got, bps, total)
	}
}

func TestTakeProps(t *testing.T) { rapid.Check(t, takeProps) }

func FuzzTake(f *testing.F) {
	f.Add(make([]byte, 1024))
	f.Fuzz(rapid.MakeFuzz(takeProps))
}

func TestTakeRefusesBadRates(t *testing.T) {
	for name, b := range map[string]split.TakeBps{
		"take above the whole": {Take: 10_001, Pool: 10_000},
		"parts short":          {Take: 1000, Pool: 9_999},
		"parts that wrap":      {Take: 1000, Pool: 1 << 63, Probers: 1 << 63, Aleph: 10_000},
	} {
		if _, err := split.TakeOf(1, b); !errors.Is(err, split.ErrBadBps) {
			t.Errorf("%s: got %v, want %v", name, err, split.ErrBadBps)
		}
	}
}

func settleProps(t *rapid.T) {
	in := split.WaterfallIn{Amount: amounts().Draw(t, "amount"), TakeBps: rapid.Uint64Range(0, whole).Draw(t, "take")}
	in.RoyaltyCapBps = rapid.Uint64Range(0, whole-in.TakeBps).Draw(t, "cap")
	asset := func(name string) split.Asset {
		return split.Asset{
			RoyaltyBps: rapid.OneOf(rapid.Just(uint64(0)), rapid.Uint64Range(0, whole)).Draw(t, name),
			Earning:    rapid.Bool().Draw(t, name+" earning"),
			PayeeBps:   rates(t, name+" payees"),
		}
	}
	if rapid.Bool().Draw(t, "has adapter") {
		adapter := asset("adapter")
		in.Adapter = &adapter
		for range rapid.IntRange(0, split.MaxParents).Draw(t, "parents") {
			in.Parents = append(in.Parents, asset("parent"))
		}
	}
	if rapid.Bool().Draw(t, "has base") {
		base := asset("base")
		in.Base = &base
	}
	w, err := split.Settle(in)
	if err != nil {
		t.Fatalf("settle: %v", err)
	}
	if (w.Adapter == nil) != (in.Adapter == nil) || (w.Base == nil) != (in.Base == nil) || len(w.Parents) != len(in.Parents) {
		t.Fatalf("the shares %+v are not those of the assets", w)
	}
	if sum := sumOf([]uint64{w.Take, w.Royalty, w.Operator}); sum.Cmp(bigOf(in.Amount)) != 0 {
		t.Fatalf("%d was paid, %v given out", in.Amount, sum)
	}
	checkFloor(t, "take", w.Take, in.Amount, in.TakeBps)
	checkShares(t, &in, &w)
}

// checkShares checks the royalty and each asset's share of it.
func checkShares(t *rapid.T, in *split.WaterfallIn, w *split.Waterfall) {
	type pair struct {
		asset *split.Asset
		share *split.Share
		bps   uint64 // before the cap
	}
	var pairs []pair
	if in.Adapter != nil {
		pairs = append(pairs, pair{asset: in.Adapter, share: w.Adapter, bps: in.Adapter.RoyaltyBps})
	}
	if in.Base != nil {
		switch {
		case in.Base.Earning:
			pairs = append(pairs, pair{asset: in.Base, share: w.Base, bps: in.Base.RoyaltyBps})
		case in.Adapter != nil:
			pairs[0].bps += in.Base.RoyaltyBps
			fallthrough
		default:
			pairs = append(pairs, pair{asset: in.Base, share: w.Base})
		}
	}
	for i := range in.Parents {
		pairs = append(pairs, pair{asset: &in.Parents[i], share: &w.Parents[i], bps: in.Parents[i].RoyaltyBps})
	}
	wanted, paid, royalty := uint64(0), uint64(0), new(big.Int)
	for _, p := range pairs {
		wanted += p.bps
		paid += p.share.Bps
		royalty.Add(royalty, bigOf(p.share.Amount))
		if p.share.Bps > p.bps {
			t.Fatalf("an asset of %d bps is paid %d", p.bps, p.share.Bps)
		}
		if p.bps == 0 {
			if p.share.Amount != 0 || p.share.Payees != nil {
				t.Fatalf("an asset without a rate got %+v", p.share)
			}
			continue
		}
		if len(p.share.Payees) != len(p.asset.PayeeBps) || sumOf(p.share.Payees).Cmp(bigOf(p.share.Amount)) != 0 {
			t.Fatalf("payees got %v of %d", p.share.Payees, p.share.Amount)
		}
	}
	if paid != min(wanted, in.RoyaltyCapBps) {
		t.Fatalf("%d bps are paid of %d with a cap of %d", paid, wanted, in.RoyaltyCapBps)
	}
	if royalty.Cmp(bigOf(w.Royalty)) != 0 {
		t.Fatalf("the royalty is %d, the assets got %v", w.Royalty, royalty)
	}
	checkFloor(t, "royalty", w.Royalty, in.Amount, paid)
}

func TestSettleProps(t *testing.T) { rapid.Check(t, settleProps) }

func FuzzSettle(f *testing.F) {
	f.Add(make([]byte, 4096))
	f.Fuzz(rapid.MakeFuzz(settleProps))
}

func TestSettleErrorsInOrder(t *testing.T) {
	all := []uint64{whole}
	five := make([]split.Asset, split.MaxParents+1)
	for name, c := range map[string]struct {
		in   split.WaterfallIn
		want error
	}{
		"take above the whole":      {split.WaterfallIn{TakeBps: whole + 1}, split.ErrBadBps},
		"take and cap that wrap":    {split.WaterfallIn{TakeBps: 2, RoyaltyCapBps: ^uint64(0)}, split.ErrBadBps},
		"rate before parents":       {split.WaterfallIn{Base: &split.Asset{RoyaltyBps: whole + 1}, Parents: five}, split.ErrBadBps},
		"five parents":              {split.WaterfallIn{Adapter: &split.Asset{RoyaltyBps: 1}, Parents: five}, split.ErrBadParents},
		"a parent without adapter":  {split.WaterfallIn{Base: &split.Asset{PayeeBps: all}, Parents: five[:1]}, split.ErrBadParents},
		"rate of an unpaid base":    {split.WaterfallIn{Adapter: &split.Asset{}, Base: &split.Asset{RoyaltyBps: 1, PayeeBps: all}}, split.ErrBadPayees},
		"payees that wrap":          {split.WaterfallIn{Adapter: &split.Asset{RoyaltyBps: 1, PayeeBps: []uint64{^uint64(0), whole + 1}}}, split.ErrBadPayees},
		"payees of nothing ignored": {split.WaterfallIn{Adapter: &split.Asset{PayeeBps: []uint64{0, 3}}}, nil},
	} {
		if _, err := split.Settle(c.in); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}
