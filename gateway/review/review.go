// SPDX-License-Identifier: Apache-2.0

// Package review decides whether a gateway countersigns a host's receipt: the receipt must be of the job the gateway authorised, and
// claim no more than the gateway saw delivered.
//
// A right receipt proves that host and gateway agree on what was delivered and what it costs. It does not prove that the model named
// was the model run, or that the engine counted its tokens honestly: the gateway saw the engine's usage through the host.
package review

import (
	"errors"
	"math/bits"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/u128"
)

// Errors of a receipt that passes the record rules and is still not countersigned.
var (
	ErrWrongAuth    = errors.New("receipt is not of the authorisation that was sent: state the one that came with the request")
	ErrWrongHost    = errors.New("receipt names another host id: state the id the chain gave the host of this key")
	ErrWrongEpoch   = errors.New("receipt's epoch is not one in which the job ran: state the chain's present epoch")
	ErrNotDelivered = errors.New("receipt charges for or calls served what the gateway did not get: state the failure")
	ErrWrongOutcome = errors.New("receipt charges for an outcome that did not happen: an answer that came whole is OK")
	ErrWrongTokens  = errors.New("receipt's tokens are not those of the usage in the answer: state the engine's usage")
	ErrNoUsage      = errors.New("receipt counts tokens and the answer had no usage: pass the engine's usage on")
	ErrWrongAmount  = errors.New("receipt's amount is not the price of its tokens: floor((prompt*in + output*out)/10^6), at most maxAmount")
	ErrWrongOutput  = errors.New("receipt's outputCommit is not of the answer that came: hash the bytes as sent")
)

// Reason is the stable name of why a receipt was rejected: that of the record rule, or of an error of this package. It is empty for
// nil and for other errors.
func Reason(err error) string {
	for _, r := range [...]struct {
		err  error
		name string
	}{
		{ErrWrongAuth, "WRONG_AUTH"},
		{ErrWrongHost, "WRONG_HOST"},
		{ErrWrongEpoch, "WRONG_EPOCH"},
		{ErrNotDelivered, "NOT_DELIVERED"},
		{ErrWrongOutcome, "WRONG_OUTCOME"},
		{ErrWrongTokens, "WRONG_TOKENS"},
		{ErrNoUsage, "NO_USAGE"},
		{ErrWrongAmount, "WRONG_AMOUNT"},
		{ErrWrongOutput, "WRONG_OUTPUT"},
	} {
		if errors.Is(err, r.err) {
			return r.name
		}
	}
	if err == nil {
		return ""
	}
	return receipt.RuleName(err)
}

// Delivery is what the gateway knows of an answer.
type Delivery uint8

// The kinds of delivery. The numbers are stored: never change them.
const (
	Unknown   Delivery = 0 // the gateway stopped while the answer came
	None      Delivery = 1 // nothing that could be passed on came
	Whole     Delivery = 2 // all of it came
	Cancelled Delivery = 3 // the customer broke it off
	Failed    Delivery = 4 // the host broke it off
)

// Usage is an engine's token count; Cached is a part of Prompt.
type Usage struct{ Prompt, Cached, Output uint64 }

// Seen is what the gateway saw of one job.
type Seen struct {
	Delivery Delivery
	// Usage is the newest the answer reported, nil if none.
	Usage *Usage
	// OutputCommit is the commitment over the answer's bytes, zero where it is not known.
	OutputCommit [32]byte
}

// Job is what the gateway authorised.
type Job struct {
	Auth   receipt.JobAuth
	HostID [32]byte
	// PriceInUusdc and PriceOutUusdc are the prices of 10^6 tokens that the gateway chose the host at.
	PriceInUusdc, PriceOutUusdc uint64
	// Epoch is the chain's when the job was sent, as the gateway saw it.
	Epoch uint64
}

// Rules are what a gateway reviews receipts by.
type Rules struct {
	// Checker checks the 13 record rules.
	Checker receipt.Checker
	// CancelSlackTokens is how many more output tokens than it saw the gateway pays for when the customer broke the answer off: those
	// on their way to it. At most this times the output price is at stake per cancelled job.
	CancelSlackTokens uint64
}

// tokensPerPrice is how many tokens a price is for.
const tokensPerPrice = 1_000_000

// Amount is the price of a job in micro-USD: (prompt*in + output*out) / 10^6, rounded down, at most limit.
func Amount(u Usage, priceIn, priceOut, limit uint64) uint64 {
	in, out := u128.Mul(u.Prompt, priceIn), u128.Mul(u.Output, priceOut)
	lo, carry := bits.Add64(in.Lo, out.Lo, 0)
	hi, over := bits.Add64(in.Hi, out.Hi, carry)
	quotient, _ := u128.Uint{Hi: hi, Lo: lo}.Quo(tokensPerPrice)
	if over != 0 || quotient.AtLeast(limit) {
		return limit
	}
	return quotient.Lo
}

// Receipt decides on one receipt and returns the digest to countersign. epoch is the chain's at present.
//
// Order: record rules, authorisation, host, epoch, outcome, tokens, amount, output.
// Errors: those of receipt.Checker, or of this package.
func (p Rules) Receipt(job *Job, seen Seen, epoch uint64, r *receipt.Record) (digest [32]byte, err error) {
	_, digest, err = p.Checker.CheckRecord(r)
	switch {
	case err != nil:
		return [32]byte{}, err
	case r.Auth != job.Auth:
		return [32]byte{}, ErrWrongAuth
	case r.HostID != job.HostID:
		return [32]byte{}, ErrWrongHost
	case r.Epoch+1 < job.Epoch || r.Epoch > max(epoch, job.Epoch)+1: // one epoch of slack at both ends: two views of one chain
		return [32]byte{}, ErrWrongEpoch
	}
	if err := p.delivered(seen, r); err != nil {
		return [32]byte{}, err
	}
	if r.Outcome == receipt.OutcomeOK || r.Outcome == receipt.OutcomeUserCancel {
		want := Amount(Usage{Prompt: r.PromptTokens, Output: r.OutputTokens}, job.PriceInUusdc, job.PriceOutUusdc, job.Auth.MaxAmount)
		if r.Amount != want {
			return [32]byte{}, ErrWrongAmount
		}
	}
	none := [32]byte{}
	if seen.Delivery == Whole && r.Outcome == receipt.OutcomeOK && r.OutputCommit != none && seen.OutputCommit != none &&
		r.OutputCommit != seen.OutputCommit {
		return [32]byte{}, ErrWrongOutput
	}
	return digest, nil
}

// delivered compares outcome and tokens with what the gateway saw.
func (p Rules) delivered(seen Seen, r *receipt.Record) error {
	charges := r.Outcome == receipt.OutcomeOK || r.Outcome == receipt.OutcomeUserCancel && r.Amount > 0
	if !charges {
		return nil // the host states its own failure and asks for nothing
	}
	switch seen.Delivery {
	case Unknown:
		return nil // the authorisation's maximum is the bound
	case Whole:
		return whole(seen.Usage, r)
	case Cancelled:
		return p.cancelled(seen.Usage, r)
	case None, Failed:
	}
	return ErrNotDelivered
}

func whole(u *Usage, r *receipt.Record) error {
	switch {
	case r.Outcome != receipt.OutcomeOK:
		return ErrWrongOutcome
	case u == nil:
		return ErrNoUsage
	case r.PromptTokens != u.Prompt || r.CachedTokens != u.Cached || r.OutputTokens != u.Output:
		return ErrWrongTokens
	}
	return nil
}

func (p Rules) cancelled(u *Usage, r *receipt.Record) error {
	seen := Usage{Prompt: r.PromptTokens} // no count had come yet: the authorisation's maximum is the bound
	if u != nil {
		seen = *u
	}
	limit, ok := u128.Add(seen.Output, p.CancelSlackTokens)
	if r.PromptTokens != seen.Prompt || ok && r.OutputTokens > limit {
		return ErrWrongTokens
	}
	return nil
}
