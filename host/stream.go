// SPDX-License-Identifier: Apache-2.0

package host

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host/wire"
)

// streamWriter writes a stream to a client and hashes what it wrote.
type streamWriter struct {
	w       http.ResponseWriter
	ctl     *http.ResponseController
	timeout time.Duration
	hash    hash.Hash
	begun   bool // the client has been sent something
}

// write sends b; flush pushes it out at once. A client that takes nothing for the timeout is an error.
func (s *streamWriter) write(b []byte, flush bool) error {
	s.begun = true
	_ = s.ctl.SetWriteDeadline(time.Now().Add(s.timeout)) // a writer without deadlines is a test's
	if _, err := s.w.Write(b); err != nil {
		return err
	}
	if flush {
		return s.ctl.Flush()
	}
	return nil
}

// streaming is one stream in progress.
type streaming struct {
	job      *job
	out      *streamWriter
	in       *events
	reported []byte // the usage object the engine sent last
	scratch  []byte // an event without its usage
	ttft     time.Duration
	duration time.Duration
}

// stream passes a stream on event by event and ends it with the receipt. cancel ends the call of the engine.
func (h *Host) stream(ctx context.Context, cancel context.CancelCauseFunc, w http.ResponseWriter, j *job, body io.Reader) {
	idle := time.AfterFunc(h.cfg.Timeouts.EngineIdle, func() { cancel(errIdle) })
	defer idle.Stop()

	header := w.Header()
	header.Set("Content-Type", "text/event-stream; charset=utf-8")
	header.Set("Cache-Control", "no-cache")
	header.Set("Trailer", wire.HeaderReceipt)
	s := &streaming{
		job: j, in: newEvents(body, h.cfg.Limits.MaxEventBytes),
		out: &streamWriter{w: w, ctl: http.NewResponseController(w), timeout: h.cfg.Timeouts.Write, hash: sha256.New()},
	}
	defer s.in.release()
	s.out.hash.Write(j.req.salt[:])
	readErr, writeErr := s.copy(func() { idle.Reset(h.cfg.Timeouts.EngineIdle) })
	s.duration = time.Since(j.started)
	h.endStream(ctx, s, readErr, writeErr)
}

// copy passes events on until [DONE] or an error of either side; tick is called for each event.
func (s *streaming) copy(tick func()) (readErr, writeErr error) {
	for {
		event, err := s.in.next()
		if err != nil {
			return err, nil
		}
		tick()
		data := eventData(event)
		if s.ttft == 0 && data != nil {
			s.ttft = time.Since(s.job.started)
		}
		event, err = s.filter(event, data)
		if err != nil {
			return err, nil
		}
		if event == nil {
			continue
		}
		s.out.hash.Write(event)
		done := bytes.Equal(data, doneData)
		if err := s.out.write(event, !done && !s.in.buffered()); err != nil {
			return nil, err
		}
		if done {
			return nil, nil
		}
	}
}

// filter takes the usage out of an event and returns what the client is to get of it: usage only as far as it asked for it.
func (s *streaming) filter(event, data []byte) ([]byte, error) {
	c := parseChunk(data)
	if c == nil {
		return event, nil
	}
	if c.err != nil {
		return nil, errInStream
	}
	if c.usage != nil {
		s.reported = append(s.reported[:0], c.usage...)
	}
	switch {
	case c.last && !s.job.req.wantUsage:
		return nil, nil
	case c.last || c.cutTo == 0 || s.job.req.wantContinuous:
		return event, nil
	}
	s.scratch = append(append(s.scratch[:0], "data: "...), data[:c.cutFrom]...)
	s.scratch = append(append(s.scratch, data[c.cutTo:]...), "\n\n"...)
	return s.scratch, nil
}

// endStream signs the receipt and sends it in a comment and the trailer.
func (h *Host) endStream(ctx context.Context, s *streaming, readErr, writeErr error) {
	used, known := parseUsage(s.reported)
	outcome, ref := outcomeOf(ctx, known, readErr, writeErr)
	res := result{outcome: outcome, usage: used, ttft: s.ttft, duration: s.duration}
	s.out.hash.Sum(res.outputCommit[:0])
	rec, err := h.finish(ctx, s.job, res)
	if err != nil {
		ref = RefuseLogFailed
	}
	if outcome == receipt.OutcomeUserCancel || outcome == receipt.OutcomeUserIdle {
		return // nobody listens
	}
	if ref != nil && !s.out.begun { // there is still room for a status
		s.out.w.Header().Del("Trailer")
		if rec != nil {
			s.out.w.Header().Set(wire.HeaderReceipt, wire.EncodeReceipt(rec))
		}
		h.refuse(s.out.w, ref)
		return
	}
	var tail []byte
	if ref != nil {
		h.noteRefusal(ref)
		tail = appendErrorEvent(tail, ref)
	}
	if rec != nil {
		encoded := wire.EncodeReceipt(rec)
		tail = append(append(append(tail, wire.ReceiptComment...), encoded...), "\n\n"...)
		s.out.w.Header().Set(wire.HeaderReceipt, encoded)
	}
	_ = s.out.write(tail, true) // a client that has gone finds the receipt by repeating its authorisation
}

// outcomeOf says how a stream ended. One without usage has failed, whatever it looked like: nothing else counts tokens.
func outcomeOf(ctx context.Context, known bool, readErr, writeErr error) (receipt.Outcome, *Refusal) {
	switch {
	case errors.Is(writeErr, os.ErrDeadlineExceeded):
		return receipt.OutcomeUserIdle, nil
	case writeErr != nil:
		return receipt.OutcomeUserCancel, nil
	case readErr != nil:
		return failure(ctx, readErr)
	case !known:
		return receipt.OutcomeUpstreamFail, RefuseEngineNoUsage
	}
	return receipt.OutcomeOK, nil
}

// appendErrorEvent appends an error in the middle of a stream as vLLM sends one.
func appendErrorEvent(dst []byte, ref *Refusal) []byte {
	b, err := json.Marshal(ref.body())
	if err != nil { // strings always encode
		return dst
	}
	return append(append(append(dst, "data: "...), b...), "\n\n"...)
}
