// SPDX-License-Identifier: Apache-2.0

// Package hostiletest fills messages with what an attacker would send: wrong lengths, missing parts, broken texts, extreme
// numbers, and true values of the state in wrong places.
package hostiletest

import (
	"math"
	"reflect"
	"strings"

	"pgregory.net/rapid"
)

// Values are true values of the state, mixed in so that some messages come far.
type Values struct {
	Strings []string // such as accounts
	Bytes   [][]byte // such as ids, keys and signatures
	Numbers []uint64 // such as heights and times
}

// Fill sets every exported field of the struct that msg points to.
func Fill(t *rapid.T, msg any, v Values) {
	f := &filler{
		t:       t,
		texts:   append([]string{"", "a", "\xff", "\x00", "a\u202eb", "gpucoord1", strings.Repeat("x", 300), strings.Repeat("é", 200)}, v.Strings...),
		bytes:   append([][]byte{nil, {}, {0}, make([]byte, 20), make([]byte, 32), make([]byte, 33), make([]byte, 65), make([]byte, 1_000)}, v.Bytes...),
		numbers: append([]uint64{0, 1, 2, 3, 9_999, 10_000, 10_001, 1_000_000, 1 << 31, 1 << 32, 1 << 62, math.MaxInt64, 1 << 63, math.MaxUint64}, v.Numbers...),
	}
	f.fill(reflect.ValueOf(msg).Elem(), 0)
}

// lengths of lists, around every bound that messages have.
var lengths = []int{0, 1, 1, 1, 2, 4, 5, 16, 17, 33, 65}

type filler struct {
	t       *rapid.T
	texts   []string
	bytes   [][]byte
	numbers []uint64
}

func (f *filler) fill(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(rapid.SampledFrom(f.texts).Draw(f.t, "text"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(f.t, "bool"))
	case reflect.Uint64, reflect.Uint32:
		n := rapid.SampledFrom(f.numbers).Draw(f.t, "number")
		if v.Kind() == reflect.Uint32 {
			n &= math.MaxUint32
		}
		v.SetUint(n)
	case reflect.Int32, reflect.Int64:
		v.SetInt(rapid.Int64Range(-1, 5).Draw(f.t, "enum"))
	case reflect.Slice:
		f.fillSlice(v, depth)
	case reflect.Pointer:
		if depth > 4 || rapid.IntRange(0, 3).Draw(f.t, "nil") == 0 {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem(), depth+1)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				f.fill(v.Field(i), depth+1)
			}
		}
	default:
	}
}

func (f *filler) fillSlice(v reflect.Value, depth int) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		v.SetBytes(rapid.SampledFrom(f.bytes).Draw(f.t, "bytes"))
		return
	}
	n := rapid.SampledFrom(lengths).Draw(f.t, "length")
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		f.fill(v.Index(i), depth+1)
	}
}
