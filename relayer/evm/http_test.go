// SPDX-License-Identifier: Apache-2.0

package evm_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/gpucoord/gpucoord/relayer/evm"
	"github.com/gpucoord/gpucoord/relayer/evm/devchain"
)

// onDevChain starts an EVM chain behind JSON-RPC with a contract of chain, and a relayer with the key file of an account there.
func onDevChain(t *testing.T, chain *fakeChain) (*devchain.Chain, *evm.Anchorer) {
	t.Helper()
	dir := t.TempDir()
	dev, err := devchain.Start(t.Context(), devchain.Options{Dir: dir, Accounts: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dev.Close(); err != nil {
			t.Error(err)
		}
	})
	contract, err := dev.Deploy(t.Context(), evm.Deployment{Origin: chain.origin, Valset: chain.current.Hash(), TrustingPeriod: 3600})
	if err != nil {
		t.Fatal(err)
	}
	hidden := filepath.Join(dir, "rpc")
	if err := os.WriteFile(hidden, []byte(dev.URL+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	clients, err := evm.DialEndpoints(t.Context(), []string{"file:" + hidden, dev.URL})
	if err != nil {
		t.Fatal(err)
	}
	payer := dev.Accounts[1]
	purse, err := evm.OpenKeyFile(payer.KeystorePath, payer.PasswordFile)
	if err != nil {
		t.Fatal(err)
	}
	return dev, evm.New(chain, clients, func(context.Context) (evm.Purse, error) { return purse, nil }, evm.Config{
		Name: "dev", ChainID: devchain.ChainID, Contract: contract, Limits: evm.GweiLimits(0, 50, 500), Interval: time.Second, ResendAfter: time.Hour,
		Confirmations: 64, MaxLag: 10,
	}, slog.New(slog.DiscardHandler))
}

func TestTwoChainsOverJSONRPCAndAReorgOfOne(t *testing.T) {
	chain := newFakeChain(t, 4)
	one, first := onDevChain(t, chain)
	two, second := onDevChain(t, chain)
	one.Commit()
	want := func(where string, r *evm.Anchorer, nonce uint64) {
		t.Helper()
		if err := r.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		if rep := r.Report(); rep.Latest.Nonce != nonce || len(rep.Alerts) != 0 {
			t.Fatalf("%s: anchor %d, alerts %v; want anchor %d", where, rep.Latest.Nonce, rep.Alerts, nonce)
		}
	}
	for nonce := range uint64(2) {
		chain.grow(2)
		want("first", first, nonce)
		want("second", second, nonce)
		one.Commit()
		two.Commit()
	}
	one.Commit()
	one.Commit()
	want("first", first, 2)
	if err := one.Reorg(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	want("first after the re-org", first, 1)
	one.Commit()
	want("first", first, 2)
	want("second", second, 2)
	if got := first.Report(); got.Reorgs != 1 {
		t.Errorf("%d re-orgs noticed", got.Reorgs)
	}
}

func TestDeployRefusesBeforeItPays(t *testing.T) {
	w := newWorld(t)
	good := evm.Deployment{Origin: [32]byte{1}, Valset: [32]byte{2}, TrustingPeriod: 100}
	poor := newKey(t, 77)
	deploy := func(d evm.Deployment, k *key, l evm.Limits) error {
		_, err := evm.Deploy(t.Context(), w.backend.Client(), k, l, d)
		return err
	}
	noSet := good
	noSet.Valset = [32]byte{}
	if err := deploy(noSet, w.accounts[0], evm.GweiLimits(0, 50, 50)); err == nil || w.spent(0) != 0 {
		t.Error("a contract without a set was paid for")
	}
	if err := deploy(good, w.accounts[0], evm.GweiLimits(0, 0, 0)); err == nil || w.spent(0) != 0 {
		t.Error("the ceiling does not hold")
	}
	if err := deploy(good, poor, evm.GweiLimits(0, 50, 50)); err == nil {
		t.Error("an account without coins pays")
	}
	if made, err := evm.Deploy(t.Context(), w.backend.Client(), w.accounts[0], evm.GweiLimits(0, 50, 50), good); err != nil || made.Address == (common.Address{}) {
		t.Errorf("got %v, %v", made, err)
	}
}
