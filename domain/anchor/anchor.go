// SPDX-License-Identifier: Apache-2.0

package anchor

import (
	"crypto/sha256"
	"encoding/binary"

	"golang.org/x/crypto/sha3"
)

// The EIP-712 types. The contract hashes the same strings.
const (
	DomainType = "EIP712Domain(string name,string version,bytes32 salt)"
	AnchorType = "Anchor(uint64 nonce,uint64 height,uint64 time,uint64 treeSize,bytes32 root,bytes32 nextValset)"
	DomainName = "ReceiptAnchor"
	Version    = "1"
)

// Anchor is a statement about the log at the end of one block.
type Anchor struct {
	// Nonce counts anchors from 1.
	Nonce uint64
	// Height is the block at whose end the log had this root.
	Height uint64
	// Time is that block's time, in Unix seconds.
	Time uint64
	// TreeSize is the number of leaves.
	TreeSize uint64
	// Root is the log's root (RFC 9162, SHA-256).
	Root [32]byte
	// NextValset is the hash of the set that signs what follows.
	NextValset [32]byte
}

// Domain is the EIP-712 domain separator of one chain's anchors.
type Domain [32]byte

// OriginID names a chain by all it started from: its id, time, first height and state.
//
// appState is the state as the genesis file has it, without insignificant white space.
// seconds and nanos are the genesis time.
func OriginID(chainID string, seconds int64, nanos uint32, initialHeight uint64, appState []byte) [32]byte {
	state := sha256.Sum256(appState)
	b := append([]byte("gpucoord/origin/v1"), 0)
	b = binary.BigEndian.AppendUint16(b, uint16(len(chainID)))
	b = append(b, chainID...)
	b = binary.BigEndian.AppendUint64(b, uint64(seconds))
	b = binary.BigEndian.AppendUint32(b, nanos)
	b = binary.BigEndian.AppendUint64(b, initialHeight)
	return sha256.Sum256(append(b, state[:]...))
}

// NewDomain returns the domain of the chain that origin names.
func NewDomain(origin [32]byte) Domain {
	typeHash, name, version := keccak([]byte(DomainType)), keccak([]byte(DomainName)), keccak([]byte(Version))
	return Domain(keccak(typeHash[:], name[:], version[:], origin[:]))
}

// StructHash is EIP-712's hashStruct; the contract's ring keeps it.
func (a Anchor) StructHash() [32]byte {
	typeHash := keccak([]byte(AnchorType))
	b := make([]byte, 0, 7*32)
	b = append(b, typeHash[:]...)
	b = appendWord(b, a.Nonce)
	b = appendWord(b, a.Height)
	b = appendWord(b, a.Time)
	b = appendWord(b, a.TreeSize)
	b = append(b, a.Root[:]...)
	return keccak(append(b, a.NextValset[:]...))
}

// Digest is what a validator signs.
func (d Domain) Digest(a Anchor) [32]byte {
	hash := a.StructHash()
	return keccak([]byte{0x19, 0x01}, d[:], hash[:])
}

func appendWord(b []byte, v uint64) []byte {
	b = append(b, make([]byte, 24)...)
	return binary.BigEndian.AppendUint64(b, v)
}

func keccak(parts ...[]byte) (sum [32]byte) {
	h := sha3.NewLegacyKeccak256()
	for _, part := range parts {
		h.Write(part)
	}
	h.Sum(sum[:0])
	return sum
}
