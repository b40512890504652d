// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	"github.com/gpucoord/gpucoord/verify"
)

// refusal is a change to a good bundle, and the check that must name it.
type refusal struct {
	name   string
	change func(b *verify.Bundle)
	check  string
	want   error
}

func testRefusals(t *testing.T, cases []refusal) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b, trust := baseBundle()
			c.change(b)
			report := check(t, b, verify.Options{Trust: trust, Skip: []string{verify.CheckEVM}})
			row := report.Row(c.check)
			if row.Status != verify.Fail || !errors.Is(row.Err, c.want) || report.ExitCode() != 1 {
				t.Errorf("exit %d, want %s: %v\n%s", report.ExitCode(), c.check, c.want, show(t, report))
			}
		})
	}
}

// swap exchanges the first two pieces of a path.
func swap(path []byte, size int) {
	first := bytes.Clone(path[:size])
	copy(path, path[size:2*size])
	copy(path[size:], first)
}

// malleate replaces s by n - s and flips v: the other signature that ECDSA accepts.
func malleate(signature []byte) {
	n, _ := new(big.Int).SetString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16)
	s := new(big.Int).SetBytes(signature[32:64])
	n.Sub(n, s).FillBytes(signature[32:64])
	signature[64] = 27 + 28 - signature[64]
}

const openingPath = 8 + 8 + 96 + 2 // where the path of an opening begins

func TestRecordRefusals(t *testing.T) {
	testRefusals(t, []refusal{
		{"record cut", func(b *verify.Bundle) { b.Record = b.Record[:500] }, verify.CheckRecord, receipt.ErrBadLength},
		{"record without its countersignature", func(b *verify.Bundle) { b.Record = b.Record[:533] }, verify.CheckRecord, receipt.ErrBadFlags},
		{"amount over maximum", func(b *verify.Bundle) { b.Record[283] = 1 }, verify.CheckRecord, receipt.ErrAmountOverMax},
		{"malleable payer signature", func(b *verify.Bundle) { malleate(b.Record[403:468]) }, verify.CheckRecord, receipt.ErrHighS},
		{"recovery id", func(b *verify.Bundle) { b.Record[467] = 29 }, verify.CheckRecord, receipt.ErrBadV},
		{"job changed", func(b *verify.Bundle) { b.Record[193]++ }, verify.CheckPayer, receipt.ErrBadPayerSig},
		{"result changed", func(b *verify.Bundle) { b.Record[290]++ }, verify.CheckHost, receipt.ErrBadOperatorSig},
		{"countersignature changed", func(b *verify.Bundle) { b.Record[540]++ }, verify.CheckCountersignature, receipt.ErrBadFinalSig},
		{"opening cut", func(b *verify.Bundle) { b.Opening = b.Opening[:len(b.Opening)-56] }, verify.CheckOpening, sumtree.ErrBadOpening},
		{"opening of another index", func(b *verify.Bundle) { b.Opening[15]++ }, verify.CheckOpening, sumtree.ErrRootMismatch},
		{"opening's path swapped", func(b *verify.Bundle) { swap(b.Opening[openingPath:], 56) }, verify.CheckOpening, sumtree.ErrRootMismatch},
		{"opening of another size", func(b *verify.Bundle) { b.Opening[7]++ }, verify.CheckOpening, verify.ErrWrongCount},
		{"opened leaf of another amount", func(b *verify.Bundle) { b.Opening[95]++ }, verify.CheckOpening, verify.ErrLeafMismatch},
		{"group of another settler", func(b *verify.Bundle) { b.Group.Settler[3]++ }, verify.CheckBatch, sumtree.ErrBadGroupPath},
		{"group of another host key", func(b *verify.Bundle) { b.Group.HostKey[3]++ }, verify.CheckBatch, sumtree.ErrBadGroupPath},
		{"group without its model", func(b *verify.Bundle) { b.Group.ModelID = b.Group.ModelID[:31] }, verify.CheckBatch, verify.ErrFieldLength},
		{"group at another index", func(b *verify.Bundle) { b.Group.Index = 0 }, verify.CheckBatch, sumtree.ErrBadGroupPath},
		{"group far away", func(b *verify.Bundle) { b.Group.Index = 1 << 63 }, verify.CheckBatch, sumtree.ErrBadPathLength},
		{"group's path swapped", func(b *verify.Bundle) { swap(b.Group.Path, 32) }, verify.CheckBatch, sumtree.ErrBadGroupPath},
		{"group's path cut", func(b *verify.Bundle) { b.Group.Path = b.Group.Path[:33] }, verify.CheckBatch, verify.ErrFieldLength},
		{"group larger than its batch", func(b *verify.Bundle) { b.Group.Count = 1 << 40 }, verify.CheckBatch, verify.ErrBatchSums},
		{"root of 55 bytes", func(b *verify.Bundle) { b.Group.Root = b.Group.Root[:55] }, verify.CheckBatch, sumtree.ErrBadEntryLength},
		{"leaf of an epoch", func(b *verify.Bundle) { b.Leaf.Data[4] = 2 }, verify.CheckBatch, verify.ErrNotBatchLeaf},
		{"leaf cut", func(b *verify.Bundle) { b.Leaf.Data = b.Leaf.Data[:120] }, verify.CheckBatch, verify.ErrNotBatchLeaf},
		{"leaf of another batch", func(b *verify.Bundle) { b.Leaf.Data[12]++ }, verify.CheckLog, log.ErrRootMismatch},
		{"leaf at another index", func(b *verify.Bundle) { b.Leaf.Index-- }, verify.CheckLog, log.ErrRootMismatch},
		{"leaf beyond the anchor", func(b *verify.Bundle) { b.Leaf.Index = anchorSize }, verify.CheckLog, log.ErrBadIndex},
		{"leaf's path swapped", func(b *verify.Bundle) { swap(b.Leaf.Path, 32) }, verify.CheckLog, log.ErrRootMismatch},
		{"leaf's path cut", func(b *verify.Bundle) { b.Leaf.Path = b.Leaf.Path[32:] }, verify.CheckLog, log.ErrBadPathLength},
	})
}

func TestChainRefusals(t *testing.T) {
	testRefusals(t, []refusal{
		{"proof cut", func(b *verify.Bundle) { b.State[0].Entries[0] = b.State[0].Entries[0][:90] }, verify.CheckState, verify.ErrStateProof},
		{"proof of nothing", func(b *verify.Bundle) { b.State[0].Entries[0] = nil }, verify.CheckState, verify.ErrStateProof},
		{"store's proof cut", func(b *verify.Bundle) { b.State[1].Root = b.State[1].Root[:40] }, verify.CheckState, verify.ErrStateProof},
		{"no proofs", func(b *verify.Bundle) { b.State = nil }, verify.CheckState, verify.ErrStateKey},
		{"proofs swapped", func(b *verify.Bundle) {
			e := b.State[0].Entries
			e[0], e[1] = e[1], e[0]
		}, verify.CheckState, verify.ErrStateValue},
		{"stores swapped", func(b *verify.Bundle) { b.State[0], b.State[1] = b.State[1], b.State[0] }, verify.CheckState, verify.ErrStateValue},
		{"another store's root", func(b *verify.Bundle) { b.State[0].Root = b.State[1].Root }, verify.CheckState, verify.ErrStateProof},
		{"value changed", func(b *verify.Bundle) {
			e := b.State[1].Entries[0]
			b.State[1].Entries[0] = bytes.Replace(e, []byte{0x85, 0x42}, []byte{0x86, 0x42}, 1) // EIP-155 id 8453
		}, verify.CheckState, verify.ErrStateProof},
		{"origin of another chain", func(b *verify.Bundle) { b.OriginID[0]++ }, verify.CheckState, verify.ErrWrongOrigin},
		{"consistency cut", func(b *verify.Bundle) { b.LogConsistency = b.LogConsistency[32:] }, verify.CheckConsistency, log.ErrBadPathLength},
		{"consistency swapped", func(b *verify.Bundle) { swap(b.LogConsistency, 32) }, verify.CheckConsistency, log.ErrRootMismatch},
		{"anchor of a later height", func(b *verify.Bundle) { b.Anchor.Height = height }, verify.CheckConsistency, verify.ErrAnchorAhead},
		{"anchor of a later time", func(b *verify.Bundle) { b.Anchor.Time = 1 << 40 }, verify.CheckConsistency, verify.ErrAnchorAhead},
		{"anchor of no height", func(b *verify.Bundle) { b.Anchor.Height = 1 << 63 }, verify.CheckConsistency, verify.ErrAnchorAhead},
		{"anchor of another root", func(b *verify.Bundle) { b.Anchor.Root[0]++ }, verify.CheckAnchor, anchor.ErrBadSignature},
		{"malleable anchor signature", func(b *verify.Bundle) { malleate(b.Anchor.Signatures[:65]) }, verify.CheckAnchor, anchor.ErrBadSignature},
		{"anchor signatures swapped", func(b *verify.Bundle) { swap(b.Anchor.Signatures, 65) }, verify.CheckAnchor, anchor.ErrBadSignature},
		{"anchor signature missing", func(b *verify.Bundle) { b.Anchor.Signatures = b.Anchor.Signatures[65:] }, verify.CheckAnchor, anchor.ErrBitmap},
		{"bit beyond the members", func(b *verify.Bundle) {
			b.Anchor.Bitmap[31] = 0b10011
		}, verify.CheckAnchor, anchor.ErrBitmap},
		{"two of four members", func(b *verify.Bundle) {
			b.Anchor.Bitmap[31], b.Anchor.Signatures = 0b0011, b.Anchor.Signatures[:130]
		}, verify.CheckAnchor, anchor.ErrLowPower},
		{"bitmap cut", func(b *verify.Bundle) { b.Anchor.Bitmap = b.Anchor.Bitmap[1:] }, verify.CheckAnchor, verify.ErrFieldLength},
		{"header changed", func(b *verify.Bundle) { b.Header[len(b.Header)-1]++ }, verify.CheckCommit, verify.ErrCommit},
		{"header with something after it", func(b *verify.Bundle) { b.Header = append(b.Header, 0xf8, 1, 0) }, verify.CheckCommit, verify.ErrHeader},
		{"header of another chain", func(b *verify.Bundle) { b.ChainID = "gpucoord-test-2" }, verify.CheckCommit, verify.ErrWrongChain},
		{"commit signature changed", func(b *verify.Bundle) { b.Commit.Signatures[20]++ }, verify.CheckCommit, verify.ErrCommit},
		{"commit signature missing", func(b *verify.Bundle) { b.Commit.Signatures = b.Commit.Signatures[72:] }, verify.CheckCommit, verify.ErrHeader},
		{"commit of two of four", func(b *verify.Bundle) {
			b.Commit.Bitmap[0], b.Commit.Signatures = 0b011, b.Commit.Signatures[:144]
		}, verify.CheckCommit, verify.ErrCommit},
		{"bit beyond the validators", func(b *verify.Bundle) { b.Commit.Bitmap[0] = 0b10011 }, verify.CheckCommit, verify.ErrHeader},
		{"commit of another round", func(b *verify.Bundle) { b.Commit.Round = 1 }, verify.CheckCommit, verify.ErrCommit},
		{"commit of no round", func(b *verify.Bundle) { b.Commit.Round = 1 << 31 }, verify.CheckCommit, verify.ErrHeader},
		{"validator missing", func(b *verify.Bundle) { b.Validators = b.Validators[33:] }, verify.CheckCommit, verify.ErrWrongValidators},
		{"validators cut", func(b *verify.Bundle) { b.Validators = b.Validators[:40] }, verify.CheckCommit, verify.ErrHeader},
		{"validators swapped", func(b *verify.Bundle) { swap(b.Validators, 33) }, verify.CheckCommit, verify.ErrHeader},
		{"no validators", func(b *verify.Bundle) { b.Validators = nil }, verify.CheckCommit, verify.ErrHeader},
	})
}

func TestFormRefusals(t *testing.T) {
	_, text := base()
	for _, c := range []struct {
		name string
		text []byte
		want error
	}{
		{"nothing", nil, verify.ErrMalformed},
		{"not JSON", []byte("{"), verify.ErrMalformed},
		{"an array", []byte("[]"), verify.ErrMalformed},
		{"another format", bytes.Replace(text, []byte("bundle/1"), []byte("bundle/2"), 1), verify.ErrMalformed},
		{"two bundles", append(bytes.Clone(text), text...), verify.ErrMalformed},
		{"cut", text[:len(text)/2], verify.ErrMalformed},
		{"unknown field", append([]byte(`{"extra":1,`), text[1:]...), verify.ErrMalformed},
		{"repeated field", append([]byte(`{"chain_id":"other",`), text[1:]...), verify.ErrNotCanonical},
		{"field in capitals", bytes.Replace(text, []byte(`"chain_id"`), []byte(`"Chain_Id"`), 1), verify.ErrNotCanonical},
		{"number with zeros", bytes.Replace(text, []byte(`"nonce":"7"`), []byte(`"nonce":"07"`), 1), verify.ErrNotCanonical},
		{"10 MB", bytes.Repeat([]byte{' '}, 10<<20), verify.ErrTooLarge},
	} {
		w, _ := base()
		report := verify.Verify(t.Context(), c.text, verify.Options{Trust: w.trust(), Now: now})
		row := report.Row(verify.CheckBundle)
		if row.Status != verify.Fail || !errors.Is(row.Err, c.want) || report.ExitCode() != 1 {
			t.Errorf("%s: %v, want %v", c.name, row.Err, c.want)
		}
		for _, other := range report.Rows[1:] {
			if other.Status != verify.NotChecked {
				t.Errorf("%s: %s of what could not be read", c.name, other.Name)
			}
		}
	}
	spaced := bytes.ReplaceAll(text, []byte(`,"`), []byte(",\n  \""))
	if _, err := verify.Decode(spaced); err != nil {
		t.Errorf("white space: %v", err)
	}
}

// TestPowerOneBelowQuorum: two of three equal powers are two thirds, which is not more than two thirds.
func TestPowerOneBelowQuorum(t *testing.T) {
	w := newWorld(10, 10, 10)
	b := w.bundle()
	if len(b.Anchor.Signatures) != 3*65 || len(b.Commit.Signatures) != 3*72 {
		t.Fatalf("%d and %d bytes of signatures, want those of three", len(b.Anchor.Signatures), len(b.Commit.Signatures))
	}
	b.Anchor.Bitmap[31], b.Anchor.Signatures = 0b011, b.Anchor.Signatures[:130]
	b.Commit.Bitmap[0], b.Commit.Signatures = 0b011, b.Commit.Signatures[:144]
	report := check(t, b, verify.Options{Trust: w.trust()})
	if err := report.Row(verify.CheckAnchor).Err; !errors.Is(err, anchor.ErrLowPower) {
		t.Errorf("anchor: %v", err)
	}
	if err := report.Row(verify.CheckCommit).Err; !errors.Is(err, verify.ErrCommit) {
		t.Errorf("commit: %v", err)
	}
}

// TestOtherChain: what another chain signed is refused although each signature is true.
func TestOtherChain(t *testing.T) {
	w := newWorld(10, 10, 10, 10)
	w.evmChainID++ // the record was signed for another id than the chain has
	report := check(t, w.bundle(), verify.Options{Trust: w.trust()})
	if err := report.Row(verify.CheckPayer).Err; !errors.Is(err, receipt.ErrBadPayerSig) {
		t.Errorf("record of another domain: %v", err)
	}
	w = newWorld(10, 10, 10, 10)
	b := w.bundle()
	w.origin[0]++
	b.Anchor = w.sign()
	report = check(t, b, verify.Options{Trust: w.trust()})
	if err := report.Row(verify.CheckAnchor).Err; !errors.Is(err, anchor.ErrBadSignature) {
		t.Errorf("anchor of another origin: %v", err)
	}
}

// TestBatchOfAnotherEpoch: all proofs are true, but the batch claims the record in an epoch that is not the record's.
func TestBatchOfAnotherEpoch(t *testing.T) {
	w := newWorld(10, 10, 10, 10)
	w.leaves[leafIndex][72]++
	w.anchorLog()
	report := check(t, w.bundle(), verify.Options{Trust: w.trust()})
	if err := report.Row(verify.CheckOpening).Err; !errors.Is(err, verify.ErrWrongGroup) || report.Conclusion() != "FAILED: opening" {
		t.Errorf("%v\n%s", err, show(t, report))
	}
}

func TestServedLater(t *testing.T) {
	w := newWorld(10, 10, 10, 10)
	w.record.ServedAt = uint64(headerTime.Add(31 * time.Second).Unix())
	w.record.Auth.ExpiresAt = w.record.ServedAt
	w.signRecord()
	w.makeClaim(5)
	w.anchorLog()
	report := check(t, w.bundle(), verify.Options{Trust: w.trust()})
	if err := report.Row(verify.CheckOpening).Err; !errors.Is(err, verify.ErrServedLater) {
		t.Errorf("%v\n%s", err, show(t, report))
	}
}
