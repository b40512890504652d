// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/gateway"
	"github.com/gpucoord/gpucoord/gateway/route"
)

const (
	chainID    = "gateway-test-1"
	evmChainID = 7
	adminToken = "0123456789abcdef"
	priceIn    = 1_000_000 // one micro-USD a prompt token
	priceOut   = 2_000_000 // two an output token
	epoch      = 40
)

var (
	domain  = receipt.NewDomain(chainID, evmChainID)
	modelID = [32]byte{0xaa}
)

func key(label string) *receipt.PrivateKey {
	sum := sha256.Sum256([]byte(label))
	k, err := receipt.ParsePrivateKey(sum[:])
	if err != nil {
		panic(err) // the hash of a label is a key
	}
	return k
}

// lockedBuffer is a log that may be written by several goroutines.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// fixture is a gateway before fake hosts. It is driven by its handlers: late passes and refreshes happen when a test asks for them.
type fixture struct {
	t      testing.TB
	cfg    gateway.Config
	hosts  []*fakeHost
	table  func(*route.Snapshot) // adjusts the chain's answer
	from   uint64                // the second from which the gateway's key is valid; 0 is a key that is not registered
	logs   *lockedBuffer
	g      *gateway.Gateway
	server *httptest.Server
	admin  *httptest.Server
}

// newFixture starts a gateway before n hosts, each of an operator of its own, that all serve "base".
func newFixture(t *testing.T, n int, change func(*gateway.Config)) *fixture {
	t.Helper()
	f := &fixture{t: t, cfg: testConfig(t), logs: &lockedBuffer{}, from: 1}
	for i := range n {
		f.hosts = append(f.hosts, newFakeHost(t, fmt.Sprintf("host %d", i)))
	}
	if change != nil {
		change(&f.cfg)
	}
	f.start()
	return f
}

func testConfig(t testing.TB) gateway.Config {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cfg := gateway.Default()
	cfg.ChainID, cfg.EVMChainID = chainID, evmChainID
	cfg.KeyFile = write("key", hex.EncodeToString(key("gateway").Serialize()))
	cfg.PaymentSecretFile = write("secret", strings.Repeat("5a", 32))
	cfg.AdminTokenFile = write("token", adminToken+"\n")
	cfg.Ledger = filepath.Join(dir, "ledger.db")
	cfg.Listen, cfg.AdminListen = "127.0.0.1:0", "127.0.0.1:0"
	cfg.AllowHTTP, cfg.AllowPrivate = true, true
	cfg.Receipts.Interval = gateway.Duration(time.Microsecond) // what is put off is due again at once
	cfg.Receipts.Grace = gateway.Duration(time.Nanosecond)
	cfg.Limits.RatePerSecond, cfg.Limits.RateBurst = 10_000, 10_000
	return cfg
}

func (f *fixture) snapshot(context.Context) (route.Snapshot, error) {
	s := route.Snapshot{Epoch: epoch}
	for _, h := range f.hosts {
		s.Hosts = append(s.Hosts, h.onChain())
	}
	if f.table != nil {
		f.table(&s)
	}
	return s, nil
}

func (f *fixture) validFrom(context.Context, [20]byte) (uint64, error) {
	if f.from == 0 {
		return 0, route.ErrNotRegistered
	}
	return f.from, nil
}

// start opens the gateway; stop ends it as a crash does: nothing but the files stays.
func (f *fixture) start() {
	f.t.Helper()
	f.open()
	if err := f.g.Refresh(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
}

// open opens the gateway, which knows no host yet.
func (f *fixture) open() {
	f.t.Helper()
	g, err := gateway.New(f.cfg, gateway.Deps{Hosts: f.snapshot, ValidFrom: f.validFrom, Logger: slog.New(slog.NewTextHandler(f.logs, nil))})
	if err != nil {
		f.t.Fatalf("new gateway: %v", err)
	}
	f.g, f.server, f.admin = g, httptest.NewServer(g.Handler()), httptest.NewServer(g.AdminHandler())
	f.t.Cleanup(f.stop)
}

func (f *fixture) stop() {
	if f.g == nil {
		return
	}
	f.server.CloseClientConnections()
	f.server.Close()
	f.admin.Close()
	if err := f.g.Close(); err != nil {
		f.t.Errorf("close gateway: %v", err)
	}
	f.g = nil
}

// late does one late pass.
func (f *fixture) late() {
	f.t.Helper()
	if err := f.g.Late(f.t.Context()); err != nil {
		f.t.Fatalf("late pass: %v", err)
	}
}

// lateUntil does late passes until what is waited for has happened; what is put off is due again within a second.
func (f *fixture) lateUntil(happened func() bool) {
	f.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !happened(); f.late() {
		if time.Now().After(deadline) {
			f.t.Fatal("late passes do not bring it about")
		}
	}
}

// answer is what came back.
type answer struct {
	status  int
	header  http.Header
	trailer http.Header
	body    []byte
}

// code is the error code of the answer, empty if it is no error.
func (a *answer) code() string {
	var e struct {
		Error struct{ Code string }
	}
	if json.Unmarshal(a.body, &e) != nil {
		return ""
	}
	return e.Error.Code
}

func (f *fixture) do(ctx context.Context, method, url, bearer, body string, header ...string) *answer {
	f.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		f.t.Fatalf("send: %v", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatalf("read answer: %v", err)
	}
	return &answer{status: resp.StatusCode, header: resp.Header, trailer: resp.Trailer, body: b}
}

// chat is a request for n output tokens.
func chat(n int) string {
	return fmt.Sprintf(`{"model":"base","messages":[{"role":"user","content":"tell me a secret"}],"max_tokens":%d}`, n)
}

// streamed is the same as a stream.
func streamed(n int) string { return strings.Replace(chat(n), "{", `{"stream":true,`, 1) }

// complete sends a completion and returns the answer.
func (f *fixture) complete(apiKey, body string, header ...string) *answer {
	f.t.Helper()
	return f.do(f.t.Context(), http.MethodPost, f.server.URL+"/v1/chat/completions", apiKey, body, header...)
}

// account is an API key as the admin interface shows it.
type account struct {
	Key       string `json:"key"`
	ID        string `json:"id"`
	Granted   uint64 `json:"granted_uusdc"`
	Available uint64 `json:"available_uusdc"`
	Reserved  uint64 `json:"reserved_uusdc"`
	Spent     uint64 `json:"spent_uusdc"`
}

func (f *fixture) adminDo(method, path, body string, v any) *answer {
	f.t.Helper()
	a := f.do(f.t.Context(), method, f.admin.URL+path, adminToken, body)
	if v != nil {
		if err := json.Unmarshal(a.body, v); err != nil || a.status >= 300 {
			f.t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
		}
	}
	return a
}

// newKey makes an API key with credit.
func (f *fixture) newKey(credit uint64) account {
	f.t.Helper()
	var k account
	f.adminDo(http.MethodPost, "/admin/v1/keys", fmt.Sprintf(`{"credits_uusdc":%d}`, credit), &k)
	return k
}

func (f *fixture) wantCredit(k account, available, reserved, spent uint64) {
	f.t.Helper()
	var now account
	f.adminDo(http.MethodGet, "/admin/v1/keys/"+k.ID, "", &now)
	if now.Available != available || now.Reserved != reserved || now.Spent != spent || now.Granted != available+reserved+spent {
		f.t.Fatalf("got %+v, want available %d, reserved %d, spent %d", now, available, reserved, spent)
	}
}

// usedJob is one job of a key as the admin interface shows it.
type usedJob struct {
	JobID  string `json:"job_id"`
	State  string `json:"state"`
	Amount uint64 `json:"amount_uusdc"`
	Max    uint64 `json:"max_amount_uusdc"`
	Reason string `json:"reason"`
}

func (f *fixture) usage(k account) []usedJob {
	f.t.Helper()
	var list struct{ Jobs []usedJob }
	f.adminDo(http.MethodGet, "/admin/v1/keys/"+k.ID+"/usage", "", &list)
	return list.Jobs
}

// waitFor waits until a condition of another goroutine holds.
func (f *fixture) waitFor(what string, ok func() bool) {
	f.t.Helper()
	for range 2000 {
		if ok() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	f.t.Fatalf("waited in vain for %s", what)
}

// refresh reads the chain's hosts again.
func (f *fixture) refresh() {
	f.t.Helper()
	if err := f.g.Refresh(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
}

func newServer(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}
