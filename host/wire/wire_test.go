// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host/wire"
)

func TestJobAuthRoundTrip(t *testing.T) {
	want := receipt.JobAuth{Payer: [20]byte{1}, Nonce: 7, ExpiresAt: 9}
	auth, sig, err := wire.DecodeJobAuth(wire.EncodeJobAuth(&want, [65]byte{64: 27}))
	if err != nil || auth != want || sig != [65]byte{64: 27} {
		t.Fatalf("got %+v, %x, %v", auth, sig, err)
	}
	for _, s := range []string{"", "AAAA", strings.Repeat("A", 363), "!" + strings.Repeat("A", 363)} {
		if _, _, err := wire.DecodeJobAuth(s); !errors.Is(err, wire.ErrMalformed) {
			t.Errorf("%q: got %v", s, err)
		}
	}
}

func TestAuthRoundTrip(t *testing.T) {
	key, err := receipt.ParsePrivateKey([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	host := [20]byte{5}
	addr, at, sig, err := wire.DecodeAuth(wire.EncodeAuth(key, host, 1234))
	if err != nil || addr != receipt.KeyAddress(key) || at != 1234 {
		t.Fatalf("got %x, %d, %v", addr, at, err)
	}
	preimage := "GCO1" + string(host[:]) + "\x00\x00\x00\x00\x00\x00\x04\xd2"
	if got, err := receipt.RecoverAddress(sha256.Sum256([]byte(preimage)), sig); err != nil || got != addr {
		t.Fatalf("got %x, %v", got, err)
	}
}

func TestReceiptRoundTrip(t *testing.T) {
	want := receipt.Record{Seq: 3, Countersigned: true, SigFinal: [65]byte{1}}
	got, err := wire.DecodeReceipt(wire.EncodeReceipt(&want))
	if err != nil || got != want {
		t.Fatalf("got %+v, %v", got, err)
	}
	if _, err := wire.DecodeReceipt("?"); !errors.Is(err, wire.ErrMalformed) {
		t.Fatalf("got %v", err)
	}
}
