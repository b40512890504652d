// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/gateway"
	"github.com/gpucoord/gpucoord/gateway/route"
	"github.com/gpucoord/gpucoord/host"
	"github.com/gpucoord/gpucoord/host/enginesim"
)

// hostChain is the real host's view of the chain: the gateway's key resolves to a funded gateway.
type hostChain struct{}

func (hostChain) MayWork(context.Context) (bool, error) { return true, nil }

func (hostChain) Epoch(context.Context) (uint64, error) { return epoch, nil }

func (hostChain) Settler(context.Context, [20]byte, uint64) (host.SettlerView, error) {
	return host.SettlerView{Known: true, IsGateway: true, AvailableUusdc: 1 << 40, LimitUusdc: 1 << 40}, nil
}

func (hostChain) Watermark(context.Context) (uint64, error) { return 0, nil }

func (hostChain) AssetAllowed(context.Context, [32]byte, [32]byte) error { return nil }

// realHost starts the real host before a simulated engine. It leaves four jobs open.
func realHost(t testing.TB, adapterID [32]byte) (*host.Host, *enginesim.Engine, route.Host) {
	t.Helper()
	return realHostOf(t, "host", adapterID, func(c *host.Config) { c.Limits.MaxUncountersigned = 4 })
}

func realHostOf(t testing.TB, name string, adapterID [32]byte, change func(*host.Config)) (*host.Host, *enginesim.Engine, route.Host) {
	t.Helper()
	engine := enginesim.New(enginesim.Config{Model: "base", Adapters: []string{"ada"}, PromptTokensDetails: true})
	engineServer := httptest.NewServer(engine)
	t.Cleanup(engineServer.Close)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(adminToken), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := host.Default()
	cfg.ChainID, cfg.EVMChainID, cfg.HostID, cfg.Simulated, cfg.EngineURL = chainID, evmChainID, sha256.Sum256([]byte(name)), true, engineServer.URL
	cfg.Listen, cfg.AdminListen, cfg.AdminTokenFile, cfg.DataDir = "127.0.0.1:0", "127.0.0.1:0", token, t.TempDir()
	cfg.Limits.RatePerSecond = 0
	cfg.Models = []host.Model{{
		Name: "base", ID: modelID, PriceInUusdc: priceIn, PriceOutUusdc: priceOut, Adapters: []host.Adapter{{Name: "ada", ID: adapterID}},
	}}
	change(&cfg)
	h, err := host.New(cfg, host.Deps{Chain: hostChain{}, Key: key(name), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h.Handler())
	t.Cleanup(func() {
		server.Close()
		if err := h.Close(); err != nil {
			t.Errorf("close host: %v", err)
		}
	})
	offer := route.Offer{Asset: route.Asset{ModelID: modelID}, Name: "base", PriceInUusdc: priceIn, PriceOutUusdc: priceOut}
	ada := offer
	ada.AdapterID, ada.Name = adapterID, "ada"
	return h, engine, route.Host{
		ID: cfg.HostID, Key: receipt.KeyAddress(key(name)), Operator: "operator", Endpoint: server.URL, Simulated: true,
		ReputationPPM: 500_000, UCS: 1, Offers: []route.Offer{offer, ada},
	}
}

// running runs a gateway until the test ends it.
func running(t testing.TB, cfg gateway.Config, hosts ...route.Host) (f *fixture, stop func()) {
	t.Helper()
	f = &fixture{t: t, cfg: cfg, logs: &lockedBuffer{}, from: 1}
	snapshot := func(context.Context) (route.Snapshot, error) { return route.Snapshot{Epoch: epoch, Hosts: hosts}, nil }
	g, err := gateway.New(cfg, gateway.Deps{Hosts: snapshot, ValidFrom: f.validFrom, Logger: slog.New(slog.NewTextHandler(f.logs, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	f.server, f.admin = &httptest.Server{URL: "http://" + g.PublicAddr()}, &httptest.Server{URL: "http://" + g.AdminAddr()}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections() //nolint:forcetypeassert // it is one
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	}
	t.Cleanup(stop)
	f.waitFor("the table of hosts", func() bool {
		return f.do(t.Context(), http.MethodGet, f.server.URL+"/healthz", "", "").status == http.StatusOK
	})
	return f, stop
}

// TestWithTheRealHost lets gateway and host work together: more jobs than the host leaves open without countersignature, whole, streamed,
// with an adapter, broken off and failed.
func TestWithTheRealHost(t *testing.T) {
	h, engine, onChain := realHost(t, [32]byte{0xbb})
	cfg := testConfig(t)
	cfg.AllowSimulated = true
	cfg.Receipts.Interval = gateway.Duration(20 * time.Millisecond)
	cfg.Hosts.FullPause = gateway.Duration(20 * time.Millisecond)
	f, stop := running(t, cfg, onChain)
	k := f.newKey(1_000_000)
	spent := uint64(0)
	for i := range 12 { // four words of prompt, five output tokens
		request := strings.Replace([]string{chat(5), streamed(5)}[i%2], `"base"`, []string{`"base"`, `"base"`, `"ada"`, `"ada"`}[i%4], 1)
		var a *answer
		f.waitFor("a countersignature to make room", func() bool { a = f.complete(k.Key, request); return a.status < 500 })
		if a.status != http.StatusOK || a.header.Get(gateway.HeaderReceiptID)+a.trailer.Get(gateway.HeaderReceiptID) == "" {
			t.Fatalf("job %d: got %d %s\n%s", i, a.status, a.body, f.logs)
		}
		spent += 4 + 2*5
	}
	f.wantCredit(k, 1_000_000-spent, 0, spent)
	if a := f.complete(k.Key, chat(131_072)); a.status != http.StatusBadRequest || a.code() != "ENGINE_REFUSED" { // longer than the model's context
		t.Errorf("got %d %s", a.status, a.body)
	}
	engine.SetFault(enginesim.Fault{Kind: enginesim.FaultErrorEvent, After: 2})
	if a := f.complete(k.Key, streamed(5)); a.status != http.StatusOK || !strings.Contains(string(a.body), "HOST_FAILED") {
		t.Errorf("got %d %s", a.status, a.body)
	}
	engine.SetFault(enginesim.Fault{Kind: enginesim.FaultError})
	if a := f.complete(k.Key, chat(5)); a.status != http.StatusBadGateway || a.code() != "HOSTS_FAILED" {
		t.Errorf("got %d %s", a.status, a.body)
	}
	f.waitFor("all countersignatures", func() bool {
		return strings.Contains(string(f.adminDo(http.MethodGet, "/metrics", "", nil).body), `gpucoord_gateway_jobs_waiting{for="countersignature"} 0`)
	})
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
	r.Header.Set("Authorization", "Bearer "+adminToken)
	h.AdminHandler().ServeHTTP(w, r)
	if !strings.Contains(w.Body.String(), "gpucoord_host_receipts_uncountersigned 0") {
		t.Errorf("the host still waits: %s", w.Body)
	}
	f.wantCredit(k, 1_000_000-spent, 0, spent)
	for _, j := range f.usage(k) {
		if j.State == "rejected" || j.State == "open" {
			t.Errorf("got %+v", j)
		}
	}
	if strings.Contains(f.logs.String(), "wrong receipt") {
		t.Errorf("got %s", f.logs)
	}
	stop()
}

func TestRunStopsAndLetsRequestsEnd(t *testing.T) {
	fake := newFakeHost(t, "host 0")
	entered, release := make(chan struct{}), make(chan struct{})
	fake.set(func(h *fakeHost) {
		h.serve = func(w http.ResponseWriter, r *http.Request, j *fakeJob) {
			close(entered)
			<-release
			h.honest(w, r, j)
		}
	})
	f, stop := running(t, testConfig(t), fake.onChain())
	k := f.newKey(100_000)
	served := make(chan *answer, 1)
	go func() { served <- f.complete(k.Key, chat(5)) }()
	<-entered
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	close(release)
	if a := <-served; a.status != http.StatusOK {
		t.Errorf("got %d %s", a.status, a.body)
	}
	<-stopped
	f.start() // the ledger was closed and holds the job
	f.wantCredit(k, 100_000-20, 0, 20)
}
