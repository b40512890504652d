// SPDX-License-Identifier: Apache-2.0

// Package wire is how clients and hosts spell authorisations, receipts and commitments in HTTP.
//
// All binary values are base64url without padding. A signature is the 65 bytes of domain/receipt.
package wire

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

// Headers.
const (
	// HeaderJobAuth carries a job authorisation: its 208 wire bytes, then the payer's signature of its id.
	HeaderJobAuth = "X-Gpucoord-Job-Auth"
	// HeaderSalt carries the 32 random bytes that salt the commitments of one job.
	HeaderSalt = "X-Gpucoord-Request-Salt"
	// HeaderReceipt carries a record in SR1 form; it is a trailer of streamed answers.
	HeaderReceipt = "X-Gpucoord-Receipt"
	// HeaderJobID carries the id of the job, in lower-case hex.
	HeaderJobID = "X-Gpucoord-Job-Id"
	// HeaderAuth proves that a request for receipts comes from the holder of a payer key (see EncodeAuth).
	HeaderAuth = "X-Gpucoord-Auth"
	// HeaderNextOffset and HeaderEndOffset say where to continue reading the receipt log and where it ends.
	HeaderNextOffset = "X-Gpucoord-Next-Offset"
	HeaderEndOffset  = "X-Gpucoord-End-Offset"
)

// ReceiptComment begins the server-sent comment that carries the receipt of a streamed answer; it comes after [DONE].
const ReceiptComment = ": gpucoord-receipt "

// SaltSize is the length of a salt in bytes.
const SaltSize = 32

const signatureSize = 65

// ErrMalformed means that a value is not the base64url of the right number of bytes.
var ErrMalformed = errors.New("value is not the unpadded base64url of the expected number of bytes")

// Encode returns the base64url form of b.
func Encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// Decode reads base64url of exactly size bytes; padding is tolerated.
//
// Errors: ErrMalformed.
func Decode(s string, size int) ([]byte, error) {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil || len(b) != size {
		return nil, ErrMalformed
	}
	return b, nil
}

// EncodeJobAuth returns the value of HeaderJobAuth.
func EncodeJobAuth(a *receipt.JobAuth, sig [65]byte) string {
	return Encode(append(a.AppendWire(make([]byte, 0, receipt.JobAuthSize+signatureSize)), sig[:]...))
}

// DecodeJobAuth reads the value of HeaderJobAuth.
//
// Errors: ErrMalformed.
func DecodeJobAuth(s string) (receipt.JobAuth, [65]byte, error) {
	b, err := Decode(s, receipt.JobAuthSize+signatureSize)
	if err != nil {
		return receipt.JobAuth{}, [65]byte{}, err
	}
	a, err := receipt.DecodeJobAuth(b[:receipt.JobAuthSize])
	return a, [65]byte(b[receipt.JobAuthSize:]), err
}

// Commit returns SHA256(salt | data): the request commitment over the body as sent, the output commitment over the answer as received
// (of a stream: every byte up to and including the [DONE] event, without the receipt comment).
func Commit(salt [SaltSize]byte, data []byte) [32]byte {
	h := sha256.New()
	h.Write(salt[:])
	h.Write(data)
	return [32]byte(h.Sum(nil))
}

// AuthDigest returns what a payer key signs to ask a host for its receipts: SHA256("GCO1" | host key 20 | unix seconds u64).
func AuthDigest(hostKey [20]byte, unix uint64) [32]byte {
	buf := append([]byte("GCO1"), hostKey[:]...)
	return sha256.Sum256(binary.BigEndian.AppendUint64(buf, unix))
}

// EncodeAuth returns the value of HeaderAuth: payer key address 20 | unix seconds u64 | signature 65 of AuthDigest.
func EncodeAuth(key *receipt.PrivateKey, hostKey [20]byte, unix uint64) string {
	addr, sig := receipt.KeyAddress(key), receipt.Sign(key, AuthDigest(hostKey, unix))
	return Encode(append(binary.BigEndian.AppendUint64(addr[:], unix), sig[:]...))
}

// DecodeAuth reads the value of HeaderAuth without checking it.
//
// Errors: ErrMalformed.
func DecodeAuth(s string) (addr [20]byte, unix uint64, sig [65]byte, err error) {
	b, err := Decode(s, 20+8+signatureSize)
	if err != nil {
		return addr, 0, sig, err
	}
	return [20]byte(b[:20]), binary.BigEndian.Uint64(b[20:]), [65]byte(b[28:]), nil
}

// EncodeReceipt returns the value of HeaderReceipt.
func EncodeReceipt(r *receipt.Record) string {
	return Encode(r.AppendSR1(make([]byte, 0, receipt.SizeCountersigned)))
}

// DecodeReceipt reads the value of HeaderReceipt and checks its shape only.
//
// Errors: ErrMalformed, or those of receipt.Decode.
func DecodeReceipt(s string) (receipt.Record, error) {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return receipt.Record{}, ErrMalformed
	}
	return receipt.Decode(b)
}
