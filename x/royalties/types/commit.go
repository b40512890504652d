// SPDX-License-Identifier: Apache-2.0

package types

import "crypto/sha256"

const (
	// commitTag separates commit hashes from all other hashes.
	commitTag = "GCC1"
	// OwnerSize is the length of an owner's address in bytes; longer addresses cannot own assets.
	OwnerSize = 20
	// HashSize is the length of ids, hashes and salts in bytes.
	HashSize = sha256.Size
)

// CommitHash returns the hash that hides an asset id until it is revealed: SHA-256 over the four ASCII bytes "GCC1", the
// owner's 20 address bytes, the 32 bytes of the asset id and the 32 bytes of the salt, 88 bytes in all.
//
// The owner is in the hash, so nobody can use another's commit; the salt must be random, since asset ids can be guessed.
func CommitHash(owner [OwnerSize]byte, assetID, salt [HashSize]byte) [HashSize]byte {
	data := make([]byte, 0, len(commitTag)+OwnerSize+2*HashSize)
	data = append(data, commitTag...)
	data = append(data, owner[:]...)
	data = append(data, assetID[:]...)
	data = append(data, salt[:]...)
	return sha256.Sum256(data)
}
