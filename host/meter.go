// SPDX-License-Identifier: Apache-2.0

package host

import (
	"encoding/json"
	"math"
	"math/bits"
)

// tokensPerPrice is how many tokens a price is for.
const tokensPerPrice = 1_000_000

// maxTokens is more than any job has; a larger count is the engine's mistake.
const maxTokens = math.MaxUint32

// usage is an engine's token count.
type usage struct{ prompt, cached, output uint64 }

// engineUsage is the usage object of vLLM, SGLang and OpenAI.
type engineUsage struct {
	PromptTokens     *uint64 `json:"prompt_tokens"`
	CompletionTokens *uint64 `json:"completion_tokens"`
	Details          *struct {
		CachedTokens *uint64 `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
}

// parseUsage reads a usage object; ok is false unless it holds plausible counts. Cached tokens are at most the prompt's.
func parseUsage(raw json.RawMessage) (u usage, ok bool) {
	var e *engineUsage
	if json.Unmarshal(raw, &e) != nil || e == nil || e.PromptTokens == nil {
		return usage{}, false
	}
	u.prompt = *e.PromptTokens
	if e.CompletionTokens != nil {
		u.output = *e.CompletionTokens
	}
	if e.Details != nil && e.Details.CachedTokens != nil {
		u.cached = min(*e.Details.CachedTokens, u.prompt)
	}
	if u.prompt > maxTokens || u.output > maxTokens {
		return usage{}, false
	}
	return u, true
}

// amount is the price of a job in micro-USD: (prompt × priceIn + output × priceOut) / 10^6, rounded down, at most maxAmount.
func (u usage) amount(priceIn, priceOut, maxAmount uint64) uint64 {
	inHi, inLo := bits.Mul64(u.prompt, priceIn)
	outHi, outLo := bits.Mul64(u.output, priceOut)
	lo, carry := bits.Add64(inLo, outLo, 0)
	hi, over := bits.Add64(inHi, outHi, carry)
	if over != 0 || hi >= tokensPerPrice { // the quotient needs more than 64 bits
		return maxAmount
	}
	q, _ := bits.Div64(hi, lo, tokensPerPrice)
	return min(q, maxAmount)
}
