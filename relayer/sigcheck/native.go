// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package sigcheck

import (
	dcrd "github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/ethereum/go-ethereum/crypto/secp256k1"
	"golang.org/x/crypto/sha3"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

// Native says whether this build recovers and signs with libsecp256k1.
const Native = true

// Recover returns the address that signed digest, with libsecp256k1.
//
// Errors: receipt.ErrHighS, receipt.ErrBadV, receipt.ErrNotRecovered.
func Recover(digest [32]byte, sig [65]byte) ([20]byte, error) {
	var address [20]byte
	if err := receipt.CheckCanonical(&sig); err != nil {
		return address, err
	}
	sig[64] -= 27
	key, err := secp256k1.RecoverPubkey(digest[:], sig[:])
	if err != nil {
		return address, receipt.ErrNotRecovered
	}
	hash := sha3.NewLegacyKeccak256()
	hash.Write(key[1:])
	var sum [32]byte
	copy(address[:], hash.Sum(sum[:0])[12:])
	return address, nil
}

// Sign signs digest with libsecp256k1: the same bytes as receipt.Sign, for both take the nonce of RFC 6979 and the low s.
//
// A digest of the curve's order or above, which no hash will ever give, is left to the plain one: the library makes its nonce
// before it reduces the digest, the plain one after.
func Sign(key *receipt.PrivateKey, digest [32]byte) [65]byte {
	var reduced dcrd.ModNScalar
	if reduced.SetBytes(&digest) != 0 {
		return receipt.Sign(key, digest)
	}
	raw := key.Key.Bytes()
	defer clear(raw[:])
	out, err := secp256k1.Sign(digest[:], raw[:])
	if err != nil || len(out) != 65 { // a key that was never parsed: the plain one says the same of it
		return receipt.Sign(key, digest)
	}
	sig := [65]byte(out)
	sig[64] += 27
	return sig
}
