// SPDX-License-Identifier: Apache-2.0

package difftest

import (
	"bytes"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi/abigen"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/common/math"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"

	"github.com/gpucoord/gpucoord/domain/anchor"
)

// typedDigest is the digest as go-ethereum's wallet code computes it.
func typedDigest(t *testing.T, origin [32]byte, a anchor.Anchor) (digest []byte) {
	t.Helper()
	number := func(v uint64) *math.HexOrDecimal256 { return (*math.HexOrDecimal256)(new(big.Int).SetUint64(v)) }
	digest, _, err := apitypes.TypedDataAndHash(apitypes.TypedData{
		Types: apitypes.Types{
			"EIP712Domain": {{Name: "name", Type: "string"}, {Name: "version", Type: "string"}, {Name: "salt", Type: "bytes32"}},
			"Anchor": {
				{Name: "nonce", Type: "uint64"},
				{Name: "height", Type: "uint64"},
				{Name: "time", Type: "uint64"},
				{Name: "treeSize", Type: "uint64"},
				{Name: "root", Type: "bytes32"},
				{Name: "nextValset", Type: "bytes32"},
			},
		},
		PrimaryType: "Anchor",
		Domain:      apitypes.TypedDataDomain{Name: "ReceiptAnchor", Version: "1", Salt: hexutil.Encode(origin[:])},
		Message: apitypes.TypedDataMessage{
			"nonce": number(a.Nonce), "height": number(a.Height), "time": number(a.Time), "treeSize": number(a.TreeSize),
			"root": a.Root[:], "nextValset": a.NextValset[:],
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

// TestDigests compares the contract, domain/anchor and go-ethereum's wallet code.
func TestDigests(t *testing.T) {
	c := newChain(t, osaka)
	to := c.deployAnchor([32]byte{1}, common.Address{})
	domain := anchor.NewDomain(testOrigin)
	if out, _ := c.call(to, binding.PackDomainSeparator()); !bytes.Equal(out, domain[:]) {
		t.Errorf("contract's domain %x, domain/anchor's %x", out, domain)
	}
	for _, a := range []anchor.Anchor{
		{},
		{Nonce: 1, Height: 2, Time: 3, TreeSize: 4, Root: [32]byte{5}, NextValset: [32]byte{6}},
		{Nonce: 1<<64 - 1, Height: 1<<64 - 1, Time: 1<<64 - 1, TreeSize: 1<<64 - 1, Root: [32]byte{31: 0xff}, NextValset: [32]byte{31: 0xfe}},
	} {
		digest, structHash := domain.Digest(a), a.StructHash()
		if out, _ := c.call(to, binding.PackHashAnchor(bound(a))); !bytes.Equal(out, structHash[:]) {
			t.Errorf("contract's hashStruct %x, domain/anchor's %x", out, structHash)
		}
		if out, _ := c.call(to, binding.PackDigest(bound(a))); !bytes.Equal(out, digest[:]) {
			t.Errorf("contract's digest %x, domain/anchor's %x", out, digest)
		}
		if out := typedDigest(t, testOrigin, a); !bytes.Equal(out, digest[:]) {
			t.Errorf("wallet's digest %x, domain/anchor's %x", out, digest)
		}
	}
}

// TestGolden submits what testdata/golden/anchor.json holds.
func TestGolden(t *testing.T) {
	type integer = uint64
	var golden struct {
		Origin struct {
			OriginID        hash `json:"originId"`
			DomainSeparator hash
		}
		Submissions []struct {
			Nonce      integer `json:",string"`
			Height     integer `json:",string"`
			Time       integer `json:",string"`
			TreeSize   integer `json:",string"`
			Root       hash
			NextValset hash
			StructHash hash
			Digest     hash
			Members    []hash
			Valset     hash
			Bitmap     hash
			Compact    hexutil.Bytes
		}
	}
	readJSON(t, "golden/anchor.json", &golden)
	if len(golden.Submissions) == 0 {
		t.Fatal("no submissions")
	}
	eachRule(t, func(t *testing.T, c *chain) {
		code := common.FromHex(strings.TrimSpace(readBin(t)))
		for _, g := range golden.Submissions {
			args := binding.PackConstructor(golden.Origin.OriginID, g.Valset, c.now(), trustingPeriod, common.Address{})
			to := c.deploy(code, args)
			sub := submission{
				anchor: anchor.Anchor{
					Nonce: g.Nonce, Height: g.Height, Time: g.Time, TreeSize: g.TreeSize, Root: g.Root, NextValset: g.NextValset,
				},
				members: unhash(g.Members), bitmap: anchor.Bitmap(g.Bitmap), sigs: g.Compact,
			}
			if digest := typedDigest(t, golden.Origin.OriginID, sub.anchor); !bytes.Equal(digest, g.Digest[:]) {
				t.Errorf("nonce %d: wallet's digest %x", g.Nonce, digest)
			}
			if r := c.send(&to, sub.pack()); r.Status != types.ReceiptStatusSuccessful {
				_, reason := c.call(to, sub.pack())
				t.Errorf("nonce %d is refused: %s", g.Nonce, reason)
			}
			slot := new(big.Int).SetUint64(g.Nonce % ringSize)
			if out, _ := c.call(to, binding.PackRing(slot)); !bytes.Equal(out, g.StructHash[:]) {
				t.Errorf("nonce %d: the ring holds %x", g.Nonce, out)
			}
		}
	})
}

func readBin(t *testing.T) string {
	t.Helper()
	bin, err := os.ReadFile("../artifacts/ReceiptAnchor.bin")
	if err != nil {
		t.Fatal(err)
	}
	return string(bin)
}

// TestBindingIsOfTheArtifacts makes the binding again from the committed ABI and bytecode.
func TestBindingIsOfTheArtifacts(t *testing.T) {
	definition, err := os.ReadFile("../artifacts/ReceiptAnchor.abi.json")
	if err != nil {
		t.Fatal(err)
	}
	abis, bins := []string{string(definition)}, []string{strings.TrimSpace(readBin(t))}
	want, err := abigen.BindV2([]string{"ReceiptAnchor"}, abis, bins, "receiptanchor", map[string]string{}, map[string]string{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../receiptanchor/receiptanchor.go")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("the binding is not of these artifacts: run make contracts")
	}
}
