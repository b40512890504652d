// SPDX-License-Identifier: Apache-2.0

package fraud

import (
	"crypto/sha256"
	"encoding/binary"
)

// Subject says what a fault is about. The same fault has one id however it is shown, so that it has its consequence once.
type Subject uint8

// Subjects. The account and the value that go with each are in its comment.
const (
	// RepeatedJob is one job under two receipts or at two places: the host key, the jobId.
	RepeatedJob Subject = iota + 1
	// RepeatedSeq is one seq under two receipts: the host key, the seq.
	RepeatedSeq
	// RepeatedPayment is one payment for two jobs that an operator settles and that its own host keys signed as payers: the operator's
	// account, the payment reference.
	RepeatedPayment
	// GatewayPayment is one payment that a gateway named for two jobs: the gateway's account, the payment reference.
	GatewayPayment
	// BadBatch is a batch with a fault of its own: zeros, the batch's id.
	BadBatch
	// OmittedJob is a record that its host never claimed: the host key, the jobId.
	OmittedJob
	// StaleAttestation is an attestation that records name after its expiry: the operator's account, the attestation's reference.
	StaleAttestation
)

// ID is the id of a fault: SHA-256 of "GCQ1" | subject u8 | account 20 | value 32.
func ID(subject Subject, account [20]byte, value [32]byte) [32]byte {
	b := make([]byte, 0, 4+1+20+32)
	b = append(append(b, "GCQ1"...), byte(subject))
	b = append(append(b, account[:]...), value[:]...)
	return sha256.Sum256(b)
}

// Number is the value of a subject that is numbered: the number in the last eight bytes.
func Number(n uint64) [32]byte {
	var value [32]byte
	binary.BigEndian.PutUint64(value[24:], n)
	return value
}
