// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host"
	"github.com/gpucoord/gpucoord/host/enginesim"
	"github.com/gpucoord/gpucoord/host/receiptlog"
	"github.com/gpucoord/gpucoord/host/wire"
)

const (
	chainID    = "gpucoord-test-1"
	evmChainID = 7
	adminToken = "0123456789abcdef"
	priceIn    = 200_000   // micro-USD per 10^6 prompt tokens
	priceOut   = 1_000_000 // one micro-USD a token
)

var (
	domain    = receipt.NewDomain(chainID, evmChainID)
	modelID   = [32]byte{0xaa}
	adapterID = [32]byte{0xbb}
	hostID    = [32]byte{0xcc}
)

// key returns a throwaway key.
func key(label string) *receipt.PrivateKey {
	sum := sha256.Sum256([]byte(label))
	k, err := receipt.ParsePrivateKey(sum[:])
	if err != nil {
		panic(err) // the hash of a label is a key
	}
	return k
}

// fakeChain is a chain view whose answers a test sets.
type fakeChain struct {
	mu        sync.Mutex
	epoch     uint64
	watermark uint64
	// gatewayFrom is the first issuedAt at which the payer is what view says; before it nobody settles.
	gatewayFrom uint64
	jailed      bool
	view        host.SettlerView
	err         map[string]error // by method
}

func newFakeChain() *fakeChain {
	return &fakeChain{
		epoch: 3, err: make(map[string]error),
		view: host.SettlerView{Known: true, IsGateway: true, AvailableUusdc: 1_000_000_000, LimitUusdc: 1_000_000_000},
	}
}

func (c *fakeChain) set(change func(*fakeChain)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(c)
}

func (c *fakeChain) MayWork(context.Context) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.jailed, c.err["MayWork"]
}

func (c *fakeChain) Epoch(context.Context) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.epoch, c.err["Epoch"]
}

func (c *fakeChain) Settler(_ context.Context, _ [20]byte, issuedAt uint64) (host.SettlerView, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if issuedAt < c.gatewayFrom {
		return host.SettlerView{}, c.err["Settler"]
	}
	return c.view, c.err["Settler"]
}

func (c *fakeChain) Watermark(context.Context) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.watermark, c.err["Watermark"]
}

func (c *fakeChain) AssetAllowed(context.Context, [32]byte, [32]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err["AssetAllowed"]
}

// fixture is a host between a simulated engine and a client.
type fixture struct {
	t      testing.TB
	engine *enginesim.Engine
	behind *httptest.Server // the engine's
	chain  *fakeChain
	cfg    host.Config
	host   *host.Host
	server *httptest.Server
	logs   *bytes.Buffer
	payer  *receipt.PrivateKey
	key    *receipt.PrivateKey
	nonce  atomic.Uint64
}

// newFixture starts engine and host; change may adjust both configurations first.
func newFixture(t testing.TB, change func(*host.Config, *enginesim.Config)) *fixture {
	t.Helper()
	f := &fixture{t: t, chain: newFakeChain(), logs: &bytes.Buffer{}, payer: key("payer"), key: key("host")}
	engineCfg := enginesim.Config{Model: "base", Adapters: []string{"ada", "unlisted"}, PromptTokensDetails: true}
	f.cfg = config(t)
	if change != nil {
		change(&f.cfg, &engineCfg)
	}
	f.engine = enginesim.New(engineCfg)
	f.behind = httptest.NewServer(f.engine)
	t.Cleanup(f.behind.Close)
	f.cfg.EngineURL = f.behind.URL
	f.start()
	return f
}

func config(t testing.TB) host.Config {
	t.Helper()
	cfg := host.Default()
	cfg.ChainID, cfg.EVMChainID, cfg.HostID, cfg.Operator, cfg.Version = chainID, evmChainID, hostID, "gpucoord1operator", "test"
	cfg.Simulated = true
	cfg.Listen, cfg.AdminListen = "127.0.0.1:0", "127.0.0.1:0"
	cfg.DataDir = t.TempDir()
	cfg.AdminTokenFile = filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(cfg.AdminTokenFile, []byte(adminToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Models = []host.Model{{
		Name: "base", ID: modelID, PriceInUusdc: priceIn, PriceOutUusdc: priceOut,
		Adapters: []host.Adapter{{Name: "ada", ID: adapterID}},
	}}
	cfg.Limits.RatePerSecond = 0
	return cfg
}

// start opens the host and serves its public interface; stop ends both.
func (f *fixture) start() {
	f.t.Helper()
	h, err := host.New(f.cfg, host.Deps{Chain: f.chain, Key: f.key, Logger: slog.New(slog.NewTextHandler(f.logs, nil))})
	if err != nil {
		f.t.Fatalf("new host: %v", err)
	}
	f.host = h
	f.server = httptest.NewServer(h.Handler())
	f.t.Cleanup(f.stop)
}

// stop waits for running requests, then closes the log.
func (f *fixture) stop() {
	f.server.Close()
	if err := f.host.Close(); err != nil {
		f.t.Errorf("close host: %v", err)
	}
}

// request is one job as a gateway sends it; a test changes what it wants wrong.
type request struct {
	path    string
	body    string
	salt    [32]byte
	auth    receipt.JobAuth
	signer  *receipt.PrivateKey
	domain  receipt.Domain
	rawAuth string // replaces the header if set
	commit  bool   // compute requestCommit when sending
}

func (f *fixture) request(body string) *request {
	now := uint64(time.Now().Unix())
	return &request{
		path: "/v1/chat/completions", body: body, salt: [32]byte{1, 2, 3}, signer: f.payer, domain: domain, commit: true,
		auth: receipt.JobAuth{
			Payer: receipt.KeyAddress(f.payer), Operator: receipt.KeyAddress(f.key), ModelID: modelID, PaymentRef: [32]byte{5},
			MaxAmount: 1_000_000, Nonce: f.nonce.Add(1), IssuedAt: now, ExpiresAt: now + 600,
		},
	}
}

// chat is a chat request with 5 prompt tokens for the base model.
func (f *fixture) chat(maxTokens string) *request {
	return f.request(`{"model":"base","messages":[{"role":"user","content":"one two three four five"}],"max_tokens":` + maxTokens + `}`)
}

// streamed is the same as a stream.
func (f *fixture) streamed(maxTokens string) *request {
	return f.request(`{"model":"base","stream":true,"messages":[{"role":"user","content":"one two three four five"}],"max_tokens":` + maxTokens + `}`)
}

func (r *request) http(ctx context.Context, url string) (*http.Request, error) {
	if r.commit {
		r.auth.RequestCommit = wire.Commit(r.salt, []byte(r.body))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+r.path, strings.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(wire.HeaderSalt, wire.Encode(r.salt[:]))
	req.Header.Set(wire.HeaderJobAuth, r.rawAuth)
	if r.rawAuth == "" {
		req.Header.Set(wire.HeaderJobAuth, wire.EncodeJobAuth(&r.auth, receipt.Sign(r.signer, r.auth.ID(r.domain))))
	}
	return req, nil
}

// answer is what came back.
type answer struct {
	proto   int
	status  int
	header  http.Header
	trailer http.Header
	body    []byte
}

// code is the error code of the answer, empty if it is no error.
func (a *answer) code() string {
	var e struct {
		Error struct{ Code, Message, Type string }
	}
	if json.Unmarshal(a.body, &e) != nil {
		return ""
	}
	return e.Error.Code
}

func (f *fixture) send(r *request) *answer {
	f.t.Helper()
	req, err := r.http(f.t.Context(), f.server.URL)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.do(req)
}

func (f *fixture) do(req *http.Request) *answer {
	f.t.Helper()
	return f.doWith(f.server.Client(), req)
}

func (f *fixture) doWith(client *http.Client, req *http.Request) *answer {
	f.t.Helper()
	resp, err := client.Do(req)
	if err != nil {
		f.t.Fatalf("send: %v", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatalf("read answer: %v", err)
	}
	return &answer{proto: resp.ProtoMajor, status: resp.StatusCode, header: resp.Header, trailer: resp.Trailer, body: body}
}

// record checks the receipt of an answer with all record rules and returns it.
func (f *fixture) record(encoded string) receipt.Record {
	f.t.Helper()
	rec, err := wire.DecodeReceipt(encoded)
	if err != nil {
		f.t.Fatalf("receipt %q: %v", encoded, err)
	}
	if _, _, err := (receipt.Checker{Domain: domain}).CheckRecord(&rec); err != nil {
		f.t.Fatalf("receipt: %v", err)
	}
	return rec
}

// admin asks the admin interface.
func (f *fixture) admin(path, token string) *httptest.ResponseRecorder {
	f.t.Helper()
	req := httptest.NewRequest(http.MethodGet, path, nil)
	req.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	f.host.AdminHandler().ServeHTTP(w, req)
	return w
}

// logged returns the records the relayer would read, after all running requests have ended.
func (f *fixture) logged() []receipt.Record {
	f.t.Helper()
	w := f.admin("/internal/v1/log?offset=0", adminToken)
	if w.Code != http.StatusOK {
		f.t.Fatalf("log: %d %s", w.Code, w.Body)
	}
	var recs []receipt.Record
	for b := w.Body.Bytes(); len(b) > 0; {
		frame, rest, err := receiptlog.Next(b)
		if err != nil {
			f.t.Fatal(err)
		}
		if frame.Kind == receiptlog.KindReceipt {
			recs = append(recs, f.record(wire.Encode(frame.Payload)))
		}
		b = rest
	}
	return recs
}
