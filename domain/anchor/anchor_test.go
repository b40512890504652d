// SPDX-License-Identifier: Apache-2.0

package anchor_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/domain/receipt"
)

// word is an unsigned integer as EIP-712 encodes it.
func word(v uint64) []byte { return new(big.Int).SetUint64(v).FillBytes(make([]byte, 32)) }

func anyAnchor() *rapid.Generator[anchor.Anchor] {
	return rapid.Custom(func(t *rapid.T) anchor.Anchor {
		hash := rapid.SliceOfN(rapid.Byte(), 32, 32)
		return anchor.Anchor{
			Nonce: rapid.Uint64().Draw(t, "nonce"), Height: rapid.Uint64().Draw(t, "height"), Time: rapid.Uint64().Draw(t, "time"),
			TreeSize: rapid.Uint64().Draw(t, "size"), Root: [32]byte(hash.Draw(t, "root")), NextValset: [32]byte(hash.Draw(t, "set")),
		}
	})
}

// TestDigest encodes EIP-712 another way, with the type strings written out here.
func TestDigest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyAnchor().Draw(t, "anchor")
		origin := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "origin"))
		structHash := keccak(
			keccak([]byte("Anchor(uint64 nonce,uint64 height,uint64 time,uint64 treeSize,bytes32 root,bytes32 nextValset)")),
			word(a.Nonce), word(a.Height), word(a.Time), word(a.TreeSize), a.Root[:], a.NextValset[:],
		)
		domain := keccak(
			keccak([]byte("EIP712Domain(string name,string version,bytes32 salt)")),
			keccak([]byte("ReceiptAnchor")), keccak([]byte("1")), origin[:],
		)
		d := anchor.NewDomain(origin)
		gotStruct, gotDigest := a.StructHash(), d.Digest(a)
		if !bytes.Equal(gotStruct[:], structHash) || !bytes.Equal(d[:], domain) {
			t.Fatalf("hashStruct %x, want %x; domain %x, want %x", gotStruct, structHash, d, domain)
		}
		if want := keccak([]byte{0x19, 0x01}, domain, structHash); !bytes.Equal(gotDigest[:], want) {
			t.Fatalf("digest %x, want %x", gotDigest, want)
		}
	})
}

func TestDigestNamesEveryField(t *testing.T) {
	base := anchor.Anchor{Nonce: 1, Height: 2, Time: 3, TreeSize: 4, Root: [32]byte{5}, NextValset: [32]byte{6}}
	seen := map[[32]byte]string{base.StructHash(): "base"}
	for name, change := range map[string]func(a *anchor.Anchor){
		"nonce": func(a *anchor.Anchor) { a.Nonce++ }, "height": func(a *anchor.Anchor) { a.Height++ },
		"time": func(a *anchor.Anchor) { a.Time++ }, "size": func(a *anchor.Anchor) { a.TreeSize++ },
		"root": func(a *anchor.Anchor) { a.Root[31]++ }, "set": func(a *anchor.Anchor) { a.NextValset[31]++ },
	} {
		a := base
		change(&a)
		if other, taken := seen[a.StructHash()]; taken {
			t.Errorf("%s has the hash of %s", name, other)
		}
		seen[a.StructHash()] = name
	}
	if anchor.NewDomain([32]byte{1}).Digest(base) == anchor.NewDomain([32]byte{2}).Digest(base) {
		t.Error("two chains have one digest")
	}
}

func TestOriginID(t *testing.T) {
	state := []byte(`{"bank":{}}`)
	stateHash := sha256.Sum256(state)
	text := "gpucoord/origin/v1\x00" + "\x00\x06gpuc-1" + "\x00\x00\x00\x00\x6a\x00\x00\x01" + "\x00\x00\x00\x07" + "\x00\x00\x00\x00\x00\x00\x00\x09"
	want := sha256.Sum256(append([]byte(text), stateHash[:]...))
	if got := anchor.OriginID("gpuc-1", 0x6a000001, 7, 9, state); got != want {
		t.Errorf("got %x, want %x", got, want)
	}
	seen := map[[32]byte]bool{want: true}
	for _, other := range [][32]byte{
		anchor.OriginID("gpuc-2", 0x6a000001, 7, 9, state), anchor.OriginID("gpuc-1", 0x6a000002, 7, 9, state),
		anchor.OriginID("gpuc-1", 0x6a000001, 8, 9, state), anchor.OriginID("gpuc-1", 0x6a000001, 7, 10, state),
		anchor.OriginID("gpuc-1", 0x6a000001, 7, 9, []byte(`{"bank":{"a":1}}`)), anchor.OriginID("gpuc-1", -1, 7, 9, state),
	} {
		if seen[other] {
			t.Errorf("%x names two chains", other)
		}
		seen[other] = true
	}
}

func TestKeyProofDigest(t *testing.T) {
	text := "gpucoord/anchor-key/v1\ngpuc-1\ngpucvaloper1abc"
	want := keccak([]byte("\x19Ethereum Signed Message:\n45" + text))
	if got := anchor.KeyProofDigest("gpuc-1", "gpucvaloper1abc"); !bytes.Equal(got[:], want) {
		t.Errorf("got %x, want %x", got, want)
	}
	if anchor.KeyProofDigest("gpuc-2", "gpucvaloper1abc") == anchor.KeyProofDigest("gpuc-1", "gpucvaloper1abc") {
		t.Error("a proof for one chain is one for another")
	}
}

// TestCompact takes the 64 bytes apart as EIP-2098 says and recovers the signer from them.
func TestCompact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key, err := receipt.ParsePrivateKey(keccak(rapid.SliceOf(rapid.Byte()).Draw(t, "seed")))
		if err != nil {
			t.Skip("no key")
		}
		digest := [32]byte(keccak(rapid.SliceOf(rapid.Byte()).Draw(t, "text")))
		sig := receipt.Sign(key, digest)
		c := anchor.Compact(sig)
		back := anchor.Signature{}
		copy(back[:], c[:])
		back[64] = 27 + c[32]>>7
		back[32] &= 0x7f
		if back != sig {
			t.Fatalf("%x came back as %x", sig, back)
		}
		if signer, err := receipt.RecoverAddress(digest, back); err != nil || signer != receipt.KeyAddress(key) {
			t.Fatalf("signer %x, %v", signer, err)
		}
	})
}

// TestExampleSignature is EIP-2098's own test vector.
func TestExampleSignature(t *testing.T) {
	sig, err := hex.DecodeString("68a020a209d3d56c46f38cc50a33f704f4a9a10a59377f8dd762ac66910e9b90" +
		"7e865ad05c4035ab5792787d4a0297a43617ae897930a6fe4d822b8faea520641b")
	if err != nil {
		t.Fatal(err)
	}
	want := "68a020a209d3d56c46f38cc50a33f704f4a9a10a59377f8dd762ac66910e9b907e865ad05c4035ab5792787d4a0297a43617ae897930a6fe4d822b8faea52064"
	if c := anchor.Compact(anchor.Signature(sig)); hex.EncodeToString(c[:]) != want {
		t.Errorf("got %x, want %s", c, want)
	}
	sig[64] = 28
	if c := anchor.Compact(anchor.Signature(sig)); c[32] != 0xfe {
		t.Errorf("v 28 gave %x", c[32])
	}
}
