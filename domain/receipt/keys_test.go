// SPDX-License-Identifier: Apache-2.0

package receipt_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

func TestParsePrivateKeyRefuses(t *testing.T) {
	order := orderN.Bytes()
	for name, b := range map[string][]byte{
		"nil": nil, "31 bytes": make([]byte, 31), "33 bytes": bytes.Repeat([]byte{1}, 33), "zero": make([]byte, 32),
		"n": order, "above n": bytes.Repeat([]byte{0xff}, 32),
	} {
		if _, err := receipt.ParsePrivateKey(b); err != receipt.ErrBadPrivateKey {
			t.Errorf("%s: %v", name, err)
		}
	}
	order[31]--
	if _, err := receipt.ParsePrivateKey(order); err != nil {
		t.Errorf("n - 1: %v", err)
	}
}

func TestAddressOfCompressedRefuses(t *testing.T) {
	good := payerKey.PubKey().SerializeCompressed()
	hybrid := bytes.Clone(good)
	hybrid[0] = 6
	offCurve := append([]byte{2}, bytes.Repeat([]byte{0}, 31)...)
	for name, b := range map[string][]byte{
		"nil": nil, "32 bytes": good[:32], "uncompressed": payerKey.PubKey().SerializeUncompressed(), "hybrid tag": hybrid,
		"x = 5 is not on the curve": append(offCurve, 5),
	} {
		if _, err := receipt.AddressOfCompressed(b); err != receipt.ErrBadPublicKey {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRecoverAddressRefuses(t *testing.T) {
	digest := [32]byte{9}
	good := receipt.Sign(payerKey, digest)
	withR := func(r []byte) [65]byte {
		sig := good
		copy(sig[:32], r)
		return sig
	}
	zeroS := good
	copy(zeroS[32:64], make([]byte, 32))
	for name, sig := range map[string][65]byte{
		"r = 0":                                withR(make([]byte, 32)),
		"r = n":                                withR(orderN.Bytes()),
		"r above n and on the curve's x range": withR(append(bytes.Repeat([]byte{0xff}, 31), 0xfe)),
		"r = 5":                                withR(append(make([]byte, 31), 5)),
		"s = 0":                                zeroS,
	} {
		if got, err := receipt.RecoverAddress(digest, sig); err != receipt.ErrNotRecovered || got != ([20]byte{}) {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
}

func TestDecodeJobAuthRefuses(t *testing.T) {
	for _, size := range []int{0, 207, 209, receipt.Size} {
		if _, err := receipt.DecodeJobAuth(make([]byte, size)); err != receipt.ErrBadJobAuthLength {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// TestDomainsDiffer: a record of one domain fails in a domain that differs in either member only.
func TestDomainsDiffer(t *testing.T) {
	r := goodRecord(true)
	for name, d := range map[string]receipt.Domain{
		"other comet chain": receipt.NewDomain("gpucoord-test-2", 8453),
		"other chain id":    receipt.NewDomain("gpucoord-test-1", 8454),
		"no domain":         {},
	} {
		if _, _, err := (receipt.Checker{Domain: d}).CheckRecord(&r); err != receipt.ErrBadPayerSig {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAbsentFinalIsIgnored: without a countersignature nothing looks at SigFinal.
func TestAbsentFinalIsIgnored(t *testing.T) {
	r := goodRecord(false)
	want := r.AppendSR1(nil)
	for i := range r.SigFinal {
		r.SigFinal[i] = 0xff
	}
	if _, _, err := (receipt.Checker{Domain: testDomain}).CheckRecord(&r); err != nil {
		t.Errorf("check: %v", err)
	}
	if got := r.AppendSR1(nil); !bytes.Equal(got, want) {
		t.Errorf("record %x", got)
	}
}

func TestRuleName(t *testing.T) {
	for want, err := range map[string]error{
		"OK":     nil,
		"HIGH_S": fmt.Errorf("sample 3: %w", receipt.ErrHighS),
		"":       errors.New("of no rule"),
	} {
		if got := receipt.RuleName(err); got != want {
			t.Errorf("%v: got %q, want %q", err, got, want)
		}
	}
}

func TestOutcomeString(t *testing.T) {
	for o, want := range map[receipt.Outcome]string{
		0: "0", receipt.OutcomeOK: "OK", receipt.OutcomeUserCancel: "USER_CANCEL", receipt.OutcomeUserIdle: "USER_IDLE",
		receipt.OutcomeProviderFail: "PROVIDER_FAIL", receipt.OutcomeUpstreamFail: "UPSTREAM_FAIL", receipt.OutcomeRefused: "REFUSED", 7: "7",
	} {
		if got := o.String(); got != want {
			t.Errorf("outcome %d: got %q, want %q", uint8(o), got, want)
		}
	}
}

func TestKeyProofDigest(t *testing.T) {
	account, key := [20]byte{1, 2}, [20]byte{3, 4}
	salt := testDomain.Salt()
	preimage := bytes.Join([][]byte{[]byte("GCK1"), salt[:], {2}, account[:], key[:]}, nil)
	got := receipt.KeyProofDigest(testDomain, receipt.RoleGateway, account, key)
	if got != sha256.Sum256(preimage) {
		t.Errorf("digest %x", got)
	}
	for name, other := range map[string][32]byte{
		"chain":   receipt.KeyProofDigest(receipt.NewDomain("gpucoord-test-2", 8453), receipt.RoleGateway, account, key),
		"role":    receipt.KeyProofDigest(testDomain, receipt.RoleHost, account, key),
		"account": receipt.KeyProofDigest(testDomain, receipt.RoleGateway, key, key),
		"key":     receipt.KeyProofDigest(testDomain, receipt.RoleGateway, account, account),
	} {
		if other == got {
			t.Errorf("digest does not depend on the %s", name)
		}
	}
}

func TestCapacityStatement(t *testing.T) {
	nonce := [32]byte{1}
	gpus := []receipt.StatedGPU{
		{Index: 0, DeviceHash: [32]byte{2}, Class: "H200", MemoryMiB: 143_771},
		{Index: 7, DeviceHash: [32]byte{3}, Class: "", MemoryMiB: 1},
	}
	for _, simulated := range []byte{0, 1} {
		for n := range len(gpus) + 1 {
			want := append(append([]byte("GCE1"), nonce[:]...), simulated, 0, 0, 0, byte(n))
			for _, g := range gpus[:n] {
				gpuNonce, class := receipt.GPUNonce(nonce, g.Index), sha256.Sum256([]byte(g.Class))
				want = append(append(append(want, gpuNonce[:]...), g.DeviceHash[:]...), class[:]...)
				want = binary.BigEndian.AppendUint64(want, g.MemoryMiB)
			}
			if got := receipt.CapacityStatement(nonce, simulated == 1, gpus[:n]); got != sha256.Sum256(want) {
				t.Errorf("simulated %d, %d GPUs: %x", simulated, n, got)
			}
		}
	}
}

func TestKeyedPaymentRef(t *testing.T) {
	mac := hmac.New(sha256.New, []byte("secret"))
	mac.Write([]byte("gpucoord/payref/v1\x00libertai|id|1"))
	got := receipt.KeyedPaymentRef([]byte("secret"), "libertai|id|1")
	if !bytes.Equal(got[:], mac.Sum(nil)) {
		t.Errorf("keyed reference %x", got)
	}
	if got == receipt.PaymentRef("libertai|id|1") {
		t.Error("the keyed reference is the public one")
	}
}

func TestPaymentPartsRefused(t *testing.T) {
	for _, bad := range []string{"", "a|b", "a b", "a\n", "\x00", "é", "\x7f"} {
		if _, err := receipt.LibertAICredit(bad, 1); err != receipt.ErrBadPaymentPart {
			t.Errorf("api key id %q: %v", bad, err)
		}
		if _, err := receipt.AlephCredit(bad, "x"); err != receipt.ErrBadPaymentPart {
			t.Errorf("message hash %q: %v", bad, err)
		}
		if _, err := receipt.AlephCredit("x", bad); err != receipt.ErrBadPaymentPart {
			t.Errorf("execution id %q: %v", bad, err)
		}
	}
}

func TestLink(t *testing.T) {
	text := receipt.LinkText("gpucoord-1", "gpucoord1abc", "7bbe", 3, 1_800_000_000)
	if want := "gpucoord/link/v1\ngpucoord-1\ngpucoord1abc\n7bbe\n3\n1800000000"; text != want {
		t.Errorf("text %q, want %q", text, want)
	}
	// The digest of "hello" is published with web3.js as accounts.hashMessage.
	if got := receipt.EIP191Digest("hello"); got != hash(t, "50b2c43fd39106bafbba0da34fc430e1f91e3c96ea2acee2bc34119f92b37750") {
		t.Errorf("digest of hello %x", got)
	}
	want := keccak([]byte("\x19Ethereum Signed Message:\n58"), []byte(text))
	if len(text) != 58 || receipt.EIP191Digest(text) != want {
		t.Errorf("%d bytes, digest %x", len(text), receipt.EIP191Digest(text))
	}
	signer := receipt.KeyAddress(payerKey)
	if got, err := receipt.RecoverAddress(receipt.EIP191Digest(text), receipt.Sign(payerKey, receipt.EIP191Digest(text))); err != nil || got != signer {
		t.Errorf("recovered %x, %v", got, err)
	}
}
