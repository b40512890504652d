// SPDX-License-Identifier: Apache-2.0

package receipt

import (
	"bytes"
	"crypto/sha256"
	"errors"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// Errors of keys and of recovery.
var (
	ErrBadPrivateKey = errors.New("private key is not 32 bytes in 1..n-1: generate a secp256k1 key")
	ErrBadPublicKey  = errors.New("public key is not a compressed secp256k1 point: send 33 bytes that start with 02 or 03")
	ErrNotRecovered  = errors.New("no key made this signature: sign the 32-byte digest with secp256k1")
)

var (
	// maxLowS is (n-1)/2, the largest s of a canonical signature.
	maxLowS = [32]byte{
		0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
	}
	// curveOrder is n.
	curveOrder = [32]byte{
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
		0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
	}
)

// PrivateKey is a secp256k1 private key.
type PrivateKey = secp256k1.PrivateKey

// ParsePrivateKey reads a 32-byte big-endian private key.
//
// Errors: ErrBadPrivateKey for another length, zero, or a number of the curve order or above.
func ParsePrivateKey(b []byte) (*PrivateKey, error) {
	var scalar secp256k1.ModNScalar
	if len(b) != 32 || scalar.SetByteSlice(b) || scalar.IsZero() {
		return nil, ErrBadPrivateKey
	}
	return secp256k1.NewPrivateKey(&scalar), nil
}

// Sign signs digest as it is (no message prefix) with the RFC 6979 nonce; the result is r | s | v with a low s and v 27 or 28.
//
// An r of n or above before reduction would give v 29 or 30, which every verifier refuses; it occurs once in 2^127 signatures.
func Sign(key *PrivateKey, digest [32]byte) [65]byte {
	compact := ecdsa.SignCompact(key, digest[:], false) // 27 + recovery id | r | s
	var sig [65]byte
	copy(sig[:], compact[1:])
	sig[64] = compact[0]
	return sig
}

// RecoverAddress returns the address of the key that made sig over digest, in pure Go.
//
// Errors: ErrHighS, ErrBadV, ErrNotRecovered (r = 0, r >= n, s = 0, or an r that is not the x coordinate of a point).
func RecoverAddress(digest [32]byte, sig [65]byte) ([20]byte, error) {
	if err := CheckCanonical(&sig); err != nil {
		return [20]byte{}, err
	}
	var compact [65]byte
	compact[0] = sig[64]
	copy(compact[1:], sig[:64])
	pub, _, err := ecdsa.RecoverCompact(compact[:], digest[:])
	if err != nil {
		return [20]byte{}, ErrNotRecovered
	}
	return AddressOf(pub), nil
}

// CheckCanonical says whether sig has the one accepted form: low s, v 27 or 28, r and s in range. Every way of
// recovering a signer starts with it, so that none accepts what another refuses.
//
// Errors: ErrHighS, ErrBadV, ErrNotRecovered (r = 0, r >= n, s = 0).
func CheckCanonical(sig *[65]byte) error {
	if highS(sig) {
		return ErrHighS
	}
	if badV(sig) {
		return ErrBadV
	}
	r, s := [32]byte(sig[:32]), [32]byte(sig[32:64])
	if r == ([32]byte{}) || s == ([32]byte{}) || bytes.Compare(r[:], curveOrder[:]) >= 0 {
		return ErrNotRecovered
	}
	return nil
}

func highS(sig *[65]byte) bool { return bytes.Compare(sig[32:64], maxLowS[:]) > 0 }

func badV(sig *[65]byte) bool { return sig[64] != 27 && sig[64] != 28 }

// AddressOf returns the address of a public key.
func AddressOf(pub *secp256k1.PublicKey) [20]byte {
	hash := keccak256(pub.SerializeUncompressed()[1:])
	return [20]byte(hash[12:])
}

// AddressOfCompressed returns the address of a 33-byte public key.
//
// Errors: ErrBadPublicKey.
func AddressOfCompressed(pub33 []byte) ([20]byte, error) {
	if len(pub33) != secp256k1.PubKeyBytesLenCompressed {
		return [20]byte{}, ErrBadPublicKey
	}
	pub, err := secp256k1.ParsePubKey(pub33)
	if err != nil {
		return [20]byte{}, ErrBadPublicKey
	}
	return AddressOf(pub), nil
}

// KeyAddress returns the address of a private key.
func KeyAddress(key *PrivateKey) [20]byte { return AddressOf(key.PubKey()) }

// KeyRole is what a key is registered for.
type KeyRole uint8

// The roles of a receipt key.
const (
	RoleHost    KeyRole = 1 // signs receipts
	RoleGateway KeyRole = 2 // signs job authorisations and countersigns
)

// KeyProofDigest returns the digest that a key signs to prove that whoever registers it holds it:
// SHA256("GCK1" | salt 32 | role u8 | account 20 | key address 20). It binds the key to one chain, one role and one account.
func KeyProofDigest(d Domain, role KeyRole, account, key [20]byte) [32]byte {
	buf := make([]byte, 0, 4+32+1+20+20)
	buf = append(buf, "GCK1"...)
	buf = append(buf, d.salt[:]...)
	buf = append(buf, byte(role))
	buf = append(buf, account[:]...)
	buf = append(buf, key[:]...)
	return sha256.Sum256(buf)
}
