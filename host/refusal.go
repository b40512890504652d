// SPDX-License-Identifier: Apache-2.0

package host

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// Refusal is an answer that is not the one asked for. It is written in the OpenAI error shape, with a code that programs act on.
type Refusal struct {
	// Status is the HTTP status.
	Status int
	// Code names the cause, Message says what to do.
	Code, Message string
	// RetryAfterSeconds is sent as Retry-After unless 0.
	RetryAfterSeconds int
	// Jobs are the jobs the refusal is about.
	Jobs [][32]byte
}

// The refusals. Those up to RefuseEpochUnknown come before a job exists, in about this order.
var (
	RefuseRateLimited = &Refusal{
		Status: 429, Code: "RATE_LIMITED", RetryAfterSeconds: 1,
		Message: "this address sends too many requests: slow down",
	}
	RefuseBusy = &Refusal{
		Status: 503, Code: "HOST_BUSY", RetryAfterSeconds: 1,
		Message: "the host serves as many jobs as it can: try again or use another host",
	}
	RefuseDraining = &Refusal{
		Status: 503, Code: "HOST_DRAINING", RetryAfterSeconds: 30,
		Message: "the host is stopping: use another host",
	}
	RefuseJobAuthMissing = &Refusal{
		Status: 401, Code: "JOB_AUTH_MISSING",
		Message: "send a job authorisation in X-Gpucoord-Job-Auth; the host's card is at /.well-known/gpucoord",
	}
	RefuseJobAuthMalformed = &Refusal{
		Status: 400, Code: "JOB_AUTH_MALFORMED",
		Message: "X-Gpucoord-Job-Auth must be the base64url of 208 authorisation bytes and 65 signature bytes",
	}
	RefuseWrongHostKey = &Refusal{
		Status: 400, Code: "WRONG_HOST_KEY",
		Message: "the authorisation names another host key: sign one for the key_address on this host's card",
	}
	RefuseExpired = &Refusal{
		Status: 401, Code: "JOB_AUTH_EXPIRED",
		Message: "the authorisation has expired: sign a new one",
	}
	RefuseNotYetValid = &Refusal{
		Status: 401, Code: "JOB_AUTH_NOT_YET_VALID",
		Message: "the authorisation was issued in the future: set the clock",
	}
	RefuseTimesReversed = &Refusal{
		Status: 400, Code: "JOB_AUTH_TIMES_REVERSED",
		Message: "the authorisation expires before it is issued: set expiresAt after issuedAt",
	}
	RefuseTTLTooLong = &Refusal{
		Status: 400, Code: "JOB_TTL_TOO_LONG",
		Message: "the authorisation runs for more than 1 hour: let it expire at most 3600 seconds after it was issued",
	}
	RefuseBadSignature = &Refusal{
		Status: 401, Code: "JOB_AUTH_BAD_SIGNATURE",
		Message: "the signature is not the payer's over this authorisation on this chain: check the payer key, and that chain_id and " +
			"evm_chain_id are those on this host's card (an authorisation for another chain looks the same)",
	}
	RefuseTooManyArriving = &Refusal{
		Status: 429, Code: "TOO_MANY_ARRIVING", RetryAfterSeconds: 1,
		Message: "too many requests of this payer are still being sent: send each body at once",
	}
	RefuseBodyTooLarge = &Refusal{
		Status: 413, Code: "BODY_TOO_LARGE",
		Message: "the request is larger than max_body_bytes on this host's card",
	}
	RefuseBodyTimeout = &Refusal{
		Status: 408, Code: "BODY_INCOMPLETE",
		Message: "the request's body did not arrive in time or in full: send it again",
	}
	RefuseSaltMalformed = &Refusal{
		Status: 400, Code: "REQUEST_SALT_MALFORMED",
		Message: "X-Gpucoord-Request-Salt must be the base64url of 32 random bytes",
	}
	RefuseCommitMismatch = &Refusal{
		Status: 400, Code: "REQUEST_COMMIT_MISMATCH",
		Message: "the authorisation's requestCommit is not SHA256(salt | body): commit to the bytes that are sent",
	}
	RefuseRequestMalformed = &Refusal{
		Status: 400, Code: "REQUEST_MALFORMED",
		Message: "the request must be a JSON object with a model",
	}
	RefuseAmountTooSmall = &Refusal{
		Status: 402, Code: "MAX_AMOUNT_TOO_SMALL",
		Message: "authorise at least the price of the prompt and of max_tokens for every choice, or ask for less",
	}
	RefuseUnknownModel = &Refusal{
		Status: 404, Code: "UNKNOWN_MODEL",
		Message: "see /v1/models for the models served here",
	}
	RefuseUnknownAdapter = &Refusal{
		Status: 404, Code: "UNKNOWN_ADAPTER",
		Message: "see /v1/models for the adapters served here",
	}
	RefuseModelMismatch = &Refusal{
		Status: 400, Code: "MODEL_MISMATCH",
		Message: "the request's model is not the modelId and adapterId of the authorisation: name the same in both",
	}
	RefuseModelNotLicensed = &Refusal{
		Status: 403, Code: "MODEL_NOT_LICENSED",
		Message: "the chain does not allow this model to be served: it is not registered, not active, or not for commercial use",
	}
	RefuseAdapterNotLicensed = &Refusal{
		Status: 403, Code: "ADAPTER_NOT_LICENSED",
		Message: "the chain does not allow this adapter to be served on this model: it is not registered, not active, or not for commercial use",
	}
	RefusePayer = &Refusal{
		Status: 403, Code: "PAYER_NOT_ACCEPTED",
		Message: "the payer key is no gateway's and the operator does not collect from it: go through a gateway, or ask the operator",
	}
	RefuseUnfunded = &Refusal{
		Status: 402, Code: "SETTLER_UNFUNDED",
		Message: "the settler of this payer key cannot cover the job and those still open: add escrow, raise the limit for this operator, " +
			"countersign open receipts, or authorise less",
	}
	RefuseEpochUnknown = &Refusal{
		Status: 503, Code: "EPOCH_UNKNOWN", RetryAfterSeconds: 10,
		Message: "the host does not know the present epoch: its node is behind; use another host",
	}
	RefuseChainStale = &Refusal{
		Status: 503, Code: "CHAIN_VIEW_STALE", RetryAfterSeconds: 10,
		Message: "the host's view of the chain is too old to decide: its node is behind; use another host",
	}
	RefuseMayNotWork = &Refusal{
		Status: 503, Code: "OPERATOR_MAY_NOT_WORK",
		Message: "the chain takes no new work of this host's operator, who is jailed or has too little bond: use another host",
	}
	RefuseBehindChain = &Refusal{
		Status: 503, Code: "HOST_BEHIND_CHAIN",
		Message: "the chain knows later receipts of this host key than its log does: the operator has to restore the log or register " +
			"a new key; use another host",
	}
	RefuseNonceUsed = &Refusal{
		Status: 409, Code: "NONCE_USED",
		Message: "this payer used this nonce for another job: sign a new authorisation with a fresh nonce",
	}
	RefuseJobRunning = &Refusal{
		Status: 409, Code: "JOB_RUNNING", RetryAfterSeconds: 5,
		Message: "this job is being served: ask for its receipt later",
	}
	RefuseJobInterrupted = &Refusal{
		Status: 409, Code: "JOB_INTERRUPTED",
		Message: "the host stopped while it served this job and charges nothing for it: sign a new authorisation with a fresh nonce",
	}
	RefuseTooManyOpen = &Refusal{
		Status: 429, Code: "TOO_MANY_OPEN", RetryAfterSeconds: 5,
		Message: "countersign the receipts in GET /v1/receipts/open, or wait for running jobs",
	}
	RefuseLogFailed = &Refusal{
		Status: 503, Code: "RECEIPT_LOG_FAILED",
		Message: "the host cannot store receipts: use another host",
	}

	RefuseEngineUnreachable = &Refusal{
		Status: 502, Code: "ENGINE_UNREACHABLE", RetryAfterSeconds: 5,
		Message: "the inference engine does not answer: try again or use another host; nothing is charged",
	}
	RefuseEngineFailed = &Refusal{
		Status: 502, Code: "ENGINE_FAILED", RetryAfterSeconds: 5,
		Message: "the inference engine failed: try again or use another host; nothing is charged",
	}
	RefuseEngineBusy = &Refusal{
		Status: 503, Code: "ENGINE_BUSY", RetryAfterSeconds: 1,
		Message: "the inference engine is overloaded: try again or use another host; nothing is charged",
	}
	RefuseEngineNoUsage = &Refusal{
		Status: 502, Code: "ENGINE_NO_USAGE",
		Message: "the inference engine reported no usable token counts; nothing is charged",
	}
	RefuseDeadline = &Refusal{
		Status: 504, Code: "JOB_DEADLINE",
		Message: "the job did not end before its authorisation or the host's time limit: authorise longer or ask for less; nothing is charged",
	}
	RefuseStopped = &Refusal{
		Status: 503, Code: "HOST_STOPPED",
		Message: "the host stopped before the job ended: use another host; nothing is charged",
	}

	RefuseAuthMissing = &Refusal{
		Status: 401, Code: "AUTH_MISSING",
		Message: "prove the payer key in X-Gpucoord-Auth: base64url(key address 20 | unix seconds u64 | signature 65)",
	}
	RefuseAuthStale = &Refusal{
		Status: 401, Code: "AUTH_STALE",
		Message: "X-Gpucoord-Auth is more than 60 seconds from the host's clock: sign the present time",
	}
	RefuseAuthBadSignature = &Refusal{
		Status: 401, Code: "AUTH_BAD_SIGNATURE",
		Message: "X-Gpucoord-Auth is not signed by its key for this host key",
	}
	RefuseReceiptNotFound = &Refusal{
		Status: 404, Code: "RECEIPT_NOT_FOUND",
		Message: "no receipt of this payer and job: it was not served here, or its epoch is closed",
	}
	RefuseBadCountersignature = &Refusal{
		Status: 400, Code: "BAD_COUNTERSIGNATURE",
		Message: "send {\"signature\": base64url of the payer's 65-byte signature of the receipt digest}",
	}
)

// with returns a copy whose message begins with a detail.
func (r *Refusal) with(format string, args ...any) *Refusal {
	c := *r
	c.Message = fmt.Sprintf(format, args...) + ": " + r.Message
	return &c
}

// kind is OpenAI's type of an error.
func (r *Refusal) kind() string {
	switch {
	case r.Status == http.StatusTooManyRequests:
		return "rate_limit_error"
	case r.Status == http.StatusUnauthorized:
		return "authentication_error"
	case r.Status == http.StatusForbidden, r.Status == http.StatusPaymentRequired:
		return "permission_error"
	case r.Status == http.StatusNotFound:
		return "not_found_error"
	case r.Status >= http.StatusInternalServerError:
		return "server_error"
	}
	return "invalid_request_error"
}

type errorBody struct {
	Type    string   `json:"type"`
	Code    string   `json:"code"`
	Message string   `json:"message"`
	Jobs    []string `json:"jobs,omitempty"`
}

// body is the refusal in the OpenAI error shape.
func (r *Refusal) body() map[string]errorBody {
	e := errorBody{Type: r.kind(), Code: r.Code, Message: r.Message}
	for _, id := range r.Jobs {
		e.Jobs = append(e.Jobs, hex.EncodeToString(id[:]))
	}
	return map[string]errorBody{"error": e}
}

// write answers with the refusal.
func (r *Refusal) write(w http.ResponseWriter) {
	if r.RetryAfterSeconds > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(r.RetryAfterSeconds))
	}
	if r.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Gpucoord")
	}
	writeJSON(w, r.Status, r.body())
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
