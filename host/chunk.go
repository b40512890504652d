// SPDX-License-Identifier: Apache-2.0

package host

import "bytes"

var (
	usageKey = []byte(`"usage"`)
	errorKey = []byte(`"error"`)
	doneData = []byte("[DONE]")
	null     = []byte("null")
)

// chunk is what the host reads of an answer or of an event of a stream. The bytes are those of the event.
type chunk struct {
	usage, err []byte // values, nil if absent or null
	last       bool   // choices is an empty list, as in the closing usage event
	// The usage member with its comma is cutFrom to cutTo, both 0 if there is none.
	cutFrom, cutTo int
}

// parseChunk reads the top-level members of a JSON object that the host needs; nil means that it carries neither usage nor error.
//
// Every event of a stream passes here, so most are told by two searches (a quote inside a JSON string is escaped, so content cannot
// look like a key), and the others by one pass without decoding.
func parseChunk(data []byte) *chunk {
	if !bytes.Contains(data, usageKey) && !bytes.Contains(data, errorKey) {
		return nil
	}
	c := &chunk{}
	m := members{b: data}
	for m.next() {
		switch string(m.key) {
		case "usage":
			c.usage = notNull(m.value)
			c.cutFrom, c.cutTo = m.extent()
		case "error":
			c.err = notNull(m.value)
		case "choices":
			c.last = len(m.value) > 1 && m.value[0] == '[' && len(bytes.TrimSpace(m.value[1:len(m.value)-1])) == 0
		}
	}
	return c
}

func notNull(value []byte) []byte {
	if bytes.Equal(value, null) {
		return nil
	}
	return value
}

// members walks over the members of a JSON object. What is no object has none; a malformed one ends early.
type members struct {
	b          []byte
	key, value []byte // of the present member, the key without quotes and escapes as they are
	from, to   int    // where key begins and value ends
	prev       int    // where the value before ended, 0 for the first member
	pos        int
}

// next moves to the next member.
func (m *members) next() bool {
	m.prev = m.to
	m.space()
	if want := byte(','); m.pos >= len(m.b) || m.to == 0 && m.b[m.pos] != '{' || m.to > 0 && m.b[m.pos] != want {
		return false
	}
	m.pos++
	m.space()
	m.from = m.pos
	if m.pos >= len(m.b) || m.b[m.pos] != '"' || !m.skipString() {
		return false
	}
	m.key = m.b[m.from+1 : m.pos-1]
	m.space()
	if m.pos >= len(m.b) || m.b[m.pos] != ':' {
		return false
	}
	m.pos++
	m.space()
	start := m.pos
	if !m.skipValue() {
		return false
	}
	m.value, m.to = m.b[start:m.pos], m.pos
	return true
}

// extent is the present member with the comma before it, or the one after it if it is the first.
func (m *members) extent() (from, to int) {
	if m.prev > 0 {
		return m.prev, m.to
	}
	rest := bytes.TrimLeft(m.b[m.to:], " \t\r\n")
	if bytes.HasPrefix(rest, []byte(",")) {
		return m.from, len(m.b) - len(rest) + 1
	}
	return m.from, m.to
}

func (m *members) space() {
	for m.pos < len(m.b) && (m.b[m.pos] == ' ' || m.b[m.pos] == '\t' || m.b[m.pos] == '\r' || m.b[m.pos] == '\n') {
		m.pos++
	}
}

// skipString moves behind the string that begins here.
func (m *members) skipString() bool {
	for m.pos++; m.pos < len(m.b); m.pos++ {
		switch m.b[m.pos] {
		case '\\':
			m.pos++
		case '"':
			m.pos++
			return true
		}
	}
	return false
}

// skipValue moves behind the value that begins here: a string, a bracketed value, or everything up to the next comma or bracket.
func (m *members) skipValue() bool {
	depth := 0
	for m.pos < len(m.b) {
		switch m.b[m.pos] {
		case '"':
			if !m.skipString() {
				return false
			}
			if depth == 0 {
				return true
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return true
			}
			if depth--; depth == 0 {
				m.pos++
				return true
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return true
			}
		}
		m.pos++
	}
	return false
}
