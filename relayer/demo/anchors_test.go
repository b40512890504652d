// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	anchorstypes "github.com/gpucoord/gpucoord/x/anchors/types"
)

func TestEVMFlagsGoTogether(t *testing.T) {
	for name, tc := range map[string]struct {
		options Options
		want    error
	}{
		"embedded":       {Options{}, nil},
		"none":           {Options{NoEVM: true}, nil},
		"all":            {Options{EVMRPC: "https://rpc.example/key", EVMKeyFile: "k", EVMPasswordFile: "p"}, nil},
		"no key":         {Options{EVMRPC: "http://127.0.0.1:8545", EVMPasswordFile: "p"}, ErrEVMFlags},
		"no password":    {Options{EVMRPC: "http://127.0.0.1:8545", EVMKeyFile: "k"}, ErrEVMFlags},
		"a key alone":    {Options{EVMKeyFile: "k"}, ErrEVMFlags},
		"another scheme": {Options{EVMRPC: "ws://127.0.0.1:8545", EVMKeyFile: "k", EVMPasswordFile: "p"}, ErrEVMFlags},
		"no URL":         {Options{EVMRPC: "127.0.0.1:8545", EVMKeyFile: "k", EVMPasswordFile: "p"}, ErrEVMFlags},
		"both":           {Options{EVMRPC: "http://127.0.0.1:8545", EVMKeyFile: "k", EVMPasswordFile: "p", NoEVM: true}, ErrEVMFlags},
	} {
		err := tc.options.checkEVM()
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
		if tc.want == nil && tc.options.EVMKeyFile != "" && !filepath.IsAbs(tc.options.EVMKeyFile) {
			t.Errorf("%s: the anchorer would look for %s elsewhere", name, tc.options.EVMKeyFile)
		}
	}
}

func TestALandingIsTheChainsOnlyIfAllAgrees(t *testing.T) {
	attested := &anchorstypes.AttestedAnchor{Anchor: anchorstypes.Anchor{Nonce: 3, Height: 40, TreeSize: 7, Root: []byte{0xab, 0xcd}}}
	for name, tc := range map[string]struct {
		landing Landing
		want    bool
	}{
		"same":           {Landing{Nonce: 3, Height: 40, TreeSize: 7, Root: "abcd"}, true},
		"another root":   {Landing{Nonce: 3, Height: 40, TreeSize: 7, Root: "abce"}, false},
		"another size":   {Landing{Nonce: 3, Height: 40, TreeSize: 8, Root: "abcd"}, false},
		"another height": {Landing{Nonce: 3, Height: 41, TreeSize: 7, Root: "abcd"}, false},
	} {
		if got := tc.landing.is(attested); got != tc.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestThePageShowsAnchors(t *testing.T) {
	r := &Report{Anchors: &AnchorsReport{Attested: 9, Nonce: 9, Height: 120, TreeSize: 30, Signatures: 1, EVM: &EVMReport{
		Chain: "development EVM chain, simulated", Simulated: true, ChainID: 1337, Contract: "0xabc", LagLeaves: 2, LagSeconds: 5, GasUsed: 140_000,
		Landed: []Landing{{Nonce: 5, Tx: "0x01", Gas: 70_000}, {Nonce: 8, Tx: "0x02", Gas: 70_000}},
		Receipt: &ReceiptReport{
			Batch: 4, Bytes: 6_769, Rows: []string{"PASS  evm", allPassed}, Conclusion: allPassed, verifyLine: "gpucoord verify receipt B",
		},
	}}}
	p := new(page)
	p.anchors(&World{}, r)
	for _, want := range []string{
		"9 attested anchors; the newest has nonce 9", "development EVM chain, simulated", "2 anchors; 2 left out", "2 leaves, 5 s", "140,000",
		"0x02", "gpucoord verify receipt B", "PASS  evm", "6,769 bytes",
	} {
		if !strings.Contains(p.b.String(), want) {
			t.Errorf("the page lacks %q:\n%s", want, p.b.String())
		}
	}
}

func TestTheProvenReceiptIsOfThisRunAndCountersigned(t *testing.T) {
	st := newStory(t)
	old := st.then.batches[0]
	old.Id, old.Epoch = 99, 3 // settled before the run
	old.Groups = append(old.Groups[:0:0], old.Groups...)
	old.Groups[0].AmountUusdc = 1 << 30
	st.then.batches = append(st.then.batches, old)
	if b, _ := exampleGroup(st.then, true); b == nil || b.Id == 99 {
		t.Errorf("batch %v is shown", b)
	}
	for i := range st.then.batches {
		st.then.batches[i].States[0].PaysOperators = false
	}
	if b, _ := exampleGroup(st.then, true); b != nil {
		t.Error("a receipt that nobody countersigned cannot pass every check")
	}
	if b, _ := exampleGroup(st.then, false); b == nil {
		t.Error("the page shows no example")
	}
}
