// SPDX-License-Identifier: Apache-2.0

package anchor_test

import (
	"encoding/binary"
	"errors"
	"math/big"
	"testing"

	"golang.org/x/crypto/sha3"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/domain/receipt"
)

// keccak is the hash of the parts in a row.
func keccak(parts ...[]byte) []byte {
	h := sha3.NewLegacyKeccak256()
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}

func keyOf(t *testing.T, seed string) *receipt.PrivateKey {
	t.Helper()
	key, err := receipt.ParsePrivateKey(keccak([]byte("anchor vector: " + seed)))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// keyed is a set with the keys of its members, in the set's order.
type keyed struct {
	set  anchor.Valset
	keys []*receipt.PrivateKey
}

// newKeyed makes a set with these powers; the order is the addresses'.
func newKeyed(t *testing.T, powers ...uint64) keyed {
	t.Helper()
	byAddress := map[[20]byte]*receipt.PrivateKey{}
	var k keyed
	for i, power := range powers {
		key := keyOf(t, string(binary.BigEndian.AppendUint16(nil, uint16(i))))
		byAddress[receipt.KeyAddress(key)] = key
		k.set = append(k.set, anchor.Member{Address: receipt.KeyAddress(key), Power: power})
	}
	k.set.Sort()
	for _, m := range k.set {
		k.keys = append(k.keys, byAddress[m.Address])
	}
	return k
}

func equalPowers(n int) []uint64 {
	powers := make([]uint64, n)
	for i := range powers {
		powers[i] = 100
	}
	return powers
}

// sign has the members at these places sign digest.
func (k keyed) sign(digest [32]byte, members ...int) (bitmap anchor.Bitmap, sigs []anchor.Signature) {
	for _, i := range members {
		bitmap.Set(i)
		sigs = append(sigs, receipt.Sign(k.keys[i], digest))
	}
	return bitmap, sigs
}

func wantErr(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func upTo(n int) (out []int) {
	for i := range n {
		out = append(out, i)
	}
	return out
}

func recoverAddress(digest [32]byte, sig [65]byte) ([20]byte, error) {
	return receipt.RecoverAddress(digest, sig)
}

func signWith(key *receipt.PrivateKey, digest [32]byte) anchor.Signature {
	return receipt.Sign(key, digest)
}

// highS is the second form of a signature: the order less s, and the other v.
func highS(sig anchor.Signature) anchor.Signature {
	order, _ := new(big.Int).SetString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16)
	order.Sub(order, new(big.Int).SetBytes(sig[32:64])).FillBytes(sig[32:64])
	sig[64] = 55 - sig[64]
	return sig
}
