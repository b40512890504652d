// SPDX-License-Identifier: Apache-2.0

package score_test

import (
	"errors"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/score"
	"github.com/gpucoord/gpucoord/domain/split"
)

// defaultPayback is the default payback cap: 75 % of the take.
const defaultPayback = 7500

// money draws pools and sponsors' money, which fit 64 bits together.
func money(t *rapid.T) (pool, sponsors uint64) {
	half := rapid.OneOf(rapid.Uint64Range(0, 1_000_000), rapid.Uint64Range(0, 1<<63-1))
	return half.Draw(t, "pool"), half.Draw(t, "sponsors")
}

func operators(t *rapid.T) []score.RewardIn {
	value := rapid.OneOf(rapid.Uint64Range(0, 100_000), rapid.Uint64Range(0, 1<<61))
	ops := make([]score.RewardIn, rapid.IntRange(0, 6).Draw(t, "operators"))
	for i := range ops {
		ops[i] = score.RewardIn{Usage: value.Draw(t, "usage"), M: ratiosPPM().Draw(t, "m"), Take: value.Draw(t, "take")}
	}
	return ops
}

// checkCap checks 10,000 · reward <= bps · take.
func checkCap(t *rapid.T, reward, take, bps uint64) {
	if new(big.Int).Mul(bigOf(reward), bigOf(whole)).Cmp(new(big.Int).Mul(bigOf(take), bigOf(bps))) > 0 {
		t.Fatalf("reward %d is above %d bps of the take %d", reward, bps, take)
	}
}

func epochRewardProps(t *rapid.T) {
	pool, sponsors := money(t)
	ops := operators(t)
	capBps := rapid.OneOf(rapid.Just(uint64(defaultPayback)), ratiosBps()).Draw(t, "cap")
	rewards, insurance, carried, err := score.EpochRewards(pool, sponsors, capBps, ops)
	if err != nil {
		t.Fatalf("rewards: %v", err)
	}
	total := uint64(0)
	for _, op := range ops {
		total += op.Usage
	}
	fromPool, fromSponsors := []uint64{insurance}, []uint64{carried}
	for i, r := range rewards {
		op := ops[i]
		fromPool, fromSponsors = append(fromPool, r.FromPool), append(fromSponsors, r.FromSponsors)
		checkCap(t, r.FromPool+r.FromSponsors, op.Take, capBps)
		if r.FromPool < r.Cap && r.FromPool+r.FromSponsors < r.Cap && total > 0 {
			// Not capped: each source paid its part by usage and quality, rounded down twice.
			if !below(r.FromPool, ratio([]uint64{pool, op.Usage, op.M}, total, million), 2) ||
				!below(r.FromSponsors, ratio([]uint64{sponsors, op.Usage, op.M}, total, million), 2) {
				t.Fatalf("%+v of %d gets %+v out of %d and %d", op, total, r, pool, sponsors)
			}
		}
		if r.FromSponsors > 0 && r.FromPool < r.Cap && !below(r.FromPool, ratio([]uint64{pool, op.Usage, op.M}, total, million), 2) {
			t.Fatalf("sponsors pay %+v before the pool has paid its part", r)
		}
		if one, err := score.RewardOf(pool, sponsors, total, capBps, op); err != nil || one != r {
			t.Fatalf("one by one %+v (%v), together %+v", one, err, r)
		}
	}
	if sumOf(fromPool).Cmp(bigOf(pool)) != 0 || sumOf(fromSponsors).Cmp(bigOf(sponsors)) != 0 {
		t.Fatalf("%d and %d came in, %v and %v went out", pool, sponsors, sumOf(fromPool), sumOf(fromSponsors))
	}
	if total == 0 && (insurance != pool || carried != sponsors) {
		t.Fatalf("without usage %d of %d and %d of %d are left", insurance, pool, carried, sponsors)
	}
}

func TestEpochRewardProps(t *testing.T) { rapid.Check(t, epochRewardProps) }

func FuzzEpochReward(f *testing.F) {
	f.Add(make([]byte, 4096))
	f.Fuzz(rapid.MakeFuzz(epochRewardProps))
}

// rivalsProps: an operator's quality changes nobody else's reward.
func rivalsProps(t *rapid.T) {
	pool, sponsors := money(t)
	ops := append(operators(t), score.RewardIn{Usage: 1000, M: million, Take: 1000})
	before, _, _, err := score.EpochRewards(pool, sponsors, defaultPayback, ops)
	if err != nil {
		t.Fatalf("rewards: %v", err)
	}
	i := rapid.IntRange(0, len(ops)-1).Draw(t, "who")
	ops[i].M = ratiosPPM().Draw(t, "other m")
	after, _, _, err := score.EpochRewards(pool, sponsors, defaultPayback, ops)
	if err != nil {
		t.Fatalf("rewards: %v", err)
	}
	for j := range ops {
		if j != i && before[j] != after[j] {
			t.Fatalf("the quality of %d changes the reward of %d from %+v to %+v", i, j, before[j], after[j])
		}
	}
}

func TestRivalsProps(t *testing.T) { rapid.Check(t, rivalsProps) }

// ownRewardProps: an operator buys its own service through a settler nobody connects with it, on top of any other work,
// with any pool. It pays the take on what it buys. The reward grows by at most the cap's part of that take, but for the
// units that roundings leave: so the purchase loses.
func ownRewardProps(t *rapid.T) {
	p := usageParams(t)
	p.TakeBps = rapid.Uint64Range(1, whole).Draw(t, "take rate")
	pool, sponsors := money(t)
	rivals := rapid.OneOf(rapid.Just(uint64(0)), rapid.Uint64Range(0, 1<<60)).Draw(t, "usage of rivals")
	m := ratiosPPM().Draw(t, "m")
	entries := usageEntries(t, p.TakeBps, 1<<58)
	own := usageEntry(t, 200, p.TakeBps, 1<<58)
	own.Take = takeOn(own.Amount, p.TakeBps)
	capBps := rapid.Uint64Range(0, defaultPayback).Draw(t, "cap")

	reward := func(r score.UsageResult) uint64 {
		in := score.RewardIn{Usage: r.Usage, M: m, Take: r.Take}
		got, err := score.RewardOf(pool, sponsors, r.Usage+rivals, capBps, in)
		if err != nil {
			t.Fatalf("reward: %v", err)
		}
		checkCap(t, got.FromPool+got.FromSponsors, r.Take, capBps)
		return got.FromPool + got.FromSponsors
	}
	honest, bought := mustUsage(t, p, entries), mustUsage(t, p, append(entries, own))
	before, after := reward(honest), reward(bought)
	// Reward is min(c·t·u, (P + D)·M·u / (u + rivals)), concave and 0 at u = 0, so no step gains more than c·t a unit.
	// Rounding down takes less than one unit from each entry's take before, and less than four from the two shares.
	slack := uint64(len(entries)) + 6
	limit := new(big.Rat).Add(ratio([]uint64{own.Take, capBps}, whole), ratio([]uint64{slack}))
	if gain := new(big.Rat).SetInt(new(big.Int).Sub(bigOf(after), bigOf(before))); gain.Cmp(limit) > 0 {
		t.Fatalf("a take of %d raises the reward from %d to %d", own.Take, before, after)
	}
}

func TestOwnRewardProps(t *testing.T) { rapid.Check(t, ownRewardProps) }

func FuzzOwnReward(f *testing.F) {
	f.Add(make([]byte, 2048))
	f.Fuzz(rapid.MakeFuzz(ownRewardProps))
}

// ownEverythingProps: even who is the only operator, owns every prober and all that the ALEPH pool pays, and faces any
// pool, gets back at most 95 % of the take where the cap and the two parts are at most 9,500 bps together.
func ownEverythingProps(t *rapid.T) {
	left := uint64(9500)
	capBps := rapid.Uint64Range(0, left).Draw(t, "cap")
	left -= capBps
	b := split.TakeBps{Take: ratiosBps().Draw(t, "take")}
	b.Probers = rapid.Uint64Range(0, left).Draw(t, "probers")
	b.Aleph = rapid.Uint64Range(0, left-b.Probers).Draw(t, "aleph")
	b.Pool = rapid.Uint64Range(0, whole-b.Probers-b.Aleph).Draw(t, "pool part")
	b.Insurance = whole - b.Probers - b.Aleph - b.Pool

	amount := amounts().Draw(t, "amount")
	paid, err := split.TakeOf(amount, b)
	if err != nil {
		t.Fatalf("take: %v", err)
	}
	p := score.UsageParams{TakeBps: b.Take, DirectWeightBps: whole, UnaccreditedBps: whole}
	class := rapid.SampledFrom([]score.Class{score.ClassRouted, score.ClassDirect}).Draw(t, "class")
	usage := mustUsage(t, p, []score.UsageEntry{{Class: class, Amount: amount, Take: paid.Take, TotalSpend: amount, ControllerSpend: amount}})
	pool, sponsors := money(t)
	rewards, _, _, err := score.EpochRewards(pool, sponsors, capBps, []score.RewardIn{{Usage: usage.Usage, M: million, Take: usage.Take}})
	if err != nil {
		t.Fatalf("rewards: %v", err)
	}
	back := sumOf([]uint64{rewards[0].FromPool, rewards[0].FromSponsors, paid.Probers, paid.Aleph})
	if back.Mul(back, bigOf(whole)).Cmp(new(big.Int).Mul(bigOf(paid.Take), bigOf(9500))) > 0 {
		t.Fatalf("of a take of %d, %v / 10000 comes back", paid.Take, back)
	}
}

func TestOwnEverythingProps(t *testing.T) { rapid.Check(t, ownEverythingProps) }

func FuzzOwnEverything(f *testing.F) {
	f.Add(make([]byte, 1024))
	f.Fuzz(rapid.MakeFuzz(ownEverythingProps))
}

func TestRewardOfErrors(t *testing.T) {
	for name, c := range map[string]struct {
		total, capBps uint64
		in            score.RewardIn
		want          error
	}{
		"cap before quality":   {0, whole + 1, score.RewardIn{M: million + 1}, score.ErrBadBps},
		"quality before usage": {0, whole, score.RewardIn{M: million + 1, Usage: 1}, score.ErrBadPPM},
		"usage above the sum":  {0, whole, score.RewardIn{M: million, Usage: 1}, score.ErrBadUsage},
		"all the usage":        {1, whole, score.RewardIn{M: million, Usage: 1}, nil},
	} {
		if _, err := score.RewardOf(1, 1, c.total, c.capBps, c.in); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestEpochRewardsQualityBeforeOverflow(t *testing.T) {
	ops := []score.RewardIn{{Usage: ^uint64(0)}, {Usage: 1}, {M: million + 1}}
	if _, _, _, err := score.EpochRewards(0, 0, 0, ops); !errors.Is(err, score.ErrBadPPM) {
		t.Errorf("got %v, want %v", err, score.ErrBadPPM)
	}
}
