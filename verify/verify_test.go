// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gpucoord/gpucoord/verify"
)

func TestGoodBundle(t *testing.T) {
	b, trust := baseBundle()
	report := check(t, b, verify.Options{Trust: trust})
	for _, row := range report.Rows {
		want := verify.Pass
		if row.Name == verify.CheckEVM {
			want = verify.NotChecked
		}
		if row.Status != want {
			t.Errorf("%s: %s: %s", row.Name, row.Status, row.What)
		}
	}
	if report.ExitCode() != 2 || report.Conclusion() != "nothing failed, but not all was checked: evm" {
		t.Errorf("exit %d, %q", report.ExitCode(), report.Conclusion())
	}
	text := show(t, report)
	for line := range strings.Lines(text) {
		// Verified is always followed by whom and when; what comes before it.
		passed := strings.HasPrefix(line, "PASS ")
		if said := strings.Contains(line, "[verified by ") && strings.Contains(line, " at 2023-11-15T01:13:20Z]"); said != passed {
			t.Errorf("row %q", line)
		}
	}
	if strings.Contains(text, "all checks passed") {
		t.Error("says that all checks passed although one was not made")
	}
}

func TestSkippedChecksAreNamed(t *testing.T) {
	b, trust := baseBundle()
	report := check(t, b, verify.Options{Trust: trust, Skip: []string{verify.CheckEVM}})
	if report.ExitCode() != 0 || report.Conclusion() != "every check that you did not skip passed; you skipped: evm" {
		t.Errorf("exit %d, %q", report.ExitCode(), report.Conclusion())
	}
	b.Leaf.Index++
	report = check(t, b, verify.Options{Trust: trust, Skip: []string{verify.CheckEVM, verify.CheckLog}})
	if report.ExitCode() != 1 || report.Conclusion() != "FAILED: log" {
		t.Errorf("a failure that was to be skipped: exit %d, %q", report.ExitCode(), report.Conclusion())
	}
}

func TestWithoutCountersignature(t *testing.T) {
	w := newWorld(10, 10, 10, 10)
	w.record.Countersigned = false
	w.signRecord()
	w.makeClaim(1)
	w.anchorLog()
	report := check(t, w.bundle(), verify.Options{Trust: w.trust(), Skip: []string{verify.CheckEVM}})
	if report.Row(verify.CheckCountersignature).Status != verify.NotChecked || report.ExitCode() != 2 {
		t.Errorf("exit %d\n%s", report.ExitCode(), show(t, report))
	}
	if report.Row(verify.CheckOpening).Status != verify.Pass {
		t.Errorf("group of one: %s", report.Row(verify.CheckOpening).What)
	}
}

// TestEveryByteCounts changes the bundle byte by byte: whatever still means another bundle must not pass.
func TestEveryByteCounts(t *testing.T) {
	w, text := base()
	step := 7
	if testing.Short() {
		step = 61
	}
	for i := 0; i < len(text); i += step {
		changed := bytes.Clone(text)
		changed[i] = other(changed[i])
		if bytes.Equal(changed, text) {
			continue
		}
		report := verify.Verify(t.Context(), changed, verify.Options{Trust: w.trust(), Now: now, Skip: []string{verify.CheckEVM}})
		if report.ExitCode() == 0 {
			t.Errorf("byte %d, %q for %q in …%s…", i, changed[i], text[i], text[max(0, i-40):i])
		}
	}
}

// other returns another character of the same kind, so that most changes reach the checks.
func other(c byte) byte {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	if c >= '0' && c <= '9' {
		return '0' + (c-'0'+1)%10
	}
	if at := strings.IndexByte(alphabet, c); at >= 0 {
		return alphabet[(at+17)%64]
	}
	return c ^ 1
}

// parts are the bundle's byte strings.
func parts(b *verify.Bundle) []*verify.Bytes {
	out := []*verify.Bytes{
		&b.OriginID, &b.Record, &b.Opening, &b.Group.HostKey, &b.Group.Settler, &b.Group.ModelID, &b.Group.AdapterID, &b.Group.Root, &b.Group.Path,
		&b.Leaf.Data, &b.Leaf.Path, &b.Anchor.Root, &b.Anchor.NextValset, &b.Anchor.Bitmap, &b.Anchor.Signatures, &b.LogConsistency,
		&b.Header, &b.Commit.PartsHash, &b.Commit.Bitmap, &b.Commit.Signatures, &b.Validators,
	}
	for i := range b.State {
		out = append(out, &b.State[i].Root)
		for j := range b.State[i].Entries {
			out = append(out, &b.State[i].Entries[j])
		}
	}
	return out
}

// FuzzVerify replaces a piece of one byte string: nothing panics, and nothing but the good bundle passes.
func FuzzVerify(f *testing.F) {
	w, text := base()
	good := must(verify.Decode(text))
	for i, part := range parts(good) {
		f.Add(uint8(i), uint16(0), uint16(1), []byte{0xff})
		f.Add(uint8(i), uint16(len(*part)), uint16(0), []byte{0})
		f.Add(uint8(i), uint16(len(*part)/2), uint16(len(*part)), []byte(nil))
	}
	f.Fuzz(func(t *testing.T, part uint8, at, length uint16, insert []byte) {
		b := must(verify.Decode(text))
		all := parts(b)
		chosen := all[int(part)%len(all)]
		from := min(int(at), len(*chosen))
		to := min(from+int(length), len(*chosen))
		*chosen = append(append(bytes.Clone((*chosen)[:from]), insert...), (*chosen)[to:]...)
		changed := must(b.Encode())
		report := verify.Verify(t.Context(), changed, verify.Options{Trust: w.trust(), Now: now, Skip: []string{verify.CheckEVM}})
		if report.ExitCode() == 0 && len(changed) <= verify.MaxBytes && !bytes.Equal(changed, text) {
			t.Fatalf("another bundle passes: %s", changed)
		}
	})
}

// FuzzDecode reads any text at all.
func FuzzDecode(f *testing.F) {
	_, text := base()
	f.Add(text)
	f.Add([]byte(`{"format":"gpucoord-receipt-bundle/1","state":[{"entries":["CgA="]}],"trusted":{}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if report := verify.Verify(t.Context(), text, verify.Options{Now: now}); report.ExitCode() == 0 {
			t.Fatal("passes without anything trusted")
		}
	})
}
