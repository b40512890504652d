// SPDX-License-Identifier: Apache-2.0

package host

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host/wire"
)

var (
	errDeadline = errors.New("job deadline passed")
	errStopping = errors.New("host is stopping")
	errIdle     = errors.New("engine sent nothing for engine_idle")
	errNoUsage  = errors.New("engine reported no usable token counts")
	errInStream = errors.New("engine reported an error in its stream")
	errTooLarge = errors.New("engine's answer is larger than max_answer_bytes")
)

const (
	// maxEngineError bounds an error answer of the engine that is passed on.
	maxEngineError = 64 << 10
	// maxDrain and drainTime bound the wait for the end of a stream after its last event.
	maxDrain  = 4 << 10
	drainTime = 100 * time.Millisecond
)

// completions serves POST /v1/chat/completions and POST /v1/completions.
func (h *Host) completions(w http.ResponseWriter, r *http.Request) {
	if h.draining.Load() {
		h.refuse(w, RefuseDraining)
		return
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	default:
		h.refuse(w, RefuseBusy)
		return
	}
	a := h.admit(w, r)
	switch {
	case a.refusal != nil:
		h.refuse(w, a.refusal)
	case a.replay != nil:
		h.metrics.replays.Inc()
		writeReplay(w, a.replay, h.domain)
	default:
		h.serve(w, r, a.job)
	}
}

func (h *Host) refuse(w http.ResponseWriter, ref *Refusal) {
	h.noteRefusal(ref)
	h.allowWrite(w)
	ref.write(w)
}

// noteRefusal counts and logs a refusal.
func (h *Host) noteRefusal(ref *Refusal) {
	h.metrics.refusals.WithLabelValues(ref.Code).Inc()
	h.refusals.note(ref, time.Now())
}

// allowWrite gives the answer its time, however long the job took.
func (h *Host) allowWrite(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(h.cfg.Timeouts.Write)) // a writer without deadlines is a test's
}

// writeReplay answers a repeated authorisation with the receipt of the first one.
func writeReplay(w http.ResponseWriter, rec *receipt.Record, d receipt.Domain) {
	id, encoded := rec.JobID(d), wire.EncodeReceipt(rec)
	w.Header().Set(wire.HeaderReceipt, encoded)
	w.Header().Set(wire.HeaderJobID, hex.EncodeToString(id[:]))
	writeJSON(w, http.StatusOK, map[string]any{"receipt": encoded, "replayed": true})
}

// serve asks the engine and answers; every path ends with a receipt.
func (h *Host) serve(w http.ResponseWriter, r *http.Request, j *job) {
	h.metrics.running.Inc()
	defer h.metrics.running.Dec()
	w.Header().Set(wire.HeaderJobID, hex.EncodeToString(j.auth.id[:]))

	deadline := time.Unix(int64(j.auth.ExpiresAt), 0) //nolint:gosec // at most an hour after now
	if limit := j.started.Add(h.cfg.Timeouts.Job); limit.Before(deadline) {
		deadline = limit
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	ctx, stop := context.WithDeadlineCause(ctx, deadline, errDeadline)
	defer stop()
	resp, err := h.engine.do(ctx, http.MethodPost, r.URL.Path, j.body)
	j.body = nil
	if err != nil {
		h.fail(ctx, w, j, err)
		return
	}
	defer resp.Body.Close()
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")) // an unreadable type is not the one of a stream
	switch {
	case resp.StatusCode != http.StatusOK:
		h.engineRefused(ctx, w, j, resp)
	case mediaType == "text/event-stream":
		h.stream(ctx, cancel, w, j, resp.Body)
		drain(cancel, resp.Body)
	default:
		h.unary(ctx, w, j, resp)
	}
}

// failure says how a job ended that did not succeed, and what its client is told if it still listens.
func failure(ctx context.Context, err error) (receipt.Outcome, *Refusal) {
	cause := context.Cause(ctx)
	switch {
	case errors.Is(cause, errDeadline):
		return receipt.OutcomeProviderFail, RefuseDeadline
	case errors.Is(cause, errStopping):
		return receipt.OutcomeProviderFail, RefuseStopped
	case errors.Is(cause, errIdle):
		return receipt.OutcomeUpstreamFail, RefuseEngineFailed
	case cause != nil: // the client has gone
		return receipt.OutcomeUserCancel, nil
	case errors.Is(err, errNoUsage):
		return receipt.OutcomeUpstreamFail, RefuseEngineNoUsage
	}
	return receipt.OutcomeUpstreamFail, RefuseEngineFailed
}

// fail ends a job whose engine did not answer.
func (h *Host) fail(ctx context.Context, w http.ResponseWriter, j *job, err error) {
	outcome, ref := failure(ctx, err)
	if ref == RefuseEngineFailed {
		ref = RefuseEngineUnreachable
	}
	h.endWith(ctx, w, j, outcome, ref)
}

// endWith signs a receipt over nothing and answers with ref.
func (h *Host) endWith(ctx context.Context, w http.ResponseWriter, j *job, outcome receipt.Outcome, ref *Refusal) {
	rec, err := h.finish(ctx, j, result{outcome: outcome, duration: time.Since(j.started)})
	switch {
	case ref == nil:
	case err != nil:
		h.refuse(w, RefuseLogFailed)
	default:
		w.Header().Set(wire.HeaderReceipt, wire.EncodeReceipt(rec))
		h.refuse(w, ref)
	}
}

// engineRefused ends a job that the engine answered with an error. What the client did wrong is the engine's to say, and no failure of
// the host; the rest is told in the host's words.
func (h *Host) engineRefused(ctx context.Context, w http.ResponseWriter, j *job, resp *http.Response) {
	switch code := resp.StatusCode; {
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		h.endWith(ctx, w, j, receipt.OutcomeUpstreamFail, RefuseEngineBusy)
	case code != http.StatusBadRequest && code != http.StatusRequestEntityTooLarge && code != http.StatusUnprocessableEntity:
		h.endWith(ctx, w, j, receipt.OutcomeUpstreamFail, RefuseEngineFailed)
	default:
		body, err := readBounded(resp.Body, maxEngineError)
		if err != nil {
			h.fail(ctx, w, j, err)
			return
		}
		res := result{outcome: receipt.OutcomeRefused, duration: time.Since(j.started), outputCommit: wire.Commit(j.req.salt, body)}
		h.deliver(ctx, w, j, res, code, body)
	}
}

// unary answers a completion that is not streamed: the whole answer is held until its receipt is stored.
func (h *Host) unary(ctx context.Context, w http.ResponseWriter, j *job, resp *http.Response) {
	first := time.Since(j.started)
	body, err := readBounded(resp.Body, h.cfg.Limits.MaxAnswerBytes)
	if err != nil {
		outcome, ref := failure(ctx, err)
		h.endWith(ctx, w, j, outcome, ref)
		return
	}
	u, err := unaryUsage(body)
	if err != nil {
		outcome, ref := failure(ctx, err)
		h.endWith(ctx, w, j, outcome, ref)
		return
	}
	res := result{outcome: receipt.OutcomeOK, usage: u, ttft: first, duration: time.Since(j.started), outputCommit: wire.Commit(j.req.salt, body)}
	h.deliver(ctx, w, j, res, http.StatusOK, body)
}

// deliver stores the receipt, then sends receipt and answer.
func (h *Host) deliver(ctx context.Context, w http.ResponseWriter, j *job, res result, status int, body []byte) {
	rec, err := h.finish(ctx, j, res)
	if err != nil {
		h.refuse(w, RefuseLogFailed)
		return
	}
	w.Header().Set(wire.HeaderReceipt, wire.EncodeReceipt(rec))
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	h.allowWrite(w)
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has gone finds the receipt by repeating its authorisation
}

// unaryUsage returns the usage of an answer that is not streamed.
func unaryUsage(body []byte) (usage, error) {
	c := parseChunk(body)
	if c == nil || c.err != nil {
		return usage{}, errNoUsage
	}
	u, ok := parseUsage(c.usage)
	if !ok {
		return usage{}, errNoUsage
	}
	return u, nil
}

// drain reads what an engine sends after [DONE], which is nothing, so that its connection can be used again.
func drain(cancel context.CancelCauseFunc, body io.Reader) {
	limit := time.AfterFunc(drainTime, func() { cancel(nil) })
	defer limit.Stop()
	_, _ = io.CopyN(io.Discard, body, maxDrain) // what does not end in time is closed
}

// readBounded reads all of r, or fails when it is longer than limit.
func readBounded(r io.Reader, limit int) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, err
	}
	if len(b) > limit {
		return nil, errTooLarge
	}
	return b, nil
}
