// SPDX-License-Identifier: Apache-2.0

package receipt_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

// propDigests: both digests equal those of the type-driven EIP-712 oracle, in any domain.
func propDigests(t *rapid.T) {
	d := receipt.NewDomain(rapid.String().Draw(t, "comet chain id"), rapid.Uint64().Draw(t, "chain id"))
	if got, want := d.Separator(), keccak(encodeTyped(domainType, domainMembers(d))); got != want {
		t.Fatalf("separator %x, want %x", got, want)
	}
	r := drawRecord(t)
	jobID := typedDigest(d.Separator(), encodeTyped(jobAuthType, jobAuthMembers(&r.Auth)))
	if got := r.JobID(d); got != jobID {
		t.Fatalf("job id %x, want %x", got, jobID)
	}
	want := typedDigest(d.Separator(), encodeTyped(receiptType, receiptMembers(&r, jobID)))
	if got := r.Digest(d); got != want {
		t.Fatalf("receipt digest %x, want %x", got, want)
	}
}

func TestDigests(t *testing.T) { rapid.Check(t, propDigests) }

func FuzzDigests(f *testing.F) { f.Fuzz(rapid.MakeFuzz(propDigests)) }

// propRoundTrip: bytes that decode are what the record encodes to, and decoding fails only for the shape's reasons.
func propRoundTrip(t *rapid.T) {
	size := rapid.SampledFrom([]int{0, 1, 532, 533, 534, 597, 598, 599}).Draw(t, "size")
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i * 7)
	}
	copy(b[min(size, 2):], rapid.SliceOfN(rapid.Byte(), 0, 64).Draw(t, "body"))
	header := []byte{rapid.SampledFrom([]byte{0, 1, 2}).Draw(t, "version"), rapid.SampledFrom([]byte{0, 1, 2, 3, 0x80}).Draw(t, "flags")}
	copy(b, header)
	want := error(nil)
	switch {
	case size != receipt.Size && size != receipt.SizeCountersigned:
		want = receipt.ErrBadLength
	case header[0] != 1:
		want = receipt.ErrBadVersion
	case header[1] > 1 || (header[1] == 1) != (size == receipt.SizeCountersigned):
		want = receipt.ErrBadFlags
	}
	r, err := receipt.Decode(b)
	if err != want {
		t.Fatalf("got %v, want %v", err, want)
	}
	if err != nil {
		return
	}
	if got := r.AppendSR1([]byte("x")); !bytes.Equal(got[1:], b) {
		t.Fatalf("got %x, want %x", got[1:], b)
	}
	auth, err := receipt.DecodeJobAuth(b[2:210])
	if err != nil || auth != r.Auth || !bytes.Equal(auth.AppendWire(nil), b[2:210]) {
		t.Fatalf("authorisation %+v, %v", auth, err)
	}
}

func TestRoundTrip(t *testing.T) { rapid.Check(t, propRoundTrip) }

func FuzzRoundTrip(f *testing.F) { f.Fuzz(rapid.MakeFuzz(propRoundTrip)) }

// propTamper: a signed record passes, and no longer does when any one byte of it is changed.
func propTamper(t *rapid.T) {
	r := drawRecord(t)
	sign(&r, testDomain)
	b, checker := r.AppendSR1(nil), receipt.Checker{Domain: testDomain}
	if got, err := checker.Check(b); err != nil || got != r {
		t.Fatalf("signed record: %v", err)
	}
	at := rapid.IntRange(0, len(b)-1).Draw(t, "at")
	b[at] ^= rapid.ByteRange(1, 255).Draw(t, "change")
	if got, err := checker.Check(b); err == nil || receipt.RuleName(err) == "" || got != (receipt.Record{}) {
		t.Fatalf("byte %d changed: %v", at, err)
	}
}

func TestTamper(t *testing.T) { rapid.Check(t, propTamper) }

func FuzzTamper(f *testing.F) { f.Fuzz(rapid.MakeFuzz(propTamper)) }

// propRecover: recovery agrees with the affine oracle on signatures and on bytes that are none.
func propRecover(t *rapid.T) {
	digest := drawHash(t, "digest")
	var sig [65]byte
	if rapid.Bool().Draw(t, "signed") {
		seed := drawHash(t, "key")
		seed[31] |= 1
		seed[0] &= 0x7f
		key, err := receipt.ParsePrivateKey(seed[:])
		if err != nil {
			t.Fatal(err)
		}
		sig = receipt.Sign(key, digest)
		if got, err := receipt.RecoverAddress(digest, sig); err != nil || got != receipt.KeyAddress(key) {
			t.Fatalf("own signature: %x, %v", got, err)
		}
	} else {
		copy(sig[:], rapid.SliceOfN(rapid.Byte(), 64, 64).Draw(t, "r and s"))
		sig[32] &= 0x3f // a low s
		sig[64] = rapid.SampledFrom([]byte{27, 28}).Draw(t, "v")
	}
	got, err := receipt.RecoverAddress(digest, sig)
	want, wantErr := slowRecover(digest, sig)
	if (err != nil) != (wantErr != nil) || got != want {
		t.Fatalf("got %x, %v, want %x, %v", got, err, want, wantErr)
	}
	sig[64] ^= 0x40
	if _, err := receipt.RecoverAddress(digest, sig); err != receipt.ErrBadV {
		t.Fatalf("v %d: %v", sig[64], err)
	}
	sig[32] |= 0x80
	if _, err := receipt.RecoverAddress(digest, sig); err != receipt.ErrHighS {
		t.Fatalf("high s: %v", err)
	}
}

func TestRecover(t *testing.T) { rapid.Check(t, propRecover) }

func FuzzRecover(f *testing.F) { f.Fuzz(rapid.MakeFuzz(propRecover)) }

// propRules: with a recovery that is told the answer, the error is that of the first broken rule, for any set of broken rules.
func propRules(t *rapid.T) {
	r := goodRecord(true)
	broken := map[error]bool{}
	breakIf := func(name string, err error, change func()) {
		if rapid.Bool().Draw(t, name) {
			broken[err] = true
			change()
		}
	}
	bad := map[byte]bool{} // first byte of each signature that does not recover
	breakIf("outcome", receipt.ErrBadOutcome, func() { r.Outcome = rapid.SampledFrom([]receipt.Outcome{0, 7, 255}).Draw(t, "bad outcome") })
	breakIf("amount over", receipt.ErrAmountOverMax, func() { r.Amount = r.Auth.MaxAmount + 1 })
	if !broken[receipt.ErrBadOutcome] {
		breakIf("not allowed", receipt.ErrAmountNotAllowed, func() {
			r.Outcome = receipt.Outcome(rapid.Uint8Range(3, 6).Draw(t, "free outcome"))
		})
	}
	breakIf("time", receipt.ErrTimeOrder, func() {
		r.ServedAt = rapid.SampledFrom([]uint64{r.Auth.IssuedAt - 1, r.Auth.ExpiresAt + 1}).Draw(t, "bad time")
	})
	breakIf("cached", receipt.ErrCachedOverPrompt, func() { r.CachedTokens = r.PromptTokens + 1 })
	sigs := []*[65]byte{&r.SigPayer, &r.SigOperator, &r.SigFinal}
	for i, sig := range sigs {
		sig[0] = byte(i)
	}
	breakIf("high s", receipt.ErrHighS, func() { sigs[rapid.IntRange(0, 2).Draw(t, "which s")][32] = 0x80 })
	breakIf("bad v", receipt.ErrBadV, func() { sigs[rapid.IntRange(0, 2).Draw(t, "which v")][64] = 26 })
	for i, err := range []error{receipt.ErrBadPayerSig, receipt.ErrBadOperatorSig, receipt.ErrBadFinalSig} {
		breakIf(receipt.RuleName(err), err, func() { bad[byte(i)] = true })
	}
	checker := receipt.Checker{Domain: testDomain, Recover: func(_ [32]byte, sig [65]byte) ([20]byte, error) {
		if bad[sig[0]] {
			return [20]byte{1}, nil
		}
		if sig[0] == 1 {
			return r.Auth.Operator, nil
		}
		return r.Auth.Payer, nil
	}}
	want := error(nil)
	for _, rule := range []error{
		receipt.ErrBadOutcome, receipt.ErrAmountOverMax, receipt.ErrAmountNotAllowed, receipt.ErrTimeOrder, receipt.ErrCachedOverPrompt,
		receipt.ErrHighS, receipt.ErrBadV, receipt.ErrBadPayerSig, receipt.ErrBadOperatorSig, receipt.ErrBadFinalSig,
	} {
		if broken[rule] {
			want = rule
			break
		}
	}
	if _, _, err := checker.CheckRecord(&r); err != want {
		t.Fatalf("got %v, want %v", err, want)
	}
}

func TestRules(t *testing.T) { rapid.Check(t, propRules) }

func FuzzRules(f *testing.F) { f.Fuzz(rapid.MakeFuzz(propRules)) }
