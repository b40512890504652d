// SPDX-License-Identifier: Apache-2.0

package receipt

import (
	"encoding/binary"
	"errors"
)

// JobAuthSize is the length of the wire form of a JobAuth, bytes 2..210 of a record.
const JobAuthSize = 208

// ErrBadJobAuthLength means that the wire form of a JobAuth has another length than JobAuthSize.
var ErrBadJobAuthLength = errors.New("job authorisation is not 208 bytes: send payer..expiresAt exactly as bytes 2..210 of the record")

// JobAuth is what the payer signs before a job: who may serve which model for at most which amount, and until when.
type JobAuth struct {
	// Payer is the address of the key that signs the authorisation; never a wallet.
	Payer [20]byte
	// Operator is the address of the host's receipt key.
	Operator [20]byte
	// ModelID and AdapterID are asset ids; a zero AdapterID means no adapter.
	ModelID, AdapterID [32]byte
	// RequestCommit is a salted hash of the request.
	RequestCommit [32]byte
	// PaymentRef identifies the payment (see PaymentRef and KeyedPaymentRef).
	PaymentRef [32]byte
	// MaxAmount is the most the job may cost, in micro-USD.
	MaxAmount uint64
	// ReservationID is the reservation the job draws on, 0 for none.
	ReservationID uint64
	// Nonce makes two authorisations of one payer differ.
	Nonce uint64
	// IssuedAt and ExpiresAt are Unix seconds, both inclusive.
	IssuedAt, ExpiresAt uint64
}

// ID returns the jobId: the EIP-712 digest of the authorisation, which the payer signs and which identifies the job in its domain.
func (a *JobAuth) ID(d Domain) [32]byte {
	return d.digest(a.appendEncoded(make([]byte, 0, jobAuthWords*wordSize)))
}

func (a *JobAuth) appendEncoded(dst []byte) []byte {
	dst = append(dst, jobAuthTypeHash[:]...)
	dst = appendAddressWord(dst, &a.Payer)
	dst = appendAddressWord(dst, &a.Operator)
	dst = append(dst, a.ModelID[:]...)
	dst = append(dst, a.AdapterID[:]...)
	dst = append(dst, a.RequestCommit[:]...)
	dst = append(dst, a.PaymentRef[:]...)
	dst = appendUintWord(dst, a.MaxAmount)
	dst = appendUintWord(dst, a.ReservationID)
	dst = appendUintWord(dst, a.Nonce)
	dst = appendUintWord(dst, a.IssuedAt)
	return appendUintWord(dst, a.ExpiresAt)
}

// AppendWire appends the 208 bytes that the authorisation has in a record (offsets 2 to 210).
func (a *JobAuth) AppendWire(dst []byte) []byte {
	dst = append(dst, a.Payer[:]...)
	dst = append(dst, a.Operator[:]...)
	dst = append(dst, a.ModelID[:]...)
	dst = append(dst, a.AdapterID[:]...)
	dst = append(dst, a.RequestCommit[:]...)
	dst = append(dst, a.PaymentRef[:]...)
	dst = binary.BigEndian.AppendUint64(dst, a.MaxAmount)
	dst = binary.BigEndian.AppendUint64(dst, a.ReservationID)
	dst = binary.BigEndian.AppendUint64(dst, a.Nonce)
	dst = binary.BigEndian.AppendUint64(dst, a.IssuedAt)
	return binary.BigEndian.AppendUint64(dst, a.ExpiresAt)
}

// DecodeJobAuth reads the wire form; every byte string of the right length is an authorisation.
//
// Errors: ErrBadJobAuthLength.
func DecodeJobAuth(b []byte) (JobAuth, error) {
	if len(b) != JobAuthSize {
		return JobAuth{}, ErrBadJobAuthLength
	}
	r := reader{b}
	return r.jobAuth(), nil
}

// reader takes fixed-size fields off the front of bytes whose total length has been checked.
type reader struct{ b []byte }

func (r *reader) fill(dst []byte) { r.b = r.b[copy(dst, r.b):] }

func (r *reader) u64() uint64 {
	v := binary.BigEndian.Uint64(r.b)
	r.b = r.b[8:]
	return v
}

func (r *reader) u32() uint32 {
	v := binary.BigEndian.Uint32(r.b)
	r.b = r.b[4:]
	return v
}

func (r *reader) u8() uint8 {
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *reader) jobAuth() (a JobAuth) {
	r.fill(a.Payer[:])
	r.fill(a.Operator[:])
	r.fill(a.ModelID[:])
	r.fill(a.AdapterID[:])
	r.fill(a.RequestCommit[:])
	r.fill(a.PaymentRef[:])
	a.MaxAmount = r.u64()
	a.ReservationID = r.u64()
	a.Nonce = r.u64()
	a.IssuedAt = r.u64()
	a.ExpiresAt = r.u64()
	return a
}
