// SPDX-License-Identifier: Apache-2.0

package apptest

import (
	"crypto/sha256"
	"fmt"

	"github.com/gpucoord/gpucoord/domain/receipt"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
)

// jobSeconds is how long a served job takes, within one block.
const jobSeconds = 2

// Host is one host of an operator with its receipt key.
type Host struct {
	Operator *Account
	ID       [32]byte

	key *receipt.PrivateKey
	seq uint64
}

// Payer is who signs job authorisations and which account settles them: a gateway, or an operator for its own work.
type Payer struct {
	Settler *Account
	// Gateway says that the payer countersigns receipts.
	Gateway bool

	key    *receipt.PrivateKey
	nonces uint64
}

// Job is what a host is asked to serve and what came of it.
type Job struct {
	Model, Adapter                     [32]byte
	Outcome                            receipt.Outcome
	Amount, PromptTokens, OutputTokens uint64
}

// ReceiptKey returns the receipt key derived from name.
func ReceiptKey(name string) (*receipt.PrivateKey, error) {
	seed := sha256.Sum256([]byte("receipt key " + name))
	return receipt.ParsePrivateKey(seed[:])
}

// NewHost returns the host of that number of an operator, counted from 0 in the order of registration.
func NewHost(operator *Account, number uint64) (*Host, error) {
	key, err := ReceiptKey(fmt.Sprintf("host %d of %s", number, operator.Name))
	if err != nil {
		return nil, err
	}
	return &Host{Operator: operator, ID: operatorstypes.HostID([20]byte(operator.Address), number), key: key}, nil
}

// NewGatewayPayer returns the payer of a gateway whose jobs settler pays for.
func NewGatewayPayer(settler *Account) (*Payer, error) {
	key, err := ReceiptKey("gateway key of " + settler.Name)
	return &Payer{Settler: settler, Gateway: true, key: key}, err
}

// NewDirectPayer returns a customer whose jobs the operator settles itself.
func NewDirectPayer(operator *Account) (*Payer, error) {
	key, err := ReceiptKey("customer of " + operator.Name)
	return &Payer{Settler: operator, key: key}, err
}

// PublicKey returns the host's receipt key, compressed.
func (h *Host) PublicKey() []byte { return h.key.PubKey().SerializeCompressed() }

// KeyAddress returns the address of the host's receipt key.
func (h *Host) KeyAddress() [20]byte { return receipt.KeyAddress(h.key) }

// proof signs that the account which registers a key holds it.
func (c *Chain) proof(key *receipt.PrivateKey, role receipt.KeyRole, account *Account) []byte {
	signature := receipt.Sign(key, receipt.KeyProofDigest(c.Domain(), role, [20]byte(account.Address), receipt.KeyAddress(key)))
	return signature[:]
}

// Domain is the domain of receipts on test chains, with the default EVM chain id.
func (c *Chain) Domain() receipt.Domain {
	return receipt.NewDomain(ChainID, operatorstypes.DefaultParams().EvmChainId)
}

// Serve returns the signed record of a job that the host served at the time of the last block, in the epoch of that block.
func (c *Chain) Serve(h *Host, p *Payer, epoch uint64, job Job) receipt.Record {
	now := uint64(c.Time().Unix())
	p.nonces++
	h.seq++
	record := receipt.Record{
		Auth: receipt.JobAuth{
			Payer: receipt.KeyAddress(p.key), Operator: h.KeyAddress(), ModelID: job.Model, AdapterID: job.Adapter,
			RequestCommit: sha256.Sum256([]byte("request")),
			PaymentRef:    receipt.PaymentRef(fmt.Sprintf("test|%x|%d", receipt.KeyAddress(p.key), p.nonces)),
			MaxAmount:     job.Amount, Nonce: p.nonces, IssuedAt: now, ExpiresAt: now + 60,
		},
		HostID: h.ID, Epoch: epoch, Seq: h.seq, Outcome: job.Outcome,
		PromptTokens: job.PromptTokens, OutputTokens: job.OutputTokens, Amount: job.Amount,
		ServedAt: now + jobSeconds, TTFTMs: 200, DurationMs: jobSeconds * 1000,
		OutputCommit: sha256.Sum256([]byte("output")), Countersigned: p.Gateway,
	}
	domain := c.Domain()
	digest := record.Digest(domain)
	record.SigPayer = receipt.Sign(p.key, record.JobID(domain))
	record.SigOperator = receipt.Sign(h.key, digest)
	if p.Gateway {
		record.SigFinal = receipt.Sign(p.key, digest)
	}
	return record
}
