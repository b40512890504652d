// SPDX-License-Identifier: Apache-2.0

package receiptlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

// Kind says what a frame's payload is.
type Kind uint8

// The kinds of frames.
const (
	KindReceipt Kind = 1 // SR1 record, 533 bytes
	KindFinal   Kind = 2 // jobId | sigFinal
	KindOpen    Kind = 3 // an admitted job
	KindReserve Kind = 4 // a block of sequence numbers
	KindHeader  Kind = 5 // first frame of a segment
)

const (
	// FrameOverhead is how many bytes a frame is longer than its payload.
	FrameOverhead = 9

	finalSize   = 32 + 65
	openSize    = 32 + 20 + 3*8 + 1 + 20
	reserveSize = 16
	headerSize  = 1 + 32 + 20 + 4*8

	headerVersion = 2

	owesCountersignature = 1
	owesNothing          = 2
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var (
	errShortFrame = errors.New("frame is incomplete")
	errBadFrame   = errors.New("frame has an unknown kind, a wrong length or a wrong checksum")
)

// payloadSize returns the one length a kind's payload has, 0 for an unknown kind.
func payloadSize(k Kind) int {
	switch k {
	case KindReceipt:
		return receipt.Size
	case KindFinal:
		return finalSize
	case KindOpen:
		return openSize
	case KindReserve:
		return reserveSize
	case KindHeader:
		return headerSize
	default:
		return 0
	}
}

// AppendFrame appends one frame to dst.
func AppendFrame(dst []byte, kind Kind, payload []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(payload))) //nolint:gosec // payloads have fixed lengths below 1 KiB
	crc := crc32.Update(0, castagnoli, []byte{byte(kind)})
	dst = binary.BigEndian.AppendUint32(dst, crc32.Update(crc, castagnoli, payload))
	return append(append(dst, byte(kind)), payload...)
}

// Frame is one frame of the log; Payload aliases the bytes it was read from.
type Frame struct {
	Kind    Kind
	Payload []byte
}

// Next reads the frame at the start of b and returns the bytes after it.
//
// Errors: not nil if b does not start with a whole, undamaged frame of a known kind.
func Next(b []byte) (f Frame, rest []byte, err error) {
	if len(b) < FrameOverhead {
		return Frame{}, nil, errShortFrame
	}
	kind := Kind(b[8])
	size := payloadSize(kind)
	if size == 0 || binary.BigEndian.Uint32(b) != uint32(size) { //nolint:gosec // a constant below 1 KiB
		return Frame{}, nil, errBadFrame
	}
	if len(b) < FrameOverhead+size {
		return Frame{}, nil, errShortFrame
	}
	if crc32.Checksum(b[8:FrameOverhead+size], castagnoli) != binary.BigEndian.Uint32(b[4:]) {
		return Frame{}, nil, errBadFrame
	}
	return Frame{Kind: kind, Payload: b[FrameOverhead : FrameOverhead+size]}, b[FrameOverhead+size:], nil
}

// Admission is a job that the host agreed to serve. It is durable before the engine is called.
type Admission struct {
	// JobID is the digest of the job authorisation; Payer and Nonce are its own.
	JobID [32]byte
	Payer [20]byte
	Nonce uint64
	// ExpiresAt is the authorisation's end, in Unix seconds.
	ExpiresAt uint64
	// MaxAmount is the most the job may cost, in micro-USD.
	MaxAmount uint64
	// OwesCountersignature says whether the payer is a gateway, which countersigns receipts.
	OwesCountersignature bool
	// Settler is the account that pays, of which Payer is one key of perhaps several.
	Settler [20]byte
}

func (a *Admission) append(dst []byte) []byte {
	dst = append(dst, a.JobID[:]...)
	dst = append(dst, a.Payer[:]...)
	dst = binary.BigEndian.AppendUint64(dst, a.Nonce)
	dst = binary.BigEndian.AppendUint64(dst, a.ExpiresAt)
	dst = binary.BigEndian.AppendUint64(dst, a.MaxAmount)
	owes := byte(owesNothing)
	if a.OwesCountersignature {
		owes = owesCountersignature
	}
	return append(append(dst, owes), a.Settler[:]...)
}

func decodeAdmission(b []byte) Admission {
	return Admission{
		JobID: [32]byte(b[:32]), Payer: [20]byte(b[32:52]),
		Nonce:                binary.BigEndian.Uint64(b[52:]),
		ExpiresAt:            binary.BigEndian.Uint64(b[60:]),
		MaxAmount:            binary.BigEndian.Uint64(b[68:]),
		OwesCountersignature: b[76] == owesCountersignature,
		Settler:              [20]byte(b[77:]),
	}
}

// segmentHeader binds a segment to its log and carries what deleted segments knew.
type segmentHeader struct {
	salt                            [32]byte
	hostKey                         [20]byte
	base                            uint64
	highSeq, reservedThrough, epoch uint64
}

func (h *segmentHeader) append(dst []byte) []byte {
	dst = append(dst, headerVersion)
	dst = append(dst, h.salt[:]...)
	dst = append(dst, h.hostKey[:]...)
	dst = binary.BigEndian.AppendUint64(dst, h.base)
	dst = binary.BigEndian.AppendUint64(dst, h.highSeq)
	dst = binary.BigEndian.AppendUint64(dst, h.reservedThrough)
	return binary.BigEndian.AppendUint64(dst, h.epoch)
}

// decodeHeader reads a header.
//
// Errors: ErrVersion.
func decodeHeader(b []byte) (h segmentHeader, err error) {
	if b[0] != headerVersion {
		return h, fmt.Errorf("%w: file has %d, program has %d", ErrVersion, b[0], headerVersion)
	}
	copy(h.salt[:], b[1:])
	copy(h.hostKey[:], b[33:])
	h.base = binary.BigEndian.Uint64(b[53:])
	h.highSeq = binary.BigEndian.Uint64(b[61:])
	h.reservedThrough = binary.BigEndian.Uint64(b[69:])
	h.epoch = binary.BigEndian.Uint64(b[77:])
	return h, nil
}
