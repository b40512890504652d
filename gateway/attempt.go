// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/gateway/ledger"
	"github.com/gpucoord/gpucoord/gateway/review"
	"github.com/gpucoord/gpucoord/gateway/route"
	"github.com/gpucoord/gpucoord/gateway/sse"
	"github.com/gpucoord/gpucoord/host/wire"
)

const (
	// maxNonceDraws bounds the drawing of a nonce that the ledger does not know; one draw is enough but once in 2^64 over their number.
	maxNonceDraws = 3
	// maxErrorBytes bounds an error answer of a host.
	maxErrorBytes = 64 << 10
)

// Causes for which the gateway breaks off the call of a host.
var (
	errHostSilent  = errors.New("host sent nothing for too long")
	errJobDeadline = errors.New("job's authorisation ended")
)

// errAnswerType means that an answer of status 200 is neither JSON nor a stream, as the request wanted it.
var errAnswerType = errors.New("answer is of another type than was asked for")

// attempt is one host that a request is sent to, under an authorisation of its own.
type attempt struct {
	*call
	cand   route.Candidate
	number int

	job     ledger.Job
	salt    [wire.SaltSize]byte
	sig     [65]byte
	body    []byte
	watch   *time.Timer // breaks off the call of a silent host
	receipt *receipt.Record
}

// run tries the host. done means that the customer has been answered; if not, the refusal is what to tell him if no other host is left.
func (a *attempt) run() (done bool, ref *refusal) {
	if ref := a.authorise(); ref != nil {
		return false, ref
	}
	t := &a.g.cfg.Timeouts
	ctx, cancel := context.WithCancelCause(a.r.Context())
	defer cancel(nil)
	ctx, stop := context.WithDeadlineCause(ctx, time.Unix(int64(a.job.Terms.Auth.ExpiresAt), 0), errJobDeadline) //nolint:gosec // an hour ahead
	defer stop()
	first := t.Job.std()
	if a.req.stream {
		first = t.FirstByte.std()
	}
	a.watch = time.AfterFunc(first, func() { cancel(errHostSilent) })
	defer a.watch.Stop()
	resp, err := a.send(ctx)
	a.body = nil
	if err != nil {
		return a.failed(ctx, err)
	}
	defer resp.Body.Close()
	a.readReceipt(resp.Header.Get(wire.HeaderReceipt))
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")) // an unreadable type is neither of the two
	switch {
	case resp.StatusCode != http.StatusOK:
		return a.refused(ctx, resp)
	case a.req.stream && mediaType == "text/event-stream":
		return a.stream(ctx, cancel, resp)
	case !a.req.stream && mediaType == "application/json":
		return a.unary(ctx, resp)
	}
	return a.failed(ctx, errAnswerType)
}

// authorise signs a JobAuth and reserves its maximum.
func (a *attempt) authorise() *refusal {
	body, err := a.req.encode(a.cand.Offer.Name)
	if err != nil {
		return refuseMalformed
	}
	preimage, err := receipt.LibertAICredit(a.id, uint64(a.number)) //nolint:gosec // counts from 0
	if err != nil {
		return refuseLedger
	}
	a.body = body
	_, _ = rand.Read(a.salt[:]) // never fails: the runtime ends the program instead
	g, now := a.g, time.Now().Unix()
	offer, h, unix := a.cand.Offer, a.cand.Host, uint64(max(now, 0)) //nolint:gosec // not negative
	a.job = ledger.Job{
		CallID: a.id, Try: a.number, KeyID: a.keyID, CreatedAt: now,
		Host: ledger.HostRef{Key: h.Key, Endpoint: h.Endpoint, SPKI: h.SPKI},
		Terms: review.Job{
			HostID: h.ID, PriceInUusdc: offer.PriceInUusdc, PriceOutUusdc: offer.PriceOutUusdc, Epoch: a.epoch,
			Auth: receipt.JobAuth{
				Payer: g.payer, Operator: h.Key, ModelID: offer.ModelID, AdapterID: offer.AdapterID,
				RequestCommit: wire.Commit(a.salt, body), PaymentRef: receipt.KeyedPaymentRef(g.secret[:], preimage),
				MaxAmount: g.cfg.Limits.maxAmount(len(body), a.req.outputBound, offer),
				IssuedAt:  g.keyLife.issuedAt(unix), ExpiresAt: unix + uint64(g.cfg.Timeouts.Job/sec(1)), //nolint:gosec // not negative
			},
		},
	}
	for range maxNonceDraws {
		var nonce [8]byte
		_, _ = rand.Read(nonce[:]) // as above
		auth := &a.job.Terms.Auth
		auth.Nonce = binary.BigEndian.Uint64(nonce[:])
		a.job.ID = auth.ID(g.domain)
		a.sig = receipt.Sign(g.key, a.job.ID)
		if !g.load.Enter(h.Key, a.job.ID, time.Now()) {
			return refuseFull
		}
		if err = g.ledger.Reserve(a.r.Context(), &a.job); err == nil {
			return nil
		}
		g.load.Leave(a.job.ID)
		if !errors.Is(err, ledger.ErrNonceUsed) {
			break
		}
	}
	if errors.Is(err, ledger.ErrInsufficientCredits) || errors.Is(err, ledger.ErrAmountTooLarge) {
		return refuseCredits
	}
	if a.r.Context().Err() == nil {
		g.logger.ErrorContext(a.r.Context(), "job not reserved", slog.Any("err", err))
	}
	return refuseLedger
}

// send calls the host. Nothing of the customer but the body reaches it.
func (a *attempt) send(ctx context.Context) (*http.Response, error) {
	header := http.Header{}
	header.Set("Content-Type", "application/json")
	header.Set("User-Agent", "gpucoord-gateway")
	header.Set(wire.HeaderJobAuth, wire.EncodeJobAuth(&a.job.Terms.Auth, a.sig))
	header.Set(wire.HeaderSalt, wire.Encode(a.salt[:]))
	return a.g.upstream.do(ctx, http.MethodPost, a.job.Host.Endpoint, a.r.URL.Path, a.job.Host.SPKI, a.body, header)
}

// readReceipt keeps the receipt of a header, trailer or comment; one that cannot be read is none.
func (a *attempt) readReceipt(value string) {
	if value == "" || a.receipt != nil {
		return
	}
	if rec, err := wire.DecodeReceipt(value); err == nil {
		a.receipt = &rec
	}
}

// left reports whether it was the customer who ended the call, by leaving.
func (a *attempt) left(ctx context.Context) bool {
	cause := context.Cause(ctx)
	return cause != nil && !errors.Is(cause, errHostSilent) && !errors.Is(cause, errJobDeadline)
}

// failed ends a try before the customer got anything.
func (a *attempt) failed(ctx context.Context, err error) (done bool, ref *refusal) {
	if a.left(ctx) {
		a.g.metrics.tries.WithLabelValues("cancelled").Inc()
		a.g.conclude(a.r.Context(), &a.job, review.Seen{Delivery: review.Cancelled}, a.receipt)
		return true, nil
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	a.g.metrics.tries.WithLabelValues("failed").Inc()
	a.g.logger.WarnContext(ctx, "host failed", a.hostAttr(), slog.String("err", cleanError(err)))
	a.pause()
	a.g.conclude(a.r.Context(), &a.job, review.Seen{Delivery: review.None}, a.receipt)
	return false, refuseHosts
}

// pause leaves the host alone for a while.
func (a *attempt) pause() { a.g.cooldowns.Failed(a.cand.Host.Key, time.Now()) }

func (a *attempt) hostAttr() slog.Attr {
	return slog.String("host_id", fmt.Sprintf("%x", a.cand.Host.ID))
}

// refused ends a try that the host answered with an error. What the engine says of the customer's request is passed on: the host has a
// receipt of such a refusal, and another host would say the same.
func (a *attempt) refused(ctx context.Context, resp *http.Response) (done bool, ref *refusal) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBytes))
	if err != nil {
		return a.failed(ctx, err)
	}
	told := readError(body)
	switch resp.StatusCode {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		if a.receipt == nil || a.receipt.Outcome != receipt.OutcomeRefused {
			break
		}
		a.g.metrics.tries.WithLabelValues("passed_on").Inc()
		a.g.conclude(a.r.Context(), &a.job, review.Seen{Delivery: review.None}, a.receipt)
		a.g.refuse(a.w, &refusal{status: resp.StatusCode, code: "ENGINE_REFUSED", message: told.Message})
		return true, nil
	}
	a.g.metrics.tries.WithLabelValues("refused").Inc()
	code := told.code()
	a.g.logger.WarnContext(ctx, "host refused", a.hostAttr(), slog.Int("status", resp.StatusCode), slog.String("code", code))
	a.leaveAlone(code)
	a.g.conclude(a.r.Context(), &a.job, review.Seen{Delivery: review.None}, a.receipt)
	return false, refuseHosts
}

// leaveAlone says how a host that refused is to be treated: one without room for a moment only.
func (a *attempt) leaveAlone(code string) {
	now := time.Now()
	switch code {
	case "TOO_MANY_OPEN":
		a.g.load.Full(a.job.ID, now)
		a.g.sweep.ask(a.job.Host)
	case "TOO_MANY_ARRIVING", "HOST_BUSY", "ENGINE_BUSY", "RATE_LIMITED":
	default:
		a.pause()
		return
	}
	a.g.cooldowns.Full(a.cand.Host.Key, now)
}

// newBody makes a request body; http.NoBody where there is none.
func newBody(b []byte) io.Reader {
	if len(b) == 0 {
		return http.NoBody
	}
	return bytes.NewReader(b)
}

// knownErrors have texts of this program or of the libraries alone.
var knownErrors = []error{
	errHostSilent, errJobDeadline, errPrivateAddress, errWrongTLSKey, errNoTLS, errNoAnswer, errAnswerTooLarge, errAnswerType, errInData,
	sse.ErrEventTooLarge, context.DeadlineExceeded, io.ErrUnexpectedEOF, io.EOF,
}

// cleanError says what went wrong with a host in words that neither it nor a customer has written. An error of net/http may quote
// addresses, or what the host sent: a header line of it, say, which can hold what a customer asked.
func cleanError(err error) string {
	for _, known := range knownErrors {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	var (
		system  syscall.Errno
		name    *net.DNSError
		cert    *tls.CertificateVerificationError
		alert   tls.AlertError
		network net.Error
	)
	switch {
	case errors.As(err, &system):
		return system.Error()
	case errors.As(err, &name):
		return "host's name is not found"
	case errors.As(err, &cert):
		return "host's TLS certificate is not trusted"
	case errors.As(err, &alert):
		return alert.Error()
	case errors.As(err, &network) && network.Timeout():
		return "host did not answer in time"
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return fmt.Sprintf("connection failed (%T)", err)
}
