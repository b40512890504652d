// SPDX-License-Identifier: Apache-2.0

package deterrence_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/score"
)

// cut divides total into n parts at random places.
func cut(t *rapid.T, total uint64, n int, name string) []uint64 {
	list := make([]uint64, n)
	for i := range n - 1 {
		list[i] = rapid.Uint64Range(0, total).Draw(t, name)
		total -= list[i]
	}
	list[n-1] = total
	return list
}

// An operator that splits into n of the same quality is not paid a unit more; roundings cost it at most 5 for each part.
func TestSplittingAnOperatorGainsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pool, sponsors := rapid.Uint64Range(0, 1<<50).Draw(t, "pool"), rapid.Uint64Range(0, 1<<50).Draw(t, "sponsors")
		payback := rapid.Uint64Range(0, 9_500).Draw(t, "payback_cap_bps")
		one := score.RewardIn{
			Usage: rapid.Uint64Range(0, 1<<45).Draw(t, "usage"),
			M:     rapid.Uint64Range(0, 1_000_000).Draw(t, "quality"),
			Take:  rapid.Uint64Range(0, 1<<42).Draw(t, "take"),
		}
		others := rapid.Uint64Range(0, 1<<50).Draw(t, "others")
		reward := func(in score.RewardIn) uint64 {
			r, err := score.RewardOf(pool, sponsors, one.Usage+others, payback, in)
			if err != nil {
				t.Fatalf("reward: %v", err)
			}
			return r.FromPool + r.FromSponsors
		}
		n := rapid.IntRange(1, 8).Draw(t, "names")
		usages, takes := cut(t, one.Usage, n, "usage part"), cut(t, one.Take, n, "take part")
		together, apart := reward(one), uint64(0)
		for i := range usages {
			apart += reward(score.RewardIn{Usage: usages[i], M: one.M, Take: takes[i]})
		}
		if apart > together {
			t.Fatalf("%d parts get %d, the whole %d", n, apart, together)
		}
		// In equal parts nothing is lost but roundings.
		share := score.RewardIn{Usage: one.Usage / uint64(n), M: one.M, Take: one.Take / uint64(n)}
		whole := reward(score.RewardIn{Usage: share.Usage * uint64(n), M: one.M, Take: share.Take * uint64(n)})
		if equal := uint64(n) * reward(share); equal > whole || whole-equal > 5*uint64(n) {
			t.Fatalf("%d equal parts get %d, the whole %d", n, equal, whole)
		}
	})
}

// Points are linear: splitting usage and capacity in any way gains at most 1 for each part and a millionth of the points.
func TestSplittingGainsNoPoints(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		usage, trusted := rapid.Uint64Range(0, 1<<45).Draw(t, "usage"), rapid.Uint64Range(0, 1<<40).Draw(t, "trusted")
		perUnit := rapid.Uint64Range(1, 1_000).Draw(t, "capacity needed by a unit of usage")
		m := rapid.Uint64Range(0, 1_000_000).Draw(t, "quality")
		points := func(usage, trusted uint64) uint64 {
			p, err := score.Points(usage, m, trusted, usage*perUnit)
			if err != nil {
				t.Fatalf("points: %v", err)
			}
			return p
		}
		n := rapid.IntRange(1, 8).Draw(t, "names")
		usages, capacities := cut(t, usage, n, "usage part"), cut(t, trusted, n, "capacity part")
		together, apart := points(usage, trusted), uint64(0)
		for i := range usages {
			apart += points(usages[i], capacities[i])
		}
		if apart > together+uint64(n)+usage/1_000_000 {
			t.Fatalf("%d parts get %d points, the whole %d", n, apart, together)
		}
	})
}

// A settler that splits into n, its spends divided in any way, makes no more of its spend count, but for the dust on which a
// name paid no take: less than one unit of take pays for, for each name.
func TestSplittingASettlerGainsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		params := score.UsageParams{
			TakeBps: rapid.Uint64Range(1, 7_000).Draw(t, "take_bps"), UnaccreditedBps: rapid.Uint64Range(0, 10_000).Draw(t, "unaccredited_bps"),
		}
		accredited := rapid.Bool().Draw(t, "accredited")
		var apart []score.UsageEntry
		whole := score.UsageEntry{Settler: [20]byte{1}, Class: score.ClassRouted, Accredited: accredited}
		ids := uint64(0)
		for range rapid.IntRange(1, 6).Draw(t, "names") {
			part := whole
			part.Settler = settler(&ids)
			part.Amount = rapid.Uint64Range(0, 1<<40).Draw(t, "amount")
			part.Take = part.Amount * params.TakeBps / 10_000
			part.ControllerSpend = part.Amount
			part.TotalSpend = part.Amount + rapid.Uint64Range(0, 1<<43).Draw(t, "elsewhere")
			apart = append(apart, part)
			whole.Amount += part.Amount
			whole.Take += part.Take
			whole.ControllerSpend += part.ControllerSpend
			whole.TotalSpend += part.TotalSpend
		}
		split, err := score.Usage(params, apart)
		if err != nil {
			t.Fatalf("usage of the parts: %v", err)
		}
		one, err := score.Usage(params, []score.UsageEntry{whole})
		if err != nil {
			t.Fatalf("usage of the whole: %v", err)
		}
		if dust := uint64(len(apart)) * (10_000 / params.TakeBps); split.Usage > one.Usage+dust {
			t.Fatalf("%d settlers count %d, one counts %d", len(apart), split.Usage, one.Usage)
		}
	})
}

// An operator that sheds its failures over n names has at most the success of the whole, or that of a newcomer.
func TestSheddingFailures(t *testing.T) {
	newcomer, err := score.Wilson(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		ok, fail := rapid.Uint64Range(0, 1<<20).Draw(t, "ok"), rapid.Uint64Range(0, 1<<20).Draw(t, "fail")
		n := rapid.Uint64Range(1, 1_000).Draw(t, "names")
		part, err := score.Wilson(ok, fail)
		if err != nil {
			t.Fatalf("part: %v", err)
		}
		whole, err := score.Wilson(n*ok, n*fail)
		if err != nil {
			t.Fatalf("whole: %v", err)
		}
		if part > max(whole, newcomer)+1 { // the bound is within 1 ppm of the real one
			t.Fatalf("each of %d has %d ppm, the whole %d", n, part, whole)
		}
	})
}

// hiddenControllers is one operator, or five under controllers that nobody knows to be one, with one customer who buys
// nothing else. He pays himself, so his take is the cost.
func hiddenControllers(t *testing.T, r rates, names uint64) (net int64) {
	t.Helper()
	e := &economy{rates: r, weights: score.UsageParams{TakeBps: r.take}, sponsors: 1 << 50}
	const amount = 10_000_000
	var paid parts
	for range names {
		part, p := e.pay(t, []uint64{amount / names})
		paid.add(p)
		e.ops = append(e.ops, operator{m: 1_000_000, entries: []score.UsageEntry{{
			Settler: [20]byte{1}, Class: score.ClassRouted, Accredited: true,
			Amount: part, Take: p.take, ControllerSpend: part, TotalSpend: amount,
		}}})
	}
	return int64(sum(e.rewards(t, paid.pool))) - int64(paid.take) //nolint:gosec // small amounts
}

// Hidden controllers undo the spread factor, five times the usage, and still lose by the cap; without it they would win.
func TestHiddenControllersLoseByTheCap(t *testing.T) {
	if one, five := hiddenControllers(t, defaults, 1), hiddenControllers(t, defaults, 5); one != -850_000 || five != -250_000 {
		t.Errorf("net %d and %d, want a fifth of 75 %% of the take back, and all 75 %%", one, five)
	}
	open := defaults
	open.payback = 10_000
	open.probers, open.aleph = 0, 0
	refused(t, open.check(), "payback_cap_bps 10000 + probers_bps 0 + aleph_bps 0 > 9500")
	if one, five := hiddenControllers(t, open, 1), hiddenControllers(t, open, 5); one >= 0 || five < 0 {
		t.Errorf("net %d and %d, want that only the spread factor keeps one from breaking even", one, five)
	}
}

// What bound 3 leaves: bought jobs that widen the settler of one's concentrated work count up to 1.8 times, and all that
// comes back is still within the cap on all take.
func TestUnlockingASettlerIsBounded(t *testing.T) {
	entry := func(id byte, amount, at, total uint64) score.UsageEntry {
		return score.UsageEntry{
			Settler: [20]byte{id}, Class: score.ClassRouted, Accredited: true,
			Amount: amount, Take: amount / 10, ControllerSpend: at, TotalSpend: total,
		}
	}
	counted := func(wash uint64) (usage, take uint64) {
		for _, amount := range []uint64{2_500, 2_500, 2_500, 2_500, wash} {
			u, err := score.Usage(score.UsageParams{TakeBps: 1_000}, []score.UsageEntry{entry(1, amount, amount, 10_000+wash)})
			if err != nil {
				t.Fatal(err)
			}
			usage, take = usage+u.Usage, take+u.Take
		}
		return usage, take
	}
	before, _ := counted(0)
	after, take := counted(2_500)
	if before != 8_000 || after != 12_500 {
		t.Errorf("%d counted, then %d, want 8000 and 12500: 4500 for 2500 bought", before, after)
	}
	if take > (10_000+2_500)/10 {
		t.Errorf("the cap stands on a take of %d, more than was paid", take)
	}
}
