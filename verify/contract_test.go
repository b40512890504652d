// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"math/big"
	"os"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/gpucoord/gpucoord/contracts/receiptanchor"
	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/relayer/evm"
	"github.com/gpucoord/gpucoord/relayer/evm/devchain"
	"github.com/gpucoord/gpucoord/verify"
)

// TestRealContract: a ReceiptAnchor on a real EVM takes the bundle's anchor as it stands, and says of its leaf what this package says.
func TestRealContract(t *testing.T) {
	w, _ := base()
	b, trust := baseBundle()
	chain, err := devchain.Start(t.Context(), devchain.Options{Dir: t.TempDir(), Accounts: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = chain.Close() })
	address, err := chain.Deploy(t.Context(), evm.Deployment{Origin: origin, Valset: w.members.Hash(), TrustingPeriod: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	options := verify.Options{Trust: trust, Contract: &verify.Contract{URL: chain.URL, Address: address}}
	if row := check(t, b, options).Row(verify.CheckEVM); row.Status != verify.Fail {
		t.Errorf("before the anchor is there: %s: %s", row.Status, row.What)
	}
	submit(t, chain, address, w, b)
	report := check(t, b, options)
	if text := show(t, report); report.ExitCode() != 0 || report.Conclusion() != "all checks passed" {
		t.Errorf("exit %d\n%s", report.ExitCode(), text)
	}
	for name, change := range map[string]func(*verify.Bundle){
		"another leaf":  func(b *verify.Bundle) { b.Leaf.Data[80]++ },
		"another index": func(b *verify.Bundle) { b.Leaf.Index-- },
		"swapped path":  func(b *verify.Bundle) { swap(b.Leaf.Path, 32) },
		"path cut":      func(b *verify.Bundle) { b.Leaf.Path = b.Leaf.Path[:len(b.Leaf.Path)-32] },
	} {
		b, _ := baseBundle()
		change(b)
		report := check(t, b, options)
		if report.Row(verify.CheckEVM).Status != verify.Fail || report.Row(verify.CheckLog).Status != verify.Fail {
			t.Errorf("%s:\n%s", name, show(t, report))
		}
	}
}

// submit sends the bundle's anchor to the contract.
func submit(t *testing.T, chain *devchain.Chain, contract common.Address, w *world, b *verify.Bundle) {
	t.Helper()
	var compact []byte
	for rest := b.Anchor.Signatures; len(rest) > 0; rest = rest[65:] {
		c := anchor.Compact(anchor.Signature(rest[:65]))
		compact = append(compact, c[:]...)
	}
	data := receiptanchor.NewReceiptAnchor().PackSubmit(bound(w.anchor), w.members.Packed(), new(big.Int).SetBytes(b.Anchor.Bitmap), compact, nil)
	account := chain.Accounts[0]
	key := must(keystore.DecryptKey(must(os.ReadFile(account.KeystorePath)), string(bytes.TrimSpace(must(os.ReadFile(account.PasswordFile))))))
	client := must(ethclient.DialContext(t.Context(), chain.URL))
	defer client.Close()
	tx := types.MustSignNewTx(key.PrivateKey, types.LatestSignerForChainID(big.NewInt(devchain.ChainID)), &types.DynamicFeeTx{
		ChainID: big.NewInt(devchain.ChainID), Nonce: must(client.NonceAt(t.Context(), account.Address, nil)), To: &contract,
		Gas: 500_000, GasFeeCap: big.NewInt(10_000_000_000), GasTipCap: big.NewInt(1_000_000_000), Data: data,
	})
	if err := client.SendTransaction(t.Context(), tx); err != nil {
		t.Fatal(err)
	}
	chain.Commit()
	if r, err := bind.WaitMined(t.Context(), client, tx.Hash()); err != nil || r.Status != 1 {
		t.Fatalf("the contract refused the anchor: %v, %v", r, err)
	}
}

func bound(a anchor.Anchor) receiptanchor.ReceiptAnchorAnchor {
	return receiptanchor.ReceiptAnchorAnchor{
		Nonce: a.Nonce, Height: a.Height, Time: a.Time, TreeSize: a.TreeSize, Root: a.Root, NextValset: a.NextValset,
	}
}

// TestCallInclusion compares the calldata made here with that of the contract's own binding.
func TestCallInclusion(t *testing.T) {
	w, _ := base()
	for n := range 3 {
		path := make([][32]byte, n)
		for i := range path {
			path[i] = log.LeafHash([]byte{byte(i)})
		}
		leafHash := log.LeafHash(w.leaves[leafIndex])
		got := verify.CallInclusion(w.anchor, leafHash, leafIndex, path)
		want := receiptanchor.NewReceiptAnchor().PackVerifyInclusion(bound(w.anchor), leafHash, big.NewInt(leafIndex), path)
		if !bytes.Equal(got, want) {
			t.Errorf("path of %d:\n%x\nwant\n%x", n, got, want)
		}
	}
}
