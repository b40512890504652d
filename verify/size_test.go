// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"testing"

	"github.com/gpucoord/gpucoord/verify"
)

func equalPowers(n int) []int64 {
	powers := make([]int64, n)
	for i := range powers {
		powers[i] = 1_000_000
	}
	return powers
}

// realPowers falls off as stake does on public chains: a third of the validators hold two thirds.
func realPowers(n int) []int64 {
	powers := make([]int64, n)
	for i := range powers {
		powers[i] = int64(60_000_000 / (i + 15))
	}
	return powers
}

// TestSize holds the promise of 20 KiB where it can be held. Two thirds of 100 equal validators are 134 signatures of 64 bytes, beside
// 100 keys of 32 and 100 addresses of 20: 18.4 KB of base64 that nothing makes smaller. That bundle is larger, and still well below what
// Decode takes.
func TestSize(t *testing.T) {
	for _, c := range []struct {
		name   string
		powers []int64
		limit  int
	}{
		{"4 equal validators", equalPowers(4), 20 << 10},
		{"50 equal validators", equalPowers(50), 20 << 10},
		{"100 validators with falling power", realPowers(100), 26 << 10},
		{"100 equal validators", equalPowers(100), 32 << 10},
	} {
		w := newWorld(c.powers...)
		b := w.bundle()
		text := must(b.Encode())
		t.Logf("%s: %d bytes", c.name, len(text))
		if len(text) > c.limit {
			t.Errorf("%s: %d bytes, want at most %d", c.name, len(text), c.limit)
		}
		if report := check(t, b, verify.Options{Trust: w.trust(), Skip: []string{verify.CheckEVM}}); report.ExitCode() != 0 {
			t.Errorf("%s: %s", c.name, show(t, report))
		}
	}
}
