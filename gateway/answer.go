// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gpucoord/gpucoord/gateway/review"
	"github.com/gpucoord/gpucoord/host/wire"
)

// HeaderReceiptID names the job of an answer whose receipt the gateway checked and stored, in lower-case hex. It is a trailer of streams.
const HeaderReceiptID = "X-Gpucoord-Receipt-Id"

var (
	errAnswerTooLarge = errors.New("answer is longer than max_answer_bytes")
	errNoAnswer       = errors.New("answer is no completion")
)

// maxErrorText bounds what is passed on of a host's error message, in bytes.
const maxErrorText = 2 << 10

// hostError is the error of a host or engine in the OpenAI shape.
type hostError struct {
	Code    json.RawMessage `json:"code"`
	Message string          `json:"message"`
}

func readError(body []byte) hostError {
	var e struct {
		Error hostError `json:"error"`
	}
	if json.Unmarshal(body, &e) != nil || e.Error.Message == "" {
		return hostError{Message: "the engine refused the request"}
	}
	if len(e.Error.Message) > maxErrorText {
		e.Error.Message = strings.ToValidUTF8(e.Error.Message[:maxErrorText], "")
	}
	return e.Error
}

// code is the host's code if it looks like one: what a host writes must not fill the logs.
func (e hostError) code() string {
	code := strings.Trim(string(e.Code), `"`)
	if len(code) > 40 || strings.ContainsFunc(code, func(c rune) bool { return (c < 'A' || c > 'Z') && c != '_' && (c < '0' || c > '9') }) {
		return ""
	}
	return code
}

// chunk is what the gateway reads of an answer or of a stream's event.
type chunk struct {
	Usage   *engineUsage      `json:"usage"`
	Error   json.RawMessage   `json:"error"`
	Choices []json.RawMessage `json:"choices"`
}

// engineUsage is the usage object of vLLM, SGLang and OpenAI.
type engineUsage struct {
	PromptTokens     uint64 `json:"prompt_tokens"`
	CompletionTokens uint64 `json:"completion_tokens"`
	Details          *struct {
		CachedTokens uint64 `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
}

// usage is the count as receipts state it: cached tokens are at most the prompt's.
func (e *engineUsage) usage() *review.Usage {
	u := &review.Usage{Prompt: e.PromptTokens, Output: e.CompletionTokens}
	if e.Details != nil {
		u.Cached = min(e.Details.CachedTokens, u.Prompt)
	}
	return u
}

func (c *chunk) failed() bool { return len(c.Error) > 0 && string(c.Error) != "null" }

// unary passes an answer on that is not streamed. It is held whole until its receipt is stored, so that a host that breaks off can still
// be replaced.
func (a *attempt) unary(ctx context.Context, resp *http.Response) (done bool, ref *refusal) {
	limit := int64(a.g.cfg.Limits.MaxAnswerBytes)
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return a.failed(ctx, err)
	}
	var answer chunk
	switch {
	case int64(len(body)) > limit:
		return a.failed(ctx, errAnswerTooLarge)
	case json.Unmarshal(body, &answer) != nil || answer.failed() || answer.Choices == nil:
		return a.failed(ctx, errNoAnswer)
	}
	seen := review.Seen{Delivery: review.Whole, OutputCommit: wire.Commit(a.salt, body)}
	if answer.Usage != nil {
		seen.Usage = answer.Usage.usage()
	}
	a.served()
	right := a.g.conclude(a.r.Context(), &a.job, seen, a.receipt)
	header := a.w.Header()
	if right {
		header.Set(HeaderReceiptID, hex.EncodeToString(a.job.ID[:]))
	}
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	_ = http.NewResponseController(a.w).SetWriteDeadline(time.Now().Add(a.g.cfg.Timeouts.Write.std())) // a writer without deadlines is a test's
	a.w.WriteHeader(http.StatusOK)
	_, _ = a.w.Write(body) // a customer that has gone cannot be told
	return true, nil
}

// served notes that the host answers.
func (a *attempt) served() {
	now := time.Now()
	a.g.metrics.tries.WithLabelValues("served").Inc()
	a.g.metrics.firstByte.Observe(now.Sub(a.started).Seconds())
	a.g.cooldowns.Served(a.cand.Host.Key, now)
}
