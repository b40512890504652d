// SPDX-License-Identifier: Apache-2.0

package score_test

import (
	"errors"
	"math/big"
	"math/bits"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/score"
)

func usageParams(t *rapid.T) score.UsageParams {
	return score.UsageParams{
		TakeBps:         rapid.OneOf(rapid.Just(uint64(1000)), ratiosBps()).Draw(t, "take bps"),
		DirectWeightBps: rapid.OneOf(rapid.Just(uint64(5000)), ratiosBps()).Draw(t, "direct bps"),
		UnaccreditedBps: rapid.OneOf(rapid.Just(uint64(2500)), ratiosBps()).Draw(t, "unaccredited bps"),
	}
}

// takeOn returns the take of the amount at the rate.
func takeOn(amount, bps uint64) uint64 {
	hi, lo := bits.Mul64(amount, bps)
	take, _ := bits.Div64(hi, lo, whole)
	return take
}

// usageEntry draws a possible entry of amounts up to most.
func usageEntry(t *rapid.T, settler byte, takeBps, most uint64) score.UsageEntry {
	amount := rapid.OneOf(rapid.Uint64Range(0, min(most, 10_000)), rapid.Uint64Range(0, most)).Draw(t, "amount")
	spend := amount + rapid.OneOf(rapid.Just(uint64(0)), rapid.Uint64Range(0, most-amount)).Draw(t, "to others of the controller")
	total := spend + rapid.OneOf(rapid.Uint64Range(0, min(most-spend, 10_000)), rapid.Uint64Range(0, most-spend)).Draw(t, "to others")
	full := takeOn(amount, takeBps)
	return score.UsageEntry{
		Settler: [20]byte{settler},
		Class:   rapid.SampledFrom([]score.Class{score.ClassRouted, score.ClassPinned, score.ClassDirect, score.ClassTrial}).Draw(t, "class"),
		Amount:  amount, TotalSpend: total, ControllerSpend: spend,
		Take:           full - rapid.OneOf(rapid.Just(uint64(0)), rapid.Uint64Range(0, full)).Draw(t, "lost take"),
		Accredited:     rapid.Bool().Draw(t, "accredited"),
		SameController: rapid.IntRange(0, 4).Draw(t, "same controller") == 0,
		Disputed:       rapid.IntRange(0, 9).Draw(t, "disputed") == 0,
		Unfunded:       rapid.IntRange(0, 9).Draw(t, "unfunded") == 0,
	}
}

func usageEntries(t *rapid.T, takeBps, most uint64) []score.UsageEntry {
	entries := make([]score.UsageEntry, rapid.IntRange(0, 5).Draw(t, "entries"))
	for i := range entries {
		entries[i] = usageEntry(t, byte(i+1), takeBps, most)
	}
	return entries
}

func mustUsage(t *rapid.T, p score.UsageParams, entries []score.UsageEntry) score.UsageResult {
	r, err := score.Usage(p, entries)
	if err != nil {
		t.Fatalf("usage: %v", err)
	}
	return r
}

// countable returns the exact value of which the counted usage of an entry is a rounding down.
func countable(p score.UsageParams, e *score.UsageEntry) *big.Rat {
	if e.Unfunded || e.Disputed || e.Class == score.ClassTrial || (e.SameController && e.Class != score.ClassDirect) {
		return new(big.Rat)
	}
	exact := ratio([]uint64{e.Amount})
	if p.TakeBps > 0 {
		exact = ratio([]uint64{e.Take, whole}, p.TakeBps)
	}
	if e.Class == score.ClassDirect {
		return exact.Mul(exact, ratio([]uint64{p.DirectWeightBps}, whole))
	}
	if e.ControllerSpend > 0 {
		if spread := ratio([]uint64{e.TotalSpend}, 5, e.ControllerSpend); spread.Cmp(big.NewRat(1, 1)) < 0 {
			exact.Mul(exact, spread)
		}
	}
	if !e.Accredited {
		exact.Mul(exact, ratio([]uint64{p.UnaccreditedBps}, whole))
	}
	return exact
}

func usageProps(t *rapid.T) {
	p := usageParams(t)
	entries := usageEntries(t, p.TakeBps, 1<<61)
	r := mustUsage(t, p, entries)
	var counted, gateway, takes []uint64
	for i, got := range r.Entries {
		e := &entries[i]
		if want := countable(p, e); !below(got.Counted, want, 3) {
			t.Fatalf("%+v counts %d, want %v", *e, got.Counted, want.FloatString(3))
		}
		if got.Counted > e.Amount || got.Take > e.Take {
			t.Fatalf("%+v counts %+v, more than was paid", *e, got)
		}
		if want := ratio([]uint64{got.Counted, p.TakeBps}, whole); !below(got.Take, want, 1) {
			t.Fatalf("take %d on %d, want %v", got.Take, got.Counted, want.FloatString(3))
		}
		counted, takes = append(counted, got.Counted), append(takes, got.Take)
		if e.Class != score.ClassDirect {
			gateway = append(gateway, got.Counted)
		}
		// Alone it counts the same: nobody's work changes what another's counts.
		if alone := mustUsage(t, p, entries[i:i+1]); alone.Entries[0] != got {
			t.Fatalf("%+v counts %+v, alone %+v", *e, got, alone.Entries[0])
		}
	}
	if bigOf(r.Usage).Cmp(sumOf(counted)) != 0 || bigOf(r.GatewayUsage).Cmp(sumOf(gateway)) != 0 || bigOf(r.Take).Cmp(sumOf(takes)) != 0 {
		t.Fatalf("%+v does not add up", r)
	}
}

func TestUsageProps(t *testing.T) { rapid.Check(t, usageProps) }

func FuzzUsage(f *testing.F) {
	f.Add(make([]byte, 4096))
	f.Fuzz(rapid.MakeFuzz(usageProps))
}

// ownUsageProps: more of one's own service, bought through one settler, adds to u at most what was paid for it more.
func ownUsageProps(t *rapid.T) {
	p := usageParams(t)
	before := usageEntry(t, 1, p.TakeBps, 1<<61)
	bought := rapid.OneOf(rapid.Just(uint64(1)), rapid.Uint64Range(1, 1<<60)).Draw(t, "bought")
	after := before
	after.Amount += bought
	after.ControllerSpend += bought
	after.TotalSpend += bought
	after.Take += rapid.Uint64Range(0, takeOn(after.Amount, p.TakeBps)-after.Take).Draw(t, "take")

	was := mustUsage(t, p, []score.UsageEntry{before})
	now := mustUsage(t, p, []score.UsageEntry{after})
	if now.Usage <= was.Usage {
		return
	}
	// What take was paid on, before and after: all of the amount where take has no rate.
	more := bought
	if p.TakeBps > 0 {
		more = paidOn(after.Take, p.TakeBps) - paidOn(before.Take, p.TakeBps)
	}
	if now.Usage-was.Usage > more {
		t.Fatalf("%d more paid for %+v count %d more", more, before, now.Usage-was.Usage)
	}
}

// paidOn returns the amount on which a take was paid at the rate.
func paidOn(take, bps uint64) uint64 {
	return new(big.Int).Div(new(big.Int).Mul(bigOf(take), bigOf(whole)), bigOf(bps)).Uint64()
}

func TestOwnUsageProps(t *testing.T) { rapid.Check(t, ownUsageProps) }

func FuzzOwnUsage(f *testing.F) {
	f.Add(make([]byte, 2048))
	f.Fuzz(rapid.MakeFuzz(ownUsageProps))
}

// oneUnitProps: with take paid to the unit, one micro-unit more of one's own service adds at most one to u.
func oneUnitProps(t *rapid.T) {
	p := usageParams(t)
	p.TakeBps = rapid.SampledFrom([]uint64{0, whole}).Draw(t, "exact take")
	e := usageEntry(t, 1, p.TakeBps, 1<<61)
	e.Take = takeOn(e.Amount, p.TakeBps)
	was := mustUsage(t, p, []score.UsageEntry{e})
	e.Amount++
	e.ControllerSpend++
	e.TotalSpend++
	e.Take = takeOn(e.Amount, p.TakeBps)
	if now := mustUsage(t, p, []score.UsageEntry{e}); now.Usage > was.Usage+1 {
		t.Fatalf("one unit more makes %d of %d, for %+v", now.Usage, was.Usage, e)
	}
}

func TestOneUnitProps(t *testing.T) { rapid.Check(t, oneUnitProps) }

func FuzzOneUnit(f *testing.F) {
	f.Add(make([]byte, 2048))
	f.Fuzz(rapid.MakeFuzz(oneUnitProps))
}

func TestUsageErrorsInOrder(t *testing.T) {
	p := score.UsageParams{TakeBps: 1000, DirectWeightBps: whole, UnaccreditedBps: whole}
	routed := score.UsageEntry{Class: score.ClassRouted, Amount: 10, Take: 1, ControllerSpend: 10, TotalSpend: 50}
	with := func(change func(*score.UsageEntry)) score.UsageEntry {
		e := routed
		change(&e)
		return e
	}
	noClass := with(func(e *score.UsageEntry) { e.Class = 0 })
	fifthClass := with(func(e *score.UsageEntry) { e.Class = score.ClassDirect + 1 })
	badTake := with(func(e *score.UsageEntry) { e.Settler[0], e.Take, e.TotalSpend = 1, 2, 0 })
	badTrial := with(func(e *score.UsageEntry) { e.Class, e.Take, e.TotalSpend = score.ClassTrial, 2, 0 })
	direct := with(func(e *score.UsageEntry) { e.Class, e.TotalSpend = score.ClassDirect, 0 })
	huge := with(func(e *score.UsageEntry) {
		e.Settler[0], e.Class, e.Amount, e.Take = 2, score.ClassDirect, ^uint64(0), ^uint64(0)/10
	})
	huge2 := huge
	huge2.Settler[0] = 3
	for name, c := range map[string]struct {
		entries []score.UsageEntry
		want    error
	}{
		"class 0":                     {[]score.UsageEntry{noClass}, score.ErrBadClass},
		"class 5":                     {[]score.UsageEntry{fifthClass}, score.ErrBadClass},
		"twice before its take":       {[]score.UsageEntry{routed, with(func(e *score.UsageEntry) { e.Take = 2 })}, score.ErrDuplicateEntry},
		"take before spend":           {[]score.UsageEntry{badTake}, score.ErrBadTake},
		"an earlier entry first":      {[]score.UsageEntry{badTake, noClass}, score.ErrBadTake},
		"a trial is not looked at":    {[]score.UsageEntry{badTrial}, nil},
		"spend of direct likewise":    {[]score.UsageEntry{direct}, nil},
		"one settler, two classes":    {[]score.UsageEntry{routed, direct}, nil},
		"overflow":                    {[]score.UsageEntry{huge, huge2}, score.ErrSumOverflow},
		"overflow after every entry":  {[]score.UsageEntry{huge, huge2, noClass}, score.ErrBadClass},
		"spend below the amount":      {[]score.UsageEntry{with(func(e *score.UsageEntry) { e.ControllerSpend = 9 })}, score.ErrBadSpend},
		"total below the controllers": {[]score.UsageEntry{with(func(e *score.UsageEntry) { e.TotalSpend = 9 })}, score.ErrBadSpend},
	} {
		if _, err := score.Usage(p, c.entries); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestNamesOfUnknownValues(t *testing.T) {
	if got := score.Class(0).String(); got != "unknown" {
		t.Errorf("class 0 is called %q", got)
	}
	if got := score.Reason(0).String(); got != "UNKNOWN" {
		t.Errorf("reason 0 is called %q", got)
	}
	if got := (score.GateDocs + 1).String(); got != "UNKNOWN" {
		t.Errorf("the test after the last is called %q", got)
	}
}
