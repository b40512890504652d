// SPDX-License-Identifier: Apache-2.0

package sigcheck_test

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/relayer/sigcheck"
)

// signProps: whatever key and digest, both ways of signing give the same bytes.
func signProps(t *rapid.T) {
	seed := sha256.Sum256(rapid.SliceOfN(rapid.Byte(), 1, 8).Draw(t, "key"))
	key, err := receipt.ParsePrivateKey(seed[:])
	if err != nil {
		t.Fatal(err)
	}
	digest := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "digest"))
	if got, want := sigcheck.Sign(key, digest), receipt.Sign(key, digest); got != want {
		t.Fatalf("got %x, want %x for digest %x", got, want, digest)
	}
}

func TestSignAgreesWithThePlainOne(t *testing.T) { rapid.Check(t, signProps) }

func FuzzSign(f *testing.F) { f.Fuzz(rapid.MakeFuzz(signProps)) }

// TestSignAgreesAtTheEdges takes keys and digests around zero and the curve's order, where reductions happen.
func TestSignAgreesAtTheEdges(t *testing.T) {
	const order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd03641"
	of := func(text string) (b [32]byte) {
		if _, err := hex.Decode(b[:], []byte(text)); err != nil {
			t.Fatal(err)
		}
		return b
	}
	zero, one, all := [32]byte{}, [32]byte{31: 1}, [32]byte{}
	for i := range all {
		all[i] = 0xff
	}
	for _, rawKey := range [][32]byte{one, of(order + "40")} {
		key, err := receipt.ParsePrivateKey(rawKey[:])
		if err != nil {
			t.Fatal(err)
		}
		for _, digest := range [][32]byte{zero, one, of(order + "40"), of(order + "41"), of(order + "42"), all} {
			if got, want := sigcheck.Sign(key, digest), receipt.Sign(key, digest); got != want {
				t.Errorf("key %x, digest %x: got %x, want %x", rawKey, digest, got, want)
			}
		}
	}
}
