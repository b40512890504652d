// SPDX-License-Identifier: Apache-2.0

package review_test

import (
	"crypto/sha256"
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/gateway/review"
)

var domain = receipt.NewDomain("review-test-1", 7)

func key(label string) *receipt.PrivateKey {
	sum := sha256.Sum256([]byte(label))
	k, err := receipt.ParsePrivateKey(sum[:])
	if err != nil {
		panic(err) // the hash of a label is a key
	}
	return k
}

var (
	payer   = key("payer")
	hostKey = key("host")
	hostID  = [32]byte{0xcc}
)

// job is 1000 prompt tokens at 2 and 200 output tokens at 10 micro-USD each: 4000 in all, of 5000 allowed.
func job() review.Job {
	return review.Job{
		HostID: hostID, PriceInUusdc: 2_000_000, PriceOutUusdc: 10_000_000, Epoch: 9,
		Auth: receipt.JobAuth{
			Payer: receipt.KeyAddress(payer), Operator: receipt.KeyAddress(hostKey), ModelID: [32]byte{1}, PaymentRef: [32]byte{2},
			MaxAmount: 5000, Nonce: 3, IssuedAt: 1000, ExpiresAt: 2000,
		},
	}
}

// record is the right receipt of job, before sign.
func record(j review.Job) receipt.Record {
	return receipt.Record{
		Auth: j.Auth, HostID: j.HostID, Epoch: 9, Seq: 1, Outcome: receipt.OutcomeOK, PromptTokens: 1000, CachedTokens: 64, OutputTokens: 200,
		Amount: 4000, ServedAt: 1500, OutputCommit: [32]byte{7},
	}
}

func sign(r *receipt.Record) {
	r.SigPayer = receipt.Sign(payer, r.JobID(domain))
	r.SigOperator = receipt.Sign(hostKey, r.Digest(domain))
}

func whole() review.Seen {
	return review.Seen{Delivery: review.Whole, Usage: &review.Usage{Prompt: 1000, Cached: 64, Output: 200}, OutputCommit: [32]byte{7}}
}

var rules = review.Rules{Checker: receipt.Checker{Domain: domain}, CancelSlackTokens: 50}

func TestReceiptOfAWholeAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*receipt.Record)
		seen   func(*review.Seen)
		want   error
	}{
		"right":                     {},
		"no commitment of the host": {change: func(r *receipt.Record) { r.OutputCommit = [32]byte{} }},
		"one epoch later":           {change: func(r *receipt.Record) { r.Epoch = 10 }},
		"one epoch earlier":         {change: func(r *receipt.Record) { r.Epoch = 8 }},
		"epoch too late":            {change: func(r *receipt.Record) { r.Epoch = 11 }, want: review.ErrWrongEpoch},
		"epoch too early":           {change: func(r *receipt.Record) { r.Epoch = 7 }, want: review.ErrWrongEpoch},
		"epoch wraps":               {change: func(r *receipt.Record) { r.Epoch = math.MaxUint64 }, want: review.ErrWrongEpoch},
		"other host":                {change: func(r *receipt.Record) { r.HostID[0]++ }, want: review.ErrWrongHost},
		"other authorisation":       {change: func(r *receipt.Record) { r.Auth.Nonce++ }, want: review.ErrWrongAuth},
		"more output tokens":        {change: func(r *receipt.Record) { r.OutputTokens, r.Amount = 201, 4010 }, want: review.ErrWrongTokens},
		"more prompt tokens":        {change: func(r *receipt.Record) { r.PromptTokens, r.Amount = 1001, 4002 }, want: review.ErrWrongTokens},
		"other cached tokens":       {change: func(r *receipt.Record) { r.CachedTokens = 0 }, want: review.ErrWrongTokens},
		"amount too high":           {change: func(r *receipt.Record) { r.Amount = 4001 }, want: review.ErrWrongAmount},
		"amount too low":            {change: func(r *receipt.Record) { r.Amount = 3999 }, want: review.ErrWrongAmount},
		"other output":              {change: func(r *receipt.Record) { r.OutputCommit[0]++ }, want: review.ErrWrongOutput},
		"charged as cancelled":      {change: func(r *receipt.Record) { r.Outcome = receipt.OutcomeUserCancel }, want: review.ErrWrongOutcome},
		"host says it failed": {change: func(r *receipt.Record) {
			r.Outcome, r.Amount, r.PromptTokens, r.CachedTokens, r.OutputTokens = receipt.OutcomeUpstreamFail, 0, 0, 0, 0
		}},
		"no usage in the answer": {seen: func(s *review.Seen) { s.Usage = nil }, want: review.ErrNoUsage},
		"record rule: over max":  {change: func(r *receipt.Record) { r.Amount = 5001 }, want: receipt.ErrAmountOverMax},
		"record rule: outcome":   {change: func(r *receipt.Record) { r.Outcome = 0 }, want: receipt.ErrBadOutcome},
		"record rule: time":      {change: func(r *receipt.Record) { r.ServedAt = 2001 }, want: receipt.ErrTimeOrder},
	} {
		t.Run(name, func(t *testing.T) {
			j := job()
			r, seen := record(j), whole()
			if c.change != nil {
				c.change(&r)
			}
			if c.seen != nil {
				c.seen(&seen)
			}
			sign(&r)
			digest, err := rules.Receipt(&j, seen, 9, &r)
			if !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if c.want == nil && digest != r.Digest(domain) || c.want != nil && digest != [32]byte{} {
				t.Fatalf("digest %x", digest)
			}
			if c.want != nil && review.Reason(err) == "" {
				t.Fatal("the reason has no name")
			}
		})
	}
}

func TestForgedSignaturesAreRejected(t *testing.T) {
	j := job()
	r := record(j)
	sign(&r)
	r.SigOperator = receipt.Sign(payer, r.Digest(domain))
	if _, err := rules.Receipt(&j, whole(), 9, &r); review.Reason(err) != "BAD_OPERATOR_SIG" {
		t.Fatalf("got %v", err)
	}
	sign(&r)
	r.SigPayer = receipt.Sign(hostKey, r.JobID(domain))
	if _, err := rules.Receipt(&j, whole(), 9, &r); review.Reason(err) != "BAD_PAYER_SIG" {
		t.Fatalf("got %v", err)
	}
}

func TestLateReceiptMayBeOfEveryEpochInBetween(t *testing.T) {
	j := job()
	for epoch, want := range map[uint64]error{7: review.ErrWrongEpoch, 8: nil, 30: nil, 41: nil, 42: review.ErrWrongEpoch} {
		r := record(j)
		r.Epoch = epoch
		sign(&r)
		if _, err := rules.Receipt(&j, whole(), 40, &r); !errors.Is(err, want) || want == nil && err != nil {
			t.Fatalf("epoch %d: got %v, want %v", epoch, err, want)
		}
	}
}

func TestOutcomeMustFitTheDelivery(t *testing.T) {
	usage := &review.Usage{Prompt: 1000, Output: 100}
	ok := func(*receipt.Record) {}
	cancel := func(prompt, output, amount uint64) func(*receipt.Record) {
		return func(r *receipt.Record) {
			r.Outcome, r.CachedTokens, r.PromptTokens, r.OutputTokens, r.Amount = receipt.OutcomeUserCancel, 0, prompt, output, amount
		}
	}
	fail := func(r *receipt.Record) {
		r.Outcome, r.CachedTokens, r.PromptTokens, r.OutputTokens, r.Amount = receipt.OutcomeProviderFail, 0, 0, 0, 0
	}
	for name, c := range map[string]struct {
		seen   review.Seen
		change func(*receipt.Record)
		want   error
	}{
		"nothing came, served":             {review.Seen{Delivery: review.None}, ok, review.ErrNotDelivered},
		"nothing came, cancelled":          {review.Seen{Delivery: review.None}, cancel(1000, 0, 2000), review.ErrNotDelivered},
		"nothing came, failed":             {review.Seen{Delivery: review.None}, fail, nil},
		"nothing came, cancelled for free": {review.Seen{Delivery: review.None}, cancel(0, 0, 0), nil},
		"broken off, served":               {review.Seen{Delivery: review.Failed, Usage: usage}, ok, review.ErrNotDelivered},
		"broken off, failed":               {review.Seen{Delivery: review.Failed, Usage: usage}, fail, nil},
		"cancelled, charged as seen":       {review.Seen{Delivery: review.Cancelled, Usage: usage}, cancel(1000, 100, 3000), nil},
		"cancelled, within the slack":      {review.Seen{Delivery: review.Cancelled, Usage: usage}, cancel(1000, 150, 3500), nil},
		"cancelled, beyond the slack":      {review.Seen{Delivery: review.Cancelled, Usage: usage}, cancel(1000, 151, 3510), review.ErrWrongTokens},
		"cancelled, other prompt":          {review.Seen{Delivery: review.Cancelled, Usage: usage}, cancel(1001, 100, 3002), review.ErrWrongTokens},
		"cancelled, wrong price":           {review.Seen{Delivery: review.Cancelled, Usage: usage}, cancel(1000, 100, 3001), review.ErrWrongAmount},
		"cancelled, for free":              {review.Seen{Delivery: review.Cancelled, Usage: usage}, cancel(0, 0, 0), nil},
		"cancelled before any usage":       {review.Seen{Delivery: review.Cancelled}, cancel(900, 50, 2300), nil},
		"cancelled before usage, too much": {review.Seen{Delivery: review.Cancelled}, cancel(900, 51, 2310), review.ErrWrongTokens},
		"restart, served":                  {review.Seen{}, ok, nil},
		"restart, cancelled":               {review.Seen{}, cancel(1000, 100, 3000), nil},
		"restart, wrong price":             {review.Seen{}, cancel(1000, 100, 2999), review.ErrWrongAmount},
	} {
		t.Run(name, func(t *testing.T) {
			j := job()
			r := record(j)
			c.change(&r)
			sign(&r)
			if _, err := rules.Receipt(&j, c.seen, 9, &r); !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Fatalf("got %v, want %v", err, c.want)
			}
		})
	}
}

// TestAmountIsTheExactPrice compares with arbitrary precision.
func TestAmountIsTheExactPrice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := review.Usage{Prompt: rapid.Uint64().Draw(t, "prompt"), Output: rapid.Uint64().Draw(t, "output")}
		in, out := rapid.Uint64().Draw(t, "in"), rapid.Uint64().Draw(t, "out")
		limit := rapid.Uint64().Draw(t, "limit")
		n := func(v uint64) *big.Int { return new(big.Int).SetUint64(v) }
		sum := new(big.Int).Mul(n(u.Prompt), n(in))
		sum.Add(sum, new(big.Int).Mul(n(u.Output), n(out)))
		sum.Quo(sum, big.NewInt(1_000_000))
		want := limit
		if sum.Cmp(n(limit)) < 0 {
			want = sum.Uint64()
		}
		if got := review.Amount(u, in, out, limit); got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
	})
}
