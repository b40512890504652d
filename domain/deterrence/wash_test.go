// SPDX-License-Identifier: Apache-2.0

package deterrence_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/score"
)

// One who owns operators, settlers, assets, all stake and all probers, and only buys from himself, loses at least 5 % of the
// take, exactly, however rich the sponsors and whatever his quality.
func TestWashTradingLoses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEconomy(t)
		ids := uint64(0)
		own, paid := e.drawOperators(t, &ids, 4)
		honest, others := e.drawOperators(t, &ids, 2)
		e.ops = append(own, honest...)
		back := sum(e.rewards(t, paid.pool+others.pool)[:len(own)]) + paid.probers + paid.aleph
		if back*10_000 > mostBack*paid.take || paid.take > 0 && back >= paid.take {
			t.Fatalf("%d of a take of %d came back", back, paid.take)
		}
	})
}

// Beside honest work of his own, bought through other settlers, washing at the same quality loses as much, but for the
// roundings of rewards and counted takes.
func TestWashTradingBesideHonestWorkLoses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEconomy(t)
		ids := uint64(0)
		own, ownPaid := e.drawOperators(t, &ids, 4)
		honest, others := e.drawOperators(t, &ids, 2)
		e.ops = append(own, honest...)
		before := sum(e.rewards(t, ownPaid.pool+others.pool)[:len(own)])

		var washed parts
		for i := range own {
			for range rapid.IntRange(0, 3).Draw(t, "wash entries") {
				entry, p := e.drawEntry(t, &ids)
				e.ops[i].entries = append(e.ops[i].entries, entry)
				washed.add(p)
			}
		}
		after := sum(e.rewards(t, ownPaid.pool+others.pool+washed.pool)[:len(own)])
		got := (after + washed.probers + washed.aleph) * 10_000
		most := (before+5*uint64(len(own))+ids)*10_000 + mostBack*washed.take
		if got > most {
			t.Fatalf("%d before, %d after a wash with a take of %d, of which probers got %d and stakers %d",
				before, after, washed.take, washed.probers, washed.aleph)
		}
	})
}

// Whatever washing does to quality and to the spread of settlers, all that comes back stays below the cap on all take paid.
// So beside honest work it can win at most what that work forfeited.
func TestWashTradingWinsAtMostWhatHonestWorkForfeited(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEconomy(t)
		ids := uint64(0)
		own, honestPaid := e.drawOperators(t, &ids, 4)
		var washed parts
		for i := range own {
			own[i].m = 1_000_000
			for range rapid.IntRange(0, 3).Draw(t, "wash entries") {
				entry, p := e.drawEntry(t, &ids)
				own[i].entries = append(own[i].entries, entry)
				washed.add(p)
			}
		}
		e.ops = own
		back := sum(e.rewards(t, honestPaid.pool+washed.pool)) + washed.probers + washed.aleph
		if back*10_000 > e.rates.payback*honestPaid.take+mostBack*washed.take {
			t.Fatalf("%d came back of honest %d and washed %d", back, honestPaid.take, washed.take)
		}
	})
}

// wash plays the plainest wash: one accredited gateway spreads wide, the sponsors are rich, the quality is perfect.
func wash(t *testing.T, r rates, amount uint64) (net int64) {
	t.Helper()
	e := &economy{rates: r, weights: score.UsageParams{TakeBps: r.take, DirectWeightBps: 5_000, UnaccreditedBps: 2_500}, sponsors: 1 << 50}
	amount, paid := e.pay(t, []uint64{amount})
	e.ops = []operator{{m: 1_000_000, entries: []score.UsageEntry{{
		Settler: [20]byte{1}, Class: score.ClassRouted, Amount: amount, Take: paid.take,
		TotalSpend: 10 * amount, ControllerSpend: amount, Accredited: true,
	}}}}
	return int64(sum(e.rewards(t, paid.pool))+paid.probers+paid.aleph) - int64(paid.take) //nolint:gosec // small amounts
}

func TestPaybackAboveTheBoundPays(t *testing.T) {
	if net := wash(t, defaults, 10_000_000); net != -50_000 {
		t.Errorf("defaults: net %d, want 5 %% of a take of 1000000 lost", net)
	}
	generous := defaults
	generous.payback = 9_000
	refused(t, generous.check(), "wash trading pays", "payback_cap_bps 9000 + probers_bps 500 + aleph_bps 1500 > 9500")
	if net := wash(t, generous, 10_000_000); net != 100_000 {
		t.Errorf("a payback of 9000: net %d, want 10 %% of the take won", net)
	}
}

// Stakers and probers who get more than 9500 by themselves leave no room even for a payback of 0.
func TestStakersAloneCanBeTooMuch(t *testing.T) {
	greedy := rates{take: 1_000, probers: 500, aleph: 9_500}
	refused(t, greedy.check(), "wash trading pays", "payback_cap_bps 0 + probers_bps 500 + aleph_bps 9500 > 9500")
	if net := wash(t, greedy, 10_000_000); net != 0 {
		t.Errorf("net %d, want a wash that is free", net)
	}
}

// Without a take, points and reputation would cost nothing.
func TestFreeUsageIsRefused(t *testing.T) {
	free := defaults
	free.take = 0
	refused(t, free.check(), "wash trading is free", "take_bps 0 < 1")
	usage, err := score.Usage(score.UsageParams{}, []score.UsageEntry{{
		Settler: [20]byte{1}, Class: score.ClassPinned, Amount: 1_000_000, TotalSpend: 5_000_000, ControllerSpend: 1_000_000, Accredited: true,
	}})
	if err != nil {
		t.Fatal(err)
	}
	if points, err := score.Points(usage.GatewayUsage, 1_000_000, 1, 1); err != nil || points != 1_000_000 {
		t.Errorf("%d points for nothing (%v), want 1000000: else the rule is not needed", points, err)
	}
}

// What the third game bounds is real: jobs of one's own lift a poor mean success, and the honest work's forfeit pays for
// them. It is the honest work's own money, and the cap ends it.
func TestWashingCanLiftAPoorQuality(t *testing.T) {
	const usage, take, share = 1_000, 100, 130 // micro-units, for each of the honest and the washed half
	reward := func(usage, take, s uint64) uint64 {
		m, err := score.Quality(s, 1_000_000, 1_000_000)
		if err != nil {
			t.Fatal(err)
		}
		r, err := score.RewardOf(0, 100*share, 100*1_000, defaults.payback, score.RewardIn{Usage: usage, M: m, Take: take})
		if err != nil {
			t.Fatal(err)
		}
		return r.FromSponsors
	}
	alone, washed := reward(usage, take, 500_000), reward(2*usage, 2*take, 750_000)
	if alone != 32 || washed != 146 {
		t.Errorf("got %d alone and %d washed, want 32 and 146", alone, washed)
	}
	if forfeited := take*defaults.payback/10_000 - alone; washed-alone > forfeited+take*defaults.payback/10_000 {
		t.Errorf("won %d, more than the forfeit of %d and the payback on the wash", washed-alone, forfeited)
	}
}
