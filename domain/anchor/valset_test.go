// SPDX-License-Identifier: Apache-2.0

package anchor_test

import (
	"bytes"
	"math/big"
	"math/bits"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/anchor"
)

// set returns members with addresses 1, 2, … and these powers.
func set(powers ...uint64) anchor.Valset {
	v := make(anchor.Valset, len(powers))
	for i, power := range powers {
		v[i].Address[18], v[i].Address[19] = byte((i+1)>>8), byte(i+1)
		v[i].Power = power
	}
	return v
}

func TestValidate(t *testing.T) {
	swapped, twice, zero := set(1, 2, 3), set(1, 2, 3), set(1, 2, 3)
	swapped[0], swapped[1] = swapped[1], swapped[0]
	twice[1].Address = twice[0].Address
	zero[0].Address = [20]byte{}
	for name, test := range map[string]struct {
		v    anchor.Valset
		want error
	}{
		"one":               {set(1), nil},
		"256":               {set(equalPowers(256)...), nil},
		"most power":        {set(anchor.MaxTotalPower-1, 1), nil},
		"empty":             {nil, anchor.ErrEmptySet},
		"257":               {set(equalPowers(257)...), anchor.ErrTooMany},
		"zero address":      {zero, anchor.ErrZeroAddress},
		"zero power":        {set(1, 0, 1), anchor.ErrZeroPower},
		"one power too big": {set(anchor.MaxTotalPower + 1), anchor.ErrPowerTooHigh},
		"sum too big":       {set(anchor.MaxTotalPower, 1), anchor.ErrPowerTooHigh},
		"sum overflows":     {set(1, 1<<64-1), anchor.ErrPowerTooHigh},
		"swapped":           {swapped, anchor.ErrOrder},
		"twice":             {twice, anchor.ErrOrder},
	} {
		t.Run(name, func(t *testing.T) { wantErr(t, test.v.Validate(), test.want) })
	}
}

func TestEnough(t *testing.T) {
	for _, test := range []struct {
		v     anchor.Valset
		power uint64
		want  bool
	}{
		{set(100, 100, 100), 200, false},
		{set(100, 100, 100), 201, true},
		{set(100, 100, 98), 198, false},
		{set(100, 100, 98), 199, true},
		{set(1), 0, false},
		{set(1), 1, true},
		{set(anchor.MaxTotalPower), anchor.MaxTotalPower, true},
		{set(anchor.MaxTotalPower), 1 << 63, false}, // more than there can be: three times it would overflow
	} {
		if got := test.v.Enough(test.power); got != test.want {
			t.Errorf("%d of %d: got %t", test.power, test.v.Total(), got)
		}
	}
}

// TestEnoughOracle compares with numbers that can not overflow.
func TestEnoughOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := set(rapid.SliceOfN(rapid.Uint64Range(1, anchor.MaxTotalPower/8), 1, 8).Draw(t, "powers")...)
		power := rapid.Uint64Range(0, v.Total()).Draw(t, "power")
		thrice := new(big.Int).Mul(big.NewInt(3), new(big.Int).SetUint64(power))
		twice := new(big.Int)
		for _, m := range v {
			twice.Add(twice, new(big.Int).SetUint64(m.Power))
			twice.Add(twice, new(big.Int).SetUint64(m.Power))
		}
		if want := thrice.Cmp(twice) > 0; v.Enough(power) != want {
			t.Fatalf("%d of %d: want %t", power, v.Total(), want)
		}
	})
}

func TestPackedAndHash(t *testing.T) {
	v := set(1, 1<<40+2)
	v[1].Address[0] = 0xff
	words := v.Packed()
	want := append(append([]byte{}, v[0].Address[:]...), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
	second := append(append([]byte{}, v[1].Address[:]...), 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2)
	if len(words) != 2 || !bytes.Equal(words[0][:], want) || !bytes.Equal(words[1][:], second) {
		t.Fatalf("got %x", words)
	}
	if hash := v.Hash(); !bytes.Equal(hash[:], keccak(want, second)) {
		t.Errorf("hash %x", hash)
	}
	var none anchor.Valset
	if hash := none.Hash(); !bytes.Equal(hash[:], keccak()) {
		t.Errorf("hash of none %x", hash)
	}
}

func TestUnpack(t *testing.T) {
	v := set(3, 1, 2)
	back, err := anchor.Unpack(v.Packed())
	if err != nil || !slices.Equal(back, v) {
		t.Fatalf("got %v, %v", back, err)
	}
	wide := v.Packed()
	wide[1][23] = 1 // bit 64 of the power
	_, err = anchor.Unpack(wide)
	wantErr(t, err, anchor.ErrPowerTooHigh)
	_, err = anchor.Unpack(make([][32]byte, 257))
	wantErr(t, err, anchor.ErrTooMany)
	_, err = anchor.Unpack(nil)
	wantErr(t, err, anchor.ErrEmptySet)
	_, err = anchor.Unpack(append(v.Packed(), v.Packed()[2]))
	wantErr(t, err, anchor.ErrOrder)
}

func TestSortAndIndex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seeds := rapid.SliceOfNDistinct(rapid.Uint64(), 1, 40, rapid.ID[uint64]).Draw(t, "seeds")
		var v anchor.Valset
		for _, seed := range seeds {
			v = append(v, anchor.Member{Address: [20]byte(keccak(word(seed))[:20]), Power: 1})
		}
		v.Sort()
		if err := v.Validate(); err != nil {
			t.Fatal(err)
		}
		for i, m := range v {
			if got := v.Index(m.Address); got != i {
				t.Fatalf("member %d is found at %d", i, got)
			}
		}
		if got := v.Index([20]byte(keccak([]byte("nobody"))[:20])); got != -1 {
			t.Fatalf("nobody is found at %d", got)
		}
	})
}

func TestBitmap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		chosen := rapid.SliceOfDistinct(rapid.IntRange(0, 255), rapid.ID[int]).Draw(t, "bits")
		var b anchor.Bitmap
		want := new(big.Int)
		for _, i := range chosen {
			b.Set(i)
			want.SetBit(want, i, 1)
		}
		if got := new(big.Int).SetBytes(b[:]); got.Cmp(want) != 0 || b.Count() != len(chosen) {
			t.Fatalf("got %x with %d bits, want %x", b, b.Count(), want)
		}
		for i := range 256 {
			if b.Has(i) != slices.Contains(chosen, i) {
				t.Fatalf("bit %d: %t", i, b.Has(i))
			}
		}
	})
}

func TestVerify(t *testing.T) {
	k := newKeyed(t, equalPowers(4)...)
	digest := [32]byte(keccak([]byte("digest")))
	bitmap, sigs := k.sign(digest, 0, 2, 3)
	wantErr(t, k.set.Verify(digest, bitmap, sigs, recoverAddress), nil)
	for name, test := range map[string]struct {
		change func(v *anchor.Valset, b *anchor.Bitmap, s *[]anchor.Signature)
		want   error
	}{
		"empty set":         {func(v *anchor.Valset, _ *anchor.Bitmap, _ *[]anchor.Signature) { *v = nil }, anchor.ErrEmptySet},
		"a bit too many":    {func(_ *anchor.Valset, b *anchor.Bitmap, _ *[]anchor.Signature) { b.Set(1) }, anchor.ErrBitmap},
		"a signature less":  {func(_ *anchor.Valset, _ *anchor.Bitmap, s *[]anchor.Signature) { *s = (*s)[:2] }, anchor.ErrBitmap},
		"a signature more":  {func(_ *anchor.Valset, _ *anchor.Bitmap, s *[]anchor.Signature) { *s = append(*s, (*s)[0]) }, anchor.ErrBitmap},
		"bit beyond":        {beyond(4), anchor.ErrBitmap},
		"bit far beyond":    {beyond(255), anchor.ErrBitmap},
		"quorum less one":   {func(v *anchor.Valset, _ *anchor.Bitmap, _ *[]anchor.Signature) { (*v)[1].Power = 150 }, anchor.ErrLowPower},
		"quorum":            {func(v *anchor.Valset, _ *anchor.Bitmap, _ *[]anchor.Signature) { (*v)[1].Power = 149 }, nil},
		"altered signature": {func(_ *anchor.Valset, _ *anchor.Bitmap, s *[]anchor.Signature) { (*s)[1][5] ^= 1 }, anchor.ErrBadSignature},
		"high s":            {func(_ *anchor.Valset, _ *anchor.Bitmap, s *[]anchor.Signature) { (*s)[2] = highS((*s)[2]) }, anchor.ErrBadSignature},
		"swapped":           {func(_ *anchor.Valset, _ *anchor.Bitmap, s *[]anchor.Signature) { (*s)[0], (*s)[1] = (*s)[1], (*s)[0] }, anchor.ErrBadSignature},
		"twice the same":    {func(_ *anchor.Valset, _ *anchor.Bitmap, s *[]anchor.Signature) { (*s)[1] = (*s)[0] }, anchor.ErrBadSignature},
	} {
		t.Run(name, func(t *testing.T) {
			v, b, s := slices.Clone(k.set), bitmap, slices.Clone(sigs)
			test.change(&v, &b, &s)
			wantErr(t, v.Verify(digest, b, s, recoverAddress), test.want)
		})
	}
	wantErr(t, k.set.Verify([32]byte{1}, bitmap, sigs, recoverAddress), anchor.ErrBadSignature)
}

// beyond moves the last member's bit to one that no member has.
func beyond(bit int) func(*anchor.Valset, *anchor.Bitmap, *[]anchor.Signature) {
	return func(_ *anchor.Valset, b *anchor.Bitmap, _ *[]anchor.Signature) {
		*b = anchor.Bitmap{}
		b.Set(0)
		b.Set(2)
		b.Set(bit)
	}
}

func TestQuorum(t *testing.T) {
	digest := [32]byte(keccak([]byte("digest")))
	k := newKeyed(t, 5, 40, 10, 30, 15)
	var signed []anchor.Signed
	for i, key := range k.keys {
		signed = append(signed, anchor.Signed{Member: i, Signature: signWith(key, digest)})
	}
	bitmap, sigs, err := k.set.Quorum(signed)
	if err != nil {
		t.Fatal(err)
	}
	// 40 + 30 is more than two thirds of 100.
	for i, m := range k.set {
		if bitmap.Has(i) != (m.Power >= 30) {
			t.Errorf("member of power %d: %t", m.Power, bitmap.Has(i))
		}
	}
	wantErr(t, k.set.Verify(digest, bitmap, sigs, recoverAddress), nil)
	strongest := slices.IndexFunc(k.set, func(m anchor.Member) bool { return m.Power == 40 })
	_, _, err = k.set.Quorum(slices.Delete(slices.Clone(signed), strongest, strongest+1))
	wantErr(t, err, anchor.ErrLowPower)
	_, _, err = k.set.Quorum(nil)
	wantErr(t, err, anchor.ErrLowPower)
}

// TestQuorumIsTheSmallest tries every subset.
func TestQuorumIsTheSmallest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := set(rapid.SliceOfN(rapid.Uint64Range(1, 50), 1, 9).Draw(t, "powers")...)
		fewest := len(v)
		for subset := range 1 << len(v) {
			var power uint64
			for i, m := range v {
				power += m.Power * uint64(subset>>i&1)
			}
			if v.Enough(power) {
				fewest = min(fewest, bits.OnesCount(uint(subset)))
			}
		}
		var signed []anchor.Signed
		for _, i := range rapid.Permutation(upTo(len(v))).Draw(t, "order") {
			signed = append(signed, anchor.Signed{Member: i, Signature: anchor.Signature{0: byte(i)}})
		}
		bitmap, sigs, err := v.Quorum(signed)
		if err != nil || len(sigs) != fewest || bitmap.Count() != fewest {
			t.Fatalf("%d signatures, %d bits, %v; the fewest are %d", len(sigs), bitmap.Count(), err, fewest)
		}
		next := 0
		for i := range v {
			if bitmap.Has(i) {
				if sigs[next][0] != byte(i) {
					t.Fatalf("signature %d is not member %d's", next, i)
				}
				next++
			}
		}
	})
}
