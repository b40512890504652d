// SPDX-License-Identifier: Apache-2.0

package receipt

import (
	"crypto/sha256"
	"encoding/binary"

	"golang.org/x/crypto/sha3"
)

const (
	domainName    = "gpucoord"
	domainVersion = "1"

	domainType  = "EIP712Domain(string name,string version,uint256 chainId,bytes32 salt)"
	jobAuthType = "JobAuth(address payer,address operator,bytes32 modelId,bytes32 adapterId,bytes32 requestCommit," +
		"bytes32 paymentRef,uint64 maxAmount,uint64 reservationId,uint64 nonce,uint64 issuedAt,uint64 expiresAt)"
	receiptType = "Receipt(bytes32 jobId,address payer,address operator,bytes32 hostId,bytes32 modelId,bytes32 adapterId," +
		"bytes32 paymentRef,uint64 epoch,uint64 seq,uint8 outcome,uint64 promptTokens,uint64 cachedTokens,uint64 outputTokens," +
		"uint64 amount,uint64 servedAt,uint32 ttftMs,uint32 durationMs,bytes32 outputCommit,bytes32 execCommit,bytes32 attestRef)"

	wordSize     = 32
	domainWords  = 5
	jobAuthWords = 12
	receiptWords = 21
)

// The type hashes are keccak256 of the type strings above; the vector test recomputes them.
var (
	domainTypeHash = [32]byte{
		0xa6, 0x04, 0xff, 0xf5, 0xa2, 0x7d, 0x59, 0x51, 0xf3, 0x34, 0xcc, 0xda, 0x7a, 0xbf, 0xf3, 0x28,
		0x6a, 0x8a, 0xf2, 0x9c, 0xae, 0xeb, 0x19, 0x6a, 0x6f, 0x2b, 0x40, 0xa1, 0xdc, 0xe7, 0x61, 0x2b,
	}
	jobAuthTypeHash = [32]byte{
		0xae, 0x49, 0x40, 0x88, 0x61, 0xcc, 0xff, 0x37, 0x7b, 0x2d, 0xda, 0x2b, 0x77, 0x55, 0xea, 0x96,
		0x62, 0x0e, 0x24, 0x57, 0xe6, 0x1f, 0xc3, 0x18, 0x62, 0x88, 0xb6, 0xe9, 0x1b, 0xc0, 0xad, 0x60,
	}
	receiptTypeHash = [32]byte{
		0x2e, 0x1d, 0xba, 0x17, 0x57, 0x9c, 0x30, 0xa1, 0xb6, 0xcc, 0xd8, 0x42, 0x26, 0xa0, 0xc0, 0x8a,
		0x3c, 0xb6, 0x02, 0xf3, 0x71, 0x53, 0xf9, 0xed, 0xfb, 0xd0, 0x5c, 0x97, 0xab, 0x8b, 0xb8, 0x7b,
	}
)

// Domain is the EIP-712 domain of one chain, with its separator computed once. The zero Domain belongs to no chain.
type Domain struct {
	salt      [32]byte
	separator [32]byte
	chainID   uint64
}

// NewDomain returns the domain of the chain with the given CometBFT chain-id (any UTF-8 string) and EIP-155 chain id.
func NewDomain(cometChainID string, chainID uint64) Domain {
	d := Domain{salt: sha256.Sum256([]byte(cometChainID)), chainID: chainID}
	d.separator = keccak256(d.appendEncoded(make([]byte, 0, domainWords*wordSize)))
	return d
}

// Salt returns SHA256 of the CometBFT chain-id; the capacity nonce and the key proof are bound to it as well.
func (d Domain) Salt() [32]byte { return d.salt }

// Separator returns the EIP-712 domain separator.
func (d Domain) Separator() [32]byte { return d.separator }

// ChainID returns the EIP-155 chain id.
func (d Domain) ChainID() uint64 { return d.chainID }

func (d Domain) appendEncoded(dst []byte) []byte {
	name, version := keccak256([]byte(domainName)), keccak256([]byte(domainVersion))
	dst = append(dst, domainTypeHash[:]...)
	dst = append(dst, name[:]...)
	dst = append(dst, version[:]...)
	dst = appendUintWord(dst, d.chainID)
	return append(dst, d.salt[:]...)
}

// digest returns the EIP-712 digest of an encoded struct. It overwrites encoded, which the hasher has moved to the heap anyway.
func (d Domain) digest(encoded []byte) [32]byte {
	h := sha3.NewLegacyKeccak256()
	h.Write(encoded)
	buf := append(encoded[:0], 0x19, 0x01)
	buf = append(buf, d.separator[:]...)
	buf = h.Sum(buf)
	h.Reset()
	h.Write(buf)
	return [32]byte(h.Sum(buf[:0]))
}

func keccak256(b []byte) [32]byte {
	h := sha3.NewLegacyKeccak256()
	h.Write(b)
	return [32]byte(h.Sum(nil))
}

func appendUintWord(dst []byte, v uint64) []byte {
	dst = append(dst, make([]byte, wordSize-8)...)
	return binary.BigEndian.AppendUint64(dst, v)
}

func appendAddressWord(dst []byte, a *[20]byte) []byte {
	dst = append(dst, make([]byte, wordSize-20)...)
	return append(dst, a[:]...)
}
