// SPDX-License-Identifier: Apache-2.0

package deterrence_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/deterrence"
	"github.com/gpucoord/gpucoord/domain/score"
	"github.com/gpucoord/gpucoord/domain/split"
)

// customer is what one gateway did with an operator over the success window.
type customer struct {
	usage, ok          uint64
	admitted, reported uint64
}

// failures counts them for every gateway.
func failures(t tester, divisor uint64, customers []customer) []uint64 {
	t.Helper()
	entries := make([]score.FailureEntry, len(customers))
	for i, c := range customers {
		entries[i] = score.FailureEntry{Gateway: [20]byte{byte(i)}, Admitted: c.admitted, Reported: c.reported}
	}
	counted, err := score.CountFailures(divisor, entries)
	if err != nil {
		t.Fatalf("failures: %v", err)
	}
	return counted
}

// success is S: the mean of the gateways' bounds, weighted by usage, for the failures that count.
func success(t tester, customers []customer, fails []uint64) uint64 {
	t.Helper()
	weighted, usage := new(big.Int), new(big.Int)
	for i, c := range customers {
		bound, err := score.Wilson(c.ok, fails[i])
		if err != nil {
			t.Fatalf("bound: %v", err)
		}
		u := new(big.Int).SetUint64(c.usage)
		weighted.Add(weighted, new(big.Int).Mul(u, new(big.Int).SetUint64(bound)))
		usage.Add(usage, u)
	}
	return weighted.Quo(weighted, usage).Uint64()
}

// One gateway reports whatever it likes. The failures that count are at most those that others stand for and half as many
// again; S is at least what it would be with that, and every other gateway's report counted in full.
func TestSlanderIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		divisor := rapid.Uint64Range(0, 10).Draw(t, "divisor")
		for deterrence.CheckFailureShare(divisor) != nil {
			divisor++
		}
		customers := make([]customer, rapid.IntRange(2, 5).Draw(t, "gateways"))
		seen := uint64(0)
		worst := make([]uint64, len(customers))
		for i := range customers {
			c := customer{
				usage:    rapid.Uint64Range(1, 1<<30).Draw(t, "usage"),
				ok:       rapid.Uint64Range(0, 10_000).Draw(t, "ok"),
				admitted: rapid.Uint64Range(0, 50).Draw(t, "admitted"),
				reported: rapid.Uint64Range(0, 200).Draw(t, "reported"),
			}
			if i == 0 {
				c.reported = rapid.Uint64Range(0, 1<<36).Draw(t, "slander")
				seen += c.admitted
			} else {
				seen += c.admitted + c.reported
			}
			customers[i], worst[i] = c, c.admitted+c.reported
		}
		worst[0] = customers[0].admitted + seen/2
		counted := failures(t, divisor, customers)
		total := uint64(0)
		for _, n := range counted {
			total += n
		}
		if 2*total > 3*seen {
			t.Fatalf("%d failures count, others saw %d", total, seen)
		}
		if got, least := success(t, customers, counted), success(t, customers, worst); got < least {
			t.Fatalf("S is %d ppm, the bound is %d", got, least)
		}
		if seen == 0 && success(t, customers, counted) != success(t, customers, make([]uint64, len(customers))) {
			t.Fatal("nobody else saw a failure, yet S moved")
		}
	})
}

// What a slandered operator loses goes to nobody: every other reward stays the same to the unit. So a slanderer with
// operators of his own gains nothing, and a report that is proven false costs a part of his bond.
func TestSlanderGainsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEconomy(t)
		ids := uint64(0)
		own, ownPaid := e.drawOperators(t, &ids, 3)
		victims, paid := e.drawOperators(t, &ids, 3)
		e.ops = append(own, victims...)
		before := e.rewards(t, ownPaid.pool+paid.pool)
		for i := range victims {
			e.ops[len(own)+i].m = rapid.Uint64Range(0, victims[i].m).Draw(t, "slandered quality")
		}
		after := e.rewards(t, ownPaid.pool+paid.pool)
		for i := range own {
			if before[i] != after[i] {
				t.Fatalf("a rival's reward went from %+v to %+v", before[i], after[i])
			}
		}
		held := rapid.Uint64Range(1, 1<<50).Draw(t, "gateway's bond")
		slash, err := split.SlashBps(held, rapid.Uint64Range(1, 10_000).Draw(t, "slash_bps"))
		if err != nil {
			t.Fatalf("slash: %v", err)
		}
		shares, err := split.SplitSlash(split.SlashIn{Slash: slash, BondPrice: 1_000_000, ReporterBond: anyReporter, VictimOwn: true})
		if err != nil {
			t.Fatalf("split: %v", err)
		}
		if slash-shares.Reporter == 0 {
			t.Fatalf("a false report of a bond of %d costs nothing", held)
		}
	})
}

// shareAfter is the part of other gateways' work, in ppm, that the slanderer's operator gets beside an equal one that he
// slanders, if one gateway is at most 1/divisor of the failures and each of n others saw 10 in 1000 jobs.
func shareAfter(t *testing.T, divisor, slander uint64, others int) uint64 {
	t.Helper()
	customers := []customer{{usage: 1, ok: 1_000, reported: slander}}
	for range others {
		customers = append(customers, customer{usage: 1, ok: 1_000, reported: 10})
	}
	ucs := func(s uint64) uint64 {
		out, err := score.UCS(score.UCSIn{Trusted: 1_000, S: s, Tokens: 1, Capacity: 2})
		if err != nil {
			t.Fatal(err)
		}
		return out.UCS
	}
	_, weights, err := score.Routing([]score.RoutingIn{
		{Reputation: 500_000, UCS: ucs(980_000)},
		{Reputation: 500_000, UCS: ucs(success(t, customers, failures(t, divisor, customers)))},
	})
	if err != nil {
		t.Fatal(err)
	}
	return weights[0] * 1_000_000 / (weights[0] + weights[1])
}

func TestHalfOfTheFailuresWouldPay(t *testing.T) {
	const silent, slander = 0, 1 << 30
	moved := func(divisor uint64) uint64 {
		return shareAfter(t, divisor, slander, 3) - shareAfter(t, divisor, silent, 3)
	}
	refused(t, deterrence.CheckFailureShare(2), "one gateway decides", "divisor 2 < 3")
	if bound, free := moved(3), moved(2); bound > 5_000 || free <= bound {
		t.Errorf("a slanderer's operator wins %d ppm of the work at a third, %d ppm at a half", bound, free)
	}
}
