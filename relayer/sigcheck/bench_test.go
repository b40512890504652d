// SPDX-License-Identifier: Apache-2.0

package sigcheck_test

import (
	"crypto/sha256"
	"testing"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/relayer/internal/receipttest"
	"github.com/gpucoord/gpucoord/relayer/sigcheck"
)

// BenchmarkReceiptCheck applies all 13 record rules to one record, on one core.
func BenchmarkReceiptCheck(b *testing.B) {
	m := receipttest.New()
	for name, r := range map[string]receipt.Record{"2-signatures": m.Record(1), "3-signatures": m.Countersigned(m.Record(1))} {
		sr1 := r.AppendSR1(nil)
		for build, recovery := range map[string]receipt.Recover{"relayer": sigcheck.Recover, "pure-go": receipt.RecoverAddress} {
			b.Run(name+"/"+build, func(b *testing.B) {
				checker := receipt.Checker{Domain: m.Domain, Recover: recovery}
				b.ReportAllocs()
				for b.Loop() {
					if _, err := checker.Check(sr1); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkSign signs one digest, on one core.
func BenchmarkSign(b *testing.B) {
	m := receipttest.New()
	r := m.Record(1)
	digest := r.Digest(m.Domain)
	seed := sha256.Sum256([]byte("key"))
	key, err := receipt.ParsePrivateKey(seed[:])
	if err != nil {
		b.Fatal(err)
	}
	for build, sign := range map[string]func(*receipt.PrivateKey, [32]byte) [65]byte{"relayer": sigcheck.Sign, "pure-go": receipt.Sign} {
		b.Run(build, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sign(key, digest)
			}
		})
	}
}
