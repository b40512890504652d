// SPDX-License-Identifier: Apache-2.0

// Package u128 is the little 128-bit arithmetic that the economic formulas need: products of two 64-bit
// values, their rounded quotients and an integer square root. Nothing wraps and nothing saturates.
package u128

import "math/bits"

// Uint is the unsigned integer Hi·2^64 + Lo.
type Uint struct{ Hi, Lo uint64 }

// Mul returns the exact product a·b.
func Mul(a, b uint64) Uint {
	hi, lo := bits.Mul64(a, b)
	return Uint{Hi: hi, Lo: lo}
}

// Quo returns the quotient u / d and the remainder. Rounding: down. d must not be 0.
func (u Uint) Quo(d uint64) (quotient Uint, remainder uint64) {
	hi, rest := bits.Div64(0, u.Hi, d)
	lo, rest := bits.Div64(rest, u.Lo, d)
	return Uint{Hi: hi, Lo: lo}, rest
}

// AtLeast reports whether u >= v.
func (u Uint) AtLeast(v uint64) bool {
	return u.Hi > 0 || u.Lo >= v
}

// Sqrt returns the largest integer whose square is at most u.
//
// Newton's method from above: every x stays at or above the root, so the first step that does not go down is the end.
func (u Uint) Sqrt() uint64 {
	x := startAboveRoot(u)
	for u.Hi < x { // else u / x does not fit 64 bits, which at or above the root means that x is the root
		q, _ := bits.Div64(u.Hi, u.Lo, x)
		if q >= x {
			break
		}
		x = q + (x-q)/2
	}
	return x
}

// startAboveRoot returns a value that is at least the root of u and at most about twice the root.
func startAboveRoot(u Uint) uint64 {
	length := bits.Len64(u.Lo)
	if u.Hi > 0 {
		length = 64 + bits.Len64(u.Hi)
	}
	if length > 126 {
		return ^uint64(0)
	}
	return 1 << ((length + 1) / 2)
}

// MulDiv returns a·b / c, and whether the result is defined (c is not 0) and fits 64 bits. Rounding: down.
func MulDiv(a, b, c uint64) (uint64, bool) {
	hi, lo := bits.Mul64(a, b)
	if hi >= c {
		return 0, false
	}
	q, _ := bits.Div64(hi, lo, c)
	return q, true
}

// MulDivCeil is [MulDiv] rounded up.
func MulDivCeil(a, b, c uint64) (uint64, bool) {
	hi, lo := bits.Mul64(a, b)
	if hi >= c {
		return 0, false
	}
	q, r := bits.Div64(hi, lo, c)
	if r == 0 {
		return q, true
	}
	return Add(q, 1)
}

// Part returns total·part / whole for a part of at most the whole, which must not be 0; so the result is at most total.
// Rounding: down. A part so far above the whole that the result does not fit is a fault of the calling code and panics.
func Part(total, part, whole uint64) uint64 {
	hi, lo := bits.Mul64(total, part)
	q, _ := bits.Div64(hi, lo, whole)
	return q
}

// PartCeil is [Part] rounded up.
func PartCeil(total, part, whole uint64) uint64 {
	hi, lo := bits.Mul64(total, part)
	q, r := bits.Div64(hi, lo, whole)
	if r > 0 {
		q++ // a remainder means q < total, so this cannot wrap
	}
	return q
}

// Add returns a + b, and whether it fits 64 bits.
func Add(a, b uint64) (uint64, bool) {
	sum, carry := bits.Add64(a, b, 0)
	return sum, carry == 0
}

// Sum adds all values, and reports whether the sum fits 64 bits. The sum of nothing is 0.
func Sum(values []uint64) (uint64, bool) {
	sum := uint64(0)
	for _, v := range values {
		var ok bool
		if sum, ok = Add(sum, v); !ok {
			return 0, false
		}
	}
	return sum, true
}
