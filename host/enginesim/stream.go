// SPDX-License-Identifier: Apache-2.0

package enginesim

import (
	"encoding/json"
	"net/http"
	"strings"
)

// shape is what differs between chat and text completions.
type shape struct {
	idPrefix, object, chunkObject string
	whole                         func(text, finish string) any
	delta                         func(text string, finish *string) any
}

var chatShape = shape{
	idPrefix: "chatcmpl", object: "chat.completion", chunkObject: "chat.completion.chunk",
	whole: func(text, finish string) any {
		return map[string]any{
			"index": 0, "message": map[string]any{"role": "assistant", "content": text}, "logprobs": nil,
			"finish_reason": finish, "stop_reason": nil,
		}
	},
	delta: func(text string, finish *string) any {
		return map[string]any{"index": 0, "delta": map[string]any{"content": text}, "logprobs": nil, "finish_reason": finish}
	},
}

var textShape = shape{
	idPrefix: "cmpl", object: "text_completion", chunkObject: "text_completion",
	whole: func(text, finish string) any {
		return map[string]any{"index": 0, "text": text, "logprobs": nil, "finish_reason": finish, "stop_reason": nil}
	},
	delta: func(text string, finish *string) any {
		return map[string]any{"index": 0, "text": text, "logprobs": nil, "finish_reason": finish}
	},
}

func (j *job) envelope(object string, choices []any) map[string]any {
	return map[string]any{"id": j.id, "object": object, "created": createdAt, "model": j.req.Model, "choices": choices}
}

// sse writes server-sent events, each flushed.
type sse struct {
	w   http.ResponseWriter
	ctl *http.ResponseController
	err error
}

func (s *sse) event(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		s.err = err
		return
	}
	s.data(string(b))
}

func (s *sse) data(payload string) {
	if s.err != nil {
		return
	}
	if _, s.err = s.w.Write([]byte("data: " + payload + "\n\n")); s.err == nil {
		s.err = s.ctl.Flush()
	}
}

// stream writes a completion token by token, then usage if asked for, then [DONE].
func (e *Engine) stream(w http.ResponseWriter, r *http.Request, j *job) (written uint64, whole bool) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	out := &sse{w: w, ctl: http.NewResponseController(w)}
	wantUsage := j.req.StreamOptions != nil && j.req.StreamOptions.IncludeUsage && j.fault.Kind != FaultNoUsage
	continuous := wantUsage && j.req.StreamOptions.ContinuousUsage
	for written = range j.output {
		if written > 0 && !wait(r.Context(), e.cfg.PerToken) || out.err != nil {
			return written, false
		}
		if written == j.fault.After && j.fault.Kind != FaultNone && stopStream(r, out, j) {
			return written, false
		}
		chunk := j.envelope(j.shape.chunkObject, []any{j.shape.delta(word(written), nil)})
		if continuous {
			chunk["usage"] = j.usage(written + 1)
		}
		out.event(chunk)
	}
	last := j.envelope(j.shape.chunkObject, []any{j.shape.delta("", &j.finish)})
	if continuous {
		last["usage"] = j.usage(j.output)
	}
	out.event(last)
	if wantUsage {
		end := j.envelope(j.shape.chunkObject, []any{})
		end["usage"] = j.usage(j.output)
		out.event(end)
	}
	out.data("[DONE]")
	return j.output, out.err == nil
}

// stopStream applies a fault in the middle of a stream; false means that the stream goes on.
func stopStream(r *http.Request, out *sse, j *job) bool {
	switch j.fault.Kind {
	case FaultHang:
		<-r.Context().Done()
	case FaultErrorEvent:
		out.event(map[string]any{"error": map[string]any{"message": "simulated", "type": "InternalServerError", "param": nil, "code": 500}})
		out.data("[DONE]")
	case FaultGiantEvent:
		out.event(j.envelope(j.shape.chunkObject, []any{j.shape.delta(strings.Repeat("x", 4<<20), nil)}))
	case FaultCut:
	default:
		return false
	}
	return true
}
