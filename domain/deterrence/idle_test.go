// SPDX-License-Identifier: Apache-2.0

package deterrence_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/deterrence"
	"github.com/gpucoord/gpucoord/domain/score"
	"github.com/gpucoord/gpucoord/domain/u128"
)

// ladderLevel is the level that counts in full: the ladder has then been applied by the class.
const ladderLevel = 4

// capacity returns the trusted capacity of GPUs of one class at one level of a ladder, proven in the epoch before too.
func capacity(t tester, ladder []uint64, level int, gpus uint64) uint64 {
	t.Helper()
	list := make([]score.VCUGPU, gpus)
	for i := range list {
		list[i] = score.VCUGPU{Class: u128.Part(1_000_000, ladder[level], 10_000), Level: ladderLevel}
	}
	_, trusted, err := score.VCU(score.VCUIn{FullBlocks: 1, ZeroBlocks: 2, ConfirmedBefore: 1 << 60, GPUs: list})
	if err != nil {
		t.Fatalf("capacity: %v", err)
	}
	return trusted
}

// Capacity that nobody paid for earns nothing, proven or not, at perfect success and uptime, however rich the epoch.
func TestIdleCapacityEarnsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEconomy(t)
		ids := uint64(0)
		e.ops, _ = e.drawOperators(t, &ids, 3)
		idle := operator{m: 1_000_000}
		for range rapid.IntRange(0, 3).Draw(t, "jobs that do not count") {
			entry, _ := e.drawEntry(t, &ids)
			switch rapid.IntRange(0, 2).Draw(t, "why") {
			case 0:
				entry.Unfunded = true
			case 1:
				entry.Disputed = true
			default:
				entry.Class = score.ClassTrial
			}
			idle.entries = append(idle.entries, entry)
		}
		e.ops = append(e.ops, idle)
		rewards := e.rewards(t, 1<<60)
		if r := rewards[len(rewards)-1]; r != (score.Reward{}) {
			t.Fatalf("idle capacity earns %+v", r)
		}
		usage, err := score.Usage(e.weights, idle.entries)
		if err != nil {
			t.Fatalf("usage: %v", err)
		}
		trusted := rapid.Uint64().Draw(t, "trusted")
		if points, err := score.Points(usage.GatewayUsage, 1_000_000, trusted, 0); err != nil || points != 0 {
			t.Fatalf("idle capacity has %d points (%v)", points, err)
		}
	})
}

// routed is the part of routed work, in ppm, that a farm of declared GPUs beside one honest host with 8 proven ones gets.
func routed(t tester, ladder []uint64, declared uint64) uint64 {
	t.Helper()
	ucs := func(level int, gpus, tokens uint64) uint64 {
		out, err := score.UCS(score.UCSIn{Trusted: capacity(t, ladder, level, gpus), S: 900_000, Tokens: tokens, Capacity: 1_000})
		if err != nil {
			t.Fatalf("score: %v", err)
		}
		return out.UCS
	}
	_, weights, err := score.Routing([]score.RoutingIn{
		{Reputation: 900_000, UCS: ucs(2, 8, 500)},
		{Reputation: 900_000, UCS: ucs(0, declared, 0)},
	})
	if err != nil {
		t.Fatalf("routing: %v", err)
	}
	return weights[1] * 1_000_000 / (weights[0] + weights[1])
}

// Declaring more GPUs moves no work: one newcomer's trial share is all there is, for one GPU as for hundreds.
func TestDeclaredCapacityIsNotRouted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ladder := []uint64{0, 0, 8_000, 9_000, 10_000}
		if err := deterrence.CheckLadder(ladder); err != nil {
			t.Fatalf("%v", err)
		}
		declared := rapid.Uint64Range(1, 500).Draw(t, "declared")
		if one, many := routed(t, ladder, 1), routed(t, ladder, declared); one != many || many > 1_000_000/20 {
			t.Fatalf("%d ppm for 1, %d ppm for %d", one, many, declared)
		}
	})
}

func TestDeclaredCapacityWouldPay(t *testing.T) {
	ladder := []uint64{5_000, 5_000, 8_000, 9_000, 10_000}
	refused(t, deterrence.CheckLadder(ladder), "declared capacity counts", "ladder_bps[0] 5000 > 0")
	if got := routed(t, ladder, 500); got < 800_000 {
		t.Errorf("500 GPUs on paper get %d ppm of the work, want most of it: else the rule is not needed", got)
	}
}
