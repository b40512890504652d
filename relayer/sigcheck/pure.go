// SPDX-License-Identifier: Apache-2.0

//go:build !cgo

package sigcheck

import "github.com/gpucoord/gpucoord/domain/receipt"

// Native says whether this build recovers and signs with libsecp256k1.
const Native = false

// Recover returns the address that signed digest, in pure Go.
//
// Errors: receipt.ErrHighS, receipt.ErrBadV, receipt.ErrNotRecovered.
func Recover(digest [32]byte, sig [65]byte) ([20]byte, error) {
	return receipt.RecoverAddress(digest, sig)
}

// Sign signs digest in pure Go.
func Sign(key *receipt.PrivateKey, digest [32]byte) [65]byte { return receipt.Sign(key, digest) }
