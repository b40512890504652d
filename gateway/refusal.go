// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// refusal is an answer that is not the one asked for, in the OpenAI error shape with a code that programs act on.
type refusal struct {
	status            int
	code, message     string
	retryAfterSeconds int
}

// The refusals.
var (
	refuseNoKey  = &refusal{status: 401, code: "API_KEY_MISSING", message: "send Authorization: Bearer and your API key"}
	refuseBadKey = &refusal{
		status: 401, code: "API_KEY_INVALID",
		message: "this API key is not known, was revoked or has expired: get a new one",
	}
	refuseRate = &refusal{
		status: 429, code: "RATE_LIMITED", retryAfterSeconds: 1,
		message: "too many requests with this API key: slow down",
	}
	refuseKeyConcurrent = &refusal{
		status: 429, code: "TOO_MANY_CONCURRENT", retryAfterSeconds: 1,
		message: "too many requests of this API key are in progress: wait for one to end",
	}
	refuseBusy = &refusal{
		status: 503, code: "GATEWAY_BUSY", retryAfterSeconds: 1,
		message: "the gateway serves as many requests as it can: try again",
	}
	refuseStopping = &refusal{status: 503, code: "GATEWAY_STOPPING", retryAfterSeconds: 5, message: "the gateway is stopping: try again"}
	refuseTooLarge = &refusal{status: 413, code: "BODY_TOO_LARGE", message: "the request is larger than this gateway takes"}
	refuseBody     = &refusal{
		status: 408, code: "BODY_INCOMPLETE",
		message: "the request's body did not arrive in time or in full: send it again",
	}
	refuseMalformed = &refusal{
		status: 400, code: "REQUEST_MALFORMED",
		message: "the request must be a JSON object with a model; stream must be true or false, token limits and n whole numbers",
	}
	refuseTokens = &refusal{
		status: 400, code: "TOO_MANY_TOKENS",
		message: "max_tokens or the number of answers is more than this gateway allows",
	}
	refuseFilter = &refusal{
		status: 400, code: "FILTER_MALFORMED",
		message: "X-Gpucoord-Max-Price-Out must be micro-USD per 10^6 output tokens, a whole number",
	}
	refuseUnknown = &refusal{status: 404, code: "UNKNOWN_MODEL", message: "no host serves this model: see /v1/models"}
	refuseNoHost  = &refusal{
		status: 503, code: "NO_HOST", retryAfterSeconds: 5,
		message: "no host that serves this model fits the filters and is well: try again or loosen them",
	}
	refuseFull = &refusal{
		status: 503, code: "HOSTS_FULL", retryAfterSeconds: 1,
		message: "every host that serves this model and fits the filters has as many jobs as it takes: try again",
	}
	refuseStale = &refusal{
		status: 503, code: "HOSTS_UNKNOWN", retryAfterSeconds: 10,
		message: "the gateway does not know the chain's hosts at present: try again",
	}
	refuseCredits = &refusal{
		status: 402, code: "INSUFFICIENT_CREDITS",
		message: "the credit of this API key does not cover the most this request can cost: add credit or lower max_tokens",
	}
	refuseHosts = &refusal{
		status: 502, code: "HOSTS_FAILED", retryAfterSeconds: 5,
		message: "the hosts that were tried failed; nothing is charged: try again",
	}
	refuseLedger = &refusal{
		status: 500, code: "LEDGER_FAILED",
		message: "the gateway cannot store this request; nothing is charged: try again later",
	}

	refuseAdminToken = &refusal{status: 401, code: "ADMIN_TOKEN", message: "send Authorization: Bearer and the token in admin_token_file"}
	refuseAdminBody  = &refusal{
		status: 400, code: "ADMIN_MALFORMED",
		message: "send a JSON object with the members this path takes, and no others",
	}
	refuseAdminKey   = &refusal{status: 404, code: "KEY_UNKNOWN", message: "no API key has this id: GET /admin/v1/keys lists them"}
	refuseAdminGrant = &refusal{
		status: 409, code: "REFERENCE_USED",
		message: "the reference was used for another key or amount: use a fresh one",
	}
	refuseAdminAmount = &refusal{status: 400, code: "AMOUNT_TOO_LARGE", message: "the credit of one key is at most 2^63-1 micro-USD"}
)

// kind is OpenAI's type of an error.
func (r *refusal) kind() string {
	switch {
	case r.status == http.StatusTooManyRequests:
		return "rate_limit_error"
	case r.status == http.StatusUnauthorized:
		return "authentication_error"
	case r.status == http.StatusForbidden, r.status == http.StatusPaymentRequired:
		return "permission_error"
	case r.status == http.StatusNotFound:
		return "not_found_error"
	case r.status >= http.StatusInternalServerError:
		return "server_error"
	}
	return "invalid_request_error"
}

type errorBody struct {
	Type    string `json:"type"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (r *refusal) body() map[string]errorBody {
	return map[string]errorBody{"error": {Type: r.kind(), Code: r.code, Message: r.message}}
}

// write answers with the refusal.
func (r *refusal) write(w http.ResponseWriter) {
	if r.retryAfterSeconds > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(r.retryAfterSeconds))
	}
	if r.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	writeJSON(w, r.status, r.body())
}

// event is the refusal in the middle of a stream, as vLLM sends one.
func (r *refusal) event() []byte {
	b, err := json.Marshal(r.body())
	if err != nil { // strings always encode
		return nil
	}
	return append(append([]byte("data: "), b...), "\n\ndata: [DONE]\n\n"...)
}

// writeJSON answers with v, which always encodes: it is built from strings and numbers.
func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"error":{"type":"server_error","code":"ENCODING","message":"report this"}}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b) // a client that is gone cannot be told
}
