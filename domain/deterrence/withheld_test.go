// SPDX-License-Identifier: Apache-2.0

package deterrence_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/deterrence"
	"github.com/gpucoord/gpucoord/domain/epoch"
	"github.com/gpucoord/gpucoord/domain/u128"
)

// A cheat hides the bad leaves of a batch that samples happen to miss, and answers no question for them. A reader who sees
// none of the file asks for leaves by value, each question answered before the next: not answering is fraud. One question
// is enough for a loss, whatever is hidden, without any beacon; more make it worse.
func TestWithheldDataLoses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e, p, b := drawEconomy(t), drawBonds(t), drawBatch(t)
		gain := b.gain(t, e)
		if gain.Sign() <= 0 {
			t.Skip("nothing gained")
		}
		lost := loss(t, b.amount, bond(t, b.amount, p.multiple, p.then), p.now, anyReporter)
		missed := whole(1)
		for range rapid.IntRange(1, 4).Draw(t, "questions") {
			missed = times(missed, minus(whole(1), rat(b.badAmount, b.amount)))
		}
		if net := expectation(minus(whole(1), missed), gain, lost); net.Sign() >= 0 {
			t.Fatalf("%s expected of a claim of %d with %d of it hidden", net.FloatString(3), b.amount, b.badAmount)
		}
	})
}

// Not opening a sample, or leaving one question unanswered, is certain: it costs more than all of the claim.
func TestRefusingToAnswerLoses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawBonds(t)
		claim := rapid.Uint64Range(1, 1<<34).Draw(t, "claim")
		lost := loss(t, claim, bond(t, claim, p.multiple, p.then), p.now, anyReporter)
		if lost.Cmp(whole(claim)) <= 0 {
			t.Fatalf("withholding a claim of %d costs %s", claim, lost.FloatString(3))
		}
	})
}

// reachable is what is left to slash of a bond whose owner unbonds it all as soon as his batch is in: at the last height at
// which the batch can be found out. Before the batch he cannot: what unbonds is no cover.
func reachable(t tester, s epoch.Schedule, e, unbondingBlocks, bond uint64) uint64 {
	t.Helper()
	windows, err := s.Windows(e)
	if err != nil {
		t.Fatalf("windows: %v", err)
	}
	if matures := windows.Submit.First + unbondingBlocks; matures <= windows.FinaliseLatest {
		return 0
	}
	return bond
}

// A bond is still there when the slowest proof arrives, at any schedule and unbonding time that are accepted.
func TestBondsOutlastTheProof(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		length := func(name string) uint64 { return rapid.Uint64Range(1, 100_000).Draw(t, name) }
		s := epoch.Schedule{
			EpochBlocks: length("epoch"), SubmitBlocks: length("submit"), BeaconBlocks: length("beacon"), OpenBlocks: length("open"),
			ChallengeBlocks: length("challenge"), ResponseBlocks: length("response"), GenesisHeight: length("genesis"),
		}
		unbonding := rapid.Uint64Range(1, 2_000_000).Draw(t, "unbonding_blocks")
		if deterrence.CheckUnbonding(s, unbonding) != nil {
			windows, err := s.Windows(0)
			if err != nil {
				t.Fatalf("windows: %v", err)
			}
			unbonding = windows.MinUnbonding // the least that passes
			if err := deterrence.CheckUnbonding(s, unbonding); err != nil {
				t.Fatalf("the least unbonding time: %v", err)
			}
		}
		if left := reachable(t, s, rapid.Uint64Range(0, 1_000).Draw(t, "e"), unbonding, 1_000); left != 1_000 {
			t.Fatalf("%d of a bond of 1000 is left after %d blocks", left, unbonding)
		}
	})
}

func TestShortUnbondingWouldPay(t *testing.T) {
	s := epoch.Schedule{EpochBlocks: 20, SubmitBlocks: 8, BeaconBlocks: 16, OpenBlocks: 10, ChallengeBlocks: 10, ResponseBlocks: 10, GenesisHeight: 1}
	refused(t, deterrence.CheckUnbonding(s, 50), "a bond leaves before its work is final",
		"unbonding_blocks 50 < 2 * (epoch 20 + submit 8 + beacon 16 + open 10 + challenge 10 + response 10) = 148")
	if left := reachable(t, s, 5, 50, 1_000); left != 0 {
		t.Errorf("%d of the bond is left to slash, want a fraud that costs nothing", left)
	}
	s.OpenBlocks = 0
	refused(t, deterrence.CheckUnbonding(s, 1_000), epoch.ErrBadWindow.Error())
}

// With a multiple below what is accepted, withholding everything and being caught for certain still pays.
func TestLowMultiplePaysForWithholding(t *testing.T) {
	const claim = 1_000_000
	p := bonds{multiple: 2, beacon: 2, then: 100_000, now: 25_000}
	refused(t, p.check(), "inflated batches pay")
	if lost := loss(t, claim, bond(t, claim, p.multiple, p.then), p.now, anyReporter); lost.Cmp(whole(u128.Part(claim, 9_000, 10_000))) >= 0 {
		t.Errorf("costs %s, want less than the operator's share", lost.FloatString(0))
	}
}
