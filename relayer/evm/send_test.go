// SPDX-License-Identifier: Apache-2.0

package evm_test

import (
	"context"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/gpucoord/gpucoord/relayer/evm"
	"github.com/gpucoord/gpucoord/relayer/evm/report"
)

func TestAStuckTransactionIsReplacedAtAHigherPrice(t *testing.T) {
	w := newWorld(t)
	cfg := w.config()
	cfg.ResendAfter = 0
	p := &skewed{Client: w.backend.Client()}
	r := w.relayer(0, cfg, p)
	w.chain.grow(1)
	w.step(r)
	first := p.last
	w.chain.grow(1)
	w.step(r) // the pool refuses less than 10 % more
	if r.Report().Bumped != 1 {
		t.Fatalf("report is %+v", r.Report())
	}
	for name, pair := range map[string][2]*big.Int{
		"tip": {first.GasTipCap(), p.last.GasTipCap()}, "cap": {first.GasFeeCap(), p.last.GasFeeCap()},
	} {
		least := new(big.Int).Div(new(big.Int).Mul(pair[0], big.NewInt(115)), big.NewInt(100))
		if pair[1].Cmp(least) < 0 {
			t.Errorf("%s went from %v to %v: less than 15 %%", name, pair[0], pair[1])
		}
	}
	if first.Nonce() != p.last.Nonce() {
		t.Error("the replacement has another nonce")
	}
	w.backend.Commit()
	w.wantAnchor(2) // the replacement carries the newer anchor
	w.step(r)
	if got := w.spent(0); got != 1 || r.Report().Landed != 1 {
		t.Errorf("%d transactions, report %+v", got, r.Report())
	}
}

func TestBumpingEndsAtTheCeiling(t *testing.T) {
	w := newWorld(t)
	cfg := w.config()
	cfg.ResendAfter = 0
	cfg.Limits = evm.GweiLimits(1, 10, 10)
	p := &skewed{Client: w.backend.Client()}
	r := w.relayer(0, cfg, p)
	w.chain.grow(1)
	for range 40 {
		w.step(r)
	}
	wantAlert(t, r, report.AlertCeiling, evm.ErrTooHighFees)
	if p.last.GasFeeCap().Cmp(big.NewInt(10_000_000_000)) > 0 {
		t.Errorf("fee cap is %v wei", p.last.GasFeeCap())
	}
	if bumped := r.Report().Bumped; bumped == 0 || bumped > 15 {
		t.Errorf("%d replacements", bumped)
	}
	w.backend.Commit()
	w.wantAnchor(1)
}

func TestADroppedTransactionIsSentAgain(t *testing.T) {
	w := newWorld(t)
	cfg := w.config()
	cfg.ResendAfter = 0
	r := w.relayer(0, cfg)
	w.chain.grow(1)
	w.step(r)
	w.backend.Rollback() // the pool forgets it
	w.backend.Commit()
	if w.state().Nonce != 0 {
		t.Fatal("the transaction was not dropped")
	}
	w.step(r)
	w.backend.Commit()
	w.wantAnchor(1)
	if got := w.spent(0); got != 1 {
		t.Errorf("%d transactions", got)
	}
}

func TestADroppedTransactionAtTheCeilingIsSentAgainUnchanged(t *testing.T) {
	w := newWorld(t)
	cfg := w.config()
	cfg.ResendAfter = 0
	cfg.Limits = evm.GweiLimits(1, 10, 10)
	p := &skewed{Client: w.backend.Client()}
	r := w.relayer(0, cfg, p)
	w.chain.grow(1)
	for range 40 {
		w.step(r)
	}
	w.backend.Rollback()
	w.step(r)
	w.backend.Commit()
	w.wantAnchor(1)
}

func TestReorgOfThreeBlocks(t *testing.T) {
	w := newWorld(t)
	r := w.relayer(0, w.config())
	w.chain.grow(1)
	fork := w.backend.Commit()
	w.step(r)
	for range 3 {
		w.backend.Commit()
	}
	w.wantAnchor(1)
	w.step(r)
	w.reorg(fork, 4)
	if w.state().Nonce != 0 {
		t.Fatal("the re-org did not take the anchor")
	}
	w.step(r)
	w.backend.Commit()
	w.wantAnchor(1)
	w.step(r)
	if rep := r.Report(); rep.Reorgs != 1 || len(rep.Alerts) != 0 {
		t.Errorf("report is %+v", rep)
	}
	if got := w.spent(0); got != 1 {
		t.Errorf("%d transactions in the chain that stands", got)
	}
}

// reorg makes the chain go on from parent with empty blocks.
func (w *world) reorg(parent common.Hash, blocks int) {
	w.t.Helper()
	if err := w.backend.Fork(parent); err != nil {
		w.t.Fatal(err)
	}
	w.backend.Rollback()
	for range blocks {
		w.backend.Commit()
	}
}

func TestReorgsWithoutEndAreNotPaidFor(t *testing.T) {
	w := newWorld(t)
	p := &skewed{Client: w.backend.Client()}
	r := w.relayer(0, w.config(), p)
	w.chain.grow(1)
	fork := w.backend.Commit()
	for range 7 { // short of block 32, which makes all before it final
		w.step(r)
		w.backend.Commit()
		w.step(r)
		w.reorg(fork, 2)
		fork = w.backend.Commit()
	}
	w.step(r)
	wantAlert(t, r, report.AlertReorgs, nil)
	if p.sent != 6 {
		t.Errorf("%d transactions, want the first and 5 more", p.sent)
	}
	for range 32 {
		w.backend.Commit()
	}
	w.step(r)
	w.backend.Commit()
	w.wantAnchor(1)
}

func TestRacingRelayersLoseAtMostOneTransactionEach(t *testing.T) {
	w := newWorld(t)
	a, b := w.relayer(0, w.config()), w.relayer(1, w.config())
	const races = 5
	for n := range uint64(races) {
		w.chain.grow(1)
		w.step(a, b)
		w.backend.Commit()
		w.wantAnchor(n + 1)
		w.step(a, b, a, b)
		w.backend.Commit()
		if spent := w.spent(0) + w.spent(1); spent > 2*(n+1) {
			t.Fatalf("%d transactions after %d anchors", spent, n+1)
		}
	}
	w.step(a, b)
	one, two := a.Report(), b.Report()
	if lost := one.Reverted["raced"] + two.Reverted["raced"]; lost > races || one.Landed+two.Landed != races {
		t.Errorf("landed %d and %d, lost %d of %d races", one.Landed, two.Landed, lost, races)
	}
}

func TestALostRaceIsNotPaidForAgain(t *testing.T) {
	w := newWorld(t)
	cfg := w.config()
	cfg.ResendAfter = 0
	p := &skewed{Client: w.backend.Client(), loses: true}
	loser := w.relayer(1, cfg, p)
	w.chain.grow(1)
	w.step(loser)
	w.step(w.relayer(0, w.config()))
	w.backend.Commit()
	w.wantAnchor(1)
	for range 3 {
		w.step(loser)
	}
	if p.sent != 1 {
		t.Errorf("%d transactions for an anchor that another relayer brought", p.sent)
	}
}

func TestSomebodysPendingTransactionIsWaitedFor(t *testing.T) {
	w := newWorld(t)
	p := &skewed{Client: w.backend.Client(), pending: revert{"BadNonce()"}}
	r := w.relayer(0, w.config(), p)
	w.chain.grow(1)
	w.step(r, r)
	if p.sent != 0 {
		t.Fatal("sent beside one that is on its way")
	}
	cfg := w.config()
	cfg.ResendAfter = 0
	w.step(w.relayer(0, cfg, p)) // it has been on its way for long enough
	if p.sent != 1 {
		t.Fatal("waits for ever for another one's transaction")
	}
}

func TestAKilledRelayerSpendsNothingTwice(t *testing.T) {
	for name, resend := range map[string]time.Duration{"waits": time.Hour, "replaces": 0} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			cfg := w.config()
			cfg.ResendAfter = 0
			first := w.relayer(0, cfg)
			w.chain.grow(1)
			for range 6 { // its transaction is in the pool at twice the price that is suggested
				w.step(first)
			}
			cfg.ResendAfter = resend
			second := w.relayer(0, cfg)
			w.step(second)
			w.backend.Commit()
			w.wantAnchor(1)
			w.step(second)
			w.backend.Commit()
			if got := w.spent(0); got != 1 {
				t.Errorf("%d transactions for one anchor", got)
			}
			wantNoAlert(t, second)
		})
	}
}

func TestAKillBetweenSigningAndTheAnswer(t *testing.T) {
	w := newWorld(t)
	w.chain.grow(1)
	ctx, cancel := context.WithCancel(t.Context())
	p := &killed{skewed: skewed{Client: w.backend.Client()}, kill: cancel}
	r := w.relayer(0, w.config(), p)
	if err := r.Step(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	again := w.relayer(0, w.config())
	w.step(again)
	w.backend.Commit()
	w.step(again)
	w.backend.Commit()
	w.wantAnchor(1)
	if got := w.spent(0); got != 1 {
		t.Errorf("%d transactions for one anchor", got)
	}
}

// killed ends the process once the transaction is out.
type killed struct {
	skewed
	kill func()
}

func (k *killed) SendTransaction(ctx context.Context, tx *types.Transaction) error {
	err := k.skewed.SendTransaction(ctx, tx)
	k.kill()
	return errors.Join(err, ctx.Err())
}

func TestAnEmptyPurseIsSaidAndTriedAgain(t *testing.T) {
	w := newWorld(t)
	poor := newKey(t, 99)
	w.accounts = append(w.accounts, poor)
	r := w.relayer(3, w.config())
	w.chain.grow(1)
	w.step(r, r)
	wantAlert(t, r, report.AlertPurse, evm.ErrEmptyPurse)
	w.transact(2, &poor.address, nil, big.NewInt(ether))
	w.step(r)
	wantNoAlert(t, r)
	w.backend.Commit()
	w.wantAnchor(1)
}

// transact sends from account i and mines.
func (w *world) transact(i int, to *common.Address, data []byte, value *big.Int) *types.Receipt {
	w.t.Helper()
	client, from := w.backend.Client(), w.accounts[i]
	tx, err := from.Sign(w.t.Context(), types.NewTx(&types.DynamicFeeTx{
		ChainID: big.NewInt(1337), Nonce: w.spent(i), GasTipCap: big.NewInt(1_000_000_000), GasFeeCap: big.NewInt(100_000_000_000),
		Gas: 1_000_000, To: to, Data: data, Value: value,
	}), big.NewInt(1337))
	if err != nil {
		w.t.Fatal(err)
	}
	if err := client.SendTransaction(w.t.Context(), tx); err != nil {
		w.t.Fatal(err)
	}
	w.backend.Commit()
	receipt, err := client.TransactionReceipt(w.t.Context(), tx.Hash())
	if err != nil {
		w.t.Fatal(err)
	}
	return receipt
}

func TestTheCeilingHoldsUntilTheDeadline(t *testing.T) {
	w := newWorld(t)
	cfg := w.config()
	cfg.Limits = evm.GweiLimits(0, 0, 1000)
	r := w.relayer(0, cfg)
	w.chain.grow(1)
	w.step(r)
	wantAlert(t, r, report.AlertCeiling, evm.ErrTooHighFees)
	w.pass(time.Duration(w.trusting) * time.Second * 65 / 100)
	w.step(r)
	wantAlert(t, r, report.AlertCeiling, evm.ErrTooHighFees)
	wantAlert(t, r, report.AlertDeadline, nil)
	if w.spent(0) != 0 {
		t.Fatal("paid more than the ceiling")
	}
	w.pass(time.Duration(w.trusting) * time.Second * 3 / 100)
	w.step(r)
	w.backend.Commit()
	w.wantAnchor(1)
}

// pass lets time go by on the EVM chain.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	if err := w.backend.AdjustTime(d); err != nil {
		w.t.Fatal(err)
	}
}

func TestWithoutEstimateTheComputedGasIsEnough(t *testing.T) {
	for _, validators := range []int{1, 21, 100} {
		w := newWorld(t)
		w.chain.rotate(t, validators, 7)
		w.contract = w.deploy(w.chain.origin)
		r := w.relayer(0, w.config(), &skewed{Client: w.backend.Client(), noEstimate: true})
		for n := range uint64(2) {
			w.chain.grow(1000)
			w.step(r)
			w.backend.Commit()
			w.wantAnchor(n + 1)
		}
	}
}
