// SPDX-License-Identifier: Apache-2.0

// Package receipttest makes signed records for the relayer's tests.
package receipttest

import (
	"crypto/sha256"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host/receiptlog"
	"github.com/gpucoord/gpucoord/relayer/store"
)

// Start is when the records' epoch began, Unix seconds; every record is served 10 s later.
const Start = 1_790_000_000

// Epoch is the records' epoch.
const Epoch = 7

// Maker makes records of one host and one payer.
type Maker struct {
	Domain         receipt.Domain
	HostID         [32]byte
	HostKey, Payer *receipt.PrivateKey
	Model          [32]byte
}

// New returns a maker whose every key and id is fixed.
func New() *Maker {
	return &Maker{
		Domain: receipt.NewDomain("gpucoord-test", 8453), HostID: sha256.Sum256([]byte("host")), HostKey: Key("host key"), Payer: Key("payer"),
		Model: sha256.Sum256([]byte("model")),
	}
}

// Key returns the key of a name.
func Key(name string) *receipt.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	key, err := receipt.ParsePrivateKey(seed[:])
	if err != nil {
		panic(err) // a hash outside the curve's order
	}
	return key
}

// HostKeyAddress is the address of the host's key.
func (m *Maker) HostKeyAddress() [20]byte { return receipt.KeyAddress(m.HostKey) }

// Record returns the valid record of a successful job worth 1000 + seq uusdc, changed before it is signed.
func (m *Maker) Record(seq uint64, changes ...func(*receipt.Record)) receipt.Record {
	r := receipt.Record{
		Auth: receipt.JobAuth{
			Payer: receipt.KeyAddress(m.Payer), Operator: m.HostKeyAddress(), ModelID: m.Model, MaxAmount: 1 << 32, Nonce: seq,
			IssuedAt: Start, ExpiresAt: Start + 3600,
		},
		HostID: m.HostID, Epoch: Epoch, Seq: seq, Outcome: receipt.OutcomeOK, PromptTokens: 100, OutputTokens: 50,
		Amount: 1000 + seq, ServedAt: Start + 10,
	}
	for _, change := range changes {
		change(&r)
	}
	r.SigPayer = receipt.Sign(m.Payer, r.JobID(m.Domain))
	r.SigOperator = receipt.Sign(m.HostKey, r.Digest(m.Domain))
	return r
}

// Countersigned returns the record with the payer's countersignature.
func (m *Maker) Countersigned(r receipt.Record) receipt.Record {
	r.SigFinal, r.Countersigned = receipt.Sign(m.Payer, r.Digest(m.Domain)), true
	return r
}

// Stored returns the record as the store holds it.
func (m *Maker) Stored(r receipt.Record) store.Receipt {
	return store.Receipt{
		HostID: r.HostID, HostKey: r.Auth.Operator, Seq: r.Seq, Epoch: r.Epoch, JobID: r.JobID(m.Domain), SR1: r.AppendSR1(nil),
	}
}

// Frame appends the record's RECEIPT frame, which has no countersignature.
func (m *Maker) Frame(dst []byte, r receipt.Record) []byte {
	r.Countersigned = false
	return receiptlog.AppendFrame(dst, receiptlog.KindReceipt, r.AppendSR1(nil))
}

// FinalFrame appends the FINAL frame of the record's countersignature.
func (m *Maker) FinalFrame(dst []byte, r receipt.Record) []byte {
	jobID := r.JobID(m.Domain)
	return receiptlog.AppendFrame(dst, receiptlog.KindFinal, append(jobID[:], r.SigFinal[:]...))
}
