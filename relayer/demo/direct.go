// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host/wire"
)

// ErrNoReceipt says that a host answered a job without a receipt that its key has signed for it.
var ErrNoReceipt = errors.New("the host answered without a valid receipt of the job")

// directTTLSeconds is how long the direct customer's authorisations run.
const directTTLSeconds = 300

// direct is a customer who signs his own authorisations and pays the operator himself, outside the chain. The payment is
// simulated: its reference is a random number.
type direct struct {
	key     *receipt.PrivateKey
	domain  receipt.Domain
	url     string   // of the host
	hostKey [20]byte // that must sign the receipts
}

// Refused is an answer other than the one asked for.
type Refused struct {
	Status int
	// Code is the name of the error, Message what it says to do.
	Code, Message string
}

// Error implements error.
func (r *Refused) Error() string { return fmt.Sprintf("%d %s: %s", r.Status, r.Code, r.Message) }

// refusalOf reads the error of an answer.
func refusalOf(response *http.Response) *Refused {
	var body struct {
		Error struct {
			Code    any    `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	out := &Refused{Status: response.StatusCode, Code: "UNREADABLE"}
	if json.NewDecoder(io.LimitReader(response.Body, 64<<10)).Decode(&body) == nil && body.Error.Code != nil {
		out.Code, out.Message = fmt.Sprint(body.Error.Code), body.Error.Message
	}
	return out
}

// authorise makes an authorisation for a body, issued at the given Unix second.
func (d *direct) authorise(model, adapter [32]byte, commit [32]byte, issuedAt uint64) (receipt.JobAuth, error) {
	var random [40]byte
	if _, err := rand.Read(random[:]); err != nil {
		return receipt.JobAuth{}, err
	}
	return receipt.JobAuth{
		Payer: receipt.KeyAddress(d.key), Operator: d.hostKey, ModelID: model, AdapterID: adapter, RequestCommit: commit,
		PaymentRef: receipt.PaymentRef("simulated-invoice:" + hex.EncodeToString(random[8:])),
		MaxAmount:  1_000_000, Nonce: binary.BigEndian.Uint64(random[:8]), IssuedAt: issuedAt, ExpiresAt: issuedAt + directTTLSeconds,
	}, nil
}

// ask sends one job to the host and returns its receipt, checked as far as a customer can.
//
// Errors: Refused, ErrNoReceipt, or the network's.
func (d *direct) ask(ctx context.Context, j job, issuedAt uint64) (receipt.Record, error) {
	body := j.body()
	var salt [wire.SaltSize]byte
	if _, err := rand.Read(salt[:]); err != nil {
		return receipt.Record{}, err
	}
	auth, err := d.authorise(assetID(j.base), j.adapterID(), wire.Commit(salt, body), issuedAt)
	if err != nil {
		return receipt.Record{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url+"/v1/chat/completions", bytes.NewReader(body))
	if err != nil {
		return receipt.Record{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(wire.HeaderJobAuth, wire.EncodeJobAuth(&auth, receipt.Sign(d.key, auth.ID(d.domain))))
	request.Header.Set(wire.HeaderSalt, wire.Encode(salt[:]))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return receipt.Record{}, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return receipt.Record{}, refusalOf(response)
	}
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return receipt.Record{}, err
	}
	return d.receiptOf(response, answer, &auth)
}

// receiptOf finds the receipt in a header, or in the comment after a stream, and checks that it is this job's.
func (d *direct) receiptOf(response *http.Response, answer []byte, auth *receipt.JobAuth) (receipt.Record, error) {
	text := response.Header.Get(wire.HeaderReceipt)
	if text == "" {
		_, after, _ := strings.Cut(string(answer), wire.ReceiptComment)
		text, _, _ = strings.Cut(after, "\n")
	}
	record, err := wire.DecodeReceipt(text)
	if err != nil {
		return receipt.Record{}, fmt.Errorf("%w: %w", ErrNoReceipt, err)
	}
	if _, _, err := (receipt.Checker{Domain: d.domain}).CheckRecord(&record); err != nil {
		return receipt.Record{}, fmt.Errorf("%w: %w", ErrNoReceipt, err)
	}
	if record.Auth != *auth {
		return receipt.Record{}, fmt.Errorf("%w: it is another job's", ErrNoReceipt)
	}
	return record, nil
}
