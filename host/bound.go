// SPDX-License-Identifier: Apache-2.0

package host

import (
	"bytes"
	"encoding/json"
	"math/bits"
	"strconv"
)

const (
	// defaultMaxTokens is asked of the engine where a request does not say how long its answer may be, so that what it can cost is known.
	defaultMaxTokens = 2048
	// bytesPerToken is more than texts have: a prompt of so many bytes has at least one token. An authorisation that covers less than
	// that would be work for nothing.
	bytesPerToken = 16
)

// boundOutput refuses a request whose authorisation cannot pay for it: the amount of a receipt stops at maxAmount, and what lies above
// that would be given away. A request that states no length gets one.
func (c *completion) boundOutput(o *offer, maxAmount uint64, bodyBytes int) *Refusal {
	var limit, completionLimit *uint64
	n, bestOf := uint64(1), uint64(1)
	if !c.read("max_tokens", &limit) || !c.read("max_completion_tokens", &completionLimit) || !c.read("n", &n) || !c.read("best_of", &bestOf) {
		return RefuseRequestMalformed
	}
	each := uint64(defaultMaxTokens)
	switch {
	case limit != nil && completionLimit != nil:
		each = max(*limit, *completionLimit)
	case limit != nil:
		each = *limit
	case completionLimit != nil:
		each = *completionLimit
	default:
		c.fields["max_tokens"] = json.RawMessage(strconv.FormatUint(each, 10))
	}
	hi, output := bits.Mul64(each, max(n, bestOf, 1))
	if over, all := bits.Mul64(output, c.prompts()); hi == 0 && over == 0 && all <= maxTokens {
		least := usage{prompt: uint64(bodyBytes / bytesPerToken), output: all} //nolint:gosec // a length is not negative
		if least.amount(o.priceInUusdc, o.priceOutUusdc, 1<<64-1) <= maxAmount {
			return nil
		}
	}
	return RefuseAmountTooSmall
}

// prompts counts the prompts of a text completion: a list of texts or of token lists is several.
func (c *completion) prompts() uint64 {
	var list []json.RawMessage
	if raw := bytes.TrimSpace(c.fields["prompt"]); len(raw) == 0 || raw[0] != '[' || json.Unmarshal(raw, &list) != nil || len(list) == 0 {
		return 1
	}
	if first := bytes.TrimSpace(list[0]); len(first) > 0 && (first[0] == '"' || first[0] == '[') {
		return uint64(len(list))
	}
	return 1 // the tokens of one prompt
}
