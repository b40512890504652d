// SPDX-License-Identifier: Apache-2.0

package u128_test

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/u128"
)

func bigOf(v uint64) *big.Int { return new(big.Int).SetUint64(v) }

func bigOfUint(u u128.Uint) *big.Int {
	v := new(big.Int).Lsh(bigOf(u.Hi), 64)
	return v.Add(v, bigOf(u.Lo))
}

func uintProps(t *rapid.T) {
	a, b := rapid.Uint64().Draw(t, "a"), rapid.Uint64().Draw(t, "b")
	product := u128.Mul(a, b)
	if want := new(big.Int).Mul(bigOf(a), bigOf(b)); bigOfUint(product).Cmp(want) != 0 {
		t.Fatalf("%d * %d: got %+v, want %v", a, b, product, want)
	}

	u := u128.Uint{Hi: rapid.Uint64().Draw(t, "hi"), Lo: rapid.Uint64().Draw(t, "lo")}
	d := rapid.Uint64Min(1).Draw(t, "d")
	quotient, remainder := u.Quo(d)
	wantQ, wantR := new(big.Int).QuoRem(bigOfUint(u), bigOf(d), new(big.Int))
	if bigOfUint(quotient).Cmp(wantQ) != 0 || bigOf(remainder).Cmp(wantR) != 0 {
		t.Fatalf("%+v / %d: got %+v rest %d, want %v rest %v", u, d, quotient, remainder, wantQ, wantR)
	}
	if got, want := u.AtLeast(d), bigOfUint(u).Cmp(bigOf(d)) >= 0; got != want {
		t.Fatalf("%+v >= %d: got %t, want %t", u, d, got, want)
	}
	checkRoot(t, u)
}

// fataler is the part of a test that the checks need.
type fataler interface {
	Fatalf(format string, args ...any)
}

func checkRoot(t fataler, u u128.Uint) {
	if got, want := u.Sqrt(), new(big.Int).Sqrt(bigOfUint(u)); bigOf(got).Cmp(want) != 0 {
		t.Fatalf("root of %+v: got %d, want %v", u, got, want)
	}
}

func divProps(t *rapid.T) {
	a, b, c := rapid.Uint64().Draw(t, "a"), rapid.Uint64().Draw(t, "b"), rapid.Uint64().Draw(t, "c")
	down, downFits := u128.MulDiv(a, b, c)
	up, upFits := u128.MulDivCeil(a, b, c)
	if c == 0 {
		if downFits || upFits {
			t.Fatalf("a division by 0 is defined")
		}
		return
	}
	want, rest := new(big.Int).QuoRem(new(big.Int).Mul(bigOf(a), bigOf(b)), bigOf(c), new(big.Int))
	if downFits != want.IsUint64() || (downFits && down != want.Uint64()) {
		t.Fatalf("%d * %d / %d: got %d (%t), want %v", a, b, c, down, downFits, want)
	}
	if b <= c && u128.Part(a, b, c) != want.Uint64() {
		t.Fatalf("part: got %d, want %v", u128.Part(a, b, c), want)
	}
	if rest.Sign() > 0 {
		want.Add(want, big.NewInt(1))
	}
	if upFits != want.IsUint64() || (upFits && up != want.Uint64()) {
		t.Fatalf("%d * %d / %d up: got %d (%t), want %v", a, b, c, up, upFits, want)
	}
	if b <= c && u128.PartCeil(a, b, c) != want.Uint64() {
		t.Fatalf("part up: got %d, want %v", u128.PartCeil(a, b, c), want)
	}
}

func sumProps(t *rapid.T) {
	values := rapid.SliceOfN(rapid.Uint64(), 0, 6).Draw(t, "values")
	want := new(big.Int)
	for _, v := range values {
		want.Add(want, bigOf(v))
	}
	got, fits := u128.Sum(values)
	if fits != want.IsUint64() || (fits && got != want.Uint64()) {
		t.Fatalf("sum: got %d (%t), want %v", got, fits, want)
	}
}

func TestUintProps(t *testing.T) { rapid.Check(t, uintProps) }
func TestDivProps(t *testing.T)  { rapid.Check(t, divProps) }
func TestSumProps(t *testing.T)  { rapid.Check(t, sumProps) }

func FuzzUint(f *testing.F) {
	f.Add(make([]byte, 1024))
	f.Fuzz(rapid.MakeFuzz(uintProps))
}

func FuzzDiv(f *testing.F) {
	f.Add(make([]byte, 1024))
	f.Fuzz(rapid.MakeFuzz(divProps))
}

func TestSqrtAroundSquares(t *testing.T) {
	roots := []uint64{0, 1, 2, 3, 4, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1<<63 - 1, 1 << 63, 1<<63 + 1, math.MaxUint64 - 1, math.MaxUint64}
	one := big.NewInt(1)
	for _, root := range roots {
		square := new(big.Int).Mul(bigOf(root), bigOf(root))
		for _, v := range []*big.Int{new(big.Int).Sub(square, one), square, new(big.Int).Add(square, one)} {
			if v.Sign() >= 0 {
				checkRoot(t, uintOf(v))
			}
		}
	}
	checkRoot(t, u128.Uint{Hi: math.MaxUint64, Lo: math.MaxUint64})
	checkRoot(t, u128.Uint{Hi: math.MaxUint64 - 1}) // the high word alone is not below the root
}

func TestSqrtSmall(t *testing.T) {
	for v := range uint64(10_000) {
		checkRoot(t, u128.Uint{Lo: v})
	}
}

func uintOf(v *big.Int) u128.Uint {
	lo := new(big.Int).And(v, bigOf(math.MaxUint64))
	return u128.Uint{Hi: new(big.Int).Rsh(v, 64).Uint64(), Lo: lo.Uint64()}
}
