// SPDX-License-Identifier: Apache-2.0

package receipt

import (
	"encoding/binary"
	"strconv"
)

const (
	// Size is the length in bytes of a record without a countersignature.
	Size = 533
	// SizeCountersigned is the length in bytes of a record with one.
	SizeCountersigned = 598

	recordVersion     = 1
	flagCountersigned = 1
)

// Outcome is how a job ended, as the host states it.
type Outcome uint8

// The outcomes of a job. Only OutcomeOK and OutcomeUserCancel may cost anything.
const (
	OutcomeOK           Outcome = 1 // served
	OutcomeUserCancel   Outcome = 2 // the customer stopped it
	OutcomeUserIdle     Outcome = 3 // the customer stopped reading
	OutcomeProviderFail Outcome = 4 // the host failed
	OutcomeUpstreamFail Outcome = 5 // the engine behind the host failed
	OutcomeRefused      Outcome = 6 // the host refused
)

// String returns the outcome's name in the format, or its number.
func (o Outcome) String() string {
	names := [...]string{"OK", "USER_CANCEL", "USER_IDLE", "PROVIDER_FAIL", "UPSTREAM_FAIL", "REFUSED"}
	if o < OutcomeOK || o > OutcomeRefused {
		return strconv.Itoa(int(o))
	}
	return names[o-1]
}

// Record is one job: the payer's authorisation, the host's receipt and their signatures.
type Record struct {
	// Auth is what the payer signed; its payer, operator, model, adapter and payment reference are the receipt's as well.
	Auth JobAuth
	// HostID is the host that served.
	HostID [32]byte
	// Epoch is the epoch the host claims the job in; Seq its number in the host key's strictly ascending sequence.
	Epoch, Seq uint64
	// Outcome is how the job ended.
	Outcome Outcome
	// PromptTokens includes CachedTokens, the part served from a prefix cache.
	PromptTokens, CachedTokens, OutputTokens uint64
	// Amount is the price of the job in micro-USD.
	Amount uint64
	// ServedAt is when the job ended, in Unix seconds.
	ServedAt uint64
	// TTFTMs is the time to the first token, DurationMs that to the last, in milliseconds.
	TTFTMs, DurationMs uint32
	// OutputCommit is a salted hash of the output, ExecCommit a hash of the execution (see ExecCommit), AttestRef the hash of the
	// attestation in force; zero means none.
	OutputCommit, ExecCommit, AttestRef [32]byte
	// SigPayer signs the jobId, SigOperator and SigFinal the receipt digest.
	SigPayer, SigOperator, SigFinal [65]byte
	// Countersigned says whether SigFinal is present.
	Countersigned bool
}

// Decode reads an SR1 record and checks its shape only (rules 1 to 3): the result may still be invalid in every other way.
//
// Errors: ErrBadLength, ErrBadVersion, ErrBadFlags.
func Decode(b []byte) (Record, error) {
	if len(b) != Size && len(b) != SizeCountersigned {
		return Record{}, ErrBadLength
	}
	rd := reader{b}
	if rd.u8() != recordVersion {
		return Record{}, ErrBadVersion
	}
	countersigned := len(b) == SizeCountersigned
	if flags := rd.u8(); countersigned && flags != flagCountersigned || !countersigned && flags != 0 {
		return Record{}, ErrBadFlags
	}
	r := Record{Countersigned: countersigned, Auth: rd.jobAuth()}
	rd.fill(r.HostID[:])
	r.Epoch = rd.u64()
	r.Seq = rd.u64()
	r.Outcome = Outcome(rd.u8())
	r.PromptTokens = rd.u64()
	r.CachedTokens = rd.u64()
	r.OutputTokens = rd.u64()
	r.Amount = rd.u64()
	r.ServedAt = rd.u64()
	r.TTFTMs = rd.u32()
	r.DurationMs = rd.u32()
	rd.fill(r.OutputCommit[:])
	rd.fill(r.ExecCommit[:])
	rd.fill(r.AttestRef[:])
	rd.fill(r.SigPayer[:])
	rd.fill(r.SigOperator[:])
	if countersigned {
		rd.fill(r.SigFinal[:])
	}
	return r, nil
}

// AppendSR1 appends the record's bytes: 598 of them if it is countersigned, else 533 (SigFinal is then ignored).
func (r *Record) AppendSR1(dst []byte) []byte {
	flags := byte(0)
	if r.Countersigned {
		flags = flagCountersigned
	}
	dst = r.Auth.AppendWire(append(dst, recordVersion, flags))
	dst = append(dst, r.HostID[:]...)
	dst = binary.BigEndian.AppendUint64(dst, r.Epoch)
	dst = binary.BigEndian.AppendUint64(dst, r.Seq)
	dst = append(dst, byte(r.Outcome))
	dst = binary.BigEndian.AppendUint64(dst, r.PromptTokens)
	dst = binary.BigEndian.AppendUint64(dst, r.CachedTokens)
	dst = binary.BigEndian.AppendUint64(dst, r.OutputTokens)
	dst = binary.BigEndian.AppendUint64(dst, r.Amount)
	dst = binary.BigEndian.AppendUint64(dst, r.ServedAt)
	dst = binary.BigEndian.AppendUint32(dst, r.TTFTMs)
	dst = binary.BigEndian.AppendUint32(dst, r.DurationMs)
	dst = append(dst, r.OutputCommit[:]...)
	dst = append(dst, r.ExecCommit[:]...)
	dst = append(dst, r.AttestRef[:]...)
	dst = append(dst, r.SigPayer[:]...)
	dst = append(dst, r.SigOperator[:]...)
	if r.Countersigned {
		dst = append(dst, r.SigFinal[:]...)
	}
	return dst
}

// JobID returns the id of the record's job: the digest that SigPayer signs.
func (r *Record) JobID(d Domain) [32]byte { return r.Auth.ID(d) }

// Digest returns the EIP-712 digest of the receipt, which SigOperator and SigFinal sign.
func (r *Record) Digest(d Domain) [32]byte { return r.digest(d, r.JobID(d)) }

func (r *Record) digest(d Domain, jobID [32]byte) [32]byte {
	return d.digest(r.appendEncoded(make([]byte, 0, receiptWords*wordSize), jobID))
}

func (r *Record) appendEncoded(dst []byte, jobID [32]byte) []byte {
	dst = append(dst, receiptTypeHash[:]...)
	dst = append(dst, jobID[:]...)
	dst = appendAddressWord(dst, &r.Auth.Payer)
	dst = appendAddressWord(dst, &r.Auth.Operator)
	dst = append(dst, r.HostID[:]...)
	dst = append(dst, r.Auth.ModelID[:]...)
	dst = append(dst, r.Auth.AdapterID[:]...)
	dst = append(dst, r.Auth.PaymentRef[:]...)
	dst = appendUintWord(dst, r.Epoch)
	dst = appendUintWord(dst, r.Seq)
	dst = appendUintWord(dst, uint64(r.Outcome))
	dst = appendUintWord(dst, r.PromptTokens)
	dst = appendUintWord(dst, r.CachedTokens)
	dst = appendUintWord(dst, r.OutputTokens)
	dst = appendUintWord(dst, r.Amount)
	dst = appendUintWord(dst, r.ServedAt)
	dst = appendUintWord(dst, uint64(r.TTFTMs))
	dst = appendUintWord(dst, uint64(r.DurationMs))
	dst = append(dst, r.OutputCommit[:]...)
	dst = append(dst, r.ExecCommit[:]...)
	return append(dst, r.AttestRef[:]...)
}
