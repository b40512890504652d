// SPDX-License-Identifier: Apache-2.0

package evm_test

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/gpucoord/gpucoord/contracts/receiptanchor"
	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/relayer/evm"
	"github.com/gpucoord/gpucoord/relayer/evm/report"
)

func TestAnchorsThatDoNotVerifyAreNotSent(t *testing.T) {
	for name, spoil := range map[string]func(c *fakeChain, a *evm.Attested){
		"a signature of another anchor": func(c *fakeChain, a *evm.Attested) { a.Anchor.Time++ },
		"power of two thirds":           func(_ *fakeChain, a *evm.Attested) { a.Signatures = a.Signatures[:2] },
		"a member that is none":         func(_ *fakeChain, a *evm.Attested) { a.Signatures[0].Member = 4 },
		"another root": func(c *fakeChain, a *evm.Attested) {
			a.Anchor.Root = [32]byte{1}
			*a = c.sign(c.current, a.Anchor)
		},
		"a smaller log": func(c *fakeChain, a *evm.Attested) {
			a.Anchor.TreeSize = 1
			*a = c.sign(c.current, a.Anchor)
		},
		"an old height": func(c *fakeChain, a *evm.Attested) {
			a.Anchor.Height = 1
			*a = c.sign(c.current, a.Anchor)
		},
		"a set that is not the hash's": func(c *fakeChain, _ *evm.Attested) {
			c.sets[c.current.Hash()] = append(anchor.Valset{}, c.current[:3]...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.chain.grow(3)
			r := w.relayer(0, w.config())
			w.step(r)
			w.backend.Commit()
			w.chain.grow(3)
			spoil(w.chain, &w.chain.attested[1])
			w.step(r)
			wantAlert(t, r, report.AlertInvalid, evm.ErrBadAnchor)
			w.backend.Commit()
			if got := w.spent(0); got != 1 {
				t.Errorf("%d transactions", got)
			}
		})
	}
}

func TestANodeThatDoesNotAnswer(t *testing.T) {
	w := newWorld(t)
	w.chain.grow(1)
	w.chain.fault = errors.New("gone")
	r := w.relayer(0, w.config())
	w.step(r)
	wantAlert(t, r, report.AlertNode, w.chain.fault)
	w.chain.fault = nil
	w.step(r)
	wantNoAlert(t, r)
}

func TestAStaleContractWaitsForItsGuardian(t *testing.T) {
	w := newWorld(t)
	r := w.relayer(0, w.config())
	w.chain.grow(1)
	w.pass(time.Duration(w.trusting+10) * time.Second)
	w.step(r)
	wantAlert(t, r, report.AlertStale, nil)
	if w.spent(0) != 0 {
		t.Fatal("sent to a stale contract")
	}
	w.chain.rotate(t, 4, 9) // the chain's new era
	head, err := w.backend.Client().HeaderByNumber(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	abi := receiptanchor.NewReceiptAnchor()
	if got := w.transact(2, &w.contract, abi.PackRecover(w.chain.current.Hash(), head.Time), nil); got.Status != types.ReceiptStatusSuccessful {
		t.Fatal("the guardian was refused")
	}
	w.step(r)
	wantAlert(t, r, report.AlertOtherSet, nil)
	w.chain.grow(1)
	w.step(r)
	wantNoAlert(t, r)
	w.backend.Commit()
	w.wantAnchor(2)
}

// lie lets the validators sign another log and brings it to the contract.
func (w *world) lie() {
	w.t.Helper()
	liar := *w.chain
	liar.leaves, liar.attested = [][32]byte{{0xff}}, nil
	liar.grow(1)
	r := evm.New(&liar, []evm.Client{w.backend.Client()}, w.purse(0), w.config(), slog.New(slog.DiscardHandler))
	w.step(r)
	w.backend.Commit()
	if w.state().Nonce != 1 {
		w.t.Fatal("the lie was not taken")
	}
}

func TestAConflictIsFrozen(t *testing.T) {
	for name, watchOnly := range map[string]bool{"by a relayer": false, "by a watcher with a key": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.chain.grow(3)
			w.lie()
			cfg := w.config()
			cfg.WatchOnly = watchOnly
			r := w.relayer(1, cfg)
			w.step(r)
			wantAlert(t, r, report.AlertConflict, nil)
			w.backend.Commit()
			if !w.state().Frozen {
				t.Fatal("the contract is not frozen")
			}
			w.chain.grow(1)
			w.step(r, r)
			wantAlert(t, r, report.AlertFrozen, nil)
			w.backend.Commit()
			if got := w.spent(1); got != 1 {
				t.Errorf("%d transactions, want the freeze alone", got)
			}
		})
	}
}

func TestAWatcherWithoutKeyHandsTheFreezeOver(t *testing.T) {
	w := newWorld(t)
	w.chain.grow(3)
	watcher := evm.New(w.chain, []evm.Client{w.backend.Client()}, nil, w.config(), slog.New(slog.DiscardHandler))
	w.step(watcher)
	if rep := watcher.Report(); !rep.WatchOnly || len(rep.Alerts) != 0 || rep.FreezeCalldata != "" {
		t.Fatalf("report is %+v", rep)
	}
	w.lie()
	w.step(watcher)
	wantAlert(t, watcher, report.AlertConflict, nil)
	w.transact(2, &w.contract, common.FromHex(watcher.Report().FreezeCalldata), nil)
	if !w.state().Frozen {
		t.Fatal("what was handed over does not freeze")
	}
}

func TestAWatcherSubmitsNothing(t *testing.T) {
	w := newWorld(t)
	cfg := w.config()
	cfg.WatchOnly = true
	r := w.relayer(0, cfg)
	w.chain.clock += 60 // past the contract's first time, however long that took
	w.chain.grow(1)
	w.step(r)
	w.backend.Commit()
	if w.spent(0) != 0 {
		t.Fatal("a watcher paid")
	}
	if rep := r.Report(); rep.LagLeaves() != 1 || rep.LagSeconds() == 0 {
		t.Errorf("report is %+v", rep)
	}
}

func TestAnAnchorThatTheChainNoLongerKeepsIsNoConflictWhileItsLogIsAPart(t *testing.T) {
	w := newWorld(t)
	r := w.relayer(0, w.config())
	w.chain.grow(3)
	w.step(r)
	w.backend.Commit()
	w.chain.grow(2)
	w.chain.attested = w.chain.attested[1:]
	fresh := w.relayer(1, w.config())
	w.step(fresh)
	wantNoAlert(t, fresh)
	w.backend.Commit()
	w.wantAnchor(2)
}

func TestAnotherLogWithoutACounterpartIsSaid(t *testing.T) {
	w := newWorld(t)
	w.chain.grow(3)
	w.lie()
	w.chain.grow(2)
	w.chain.attested = w.chain.attested[1:]
	r := w.relayer(1, w.config())
	w.step(r)
	wantAlert(t, r, report.AlertConflict, nil)
	if w.state().Frozen || w.spent(1) != 0 {
		t.Error("acted without two signed anchors")
	}
}
