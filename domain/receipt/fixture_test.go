// SPDX-License-Identifier: Apache-2.0

package receipt_test

import (
	"crypto/sha256"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

var (
	testDomain  = receipt.NewDomain("gpucoord-test-1", 8453)
	payerKey    = mustKey("payer")
	operatorKey = mustKey("operator")
)

func mustKey(label string) *receipt.PrivateKey {
	seed := sha256.Sum256([]byte("throwaway " + label))
	key, err := receipt.ParsePrivateKey(seed[:])
	if err != nil {
		panic(err)
	}
	return key
}

// sign fills in the record's parties and signatures.
func sign(r *receipt.Record, d receipt.Domain) {
	r.Auth.Payer, r.Auth.Operator = receipt.KeyAddress(payerKey), receipt.KeyAddress(operatorKey)
	digest := r.Digest(d)
	r.SigPayer, r.SigOperator = receipt.Sign(payerKey, r.JobID(d)), receipt.Sign(operatorKey, digest)
	r.SigFinal = [65]byte{}
	if r.Countersigned {
		r.SigFinal = receipt.Sign(payerKey, digest)
	}
}

// goodRecord returns a valid record of testDomain.
func goodRecord(countersigned bool) receipt.Record {
	r := receipt.Record{
		Auth: receipt.JobAuth{
			ModelID: [32]byte{1}, AdapterID: [32]byte{2}, RequestCommit: [32]byte{3}, PaymentRef: [32]byte{4},
			MaxAmount: 1_000_000, Nonce: 77, IssuedAt: 1_700_000_000, ExpiresAt: 1_700_003_600,
		},
		HostID: [32]byte{5}, Epoch: 9, Seq: 1024, Outcome: receipt.OutcomeOK,
		PromptTokens: 1200, CachedTokens: 1024, OutputTokens: 350, Amount: 520, ServedAt: 1_700_000_010,
		TTFTMs: 210, DurationMs: 4200, OutputCommit: [32]byte{6}, ExecCommit: [32]byte{7}, Countersigned: countersigned,
	}
	sign(&r, testDomain)
	return r
}

func drawHash(t *rapid.T, name string) [32]byte {
	if rapid.Bool().Draw(t, name+" zero") {
		return [32]byte{}
	}
	return [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, name))
}

func drawAddress(t *rapid.T, name string) [20]byte {
	return [20]byte(rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, name))
}

// drawRecord draws a record that passes rules 4 to 8, without signatures.
func drawRecord(t *rapid.T) receipt.Record {
	u64 := rapid.Uint64()
	r := receipt.Record{
		Auth: receipt.JobAuth{
			Payer: drawAddress(t, "payer"), Operator: drawAddress(t, "operator"), ModelID: drawHash(t, "model"),
			AdapterID: drawHash(t, "adapter"), RequestCommit: drawHash(t, "request"), PaymentRef: drawHash(t, "payment"),
			MaxAmount: u64.Draw(t, "max amount"), ReservationID: u64.Draw(t, "reservation"), Nonce: u64.Draw(t, "nonce"),
			IssuedAt: u64.Draw(t, "issued at"),
		},
		HostID: drawHash(t, "host"), Epoch: u64.Draw(t, "epoch"), Seq: u64.Draw(t, "seq"),
		Outcome:      receipt.Outcome(rapid.Uint8Range(1, 6).Draw(t, "outcome")),
		PromptTokens: u64.Draw(t, "prompt"), OutputTokens: u64.Draw(t, "output"),
		TTFTMs: rapid.Uint32().Draw(t, "ttft"), DurationMs: rapid.Uint32().Draw(t, "duration"),
		OutputCommit: drawHash(t, "output commit"), ExecCommit: drawHash(t, "exec commit"), AttestRef: drawHash(t, "attestation"),
		Countersigned: rapid.Bool().Draw(t, "countersigned"),
	}
	r.ServedAt = rapid.Uint64Min(r.Auth.IssuedAt).Draw(t, "served at")
	r.Auth.ExpiresAt = rapid.Uint64Min(r.ServedAt).Draw(t, "expires at")
	r.CachedTokens = rapid.Uint64Max(r.PromptTokens).Draw(t, "cached")
	if r.Outcome <= receipt.OutcomeUserCancel {
		r.Amount = rapid.Uint64Max(r.Auth.MaxAmount).Draw(t, "amount")
	}
	return r
}

func BenchmarkCheck(b *testing.B) {
	for _, c := range []struct {
		name          string
		countersigned bool
	}{{"2signatures", false}, {"3signatures", true}} {
		b.Run(c.name, func(b *testing.B) {
			r := goodRecord(c.countersigned)
			sr1, checker := r.AppendSR1(nil), receipt.Checker{Domain: testDomain}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := checker.Check(sr1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDigest(b *testing.B) {
	r := goodRecord(false)
	b.ReportAllocs()
	for b.Loop() {
		r.Digest(testDomain)
	}
}
