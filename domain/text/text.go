// SPDX-License-Identifier: Apache-2.0

// Package text says which texts a chain may store for people to read.
//
// The rule is a fixed list of ranges and not the Unicode tables of the Go release, which grow: two validators built with
// different releases would disagree about one message.
package text

import "unicode/utf8"

// span is a range of code points, both ends inclusive.
type span struct{ first, last rune }

// hidden are the code points that show nothing, reorder their neighbours, or pass for an ordinary space.
var hidden = [...]span{
	{0x00, 0x1f},        // C0 controls
	{0x7f, 0xa0},        // DEL, C1 controls, no-break space
	{0xad, 0xad},        // soft hyphen
	{0x34f, 0x34f},      // combining grapheme joiner
	{0x61c, 0x61c},      // Arabic letter mark
	{0x115f, 0x1160},    // Hangul fillers
	{0x1680, 0x1680},    // Ogham space
	{0x17b4, 0x17b5},    // Khmer inherent vowels
	{0x180b, 0x180f},    // Mongolian selectors
	{0x2000, 0x200f},    // spaces, zero-width characters, direction marks
	{0x2028, 0x202f},    // line and paragraph separators, direction overrides, narrow no-break space
	{0x205f, 0x206f},    // mathematical space, joiners, direction isolates
	{0x3000, 0x3000},    // ideographic space
	{0x3164, 0x3164},    // Hangul filler
	{0xe000, 0xf8ff},    // private use
	{0xfeff, 0xfeff},    // byte order mark
	{0xffa0, 0xffa0},    // half-width Hangul filler
	{0xfff0, 0xffff},    // specials, with the replacement character
	{0xe0000, 0x10ffff}, // tags, selectors, private use
}

// Plain reports whether s is valid UTF-8 without hidden characters: it survives JSON, and cannot garble a terminal or
// pass for another text by what it does not show. Letters that look alike are not its business.
func Plain(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		for _, h := range hidden {
			if r < h.first {
				break
			}
			if r <= h.last {
				return false
			}
		}
	}
	return true
}
