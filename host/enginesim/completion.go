// SPDX-License-Identifier: Apache-2.0

package enginesim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// request is what the engine reads of a chat or text completion.
type request struct {
	Model         string          `json:"model"`
	Messages      []message       `json:"messages"`
	Prompt        json.RawMessage `json:"prompt"`
	MaxTokens     *uint64         `json:"max_tokens"`
	MaxCompletion *uint64         `json:"max_completion_tokens"`
	Stream        bool            `json:"stream"`
	StreamOptions *struct {
		IncludeUsage    bool `json:"include_usage"`
		ContinuousUsage bool `json:"continuous_usage_stats"`
	} `json:"stream_options"`
}

type message struct {
	Content json.RawMessage `json:"content"`
}

// text returns the words of a content or prompt: a string, or a list of strings or of parts with a text.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return strings.Join(list, " ")
	}
	var parts []struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(raw, &parts) != nil {
		return ""
	}
	for _, p := range parts {
		list = append(list, p.Text)
	}
	return strings.Join(list, " ")
}

func (r *request) promptText() string {
	words := []string{text(r.Prompt)}
	for _, m := range r.Messages {
		words = append(words, text(m.Content))
	}
	return strings.Join(words, " ")
}

type tokenDetails struct {
	CachedTokens uint64 `json:"cached_tokens"`
}

type usage struct {
	PromptTokens     uint64        `json:"prompt_tokens"`
	TotalTokens      uint64        `json:"total_tokens"`
	CompletionTokens int64         `json:"completion_tokens"`
	Details          *tokenDetails `json:"prompt_tokens_details,omitempty"`
}

// job is one completion in progress.
type job struct {
	shape  shape
	req    request
	id     string
	fault  Fault
	prompt uint64
	cached uint64
	output uint64
	finish string
	detail bool
}

func (j *job) usage(written uint64) *usage {
	u := &usage{PromptTokens: j.prompt, CompletionTokens: int64(written), TotalTokens: j.prompt + written} //nolint:gosec // bounded by MaxModelLen
	if j.detail {
		u.Details = &tokenDetails{CachedTokens: j.cached}
	}
	if j.fault.Kind == FaultNegative {
		u.CompletionTokens = -1
	}
	return u
}

// word returns the text of output token i.
func word(i uint64) string {
	if i == 0 {
		return Label
	}
	return fmt.Sprintf(" token-%04d", i)
}

// plan reads the request and decides how many tokens it gets; nil means that it has been answered.
func (e *Engine) plan(w http.ResponseWriter, r *http.Request, s shape) *job {
	j := &job{shape: s, fault: e.currentFault(), detail: e.cfg.PromptTokensDetails}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<20)).Decode(&j.req); err != nil {
		apiError(w, http.StatusBadRequest, "BadRequestError", "The body is not valid JSON.")
		return nil
	}
	if !e.serves(j.req.Model) {
		apiError(w, http.StatusNotFound, "NotFoundError", fmt.Sprintf("The model `%s` does not exist.", j.req.Model))
		return nil
	}
	if j.req.StreamOptions != nil && !j.req.Stream {
		apiError(w, http.StatusBadRequest, "BadRequestError", "Stream options can only be defined when `stream=True`.")
		return nil
	}
	prompt := j.req.promptText()
	j.prompt = uint64(len(strings.Fields(prompt)))
	j.output, j.finish = e.cfg.DefaultMaxTokens, "stop"
	for _, limit := range []*uint64{j.req.MaxTokens, j.req.MaxCompletion} {
		if limit != nil {
			j.output, j.finish = *limit, "length"
		}
	}
	if j.prompt > e.cfg.MaxModelLen || j.output > e.cfg.MaxModelLen-j.prompt || j.output == 0 {
		apiError(w, http.StatusBadRequest, "BadRequestError", fmt.Sprintf("This model's maximum context length is %d tokens. "+
			"However, you requested %d tokens in the messages and %d in the completion.", e.cfg.MaxModelLen, j.prompt, j.output))
		return nil
	}
	j.cached = e.cached(prompt, j.prompt)
	return j
}

// complete answers a completion in one of the two shapes.
func (e *Engine) complete(s shape) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		j := e.plan(w, r, s)
		if j == nil || e.failEarly(w, j.fault) {
			return
		}
		e.count(func(st *Stats) {
			st.Requests++
			st.Running++
			j.id = fmt.Sprintf("%s-sim-%012d", s.idPrefix, st.Requests)
		})
		written, whole := uint64(0), false
		if wait(r.Context(), e.cfg.TTFT) {
			if j.req.Stream {
				written, whole = e.stream(w, r, j)
			} else {
				written, whole = e.answer(w, r, j)
			}
		}
		e.count(func(st *Stats) { st.ended(j, written, whole) })
		if !whole && j.fault.Kind == FaultCut {
			panic(http.ErrAbortHandler) // net/http's way to close a connection in the middle of an answer
		}
	}
}

func (st *Stats) ended(j *job, written uint64, whole bool) {
	st.Running--
	st.PromptTokens += j.prompt
	st.CachedTokens += j.cached
	st.OutputTokens += written
	switch {
	case !whole:
		st.Aborted++
	case j.finish == "stop":
		st.Stop++
	default:
		st.Length++
	}
}

// failEarly answers the faults that come before any token.
func (e *Engine) failEarly(w http.ResponseWriter, f Fault) bool {
	switch f.Kind {
	case FaultError:
		apiError(w, http.StatusInternalServerError, "InternalServerError", "EngineCore encountered an issue. (simulated)")
	case FaultOverloaded:
		apiError(w, http.StatusServiceUnavailable, "ServiceUnavailableError", "Overloaded. (simulated)")
	case FaultRedirect:
		w.Header().Set("Location", f.Location)
		w.WriteHeader(http.StatusTemporaryRedirect)
	case FaultDrop:
		panic(http.ErrAbortHandler) // closes the connection without an answer
	case FaultNone, FaultCut, FaultErrorEvent, FaultHang, FaultNoUsage, FaultNegative, FaultGiantEvent:
		return false
	}
	return true
}

// answer writes a completion that is not streamed.
func (e *Engine) answer(w http.ResponseWriter, r *http.Request, j *job) (written uint64, whole bool) {
	var out strings.Builder
	for written = range j.output {
		if written > 0 && !wait(r.Context(), e.cfg.PerToken) {
			return written, false
		}
		if j.fault.Kind == FaultHang && written == j.fault.After {
			<-r.Context().Done()
			return written, false
		}
		if j.fault.Kind == FaultCut && written == j.fault.After {
			return written, false
		}
		out.WriteString(word(written))
	}
	body := j.envelope(j.shape.object, []any{j.shape.whole(out.String(), j.finish)})
	if j.fault.Kind != FaultNoUsage {
		body["usage"] = j.usage(j.output)
	}
	writeJSON(w, http.StatusOK, body)
	return j.output, true
}
