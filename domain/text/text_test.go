// SPDX-License-Identifier: Apache-2.0

package text_test

import (
	"testing"

	"github.com/gpucoord/gpucoord/domain/text"
)

func TestPlain(t *testing.T) {
	for s, want := range map[string]bool{
		"":                       true,
		"Alice & Söhne <GPU>":    true,
		"模型 – адаптер 🚀":         true,
		"\U0001FAE8\U0001CCF0":   true, // assigned in Unicode 15 and 16: no table of a Go release decides
		"a\x00":                  false,
		"a\nb":                   false,
		"a\x1b[31m":              false,
		"a\u0085b":               false,
		"no\u00a0break":          false,
		"invoice\u202egnp.exe":   false,
		"ali\u200bce":            false,
		"\ufeffalice":            false,
		"a\u2066b":               false,
		"wide\u3000space":        false,
		"\ue000":                 false,
		"a\ufffd":                false,
		"tag\U000E0041":          false,
		"\xff":                   false,
		"cut \xe2\x82":           false,
		"surrogate \xed\xa0\x80": false,
	} {
		if got := text.Plain(s); got != want {
			t.Errorf("Plain(%q) = %v, want %v", s, got, want)
		}
	}
}
