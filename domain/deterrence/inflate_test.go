// SPDX-License-Identifier: Apache-2.0

package deterrence_test

import (
	"math/big"
	"math/rand"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/deterrence"
	"github.com/gpucoord/gpucoord/domain/split"
)

// bonds are parameters of the deterrence of fraud, with a price of the bond at the claim and at the slash.
type bonds struct {
	multiple, beacon uint64
	then, now        uint64 // price, micro-USD per token
}

func (b bonds) check() error {
	if err := deterrence.CheckBeacon(b.beacon); err != nil {
		return err
	}
	return deterrence.CheckInflation(b.multiple)
}

// drawBonds draws parameters that the inequalities accept, often the weakest, and a price that falls by half at most twice.
func drawBonds(t *rapid.T) bonds {
	b := bonds{
		multiple: rapid.OneOf(rapid.Uint64Range(0, 20), rapid.Uint64Range(0, 200)).Draw(t, "bond_claim_multiple"),
		beacon:   rapid.OneOf(rapid.Uint64Range(0, 3), rapid.Uint64Range(0, 100)).Draw(t, "beacon_blocks"),
		then:     rapid.Uint64Range(10, 1_000_000).Draw(t, "price at the claim"),
	}
	// What is refused is raised to the least that is accepted.
	for deterrence.CheckInflation(b.multiple) != nil {
		b.multiple++
	}
	for deterrence.CheckBeacon(b.beacon) != nil {
		b.beacon++
	}
	least := (b.then + 1) / 2
	least = (least + 1) / 2
	b.now = rapid.OneOf(rapid.Just(least), rapid.Uint64Range(least, b.then)).Draw(t, "price at the slash")
	if err := b.check(); err != nil {
		t.Fatalf("%+v: %v", b, err)
	}
	return b
}

// caughtByChance is the chance of being caught by one whose block is the beacon's last with chance 1 in its length, and who
// then has any seed that he likes.
func (b bonds) caughtByChance(c *big.Rat) *big.Rat { return times(c, rat(b.beacon-1, b.beacon)) }

// Inflating any leaves by any part loses in expectation, exactly computed, with the place of the cheat's block left to chance.
func TestInflatedAmountsLose(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e, p, b := drawEconomy(t), drawBonds(t), drawBatch(t)
		gain := b.gain(t, e)
		if gain.Sign() <= 0 {
			t.Skip("nothing gained")
		}
		held := bond(t, b.amount, p.multiple, p.then)
		net := expectation(p.caughtByChance(b.chance()), gain, loss(t, b.amount, held, p.now, anyReporter))
		if net.Sign() >= 0 {
			t.Fatalf("%s expected of a claim of %d, gain %s, caught with %s by one seed",
				net.FloatString(3), b.amount, gain.FloatString(3), b.chance().FloatString(6))
		}
	})
}

// One of two seeds that the proposer of the last block may choose: what he can expect is bounded, and by chance still a loss.
func TestGrindingIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e, p, b := drawEconomy(t), drawBonds(t), drawBatch(t)
		gain := b.gain(t, e)
		if gain.Sign() <= 0 {
			t.Skip("nothing gained")
		}
		held := bond(t, b.amount, p.multiple, p.then)
		lost := loss(t, b.amount, held, p.now, 0)
		both := times(b.chance(), b.chance())
		if net := expectation(both, gain, lost); net.Cmp(whole(deterrence.GrindingBound(b.amount, p.multiple))) > 0 {
			t.Fatalf("%s expected of a claim of %d, more than %d", net.FloatString(3), b.amount, deterrence.GrindingBound(b.amount, p.multiple))
		}
		last := rat(1, p.beacon)
		mixed := plus(times(last, both), times(minus(whole(1), last), b.chance()))
		if net := expectation(mixed, gain, lost); net.Sign() >= 0 {
			t.Fatalf("%s expected where the place of his block is chance", net.FloatString(3))
		}
	})
}

// One bond stands for all open claims. Found out in any of them, in any order, the cheat loses for each what the inequality
// counts on: the claim times min(20, multiple / 4).
func TestCoverHoldsForAllOpenClaims(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawBonds(t)
		claims := rapid.SliceOfN(rapid.Uint64Range(1, 1<<30), 1, 8).Draw(t, "claims")
		open, found := uint64(0), uint64(0)
		for _, claim := range claims {
			open += claim
		}
		left := bond(t, open, p.multiple, p.then)
		lost := new(big.Rat)
		for _, claim := range rapid.Permutation(claims).Draw(t, "order")[:rapid.IntRange(0, len(claims)).Draw(t, "found")] {
			found += claim
			slash, err := split.SlashFraud(claim, p.now, left)
			if err != nil {
				t.Fatalf("slash: %v", err)
			}
			left -= slash
			lost = plus(lost, times(whole(slash), rat(p.now, 1_000_000)))
		}
		if least := times(whole(found), rat(min(80, p.multiple), 4)); lost.Cmp(least) < 0 {
			t.Fatalf("%s lost for claims of %d of %d, want %s", lost.FloatString(3), found, open, least.FloatString(3))
		}
	})
}

// chanceBatch is a batch of the given size with some leaves made up.
func chanceBatch(t *testing.T, rng *rand.Rand, leaves, bad int) *batch {
	t.Helper()
	list := make([]leaf, leaves)
	for i := range list {
		list[i] = leaf{claimed: 1 + uint64(rng.Intn(1_000_000))}
		if list[i].worth = list[i].claimed; i < bad {
			list[i].worth = 0
		}
	}
	rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	half := (leaves + 1) / 2
	return newBatch(t, [][]leaf{list[:half], list[half:]}, 1_000_000)
}

// The draws catch as often as the exact chance says, for one seed and for the better of two; so the games above are those
// that the chain plays. Played with money, the weakest accepted parameters lose over all rounds together.
func TestPlayedOutInflationLoses(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	e := &economy{rates: defaults}
	p := bonds{multiple: 11, beacon: 2, then: 100_000, now: 25_000}
	var one, two int
	var net, expected, oneExpected, twoExpected float64 // money in claims
	n := 4 * rounds(t)
	for i := range n {
		b := chanceBatch(t, rng, 2+rng.Intn(30), 1+rng.Intn(2))
		gain, lost := b.gain(t, e), loss(t, b.amount, bond(t, b.amount, p.multiple, p.then), p.now, anyReporter)
		caught := b.caught(t, seed(rng.Uint64()), uint64(i))
		again := b.caught(t, seed(rng.Uint64()), uint64(i))
		c, _ := b.chance().Float64()
		oneExpected, twoExpected = oneExpected+c, twoExpected+c*c
		if caught {
			one++
		}
		if caught && again {
			two++
		}
		won, paid := of(gain, b.amount), of(lost, b.amount)
		if lucky := rng.Intn(int(p.beacon)) == 0; caught && !lucky {
			net -= paid
		} else {
			net += won
		}
		expected += of(expectation(p.caughtByChance(b.chance()), gain, lost), b.amount)
	}
	near := func(got int, want float64) bool {
		return float64(got) > want-0.05*float64(n) && float64(got) < want+0.05*float64(n)
	}
	if !near(one, oneExpected) || !near(two, twoExpected) {
		t.Errorf("caught %d times by one seed and %d by two of %d, want about %.0f and %.0f", one, two, n, oneExpected, twoExpected)
	}
	if expected >= 0 || net >= 0 {
		t.Errorf("net %.3f claims of all played, %.3f expected", net, expected)
	}
}

// of is a sum of money as a part of a claim.
func of(money *big.Rat, claim uint64) float64 {
	part, _ := times(money, rat(1, claim)).Float64()
	return part
}

// weak is a game with the given parameters: one leaf in ten of a large batch is made up and the bond price has fallen.
func weak(t *testing.T, p bonds) *big.Rat {
	t.Helper()
	list := make([]leaf, 10)
	for i := range list {
		list[i] = leaf{claimed: 1_000_000, worth: 1_000_000}
	}
	list[3].worth = 0
	b := newBatch(t, [][]leaf{list}, 1<<40) // 2 samples: one by value, one by index
	gain := b.gain(t, &economy{rates: defaults})
	return expectation(p.caughtByChance(b.chance()), gain, loss(t, b.amount, bond(t, b.amount, p.multiple, p.then), p.now, anyReporter))
}

func TestLowMultipleWouldPay(t *testing.T) {
	p := bonds{multiple: 11, beacon: 2, then: 100_000, now: 25_000}
	if err := p.check(); err != nil || weak(t, p).Sign() >= 0 {
		t.Errorf("a multiple of 11: %v, net %s", err, weak(t, p).FloatString(0))
	}
	p.multiple = 10
	refused(t, p.check(), "inflated batches pay", "bond_claim_multiple·(10000 − 2000) > 2·4·10000", "10·8000 = 80000")
	p.multiple = 2
	refused(t, p.check(), "inflated batches pay", "2·8000 = 16000")
	if net := weak(t, p); net.Sign() <= 0 {
		t.Errorf("a multiple of 2: net %s, want a profit: else the inequality is not needed", net.FloatString(0))
	}
	p.multiple = 1<<64 - 1
	if err := p.check(); err != nil {
		t.Errorf("a multiple that cannot be multiplied: %v", err)
	}
}

func TestBeaconOfOneBlockWouldPay(t *testing.T) {
	p := bonds{multiple: 10_000, beacon: 1, then: 100_000, now: 100_000}
	refused(t, p.check(), "one proposer makes the seed", "beacon_blocks 1 < 2")
	if net := weak(t, p); net.Sign() <= 0 {
		t.Errorf("a beacon of one block: net %s, want a profit whatever the multiple", net.FloatString(0))
	}
}

// The numbers of ADR 0006: a proposer who knows that the last block is his, two samples.
func TestGrindingBoundNumbers(t *testing.T) {
	for _, tc := range []struct{ amount, multiple, want uint64 }{
		{1_000_000, 20, 50_000},     // 5 % of the claim where the price fell by half twice: 0.25 % of the cover
		{1_000_000, 80, 12_500},     // the fraud's price of 20 claims is then all held
		{1_000_000, 10_000, 12_500}, // and more bond loses no more
		{1_000_001, 20, 50_001},
		{7, 0, 7},
	} {
		if got := deterrence.GrindingBound(tc.amount, tc.multiple); got != tc.want {
			t.Errorf("claim %d, multiple %d: got %d, want %d", tc.amount, tc.multiple, got, tc.want)
		}
	}
	// At f = 1/10 of a claim and L = 5 two seeds win where one loses: the bound is not 0.
	p := bonds{multiple: 20, beacon: 2, then: 100_000, now: 25_000}
	c, gain, lost := rat(1, 10), rat(1, 10), whole(5)
	if expectation(times(c, c), gain, lost).Sign() <= 0 || expectation(p.caughtByChance(c), gain, lost).Sign() >= 0 {
		t.Error("want a profit by choice and a loss by chance")
	}
}
