// SPDX-License-Identifier: Apache-2.0

package host

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/gpucoord/gpucoord/host/wire"
)

// completion is a parsed request, ready for the engine.
type completion struct {
	salt                      [wire.SaltSize]byte
	model                     string
	stream                    bool
	wantUsage, wantContinuous bool   // what the client itself asked of a stream's usage
	seed                      uint64 // 0 if the client gave none
	sampling                  [32]byte
	fields                    map[string]json.RawMessage
}

// samplingFields are the members that decide how tokens are drawn; execCommit binds their values. None of them holds content.
var samplingFields = []string{
	"best_of", "frequency_penalty", "max_completion_tokens", "max_tokens", "min_p", "n", "presence_penalty", "repetition_penalty",
	"seed", "temperature", "top_k", "top_p",
}

// readBody reads a request's body within the limit of size; bounded has set the time.
func (h *Host) readBody(w http.ResponseWriter, r *http.Request) ([]byte, *Refusal) {
	limit := int64(h.cfg.Limits.MaxBodyBytes)
	if r.ContentLength > limit {
		return nil, RefuseBodyTooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, RefuseBodyTooLarge
	}
	if err != nil {
		return nil, RefuseBodyTimeout
	}
	// The server goes on reading, to notice a client that leaves: that may take as long as the job.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // a writer without deadlines is a test's
	return body, nil
}

// parseCompletion checks a body against its commitment and reads what the host needs of it.
//
// The engine gets the members read here and no others of the same name: a body is decoded once, case-sensitively, and encoded again, so
// that host and engine cannot understand one body in two ways.
func parseCompletion(saltValue string, commit [32]byte, body []byte) (*completion, *Refusal) {
	salt, err := wire.Decode(saltValue, wire.SaltSize)
	if err != nil {
		return nil, RefuseSaltMalformed
	}
	c := &completion{salt: [wire.SaltSize]byte(salt)}
	if wire.Commit(c.salt, body) != commit {
		return nil, RefuseCommitMismatch
	}
	if json.Unmarshal(body, &c.fields) != nil || c.fields == nil || !c.read("model", &c.model) || !c.read("stream", &c.stream) {
		return nil, RefuseRequestMalformed
	}
	if json.Unmarshal(c.fields["seed"], &c.seed) != nil { // absent, negative or no number: there is no seed to commit to
		c.seed = 0
	}
	c.sampling = c.samplingHash()
	return c, nil
}

// read decodes a member; an absent or null one leaves v as it is.
func (c *completion) read(name string, v any) bool {
	raw, ok := c.fields[name]
	return !ok || json.Unmarshal(raw, v) == nil
}

// samplingHash is SHA256(salt | each sampling member present as name, 0x00, its JSON bytes, 0x00, by ascending name).
func (c *completion) samplingHash() [32]byte {
	d := sha256.New()
	d.Write(c.salt[:])
	for _, name := range samplingFields {
		if raw, ok := c.fields[name]; ok {
			d.Write([]byte(name))
			d.Write([]byte{0})
			d.Write(raw)
			d.Write([]byte{0})
		}
	}
	return [32]byte(d.Sum(nil))
}

// forEngine encodes the request under the engine's name of the model; a stream is asked to report its usage.
func (c *completion) forEngine(engineName string, continuous bool) ([]byte, *Refusal) {
	name, err := json.Marshal(engineName)
	if err != nil {
		return nil, RefuseRequestMalformed
	}
	c.fields["model"] = name
	if c.stream {
		options := make(map[string]json.RawMessage)
		if !c.read("stream_options", &options) {
			return nil, RefuseRequestMalformed
		}
		if options == nil { // null
			options = make(map[string]json.RawMessage)
		}
		c.wantUsage = string(options["include_usage"]) == "true"
		c.wantContinuous = c.wantUsage && string(options["continuous_usage_stats"]) == "true"
		options["include_usage"] = json.RawMessage("true")
		if continuous {
			options["continuous_usage_stats"] = json.RawMessage("true")
		}
		if c.fields["stream_options"], err = json.Marshal(options); err != nil {
			return nil, RefuseRequestMalformed
		}
	}
	out, err := json.Marshal(c.fields)
	if err != nil {
		return nil, RefuseRequestMalformed
	}
	c.fields = nil // the prompt is not needed any more
	return out, nil
}
