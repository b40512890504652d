// SPDX-License-Identifier: Apache-2.0

package evm_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/core/types"

	"github.com/gpucoord/gpucoord/contracts/receiptanchor"
	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/relayer/evm"
	"github.com/gpucoord/gpucoord/relayer/evm/report"
)

// Whoever forges an anchor picks a nonce that the chain has not come to, where it has nothing to compare with. A watcher says so all the
// same, and says nothing as long as the node may only be behind.
func TestAFalseAnchorUnderANonceToComeIsSaid(t *testing.T) {
	for name, c := range map[string]struct {
		forge func(chain *fakeChain, a *anchor.Anchor)
		want  bool
	}{
		"a height that is anchored":   {func(_ *fakeChain, a *anchor.Anchor) { a.Height = 20 }, true},
		"another log":                 {func(_ *fakeChain, a *anchor.Anchor) { a.Root[0]++ }, true},
		"more leaves than there were": {func(_ *fakeChain, a *anchor.Anchor) { a.TreeSize++ }, true},
		"a set of its own":            {func(_ *fakeChain, a *anchor.Anchor) { a.NextValset[0]++ }, true},
		"a block that was earlier":    {func(_ *fakeChain, a *anchor.Anchor) { a.Time += 600 }, true},
		"a block that is overdue":     {func(_ *fakeChain, a *anchor.Anchor) { a.Height = 1 << 60 }, true},
		"made and not attested":       {func(*fakeChain, *anchor.Anchor) {}, false},
		"the node is behind": {func(_ *fakeChain, a *anchor.Anchor) {
			a.Height, a.Time, a.TreeSize, a.Root[0], a.NextValset[0] = 1<<60, a.Time+600, 99, 1, 1
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.chain.clock += 60 // past the contract's first time, however long that took
			w.chain.grow(3)
			w.chain.grow(3)
			forged := anchor.Anchor{
				Nonce: 1_000, Height: 22, Time: w.chain.clock, TreeSize: 6, Root: log.Root(w.chain.leaves), NextValset: w.chain.current.Hash(),
			}
			c.forge(w.chain, &forged)
			liar := *w.chain
			liar.attested = []evm.Attested{w.chain.sign(w.chain.current, forged)}
			w.step(evm.New(&liar, []evm.Client{w.backend.Client()}, w.purse(0), w.config(), slog.New(slog.DiscardHandler)))
			w.backend.Commit()
			if w.state().Nonce != 1_000 {
				t.Fatal("the contract did not take it")
			}
			watcher := evm.New(w.chain, []evm.Client{w.backend.Client()}, nil, w.config(), slog.New(slog.DiscardHandler))
			w.step(watcher)
			_, said := watcher.Report().Alerts[report.AlertConflict]
			if said != c.want {
				t.Errorf("alerts are %v", watcher.Report().Alerts)
			}
			if !c.want {
				wantAlert(t, watcher, report.AlertNode, evm.ErrNoAnchor)
			}
		})
	}
}

// After a recovery the contract's time is the guardian's, and says nothing about its anchor.
func TestTheGuardiansTimeIsNotTheAnchors(t *testing.T) {
	w := newWorld(t)
	first := w.chain.grow(1)
	w.chain.grow(1)
	w.step(w.relayer(0, w.config()))
	w.backend.Commit()
	w.wantAnchor(2)
	w.pass(time.Duration(w.trusting+10) * time.Second)
	head, err := w.backend.Client().HeaderByNumber(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	data := receiptanchor.NewReceiptAnchor().PackRecover(w.chain.current.Hash(), head.Time)
	if got := w.transact(2, &w.contract, data, nil); got.Status != types.ReceiptStatusSuccessful {
		t.Fatal("the guardian was refused")
	}
	w.chain.attested = []evm.Attested{first, first, first} // the second one was made, and is not attested yet
	watcher := evm.New(w.chain, []evm.Client{w.backend.Client()}, nil, w.config(), slog.New(slog.DiscardHandler))
	w.step(watcher)
	wantAlert(t, watcher, report.AlertNode, evm.ErrNoAnchor)
	if _, said := watcher.Report().Alerts[report.AlertConflict]; said {
		t.Errorf("alerts are %v", watcher.Report().Alerts)
	}
}
