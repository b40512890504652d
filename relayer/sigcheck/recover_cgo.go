// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package sigcheck

import (
	"github.com/ethereum/go-ethereum/crypto/secp256k1"
	"golang.org/x/crypto/sha3"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

// Native says whether this build recovers with libsecp256k1.
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
