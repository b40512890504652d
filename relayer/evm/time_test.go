// SPDX-License-Identifier: Apache-2.0

package evm_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gpucoord/gpucoord/relayer/evm"
	"github.com/gpucoord/gpucoord/relayer/evm/report"
)

// runFor runs relayers side by side for some time.
func runFor(t *testing.T, d time.Duration, relayers ...*evm.Anchorer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	var group sync.WaitGroup
	for _, r := range relayers {
		group.Go(func() {
			if err := r.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
	}
	group.Wait()
}

// onPaper returns a relayer with a key of its own.
func onPaper(t *testing.T, chain *fakeChain, seed byte, race time.Duration, papers ...*paper) *evm.Anchorer {
	t.Helper()
	clients := make([]evm.Client, len(papers))
	for i, p := range papers {
		clients[i] = p
	}
	open := func(context.Context) (evm.Purse, error) { return newKey(t, seed), nil }
	return evm.New(chain, clients, open, evm.Config{
		Name: "paper", ChainID: 1337, Contract: [20]byte{5}, Limits: evm.GweiLimits(0, 50, 500), Interval: 12 * time.Second,
		ResendAfter: 48 * time.Second, RaceWindow: race, Confirmations: 64, MaxLag: 10,
	}, slog.New(slog.DiscardHandler))
}

func TestAHangingEndpointDelaysOnlyItsOwnChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chain := newFakeChain(t, 4)
		chain.grow(1)
		start := time.Now()
		stuck, second, other := newPaper(t, chain), newPaper(t, chain), newPaper(t, chain)
		stuck.hangs, second.mines, other.mines = true, true, true
		slow := onPaper(t, chain, 1, 0, stuck, second)
		runFor(t, 40*time.Second, slow, onPaper(t, chain, 2, 0, other))
		if len(other.sentAt) != 1 || !other.sentAt[0].Equal(start) {
			t.Errorf("the other chain's transactions were sent at %v, want at once", other.sentAt)
		}
		if len(second.sentAt) != 1 || second.sentAt[0].Sub(start) != 15*time.Second {
			t.Errorf("the second endpoint was used at %v, want when the first one's time was over", second.sentAt)
		}
		if e := slow.Report().Endpoints; e[0].Usable || e[0].Errors == 0 || !e[1].Usable {
			t.Errorf("endpoints are %+v", e)
		}
	})
}

func TestResendingKeepsItsDistance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chain := newFakeChain(t, 4)
		chain.grow(1)
		p := newPaper(t, chain)
		runFor(t, 200*time.Second, onPaper(t, chain, 1, 0, p))
		if len(p.sentAt) != 5 {
			t.Fatalf("%d transactions in 200 s, want one each 48 s", len(p.sentAt))
		}
		for i := 1; i < len(p.sentAt); i++ {
			if got := p.sentAt[i].Sub(p.sentAt[i-1]); got != 48*time.Second {
				t.Errorf("replacement %d after %s", i, got)
			}
		}
	})
}

func TestRelayersThatSpreadPayOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chain := newFakeChain(t, 4)
		p := newPaper(t, chain)
		p.mines = true
		a, b := onPaper(t, chain, 1, time.Hour, p), onPaper(t, chain, 2, time.Hour, p)
		for range 10 {
			chain.grow(1)
			runFor(t, time.Hour, a, b)
		}
		one, two := a.Report(), b.Report()
		if len(p.sentAt) != 10 || one.Landed+two.Landed != 10 {
			t.Errorf("%d transactions for 10 anchors; landed %d and %d", len(p.sentAt), one.Landed, two.Landed)
		}
		if one.Landed == 0 || two.Landed == 0 {
			t.Error("one relayer is always first")
		}
	})
}

func TestASignerThatIsAwayIsSaidAndTheContractStillWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chain := newFakeChain(t, 4)
		chain.grow(1)
		p := newPaper(t, chain)
		p.mines = true
		away := true
		r := evm.New(chain, []evm.Client{p}, func(context.Context) (evm.Purse, error) {
			if away {
				return nil, evm.ErrSigner
			}
			return newKey(t, 1), nil
		}, evm.Config{Name: "x", ChainID: 1337, Contract: [20]byte{5}, Limits: evm.GweiLimits(0, 50, 500), Interval: time.Second, ResendAfter: time.Minute},
			slog.New(slog.DiscardHandler))
		runFor(t, 10*time.Second, r)
		wantAlert(t, r, report.AlertSigner, evm.ErrSigner)
		if r.Report().Updated.IsZero() {
			t.Error("the contract is not watched")
		}
		away = false
		runFor(t, time.Second, r)
		wantNoAlert(t, r)
		if len(p.sentAt) != 1 {
			t.Errorf("%d transactions", len(p.sentAt))
		}
	})
}
