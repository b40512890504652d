// SPDX-License-Identifier: Apache-2.0

package deterrence_test

import (
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/score"
	"github.com/gpucoord/gpucoord/domain/split"
	"github.com/gpucoord/gpucoord/domain/u128"
)

// tester is what the games need of *testing.T and *rapid.T.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
}

var (
	_ tester = (*testing.T)(nil)
	_ tester = (*rapid.T)(nil)
)

// operator is one operator of a game: its work of the epoch and its quality.
type operator struct {
	entries []score.UsageEntry
	m       uint64
}

// economy is an epoch that is about to be settled.
type economy struct {
	rates    rates
	weights  score.UsageParams
	sponsors uint64
	ops      []operator
}

// drawEconomy draws rates, weights and sponsors of any wealth.
func drawEconomy(t *rapid.T) *economy {
	r := drawRates(t)
	return &economy{
		rates: r,
		weights: score.UsageParams{
			TakeBps:         r.take,
			DirectWeightBps: rapid.Uint64Range(0, 10_000).Draw(t, "direct_weight_bps"),
			UnaccreditedBps: rapid.Uint64Range(0, 10_000).Draw(t, "unaccredited_bps"),
		},
		sponsors: rapid.OneOf(rapid.Just(uint64(0)), rapid.Uint64Range(0, 1<<50)).Draw(t, "sponsors"),
	}
}

// settler returns a new settler of a game.
func settler(n *uint64) [20]byte {
	*n++
	var address [20]byte
	binary.BigEndian.PutUint64(address[:], *n)
	return address
}

// parts of the take that an entry's groups paid.
type parts struct{ take, pool, probers, aleph uint64 }

func (p *parts) add(q parts) {
	p.take += q.take
	p.pool += q.pool
	p.probers += q.probers
	p.aleph += q.aleph
}

// pay divides the groups of an entry as the chain does. Operator share and royalties come back to one who owns operator and
// assets; what does not is the take.
func (e *economy) pay(t tester, groups []uint64) (amount uint64, paid parts) {
	t.Helper()
	assets := split.WaterfallIn{
		TakeBps: e.rates.take, RoyaltyCapBps: 3_000,
		Adapter: &split.Asset{RoyaltyBps: 1_300, PayeeBps: []uint64{10_000}},
		Base:    &split.Asset{RoyaltyBps: 700, Earning: true, PayeeBps: []uint64{10_000}},
	}
	rest := 10_000 - e.rates.pool - e.rates.probers - e.rates.aleph
	for _, group := range groups {
		assets.Amount = group
		w, err := split.Settle(assets)
		if err != nil {
			t.Fatalf("settle: %v", err)
		}
		take, err := split.TakeOf(group, split.TakeBps{
			Take: e.rates.take, Pool: e.rates.pool, Probers: e.rates.probers, Insurance: rest, Aleph: e.rates.aleph,
		})
		if err != nil {
			t.Fatalf("take: %v", err)
		}
		if w.Take != take.Take || group-w.Operator-w.Royalty != take.Take {
			t.Fatalf("a group of %d pays %d, its waterfall %+v", group, take.Take, w)
		}
		amount += group
		paid.add(parts{take: take.Take, pool: take.Pool, probers: take.Probers, aleph: take.Aleph})
	}
	return amount, paid
}

// drawEntry draws the work of one settler for one operator, in any class and under any flag.
func (e *economy) drawEntry(t *rapid.T, ids *uint64) (score.UsageEntry, parts) {
	amounts := rapid.OneOf(rapid.Uint64Range(0, 100), rapid.Uint64Range(0, 1<<40))
	amount, paid := e.pay(t, rapid.SliceOfN(amounts, 1, 4).Draw(t, "groups"))
	entry := score.UsageEntry{
		Settler:    settler(ids),
		Class:      rapid.SampledFrom([]score.Class{score.ClassRouted, score.ClassPinned, score.ClassTrial, score.ClassDirect}).Draw(t, "class"),
		Amount:     amount,
		Take:       paid.take,
		Accredited: rapid.Bool().Draw(t, "accredited"),
	}
	entry.SameController = rapid.IntRange(0, 4).Draw(t, "same controller") == 0
	entry.ControllerSpend = amount + rapid.Uint64Range(0, amount).Draw(t, "spent at the controller's other operators")
	// Genuine spend elsewhere makes a settler look spread; here it costs nothing.
	entry.TotalSpend = entry.ControllerSpend + rapid.Uint64Range(0, 1<<42).Draw(t, "spent elsewhere")
	return entry, paid
}

// drawOperators draws operators with their work.
func (e *economy) drawOperators(t *rapid.T, ids *uint64, most int) (ops []operator, paid parts) {
	ops = make([]operator, rapid.IntRange(1, most).Draw(t, "operators"))
	for i := range ops {
		ops[i].m = rapid.OneOf(rapid.Just(uint64(1_000_000)), rapid.Uint64Range(0, 1_000_000)).Draw(t, "quality")
		for range rapid.IntRange(0, 3).Draw(t, "entries") {
			entry, p := e.drawEntry(t, ids)
			ops[i].entries = append(ops[i].entries, entry)
			paid.add(p)
		}
	}
	return ops, paid
}

// rewards settles the epoch: each operator's reward. Of the collected pool only the part on eligible usage is divided.
func (e *economy) rewards(t tester, collected uint64) []score.Reward {
	t.Helper()
	in := make([]score.RewardIn, len(e.ops))
	take := uint64(0)
	for i, op := range e.ops {
		usage, err := score.Usage(e.weights, op.entries)
		if err != nil {
			t.Fatalf("usage: %v", err)
		}
		in[i] = score.RewardIn{Usage: usage.Usage, M: op.m, Take: usage.Take}
		take += usage.Take
	}
	pool := min(collected, u128.Part(take, e.rates.pool, 10_000))
	rewards, insurance, carried, err := score.EpochRewards(pool, e.sponsors, e.rates.payback, in)
	if err != nil {
		t.Fatalf("rewards: %v", err)
	}
	if sum(rewards)+insurance+carried != pool+e.sponsors {
		t.Fatalf("rewards %v, insurance %d and carried %d are not pool %d and sponsors %d", rewards, insurance, carried, pool, e.sponsors)
	}
	return rewards
}

func sum(rewards []score.Reward) uint64 {
	total := uint64(0)
	for _, r := range rewards {
		total += r.FromPool + r.FromSponsors
	}
	return total
}
