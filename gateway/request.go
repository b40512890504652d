// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/gpucoord/gpucoord/gateway/review"
	"github.com/gpucoord/gpucoord/gateway/route"
)

// The headers by which a customer filters hosts.
const (
	headerMaxPriceOut = "X-Gpucoord-Max-Price-Out" // micro-USD per 10^6 output tokens
	headerRegion      = "X-Gpucoord-Region"
)

// strippedFields say who the customer's own user is; a host has no business with that.
var strippedFields = []string{"user", "safety_identifier", "metadata", "store", "prompt_cache_key"}

// completion is a customer's request.
type completion struct {
	model                     string
	stream                    bool
	wantUsage, wantContinuous bool // what the customer asked of a stream's usage
	outputBound               uint64
	fields                    map[string]json.RawMessage
}

// readBody reads a request's body within the limits of size and time.
func (g *Gateway) readBody(w http.ResponseWriter, r *http.Request) ([]byte, *refusal) {
	limit := int64(g.cfg.Limits.MaxBodyBytes)
	if r.ContentLength > limit {
		return nil, refuseTooLarge
	}
	ctl := http.NewResponseController(w)
	_ = ctl.SetReadDeadline(time.Now().Add(g.cfg.Timeouts.Body.std())) // a writer without deadlines is a test's
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, refuseTooLarge
	}
	if err != nil {
		return nil, refuseBody // the deadline stays: the server reads on before it answers, and must not wait for the rest
	}
	_ = ctl.SetReadDeadline(time.Time{}) // the server goes on reading to notice a customer that leaves
	return body, nil
}

// parse reads what the gateway needs of a body. It is decoded once, case-sensitively, and encoded again for the host, so that no two
// programs understand one body in two ways.
func (l *Limits) parse(body []byte) (*completion, *refusal) {
	c := &completion{}
	if json.Unmarshal(body, &c.fields) != nil || c.fields == nil || !c.read("model", &c.model) || !c.read("stream", &c.stream) || c.model == "" {
		return nil, refuseMalformed
	}
	for _, name := range strippedFields {
		delete(c.fields, name)
	}
	if ref := c.boundOutput(l); ref != nil {
		return nil, ref
	}
	return c, c.askUsage()
}

// read decodes a member; an absent or null one leaves v as it is.
func (c *completion) read(name string, v any) bool {
	raw, ok := c.fields[name]
	return !ok || json.Unmarshal(raw, v) == nil
}

// boundOutput sets the most output tokens that the request can cost, and a limit where it has none.
func (c *completion) boundOutput(l *Limits) *refusal {
	var maxTokens, maxCompletion *uint64
	n, bestOf := uint64(1), uint64(1)
	if !c.read("max_tokens", &maxTokens) || !c.read("max_completion_tokens", &maxCompletion) || !c.read("n", &n) || !c.read("best_of", &bestOf) {
		return refuseMalformed
	}
	each := uint64(0)
	for _, p := range []*uint64{maxTokens, maxCompletion} {
		if p != nil {
			each = max(each, *p)
		}
	}
	if maxTokens == nil && maxCompletion == nil {
		each = l.DefaultMaxTokens
		c.fields["max_tokens"] = json.RawMessage(strconv.FormatUint(each, 10))
	}
	prompts := c.prompts()
	choices := max(n, bestOf, 1)
	if each > l.MaxOutputTokens || choices > l.MaxChoices || prompts > l.MaxChoices || choices*prompts > l.MaxChoices {
		return refuseTokens
	}
	c.outputBound = each * choices * prompts // three small numbers
	return nil
}

// prompts counts the prompts of a text completion: a list of texts or of token lists is several.
func (c *completion) prompts() uint64 {
	var list []json.RawMessage
	if !c.read("prompt", &list) || len(list) == 0 {
		return 1
	}
	if first := bytes.TrimSpace(list[0]); len(first) > 0 && (first[0] == '"' || first[0] == '[') {
		return uint64(len(list))
	}
	return 1 // the tokens of one prompt
}

// askUsage makes a stream report its usage, so that the receipt can be checked against it.
func (c *completion) askUsage() *refusal {
	if !c.stream {
		delete(c.fields, "stream_options") // engines refuse it
		return nil
	}
	options := make(map[string]json.RawMessage)
	if !c.read("stream_options", &options) {
		return refuseMalformed
	}
	if options == nil { // null
		options = make(map[string]json.RawMessage)
	}
	c.wantUsage = string(options["include_usage"]) == "true"
	c.wantContinuous = c.wantUsage && string(options["continuous_usage_stats"]) == "true"
	options["include_usage"] = json.RawMessage("true")
	options["continuous_usage_stats"] = json.RawMessage("true")
	b, err := json.Marshal(options)
	if err != nil {
		return refuseMalformed
	}
	c.fields["stream_options"] = b
	return nil
}

// encode writes the request for a host, under the host's name of the model.
func (c *completion) encode(servedName string) ([]byte, error) {
	name, err := json.Marshal(servedName)
	if err != nil {
		return nil, err
	}
	c.fields["model"] = name
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(c.fields); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// maxAmount is the most a request can cost at a host, in micro-USD: a prompt has at most as many tokens as its JSON has bytes, and what
// templates add. Rounding down is exact here: the price of fewer tokens, rounded down too, is never more.
func (l *Limits) maxAmount(bodyBytes int, outputBound uint64, o *route.Offer) uint64 {
	usage := review.Usage{Prompt: uint64(bodyBytes) + l.PromptOverheadTokens, Output: outputBound}
	return review.Amount(usage, o.PriceInUusdc, o.PriceOutUusdc, math.MaxInt64)
}

// want reads a request's filters.
func (g *Gateway) want(r *http.Request, asset route.Asset) (route.Want, *refusal) {
	w := route.Want{Asset: asset, Region: r.Header.Get(headerRegion), AllowSimulated: g.cfg.AllowSimulated, AllowHTTP: g.cfg.AllowHTTP}
	if text := r.Header.Get(headerMaxPriceOut); text != "" {
		limit, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return w, refuseFilter
		}
		w.MaxPriceOutUusdc = &limit
	}
	return w, nil
}
