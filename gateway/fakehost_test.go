// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/gateway/route"
	"github.com/gpucoord/gpucoord/host/wire"
)

// fakeHost is a host whose lies a test chooses. Every job has 10 prompt tokens and as many output tokens as max_tokens says.
type fakeHost struct {
	t      *testing.T
	key    *receipt.PrivateKey
	id     [32]byte
	server *httptest.Server

	mu sync.Mutex // guards what follows
	// serve replaces the honest answer, tamper changes the receipt before it is signed, withhold keeps it back.
	serve    func(w http.ResponseWriter, r *http.Request, j *fakeJob)
	tamper   func(*receipt.Record)
	withhold bool
	// refuseCountersign makes countersignatures fail.
	refuseCountersign int
	jobs              []*fakeJob
	receipts          map[[32]byte]*receipt.Record
	finals            map[[32]byte][65]byte
	countersigns      int
	seq               uint64
}

// fakeJob is one job as it reached the host.
type fakeJob struct {
	auth   receipt.JobAuth
	id     [32]byte
	sig    [65]byte
	salt   [wire.SaltSize]byte
	body   []byte
	header http.Header
	stream bool
	tokens uint64
	model  string
}

func newFakeHost(t *testing.T, name string) *fakeHost {
	h := &fakeHost{t: t, key: key(name), receipts: make(map[[32]byte]*receipt.Record), finals: make(map[[32]byte][65]byte)}
	copy(h.id[:], name)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", h.completion)
	mux.HandleFunc("POST /v1/completions", h.completion)
	mux.HandleFunc("GET /v1/receipts/open", h.open)
	mux.HandleFunc("GET /v1/receipts/{id}", h.get)
	mux.HandleFunc("POST /v1/receipts/{id}/countersign", h.countersign)
	h.server = httptest.NewServer(mux)
	t.Cleanup(h.server.Close)
	return h
}

func (h *fakeHost) onChain() route.Host {
	return route.Host{
		ID: h.id, Key: receipt.KeyAddress(h.key), Operator: string(h.id[:]), Region: "eu", Endpoint: h.server.URL, ReputationPPM: 500_000, UCS: 1000,
		Offers: []route.Offer{{Asset: route.Asset{ModelID: modelID}, Name: "base", PriceInUusdc: priceIn, PriceOutUusdc: priceOut}},
	}
}

// set changes the host's behaviour.
func (h *fakeHost) set(change func(*fakeHost)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change(h)
}

func (h *fakeHost) sent() []*fakeJob {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.jobs
}

func (h *fakeHost) completion(w http.ResponseWriter, r *http.Request) {
	auth, sig, err := wire.DecodeJobAuth(r.Header.Get(wire.HeaderJobAuth))
	salt, err2 := wire.Decode(r.Header.Get(wire.HeaderSalt), wire.SaltSize)
	body, err3 := io.ReadAll(r.Body)
	if err != nil || err2 != nil || err3 != nil {
		h.t.Errorf("malformed job: %v, %v, %v", err, err2, err3)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var req struct {
		Model  string
		Stream bool
		Max    uint64 `json:"max_tokens"`
	}
	if err := json.Unmarshal(body, &req); err != nil {
		h.t.Errorf("body: %v", err)
	}
	j := &fakeJob{auth: auth, id: auth.ID(domain), sig: sig, salt: [32]byte(salt), body: body, header: r.Header, stream: req.Stream, tokens: req.Max, model: req.Model}
	if signer, err := receipt.RecoverAddress(j.id, sig); err != nil || signer != auth.Payer {
		h.t.Errorf("authorisation is not the payer's: %v", err)
	}
	if auth.RequestCommit != wire.Commit(j.salt, body) || auth.Operator != receipt.KeyAddress(h.key) {
		h.t.Error("authorisation is not of this request and host")
	}
	h.mu.Lock()
	h.jobs = append(h.jobs, j)
	serve := h.serve
	h.mu.Unlock()
	if serve == nil {
		serve = h.honest
	}
	serve(w, r, j)
}

// honest serves a job whole.
func (h *fakeHost) honest(w http.ResponseWriter, _ *http.Request, j *fakeJob) {
	if j.stream {
		text := h.events(w, j, j.tokens)
		rec := h.sign(j, receipt.OutcomeOK, j.tokens, wire.Commit(j.salt, []byte(text)))
		h.endStream(w, rec)
		return
	}
	body := fmt.Sprintf(`{"id":"x","choices":[{"index":0}],"usage":{"prompt_tokens":10,"completion_tokens":%d,"total_tokens":%d}}`, j.tokens, j.tokens+10)
	rec := h.sign(j, receipt.OutcomeOK, j.tokens, wire.Commit(j.salt, []byte(body)))
	if rec != nil {
		w.Header().Set(wire.HeaderReceipt, wire.EncodeReceipt(rec))
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, body)
}

// begin opens a stream.
func begin(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Trailer", wire.HeaderReceipt)
}

func send(w http.ResponseWriter, text string) {
	_, _ = io.WriteString(w, text)
	_ = http.NewResponseController(w).Flush()
}

// token is the event of output token i, with the usage so far.
func token(i uint64) string {
	return fmt.Sprintf("data: {\"choices\":[{\"delta\":{\"content\":\"token %d\"}}],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":%d}}\n\n", i, i+1)
}

// events writes n tokens, the usage and [DONE], and returns what it wrote.
func (h *fakeHost) events(w http.ResponseWriter, _ *fakeJob, n uint64) string {
	begin(w)
	var all strings.Builder
	out := func(text string) {
		all.WriteString(text)
		send(w, text)
	}
	out(": ping\n\n")
	for i := range n {
		out(token(i))
	}
	out(fmt.Sprintf("data: {\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":%d}}\n\n", n))
	out("data: [DONE]\n\n")
	return all.String()
}

func (h *fakeHost) endStream(w http.ResponseWriter, rec *receipt.Record) {
	if rec == nil {
		return
	}
	encoded := wire.EncodeReceipt(rec)
	send(w, wire.ReceiptComment+encoded+"\n\n")
	w.Header().Set(wire.HeaderReceipt, encoded)
}

// sign makes the receipt of a job and keeps it; nil if the host withholds it.
func (h *fakeHost) sign(j *fakeJob, outcome receipt.Outcome, output uint64, commit [32]byte) *receipt.Record {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seq++
	rec := &receipt.Record{
		Auth: j.auth, HostID: h.id, Epoch: epoch, Seq: h.seq, Outcome: outcome, ServedAt: uint64(time.Now().Unix()), OutputCommit: commit, SigPayer: j.sig,
	}
	if outcome == receipt.OutcomeOK || outcome == receipt.OutcomeUserCancel {
		rec.PromptTokens, rec.OutputTokens, rec.Amount = 10, output, 10+2*output
	}
	if h.tamper != nil {
		h.tamper(rec)
	}
	rec.SigOperator = receipt.Sign(h.key, rec.Digest(domain))
	h.receipts[j.id] = rec
	if h.withhold {
		return nil
	}
	return rec
}

// payer checks the proof of a request for receipts.
func (h *fakeHost) payer(r *http.Request) bool {
	addr, at, sig, err := wire.DecodeAuth(r.Header.Get(wire.HeaderAuth))
	if err != nil {
		return false
	}
	got, err := receipt.RecoverAddress(wire.AuthDigest(receipt.KeyAddress(h.key), at), sig)
	return err == nil && got == addr && addr == receipt.KeyAddress(key("gateway"))
}

func (h *fakeHost) find(r *http.Request) *receipt.Record {
	b, err := hex.DecodeString(r.PathValue("id"))
	if err != nil || len(b) != 32 {
		return nil
	}
	return h.receipts[[32]byte(b)]
}

func (h *fakeHost) get(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	rec := h.find(r)
	if rec == nil || !h.payer(r) {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set(wire.HeaderReceipt, wire.EncodeReceipt(rec))
}

func (h *fakeHost) open(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.payer(r) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	list := []map[string]string{}
	for id, rec := range h.receipts {
		if _, ok := h.finals[id]; !ok && rec.Amount > 0 {
			list = append(list, map[string]string{"receipt": wire.EncodeReceipt(rec)})
		}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"receipts": list})
}

func (h *fakeHost) countersign(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.countersigns++
	if h.refuseCountersign != 0 {
		w.WriteHeader(h.refuseCountersign)
		return
	}
	rec := h.find(r)
	if rec == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	var req struct{ Signature string }
	b, err := []byte(nil), json.NewDecoder(r.Body).Decode(&req)
	if err == nil {
		b, err = wire.Decode(req.Signature, 65)
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if got, err := receipt.RecoverAddress(rec.Digest(domain), [65]byte(b)); err != nil || got != rec.Auth.Payer {
		h.t.Errorf("countersignature is not the payer's: %v", err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	h.finals[rec.JobID(domain)] = [65]byte(b)
}

// countersigned is how many receipts the gateway has countersigned.
func (h *fakeHost) countersigned() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.finals)
}
