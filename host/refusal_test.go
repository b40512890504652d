// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host"
	"github.com/gpucoord/gpucoord/host/enginesim"
	"github.com/gpucoord/gpucoord/host/wire"
)

var errStale = errors.New("view is stale")

func TestEveryRefusalBeforeTheEngine(t *testing.T) {
	chainErr := func(method string, err error) func(*fixture, *request) {
		return func(f *fixture, _ *request) { f.chain.set(func(c *fakeChain) { c.err[method] = err }) }
	}
	auth := func(change func(*receipt.JobAuth)) func(*fixture, *request) {
		return func(_ *fixture, r *request) { change(&r.auth) }
	}
	body := func(b string) func(*fixture, *request) { return func(_ *fixture, r *request) { r.body = b } }
	adapter := func(inner func(*fixture, *request)) func(*fixture, *request) {
		return func(f *fixture, r *request) {
			r.body, r.auth.AdapterID = `{"model":"ada","messages":[]}`, adapterID
			inner(f, r)
		}
	}
	now := uint64(time.Now().Unix())
	for name, tc := range map[string]struct {
		code   string
		status int
		change func(*fixture, *request)
	}{
		"no authorisation":        {"JOB_AUTH_MISSING", 401, func(_ *fixture, r *request) { r.rawAuth = " " }},
		"authorisation too short": {"JOB_AUTH_MALFORMED", 400, func(_ *fixture, r *request) { r.rawAuth = "AAAA" }},
		"other host key":          {"WRONG_HOST_KEY", 400, auth(func(a *receipt.JobAuth) { a.Operator[0]++ })},
		"expired":                 {"JOB_AUTH_EXPIRED", 401, auth(func(a *receipt.JobAuth) { a.IssuedAt, a.ExpiresAt = now-700, now-100 })},
		"expires before issued":   {"JOB_AUTH_EXPIRED", 401, auth(func(a *receipt.JobAuth) { a.IssuedAt, a.ExpiresAt = now, now-100 })},
		"issued in the future":    {"JOB_AUTH_NOT_YET_VALID", 401, auth(func(a *receipt.JobAuth) { a.IssuedAt = now + 300 })},
		"runs too long":           {"JOB_TTL_TOO_LONG", 400, auth(func(a *receipt.JobAuth) { a.ExpiresAt = a.IssuedAt + 3601 })},
		"signed by another key":   {"JOB_AUTH_BAD_SIGNATURE", 401, func(_ *fixture, r *request) { r.signer = key("someone") }},
		"signed for another chain": {
			"JOB_AUTH_BAD_SIGNATURE", 401,
			func(_ *fixture, r *request) { r.domain = receipt.NewDomain("other-1", evmChainID) },
		},
		"body too large": {"BODY_TOO_LARGE", 413, body(`{"model":"base","messages":[{"content":"` + strings.Repeat("x", 10<<20) + `"}]}`)},
		"other body":     {"REQUEST_COMMIT_MISMATCH", 400, func(_ *fixture, r *request) { r.commit = false }},
		"not JSON":       {"REQUEST_MALFORMED", 400, body(`{`)},
		"no object":      {"REQUEST_MALFORMED", 400, body(`null`)},
		"model no text":  {"REQUEST_MALFORMED", 400, body(`{"model":1}`)},
		"bad options":    {"REQUEST_MALFORMED", 400, body(`{"model":"base","stream":true,"stream_options":1}`)},
		"unknown name":   {"UNKNOWN_MODEL", 404, body(`{"model":"nope"}`)},
		"unknown id":     {"UNKNOWN_MODEL", 404, auth(func(a *receipt.JobAuth) { a.ModelID[0]++ })},
		"not configured": {"UNKNOWN_MODEL", 404, body(`{"model":"unlisted"}`)},
		"unknown adapter": {
			"UNKNOWN_ADAPTER", 404,
			adapter(func(_ *fixture, r *request) { r.auth.AdapterID[0]++ }),
		},
		"adapter not in body": {"MODEL_MISMATCH", 400, auth(func(a *receipt.JobAuth) { a.AdapterID = adapterID })},
		"adapter not licensed": {
			"ADAPTER_NOT_LICENSED", 403,
			adapter(chainErr("AssetAllowed", host.ErrNotLicensed)),
		},
		"model not licensed": {"MODEL_NOT_LICENSED", 403, chainErr("AssetAllowed", host.ErrNotLicensed)},
		"times reversed":     {"JOB_AUTH_TIMES_REVERSED", 400, auth(func(a *receipt.JobAuth) { a.IssuedAt, a.ExpiresAt = a.ExpiresAt-580, a.ExpiresAt-590 })},
		"work for nothing":   {"MAX_AMOUNT_TOO_SMALL", 402, auth(func(a *receipt.JobAuth) { a.MaxAmount = 1 })}, // 5 for the prompt's bytes
		"several choices for the price of one": {
			"MAX_AMOUNT_TOO_SMALL", 402,
			body(`{"model":"base","max_tokens":1000,"n":1001}`),
		},
		"several prompts for the price of one": {
			"MAX_AMOUNT_TOO_SMALL", 402,
			body(`{"model":"base","max_tokens":600000,"prompt":["a","b"]}`),
		},
		"overflowing length": {"MAX_AMOUNT_TOO_SMALL", 402, body(`{"model":"base","max_tokens":18446744073709551615,"n":18446744073709551615}`)},
		"negative length":    {"REQUEST_MALFORMED", 400, body(`{"model":"base","max_tokens":-1}`)},
		"stale assets":       {"CHAIN_VIEW_STALE", 503, chainErr("AssetAllowed", errStale)},
		"stale settlers":     {"CHAIN_VIEW_STALE", 503, chainErr("Settler", errStale)},
		"stale watermark":    {"CHAIN_VIEW_STALE", 503, chainErr("Watermark", errStale)},
		"unknown epoch":      {"EPOCH_UNKNOWN", 503, chainErr("Epoch", errStale)},
		"stale jail":         {"CHAIN_VIEW_STALE", 503, chainErr("MayWork", errStale)},
		"jailed operator":    {"OPERATOR_MAY_NOT_WORK", 503, func(f *fixture, _ *request) { f.chain.set(func(c *fakeChain) { c.jailed = true }) }},
		"behind the chain":   {"HOST_BEHIND_CHAIN", 503, func(f *fixture, _ *request) { f.chain.set(func(c *fakeChain) { c.watermark = 1 }) }},
		"unknown settler":    {"SETTLER_UNFUNDED", 402, func(f *fixture, _ *request) { f.chain.set(func(c *fakeChain) { c.view.Known = false }) }},
		"no escrow":          {"SETTLER_UNFUNDED", 402, func(f *fixture, _ *request) { f.chain.set(func(c *fakeChain) { c.view.AvailableUusdc = 999_999 }) }},
		"over the limit":     {"SETTLER_UNFUNDED", 402, func(f *fixture, _ *request) { f.chain.set(func(c *fakeChain) { c.view.LimitUusdc = 999_999 }) }},
		"issued before the payer's key was a gateway's": {"PAYER_NOT_ACCEPTED", 403, func(f *fixture, r *request) {
			f.chain.set(func(c *fakeChain) { c.gatewayFrom = r.auth.IssuedAt + 1 })
		}},
		"no gateway's key": {"PAYER_NOT_ACCEPTED", 403, func(f *fixture, _ *request) { f.chain.set(func(c *fakeChain) { c.view.IsGateway = false }) }},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			r := f.chat("1")
			tc.change(f, r)
			a := f.send(r)
			if a.status != tc.status || a.code() != tc.code {
				t.Fatalf("got %d %s", a.status, a.body)
			}
			if st := f.engine.Stats(); st.Requests != 0 || len(f.logged()) != 0 || a.header.Get(wire.HeaderReceipt) != "" {
				t.Fatalf("a refused job left something: %+v", st)
			}
		})
	}
}

func TestARefusalIsInTheLogWithoutItsPayer(t *testing.T) {
	f := newFixture(t, nil)
	f.chain.set(func(c *fakeChain) { c.view.IsGateway = false })
	r := f.chat("1")
	if a := f.send(r); a.code() != "PAYER_NOT_ACCEPTED" {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	logs := f.logs.String()
	if !strings.Contains(logs, "code=PAYER_NOT_ACCEPTED") {
		t.Errorf("the refusal is not in the log: %s", logs)
	}
	for _, secret := range []string{hex.EncodeToString(r.auth.Payer[:]), "127.0.0.1", "one two three"} {
		if strings.Contains(logs, secret) {
			t.Errorf("the log has %q: %s", secret, logs)
		}
	}
}

func TestErrorsHaveTheOpenAIShape(t *testing.T) {
	f := newFixture(t, nil)
	r := f.chat("1")
	r.rawAuth = "AAAA"
	a := f.send(r)
	var got map[string]map[string]string
	if err := json.Unmarshal(a.body, &got); err != nil {
		t.Fatal(err)
	}
	if e := got["error"]; len(got) != 1 || e["type"] != "invalid_request_error" || e["code"] != "JOB_AUTH_MALFORMED" || e["message"] == "" {
		t.Fatalf("got %s", a.body)
	}
	if a.header.Get("Content-Type") != "application/json" {
		t.Fatalf("got %v", a.header)
	}
}

func TestMalformedSalt(t *testing.T) {
	f := newFixture(t, nil)
	req, err := f.chat("1").http(t.Context(), f.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(wire.HeaderSalt, "AAAA")
	if a := f.do(req); a.code() != "REQUEST_SALT_MALFORMED" {
		t.Fatalf("got %d %s", a.status, a.body)
	}
}

func TestHighSIsRefusedWhateverRecoverSays(t *testing.T) {
	f := newFixture(t, func(c *host.Config, _ *enginesim.Config) {
		payer := receipt.KeyAddress(key("payer"))
		c.Recover = func([32]byte, [65]byte) ([20]byte, error) { return payer, nil }
	})
	r := f.chat("1")
	for name, sig := range map[string][65]byte{
		"high s":   {0: 1, 32: 0xff, 64: 27},
		"n and up": {0: 1, 32: 0xff, 33: 0xff, 34: 0xff, 35: 0xff, 36: 0xff, 37: 0xff, 38: 0xff, 39: 0xff, 40: 0xff, 64: 27},
		"v 29":     {0: 1, 63: 1, 64: 29},
	} {
		r.rawAuth = wire.EncodeJobAuth(&r.auth, sig)
		if a := f.send(r); a.code() != "JOB_AUTH_BAD_SIGNATURE" {
			t.Errorf("%s: got %d %s", name, a.status, a.body)
		}
	}
}

func TestDirectPayersAreThoseTheOperatorCollectsFrom(t *testing.T) {
	f := newFixture(t, func(c *host.Config, _ *enginesim.Config) {
		c.DirectPayers = [][20]byte{receipt.KeyAddress(key("payer"))}
		c.Limits.MaxUncountersigned = 1
	})
	f.chain.set(func(c *fakeChain) { c.view.IsGateway = false })
	for range 3 { // nothing of a direct payer waits for a countersignature
		if a := f.send(f.chat("5")); a.status != http.StatusOK {
			t.Fatalf("got %d %s", a.status, a.body)
		}
	}
	r := f.chat("1")
	r.signer = key("someone")
	r.auth.Payer = receipt.KeyAddress(r.signer)
	if a := f.send(r); a.code() != "PAYER_NOT_ACCEPTED" {
		t.Fatalf("got %d %s", a.status, a.body)
	}
}

func TestBusyHostRefusesAtOnce(t *testing.T) {
	f := newFixture(t, func(c *host.Config, _ *enginesim.Config) { c.Limits.MaxConcurrent = 1 })
	first := f.hang(t)
	a := f.send(f.chat("1"))
	if a.status != http.StatusServiceUnavailable || a.code() != "HOST_BUSY" || a.header.Get("Retry-After") == "" {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	if a := f.send(first.request); a.code() != "HOST_BUSY" {
		t.Fatalf("got %s", a.body)
	}
}

func TestRunningJobIsNotServedTwice(t *testing.T) {
	f := newFixture(t, nil)
	first := f.hang(t)
	if a := f.send(first.request); a.status != http.StatusConflict || a.code() != "JOB_RUNNING" {
		t.Fatalf("got %d %s", a.status, a.body)
	}
}

// hanging is a stream that has begun and does not end.
type hanging struct {
	request *request
	body    io.ReadCloser
	leave   context.CancelFunc // the client goes away
}

// hang starts a stream that stops after two tokens; the client has read its beginning.
func (f *fixture) hang(t *testing.T) *hanging {
	t.Helper()
	f.engine.SetFault(enginesim.Fault{Kind: enginesim.FaultHang, After: 2})
	h := &hanging{request: f.streamed("50")}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	h.leave = cancel
	req, err := h.request.http(ctx, f.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := f.server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	h.body = resp.Body
	for seen := ""; strings.Count(seen, "\n\n") < 2; {
		buf := make([]byte, 4096)
		n, err := resp.Body.Read(buf)
		if err != nil {
			t.Fatalf("read beginning: %v after %q", err, seen)
		}
		seen += string(buf[:n])
	}
	f.engine.SetFault(enginesim.Fault{})
	return h
}

func TestTooManyRequestsOfOneAddress(t *testing.T) {
	f := newFixture(t, func(c *host.Config, _ *enginesim.Config) { c.Limits.RatePerSecond, c.Limits.RateBurst = 1, 2 })
	codes := make(map[int]int)
	for range 5 {
		a := f.get("/.well-known/gpucoord", "")
		codes[a.status]++
		if a.status == http.StatusTooManyRequests && (a.code() != "RATE_LIMITED" || a.header.Get("Retry-After") != "1") {
			t.Fatalf("got %s", a.body)
		}
	}
	if codes[http.StatusOK] < 2 || codes[http.StatusTooManyRequests] < 2 {
		t.Fatalf("got %v", codes)
	}
}

func TestBodyThatDoesNotArrive(t *testing.T) {
	f := newFixture(t, func(c *host.Config, _ *enginesim.Config) { c.Timeouts.Body = 20 * time.Millisecond })
	r := f.chat("1")
	req, err := r.http(t.Context(), f.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	in, out := io.Pipe()
	defer out.Close()
	req.Body, req.ContentLength = in, int64(len(r.body))
	if a := f.do(req); a.status != http.StatusRequestTimeout || a.code() != "BODY_INCOMPLETE" {
		t.Fatalf("got %d %s", a.status, a.body)
	}
}

func TestHealthz(t *testing.T) {
	f := newFixture(t, nil)
	if a := f.get("/healthz", ""); a.status != http.StatusOK {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	f.chain.set(func(c *fakeChain) { c.err["Epoch"] = errStale })
	if a := f.get("/healthz", ""); a.status != http.StatusServiceUnavailable || a.code() != "EPOCH_UNKNOWN" {
		t.Fatalf("got %d %s", a.status, a.body)
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the host dialled an address that is not its engine's")
	}))
	defer elsewhere.Close()
	f := newFixture(t, nil)
	f.engine.SetFault(enginesim.Fault{Kind: enginesim.FaultRedirect, Location: elsewhere.URL})
	a := f.send(f.chat("1"))
	if rec := f.record(a.header.Get(wire.HeaderReceipt)); a.code() != "ENGINE_FAILED" || rec.Outcome != receipt.OutcomeUpstreamFail {
		t.Fatalf("got %d %s", a.status, a.body)
	}
}
