// SPDX-License-Identifier: Apache-2.0

package anchor_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/domain/receipt"
)

// golden is testdata/golden/anchor.json, which the contract's tests read as well. Hashes and bytes are hex after 0x.
type golden struct {
	Note   string
	Origin struct {
		ChainID         string `json:"chainId"`
		Seconds         int64  `json:",string"`
		Nanos           uint32
		InitialHeight   uint64 `json:",string"`
		AppState        string
		OriginID        string `json:"originId"`
		DomainSeparator string
	}
	KeyProof struct {
		ChainID   string `json:"chainId"`
		Validator string
		Digest    string
		Address   string
		Signature string
	}
	Submissions []goldenSubmission
}

// goldenSubmission is an anchor and what submit takes with it from an empty contract.
type goldenSubmission struct {
	Nonce      uint64 `json:",string"`
	Height     uint64 `json:",string"`
	Time       uint64 `json:",string"`
	TreeSize   uint64 `json:",string"`
	Root       string
	NextValset string
	StructHash string
	Digest     string
	Members    []string
	Valset     string
	Bitmap     string
	Signatures []string
	Compact    string
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil || !strings.HasPrefix(text, "0x") {
		t.Fatalf("%q is not hex after 0x: %v", text, err)
	}
	return b
}

func unhash(t *testing.T, text string) [32]byte {
	t.Helper()
	b := unhex(t, text)
	if len(b) != 32 {
		t.Fatalf("%q is not 32 bytes", text)
	}
	return [32]byte(b)
}

func TestGolden(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "golden", "anchor.json"))
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	o := g.Origin
	origin := anchor.OriginID(o.ChainID, o.Seconds, o.Nanos, o.InitialHeight, []byte(o.AppState))
	domain := anchor.NewDomain(origin)
	if origin != unhash(t, o.OriginID) || domain != unhash(t, o.DomainSeparator) {
		t.Errorf("origin %x, domain %x", origin, domain)
	}
	proof := anchor.KeyProofDigest(g.KeyProof.ChainID, g.KeyProof.Validator)
	signer, err := receipt.RecoverAddress(proof, anchor.Signature(unhex(t, g.KeyProof.Signature)))
	if err != nil || proof != unhash(t, g.KeyProof.Digest) || signer != [20]byte(unhex(t, g.KeyProof.Address)) {
		t.Errorf("key proof %x by %x, %v", proof, signer, err)
	}
	if len(g.Submissions) == 0 {
		t.Fatal("no submissions")
	}
	for _, s := range g.Submissions {
		checkGolden(t, domain, s)
	}
}

func checkGolden(t *testing.T, domain anchor.Domain, s goldenSubmission) {
	t.Helper()
	a := anchor.Anchor{
		Nonce: s.Nonce, Height: s.Height, Time: s.Time, TreeSize: s.TreeSize, Root: unhash(t, s.Root), NextValset: unhash(t, s.NextValset),
	}
	if got := a.StructHash(); got != unhash(t, s.StructHash) {
		t.Errorf("nonce %d: hashStruct %x", s.Nonce, got)
	}
	digest := domain.Digest(a)
	if digest != unhash(t, s.Digest) {
		t.Errorf("nonce %d: digest %x", s.Nonce, digest)
	}
	var words [][32]byte
	for _, word := range s.Members {
		words = append(words, unhash(t, word))
	}
	set, err := anchor.Unpack(words)
	if err != nil || set.Hash() != unhash(t, s.Valset) {
		t.Fatalf("nonce %d: set %x, %v", s.Nonce, set.Hash(), err)
	}
	var sigs []anchor.Signature
	short := "0x"
	for _, text := range s.Signatures {
		sig := anchor.Signature(unhex(t, text))
		c := anchor.Compact(sig)
		sigs, short = append(sigs, sig), short+hex.EncodeToString(c[:])
	}
	wantErr(t, set.Verify(digest, anchor.Bitmap(unhash(t, s.Bitmap)), sigs, recoverAddress), nil)
	if short != s.Compact {
		t.Errorf("nonce %d: compact %s", s.Nonce, short)
	}
}
