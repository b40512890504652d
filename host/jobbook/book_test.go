// SPDX-License-Identifier: Apache-2.0

package jobbook_test

import (
	"errors"
	"math"
	"testing"

	"github.com/gpucoord/gpucoord/host/jobbook"
	"github.com/gpucoord/gpucoord/host/receiptlog"
)

var (
	gateway = [20]byte{1}
	settler = [20]byte{0x51}
	rich    = jobbook.Limits{Cover: math.MaxUint64, MaxOpen: 2}
)

func id(n byte) [32]byte { return [32]byte{n} }

// job returns a gateway's job: its id and nonce are n, it costs at most 10 and expires at 1000.
func job(n byte) receiptlog.Admission {
	return receiptlog.Admission{JobID: id(n), Payer: gateway, Nonce: uint64(n), ExpiresAt: 1000, MaxAmount: 10, OwesCountersignature: true, Settler: settler}
}

func admit(t *testing.T, b *jobbook.Book, a receiptlog.Admission) {
	t.Helper()
	if err := b.Admit(a, rich); err != nil {
		t.Fatalf("admit job %d: %v", a.JobID[0], err)
	}
}

func TestNonceIsUsedOnceAndJobsAreKnown(t *testing.T) {
	b := jobbook.New(3)
	admit(t, b, job(1))
	if err := b.Admit(job(1), rich); !errors.Is(err, jobbook.ErrRunning) {
		t.Fatalf("running job: got %v", err)
	}
	other := job(2)
	other.Nonce = 1
	if err := b.Admit(other, rich); !errors.Is(err, jobbook.ErrNonceUsed) {
		t.Fatalf("used nonce: got %v", err)
	}
	other.Payer = [20]byte{2}
	admit(t, b, other)
	b.Served(id(1), 5, 1, 0)
	if err := b.Known(job(1)); !errors.Is(err, jobbook.ErrServed) {
		t.Fatalf("served job: got %v", err)
	}
	b.Interrupt(id(2))
	if err := b.Known(other); !errors.Is(err, jobbook.ErrInterrupted) {
		t.Fatalf("interrupted job: got %v", err)
	}
	admit(t, b, job(3))
	b.Forget(id(3))
	admit(t, b, job(3))
}

func TestOpenJobsAreBoundedAndNamed(t *testing.T) {
	b := jobbook.New(3)
	admit(t, b, job(1))
	b.Served(id(1), 5, 1, 7)
	admit(t, b, job(2))
	err := b.Admit(job(3), rich)
	var tooMany *jobbook.TooManyOpenError
	if !errors.As(err, &tooMany) || !errors.Is(err, jobbook.ErrTooManyOpen) {
		t.Fatalf("third job: got %v", err)
	}
	if tooMany.Running != 1 || len(tooMany.Uncountersigned) != 1 || tooMany.Uncountersigned[0] != id(1) {
		t.Fatalf("got %+v", tooMany)
	}
	b.Served(id(2), 5, 2, 0) // costs nothing, so it is no open risk
	admit(t, b, job(3))
	b.Countersigned(id(1))
	open, running := b.Open(gateway)
	if len(open) != 0 || running != 1 {
		t.Fatalf("after the countersignature: %d open, %d running", len(open), running)
	}
}

func TestDirectPayersOweNoCountersignature(t *testing.T) {
	b := jobbook.New(3)
	for n := byte(1); n < 5; n++ {
		a := job(n)
		a.OwesCountersignature = false
		admit(t, b, a)
		b.Served(id(n), 5, uint64(n), 7)
	}
	if open, _ := b.Open(gateway); len(open) != 0 {
		t.Fatalf("got %d open", len(open))
	}
}

func TestCoverCountsRunningAndUnclaimedJobs(t *testing.T) {
	b := jobbook.New(3)
	lim := jobbook.Limits{Cover: 27, MaxOpen: 32}
	step := func(n byte, want error) {
		t.Helper()
		if err := b.Admit(job(n), lim); !errors.Is(err, want) {
			t.Fatalf("job %d: got %v, want %v", n, err, want)
		}
	}
	step(1, nil) // running: 10
	step(2, nil) // running: 20
	step(3, jobbook.ErrUnfunded)
	b.Served(id(1), 5, 1, 7) // running 10, open 7
	step(3, nil)             // exactly 27
	step(4, jobbook.ErrUnfunded)
	b.Countersigned(id(1)) // the money is still the host's to claim
	step(4, jobbook.ErrUnfunded)
	b.Interrupt(id(2))
	step(4, nil)
	huge := job(5)
	huge.MaxAmount = math.MaxUint64
	if err := b.Admit(huge, jobbook.Limits{Cover: math.MaxUint64, MaxOpen: 32}); !errors.Is(err, jobbook.ErrUnfunded) {
		t.Fatalf("overflowing sum: got %v", err)
	}
}

func TestRestartTurnsRunningIntoInterrupted(t *testing.T) {
	b := jobbook.New(3)
	b.Admitted(job(1))
	b.Admitted(job(2))
	b.Served(id(1), 5, 1, 7)
	if err := b.Known(job(2)); !errors.Is(err, jobbook.ErrInterrupted) {
		t.Fatalf("job without a receipt: got %v", err)
	}
	open, running := b.Open(gateway)
	if len(open) != 1 || open[0] != id(1) || running != 0 {
		t.Fatalf("got %d open, %d running", len(open), running)
	}
	if got, want := b.Totals(), (jobbook.Totals{Known: 2, Uncountersigned: 1, UnclaimedUusdc: 7}); got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}

func TestOpenReceiptsOfClosedEpochsAreGivenUp(t *testing.T) {
	b := jobbook.New(3)
	admit(t, b, job(1))
	b.Served(id(1), 5, 1, 7)
	admit(t, b, job(2))
	b.Served(id(2), 8, 2, 7)
	if open, _ := b.Open(gateway); len(open) != 2 {
		t.Fatalf("epoch 5 at epoch 8: got %d open", len(open))
	}
	admit(t, b, receiptlog.Admission{JobID: id(3), Payer: [20]byte{2}})
	b.Served(id(3), 9, 3, 0)
	open, _ := b.Open(gateway)
	if len(open) != 1 || open[0] != id(2) {
		t.Fatalf("epoch 5 at epoch 9: got %d open", len(open))
	}
}

func TestPruneKeepsWhatCanStillMatter(t *testing.T) {
	b := jobbook.New(3)
	for n := byte(1); n <= 2; n++ {
		admit(t, b, job(n))
	}
	b.Served(id(1), 5, 1, 7)
	b.Served(id(2), 5, 2, 0)
	b.Prune(1799)
	if b.Known(job(2)) == nil {
		t.Fatal("pruned within the margin")
	}
	b.Prune(1800)
	if b.Known(job(2)) != nil || b.Known(job(1)) == nil {
		t.Fatalf("after the margin: served %v, open %v", b.Known(job(2)), b.Known(job(1)))
	}
	b.Countersigned(id(1))
	b.Served(id(1), 9, 9, 0) // unknown by now
	if open, _ := b.Open(gateway); len(open) != 0 || b.Known(job(1)) != nil {
		t.Fatalf("after the countersignature: %d open, %v", len(open), b.Known(job(1)))
	}
	if got, want := b.Totals(), (jobbook.Totals{}); got != want {
		t.Fatalf("got %+v", got)
	}
}

func TestUnclaimedJobsCountUntilTheChainKnowsThem(t *testing.T) {
	b := jobbook.New(3)
	for n := byte(1); n <= 3; n++ {
		a := job(n)
		a.OwesCountersignature = false
		admit(t, b, a)
		b.Served(id(n), 4+uint64(n), 10*uint64(n), 10) // seq 10 in epoch 5, 20 in 6, 30 in 7
	}
	for _, tc := range []struct{ watermark, unclaimed uint64 }{{0, 30}, {9, 30}, {10, 20}, {19, 20}, {20, 10}, {35, 0}} {
		lim := jobbook.Limits{Cover: 10 + tc.unclaimed - 1, Watermark: tc.watermark, MaxOpen: 2}
		if err := b.Admit(job(9), lim); !errors.Is(err, jobbook.ErrUnfunded) {
			t.Fatalf("watermark %d: cover of 1 too little: got %v", tc.watermark, err)
		}
		if got := b.Totals().UnclaimedUusdc; got != tc.unclaimed {
			t.Fatalf("watermark %d: got %d unclaimed, want %d", tc.watermark, got, tc.unclaimed)
		}
	}
	admit(t, b, job(9))
}

func TestUnclaimedJobsOfClosedEpochsAreGivenUp(t *testing.T) {
	b := jobbook.New(3)
	admit(t, b, job(1))
	b.Served(id(1), 5, 1, 7)
	b.Countersigned(id(1))
	admit(t, b, job(2))
	b.Served(id(2), 9, 2, 3)
	if got := b.Totals().UnclaimedUusdc; got != 3 {
		t.Fatalf("epoch 5 at epoch 9: got %d unclaimed", got)
	}
}

func TestHugeAmountsInALogDoNotWrap(t *testing.T) {
	b := jobbook.New(3)
	for n := byte(1); n <= 2; n++ {
		b.Admitted(job(n))
		b.Served(id(n), 5, uint64(n), math.MaxUint64)
	}
	if err := b.Admit(job(3), rich); !errors.Is(err, jobbook.ErrTooManyOpen) && !errors.Is(err, jobbook.ErrUnfunded) {
		t.Fatalf("got %v", err)
	}
	if got := b.Totals().UnclaimedUusdc; got != math.MaxUint64 {
		t.Fatalf("got %d unclaimed", got)
	}
}

func TestKeysOfOneSettlerShareEscrowAndOpenJobs(t *testing.T) {
	second := [20]byte{2} // another key of the same settler
	of := func(n byte, payer, account [20]byte) receiptlog.Admission {
		a := job(n)
		a.Payer, a.Settler = payer, account
		return a
	}
	b := jobbook.New(3)
	escrow := jobbook.Limits{Cover: 25, MaxOpen: 32}
	for n, payer := range [][20]byte{gateway, second} {
		if err := b.Admit(of(byte(n), payer, settler), escrow); err != nil { // 10 each
			t.Fatalf("key %d: %v", n, err)
		}
	}
	if err := b.Admit(of(3, second, settler), escrow); !errors.Is(err, jobbook.ErrUnfunded) {
		t.Fatalf("30 of an escrow of 25: got %v, want ErrUnfunded", err)
	}
	if err := b.Admit(of(3, second, [20]byte{0x52}), escrow); err != nil {
		t.Fatalf("another settler's escrow: %v", err)
	}

	b.Served(id(0), 5, 1, 7)
	b.Served(id(1), 5, 2, 7)
	err := b.Admit(of(4, gateway, settler), rich) // two open jobs of two keys, two allowed
	var tooMany *jobbook.TooManyOpenError
	if !errors.As(err, &tooMany) || len(tooMany.Uncountersigned) != 2 {
		t.Fatalf("third open job of a settler: got %v", err)
	}
	if open, running := b.Open(second); len(open) != 1 || open[0] != id(1) || running != 1 {
		t.Fatalf("the second key sees %d open and %d running, want its own", len(open), running)
	}
}

func TestSettlersSurviveARestart(t *testing.T) {
	b := jobbook.New(3)
	b.Admitted(job(1))
	b.Served(id(1), 5, 1, 7)
	next := job(2)
	next.Payer = [20]byte{2}
	if err := b.Admit(next, jobbook.Limits{Cover: 16, MaxOpen: 32}); !errors.Is(err, jobbook.ErrUnfunded) {
		t.Fatalf("7 unclaimed and 10 of an escrow of 16: got %v, want ErrUnfunded", err)
	}
}
