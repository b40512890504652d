// SPDX-License-Identifier: Apache-2.0

package sigcheck_test

import (
	"crypto/sha256"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/relayer/sigcheck"
)

// props: whatever bytes come in, the fast and the plain recovery give the same address and the same error.
func props(t *rapid.T) {
	seed := sha256.Sum256(rapid.SliceOfN(rapid.Byte(), 1, 8).Draw(t, "key"))
	key, err := receipt.ParsePrivateKey(seed[:])
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(rapid.SliceOfN(rapid.Byte(), 0, 8).Draw(t, "message"))
	sig := receipt.Sign(key, digest)
	for range rapid.IntRange(0, 3).Draw(t, "changes") {
		sig[rapid.IntRange(0, 64).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
	}
	want, wantErr := receipt.RecoverAddress(digest, sig)
	got, gotErr := sigcheck.Recover(digest, sig)
	if got != want || !errors.Is(gotErr, wantErr) {
		t.Fatalf("got %x %v, want %x %v for %x", got, gotErr, want, wantErr, sig)
	}
}

func TestRecoverAgreesWithThePlainOne(t *testing.T) { rapid.Check(t, props) }

func FuzzRecover(f *testing.F) { f.Fuzz(rapid.MakeFuzz(props)) }

func TestRecoverRefusesRangeFaults(t *testing.T) {
	digest := sha256.Sum256([]byte("digest"))
	for name, change := range map[string]func(*[65]byte){
		"r zero": func(s *[65]byte) { clear(s[:32]) },
		"r at most 2^256-1": func(s *[65]byte) {
			for i := range 32 {
				s[i] = 0xff
			}
		},
		"s zero": func(s *[65]byte) { clear(s[32:64]) },
	} {
		t.Run(name, func(t *testing.T) {
			seed := sha256.Sum256([]byte("key"))
			key, err := receipt.ParsePrivateKey(seed[:])
			if err != nil {
				t.Fatal(err)
			}
			sig := receipt.Sign(key, digest)
			change(&sig)
			if _, err := sigcheck.Recover(digest, sig); !errors.Is(err, receipt.ErrNotRecovered) {
				t.Fatalf("got %v, want ErrNotRecovered", err)
			}
		})
	}
}
