// SPDX-License-Identifier: Apache-2.0

package types

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"

	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

// StatementV1 is evidence that a root key of the parameters signed about a host: somebody whom governance trusts looked. Its bytes:
//
//	 0  4  "GCV1"                    96  1 claims, as bits          145  1 scheme: 0 or 1
//	 4 32  the chain's salt          97  8 not before, Unix s       146 65 signature: r, s, v of 27 or 28
//	36 20  the host's receipt key   105  8 not after, Unix s        211    end
//	56  8  nonce height             113 32 subject, any hash
//	64 32  that block's hash
//
// Integers are big-endian. What is signed, with secp256k1, is SHA-256 of the first 145 bytes (scheme 0), or the EIP-191 text
// "gpucoord/statement/v1\n" and that hash in lower-case hex (scheme 1).
type StatementV1 struct{}

const (
	statementTag    = "GCV1"
	statementSigned = 145
	statementLength = 211
)

// Schemes of a statement's signature.
const (
	StatementRaw    byte = 0 // over the hash as it is
	StatementEIP191 byte = 1 // over a text, as wallets sign
)

// Statement is what a root key says about a host.
type Statement struct {
	EvidenceBinding
	Subject [32]byte // a hash of what was looked at: an image, a report
}

// Name implements Format.
func (StatementV1) Name() string { return "statement/v1" }

// AppendSigned appends the bytes that are signed. The claims are their lowest 8 bits.
func (s *Statement) AppendSigned(b []byte) []byte {
	b = append(b, statementTag...)
	b = append(b, s.ChainSalt[:]...)
	b = append(b, s.HostKey[:]...)
	b = binary.BigEndian.AppendUint64(b, s.NonceHeight)
	b = append(b, s.BlockHash[:]...)
	b = append(b, byte(s.Claims)) //nolint:gosec // four bits
	b = binary.BigEndian.AppendUint64(b, s.NotBefore)
	b = binary.BigEndian.AppendUint64(b, s.NotAfter)
	return append(b, s.Subject[:]...)
}

// StatementDigest returns what is signed for the signed bytes of a statement.
func StatementDigest(signed []byte, scheme byte) [32]byte {
	hash := sha256.Sum256(signed)
	if scheme == StatementEIP191 {
		return receipt.EIP191Digest("gpucoord/statement/v1\n" + hex.EncodeToString(hash[:]))
	}
	return hash
}

// Read implements Format.
func (StatementV1) Read(evidence []byte) (EvidenceBinding, error) {
	var binding EvidenceBinding
	if len(evidence) != statementLength || string(evidence[:4]) != statementTag {
		return binding, errorsmod.Wrapf(ErrBadEvidence, "a statement has %d bytes and begins with %s", statementLength, statementTag)
	}
	if scheme := evidence[statementSigned]; scheme > StatementEIP191 {
		return binding, errorsmod.Wrapf(ErrBadEvidence, "signature scheme %d is unknown", scheme)
	}
	return EvidenceBinding{
		ChainSalt:   [32]byte(evidence[4:36]),
		HostKey:     [20]byte(evidence[36:56]),
		NonceHeight: binary.BigEndian.Uint64(evidence[56:64]),
		BlockHash:   [32]byte(evidence[64:96]),
		Claims:      uint32(evidence[96]),
		NotBefore:   binary.BigEndian.Uint64(evidence[97:105]),
		NotAfter:    binary.BigEndian.Uint64(evidence[105:113]),
	}, nil
}

// Verify implements Format.
func (f StatementV1) Verify(evidence []byte, roots [][]byte, blockTime uint64) (uint32, uint64, error) {
	binding, err := f.Read(evidence)
	if err != nil {
		return 0, 0, err
	}
	if blockTime > binding.NotAfter {
		return 0, 0, errorsmod.Wrapf(ErrBadEvidence, "it ended at %d, before %d", binding.NotAfter, blockTime)
	}
	digest := StatementDigest(evidence[:statementSigned], evidence[statementSigned])
	signer, err := receipt.RecoverAddress(digest, [65]byte(evidence[statementSigned+1:]))
	if err != nil {
		return 0, 0, errorsmod.Wrap(ErrBadEvidence, err.Error())
	}
	if !slices.ContainsFunc(roots, func(root []byte) bool { return bytes.Equal(root, signer[:]) }) {
		return 0, 0, errorsmod.Wrapf(ErrBadEvidence, "signed by %x, which is no root key", signer)
	}
	return binding.Claims, binding.NotAfter, nil
}
