// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/gpucoord/gpucoord/gateway/review"
	"github.com/gpucoord/gpucoord/gateway/sse"
	"github.com/gpucoord/gpucoord/host/wire"
)

var (
	doneData  = []byte("[DONE]")
	usageKey  = []byte(`"usage"`)
	errorKey  = []byte(`"error"`)
	errInData = errors.New("host reported an error in its stream")
)

var refuseBrokenOff = &refusal{
	status: http.StatusBadGateway, code: "HOST_FAILED",
	message: "the host broke the answer off; nothing is charged: send the request again",
}

// customerGone wraps an error of writing to the customer.
type customerGone struct{ error }

// relay is one stream in progress.
type relay struct {
	*attempt
	ctl    *http.ResponseController
	in     *sse.Reader
	commit hash.Hash // of the host's bytes, up to and with [DONE]
	usage  *review.Usage
	begun  bool // the customer has been sent something
}

// stream passes a stream on event by event: comments stay here, usage goes on only as far as the customer asked for it.
func (a *attempt) stream(ctx context.Context, cancel context.CancelCauseFunc, resp *http.Response) (done bool, ref *refusal) {
	s := &relay{
		attempt: a, ctl: http.NewResponseController(a.w), in: sse.NewReader(resp.Body, a.g.cfg.Limits.MaxEventBytes), commit: sha256.New(),
	}
	s.commit.Write(a.salt[:])
	err := s.copy()
	var gone customerGone
	switch {
	case err == nil:
		s.finish(ctx, resp)
		return true, nil
	case errors.As(err, &gone) || s.left(ctx):
		cancel(nil) // the host notices that nobody listens
		a.g.metrics.tries.WithLabelValues("cancelled").Inc()
		a.g.conclude(a.r.Context(), &a.job, review.Seen{Delivery: review.Cancelled, Usage: s.usage}, a.receipt)
		return true, nil
	}
	s.awaitReceipt(resp) // a host that failed says so in a receipt
	if !s.begun {
		return a.failed(ctx, err)
	}
	s.brokenOff(ctx, err)
	return true, nil
}

// copy passes events on until [DONE].
//
// Errors: customerGone, errInData, or those of reading the host.
func (s *relay) copy() error {
	for {
		event, err := s.in.Next()
		if err != nil {
			return err
		}
		s.watch.Reset(s.g.cfg.Timeouts.HostIdle.std())
		if value, ok := sse.Comment(event, wire.ReceiptComment); ok { // before [DONE] it follows an error
			s.readReceipt(value)
			continue
		}
		s.commit.Write(event)
		data := sse.Data(event)
		if data == nil {
			continue
		}
		if bytes.Equal(data, doneData) {
			return s.write(data, true)
		}
		if data, err = s.filter(data); err != nil {
			return err
		}
		if data == nil {
			continue
		}
		if err := s.write(data, !s.in.Buffered()); err != nil {
			return err
		}
	}
}

// filter takes the usage out of an event and returns what the customer is to get of it.
func (s *relay) filter(data []byte) ([]byte, error) {
	if !bytes.Contains(data, usageKey) && !bytes.Contains(data, errorKey) {
		return data, nil // a quote inside a JSON string is escaped, so content cannot look like a key
	}
	var c chunk
	if json.Unmarshal(data, &c) != nil {
		return nil, errNoAnswer // the decoder's words would quote the answer
	}
	if c.failed() {
		return nil, errInData
	}
	if c.Usage == nil {
		return data, nil
	}
	s.usage = c.Usage.usage()
	last := c.Choices != nil && len(c.Choices) == 0
	switch {
	case last && !s.req.wantUsage:
		return nil, nil
	case last || s.req.wantContinuous:
		return data, nil
	}
	return sse.Without(data, "usage"), nil
}

// write sends the customer one event. A customer that takes nothing for too long is an error.
func (s *relay) write(data []byte, flush bool) error {
	if !s.begun {
		s.begin()
	}
	_ = s.ctl.SetWriteDeadline(time.Now().Add(s.g.cfg.Timeouts.Write.std())) // a writer without deadlines is a test's
	event := append(append([]byte("data: "), data...), "\n\n"...)
	if _, err := s.w.Write(event); err != nil {
		return customerGone{err}
	}
	if flush {
		if err := s.ctl.Flush(); err != nil {
			return customerGone{err}
		}
	}
	return nil
}

func (s *relay) begin() {
	s.begun = true
	s.served()
	header := s.w.Header()
	header.Set("Content-Type", "text/event-stream; charset=utf-8")
	header.Set("Cache-Control", "no-cache")
	header.Set("X-Accel-Buffering", "no") // nginx would hold events back
	header.Set("Trailer", HeaderReceiptID)
}

// finish reads the receipt that follows a whole answer and ends the stream.
func (s *relay) finish(ctx context.Context, resp *http.Response) {
	s.awaitReceipt(resp)
	seen := review.Seen{Delivery: review.Whole, Usage: s.usage, OutputCommit: [32]byte(s.commit.Sum(nil))}
	if s.g.conclude(ctx, &s.job, seen, s.receipt) {
		s.w.Header().Set(HeaderReceiptID, hex.EncodeToString(s.job.ID[:]))
	}
}

// awaitReceipt reads a stream's end for its receipt, in a comment or the trailer, for a short while.
func (s *relay) awaitReceipt(resp *http.Response) {
	s.watch.Reset(s.g.cfg.Timeouts.Receipt.std())
	for s.receipt == nil {
		event, err := s.in.Next()
		if errors.Is(err, io.EOF) {
			s.readReceipt(resp.Trailer.Get(wire.HeaderReceipt))
		}
		if err != nil {
			return
		}
		if value, ok := sse.Comment(event, wire.ReceiptComment); ok {
			s.readReceipt(value)
		}
	}
}

// brokenOff ends a stream that the host did not finish.
func (s *relay) brokenOff(ctx context.Context, err error) {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	s.g.metrics.tries.WithLabelValues("broken_off").Inc()
	s.g.logger.WarnContext(ctx, "host broke a stream off", s.hostAttr(), slog.String("err", cleanError(err)))
	s.pause()
	_ = s.ctl.SetWriteDeadline(time.Now().Add(s.g.cfg.Timeouts.Write.std())) // as in write
	_, _ = s.w.Write(refuseBrokenOff.event())                                // a customer that has gone cannot be told
	s.g.conclude(ctx, &s.job, review.Seen{Delivery: review.Failed, Usage: s.usage}, s.receipt)
}
