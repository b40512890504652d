// SPDX-License-Identifier: Apache-2.0

package anchor

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

// Signature is r | s | v with a low s and v 27 or 28, as domain/receipt signs.
type Signature = [65]byte

// Recover returns the address that signed digest; receipt.RecoverAddress, or a faster one that agrees with it.
type Recover func(digest [32]byte, sig [65]byte) ([20]byte, error)

// KeyProofDigest is what an anchor key signs to show that its holder registers it for this validator of this chain.
//
// validator is the operator address as the chain prints it. EIP-191, so that it can never be the digest of an anchor.
func KeyProofDigest(chainID, validator string) [32]byte {
	return receipt.EIP191Digest("gpucoord/anchor-key/v1\n" + chainID + "\n" + validator)
}

// Bitmap has bit i set when member i signed; bit 0 is the lowest bit of the last byte, as in a uint256.
type Bitmap [32]byte

// Set sets bit i of 0..255.
func (b *Bitmap) Set(i int) { b[31-i/8] |= 1 << (i % 8) }

// Has reports whether bit i of 0..255 is set.
func (b *Bitmap) Has(i int) bool { return b[31-i/8]&(1<<(i%8)) != 0 }

// Count is the number of bits set.
func (b *Bitmap) Count() (n int) {
	for _, x := range b {
		n += bits.OnesCount8(x)
	}
	return n
}

// Signed is one member's signature.
type Signed struct {
	// Member is the position in the set.
	Member int
	// Signature is over the anchor's digest.
	Signature Signature
}

// Verify checks that bitmap and sigs are exactly as many members' signatures of digest and hold more than two thirds.
//
// sigs stand in the order of the set. Sizes are checked before any signature.
// Errors: those of Validate, ErrBitmap, ErrLowPower, ErrBadSignature.
func (v Valset) Verify(digest [32]byte, bitmap Bitmap, sigs []Signature, signerOf Recover) error {
	if err := v.Validate(); err != nil {
		return err
	}
	if bitmap.Count() != len(sigs) {
		return ErrBitmap
	}
	var power uint64
	for i := range MaxMembers {
		switch {
		case !bitmap.Has(i):
		case i >= len(v):
			return ErrBitmap
		default:
			power += v[i].Power
		}
	}
	if !v.Enough(power) {
		return ErrLowPower
	}
	next := 0
	for i, m := range v {
		if !bitmap.Has(i) {
			continue
		}
		if signer, err := signerOf(digest, sigs[next]); err != nil || signer != m.Address {
			return ErrBadSignature
		}
		next++
	}
	return nil
}

// Quorum picks the fewest of the signatures that hold more than two thirds: gas grows with each.
//
// signed names members of the set, each at most once, with signatures that were verified. The result is in the order
// of the set. Errors: ErrLowPower when all of them are not enough.
func (v Valset) Quorum(signed []Signed) (Bitmap, []Signature, error) {
	byPower := slices.Clone(signed)
	slices.SortFunc(byPower, func(a, b Signed) int {
		return cmp.Or(cmp.Compare(v[b.Member].Power, v[a.Member].Power), cmp.Compare(a.Member, b.Member))
	})
	var power uint64
	for n, s := range byPower {
		power += v[s.Member].Power
		if v.Enough(power) {
			return pack(byPower[:n+1])
		}
	}
	return Bitmap{}, nil, ErrLowPower
}

func pack(chosen []Signed) (bitmap Bitmap, sigs []Signature, err error) {
	slices.SortFunc(chosen, func(a, b Signed) int { return cmp.Compare(a.Member, b.Member) })
	for _, s := range chosen {
		bitmap.Set(s.Member)
		sigs = append(sigs, s.Signature)
	}
	return bitmap, sigs, nil
}

// Compact is the 64-byte form of EIP-2098 that the contract takes: v is the top bit of s.
func Compact(sig Signature) (c [64]byte) {
	copy(c[:], sig[:64])
	c[32] |= (sig[64] - 27) << 7
	return c
}
