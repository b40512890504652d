// SPDX-License-Identifier: Apache-2.0

package types

import (
	"encoding/binary"

	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/anchor"
)

const (
	// envelopeMagic begins the signatures that a proposer puts before the transactions. No transaction begins so: in protobuf a
	// zero byte would be the tag of field 0, which no decoder takes.
	envelopeMagic = "\x00GCANCH\x01"

	envelopeHead  = len(envelopeMagic) + 8 + 2
	envelopeEntry = 1 + SignatureSize

	// MaxEnvelopeSize is the length in bytes of an envelope with a signature of each of 256 members.
	MaxEnvelopeSize = envelopeHead + anchor.MaxMembers*envelopeEntry
)

// Envelope carries new signatures of the open anchor in a block: magic 8 | nonce u64 | count u16 | count × (member u8 | signature 65),
// big endian, members strictly ascending, count 1 to 256.
type Envelope struct {
	// Nonce is the open anchor's.
	Nonce uint64
	// Signatures are the new ones.
	Signatures []anchor.Signed
}

// IsEnvelope reports whether an entry of a block is meant as an envelope, good or bad.
func IsEnvelope(raw []byte) bool {
	return len(raw) >= len(envelopeMagic) && string(raw[:len(envelopeMagic)]) == envelopeMagic
}

// EnvelopeRoom returns how many signatures fit into an envelope of at most that many bytes.
func EnvelopeRoom(maxBytes int64) int {
	return int(min(max(0, (maxBytes-int64(envelopeHead))/int64(envelopeEntry)), anchor.MaxMembers))
}

// Bytes returns the envelope's encoding. The members are in ascending order and at most 256.
func (e *Envelope) Bytes() []byte {
	b := make([]byte, 0, envelopeHead+len(e.Signatures)*envelopeEntry)
	b = append(b, envelopeMagic...)
	b = binary.BigEndian.AppendUint64(b, e.Nonce)
	b = binary.BigEndian.AppendUint16(b, uint16(len(e.Signatures))) //nolint:gosec // at most 256
	for i := range e.Signatures {
		b = append(b, byte(e.Signatures[i].Member))
		b = append(b, e.Signatures[i].Signature[:]...)
	}
	return b
}

// ParseEnvelope reads the encoding; every fault of form is an error, so that one set of signatures has one encoding.
//
// Errors: ErrBadEnvelope.
func ParseEnvelope(raw []byte) (Envelope, error) {
	if !IsEnvelope(raw) || len(raw) < envelopeHead {
		return Envelope{}, errorsmod.Wrapf(ErrBadEnvelope, "%d bytes", len(raw))
	}
	e := Envelope{Nonce: binary.BigEndian.Uint64(raw[len(envelopeMagic):])}
	count := int(binary.BigEndian.Uint16(raw[len(envelopeMagic)+8:]))
	entries := raw[envelopeHead:]
	if count == 0 || count > anchor.MaxMembers || len(entries) != count*envelopeEntry {
		return Envelope{}, errorsmod.Wrapf(ErrBadEnvelope, "%d signatures in %d bytes", count, len(raw))
	}
	e.Signatures = make([]anchor.Signed, count)
	for i := range e.Signatures {
		entry := entries[i*envelopeEntry : (i+1)*envelopeEntry]
		e.Signatures[i] = anchor.Signed{Member: int(entry[0]), Signature: anchor.Signature(entry[1:])}
		if i > 0 && e.Signatures[i-1].Member >= e.Signatures[i].Member {
			return Envelope{}, errorsmod.Wrapf(ErrBadEnvelope, "member %d stands after %d", e.Signatures[i].Member, e.Signatures[i-1].Member)
		}
	}
	return e, nil
}
