// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// settings writes a TOML file.
type settings struct {
	b strings.Builder
}

// set writes a key: text, number or bool. Go's quoting of the paths and names used here is TOML's.
func (s *settings) set(key string, value any) {
	if text, ok := value.(string); ok {
		value = fmt.Sprintf("%q", text)
	}
	s.raw(key, value)
}

func (s *settings) raw(key string, value any) { fmt.Fprintf(&s.b, "%s = %v\n", key, value) }

func (s *settings) table(header string) { fmt.Fprintf(&s.b, "\n%s\n", header) }

func (s *settings) String() string { return s.b.String() }

func hexOf(id [32]byte) string { return hex.EncodeToString(id[:]) }
