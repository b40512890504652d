// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host"
	"github.com/gpucoord/gpucoord/host/enginesim"
	"github.com/gpucoord/gpucoord/host/receiptlog"
	"github.com/gpucoord/gpucoord/host/wire"
)

// The variables that turn the test binary into a host process, which a test can kill.
const (
	childEngine = "GPUCOORD_TEST_HOST_ENGINE"
	childDir    = "GPUCOORD_TEST_HOST_DIR"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(childEngine); url != "" {
		runChild(url, os.Getenv(childDir))
	}
	os.Exit(m.Run())
}

// childConfig is the configuration of a host process and of its restart.
func childConfig(engineURL, dir string) host.Config {
	cfg := host.Default()
	cfg.ChainID, cfg.EVMChainID, cfg.HostID, cfg.EngineURL = chainID, evmChainID, hostID, engineURL
	cfg.Listen, cfg.AdminListen = "127.0.0.1:0", "127.0.0.1:0"
	cfg.DataDir, cfg.AdminTokenFile = dir, filepath.Join(dir, "token")
	cfg.Models = []host.Model{{Name: "base", ID: modelID, PriceInUusdc: priceIn, PriceOutUusdc: priceOut}}
	cfg.Limits.RatePerSecond, cfg.Limits.MaxUncountersigned = 0, 1_000
	return cfg
}

// runChild is a host process: it prints its address and serves until it is killed.
func runChild(engineURL, dir string) {
	h, err := host.New(childConfig(engineURL, dir), host.Deps{Chain: newFakeChain(), Key: key("host"), Logger: slog.New(slog.DiscardHandler)})
	if err == nil {
		_, err = os.Stdout.WriteString(h.PublicAddr() + "\n")
	}
	if err == nil {
		err = h.Run(context.Background())
	}
	_, _ = os.Stderr.WriteString(errors.Join(err, errors.New("host process ended")).Error())
	os.Exit(1)
}

// startChild starts a host process and returns its URL.
func startChild(t *testing.T, engineURL, dir string) (*exec.Cmd, string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childEngine+"="+engineURL, childDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it may have been killed already
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("host process: %v", err)
	}
	return cmd, "http://" + strings.TrimSpace(addr)
}

// post sends a request and returns the receipt, the error code, or an error if the connection broke.
func post(ctx context.Context, r *request, url string) (encoded, code string, replayed bool, err error) {
	req, err := r.http(ctx, url)
	if err != nil {
		return "", "", false, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", "", false, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", "", false, err
	}
	a := answer{body: body}
	return resp.Header.Get(wire.HeaderReceipt), a.code(), strings.Contains(string(body), `"replayed":true`), nil
}

func TestKilledHostLosesNoReceiptAndServesNothingTwice(t *testing.T) {
	engine := enginesim.New(enginesim.Config{Model: "base", TTFT: 2 * time.Millisecond})
	engineServer := httptest.NewServer(engine)
	defer engineServer.Close()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte(adminToken), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd, url := startChild(t, engineServer.URL, dir)

	const workers, jobs, killAfter = 8, 240, 100
	f := &fixture{t: t, payer: key("payer"), key: key("host")}
	requests := make([]*request, jobs)
	for i := range requests {
		requests[i] = f.chat("3")
	}
	acked := sendUntilKilled(t, cmd, url, requests, workers, killAfter)

	_, url = startChild(t, engineServer.URL, dir)
	seqs := make(map[uint64]bool)
	interrupted := 0
	for i, r := range requests {
		encoded, code, replayed, err := post(t.Context(), r, url)
		if err != nil {
			t.Fatal(err)
		}
		if acked[i] != "" && (encoded != acked[i] || !replayed) {
			t.Fatalf("job %d: its receipt was acknowledged, now: %s %s", i, encoded, code)
		}
		switch {
		case code == "JOB_INTERRUPTED":
			interrupted++
		case encoded == "":
			t.Fatalf("job %d: got %s", i, code)
		default:
			rec := f.record(encoded)
			if seqs[rec.Seq] {
				t.Fatalf("seq %d was used twice", rec.Seq)
			}
			seqs[rec.Seq] = true
		}
	}
	if st := engine.Stats(); st.Requests > jobs || interrupted > workers {
		t.Fatalf("%d jobs: the engine was asked %d times, %d were interrupted", jobs, st.Requests, interrupted)
	}
}

// sendUntilKilled sends jobs and kills the host when some were answered; it returns the receipts that arrived, by job.
func sendUntilKilled(t *testing.T, cmd *exec.Cmd, url string, requests []*request, workers, killAfter int) []string {
	t.Helper()
	acked := make([]string, len(requests))
	answered := make(chan struct{}, len(requests))
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(requests); i += workers {
				encoded, code, _, err := post(t.Context(), requests[i], url)
				if err != nil {
					return // killed
				}
				if acked[i] = encoded; code != "" {
					t.Errorf("job %d: %s", i, code)
				}
				answered <- struct{}{}
			}
		})
	}
	for range killAfter {
		<-answered
	}
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	_ = cmd.Wait() // it was killed
	return acked
}

func TestAdmittedJobWithoutReceiptIsInterrupted(t *testing.T) {
	f := newFixture(t, nil)
	r := f.chat("3")
	r.auth.RequestCommit = wire.Commit(r.salt, []byte(r.body))
	f.stop()
	// what a host leaves that died between admission and receipt
	log, err := receiptlog.Open(receiptlog.Options{Dir: filepath.Join(f.cfg.DataDir, "receipts"), Domain: domain, HostKey: r.auth.Operator}, nil)
	if err != nil {
		t.Fatal(err)
	}
	a := receiptlog.Admission{JobID: r.auth.ID(domain), Payer: r.auth.Payer, Nonce: r.auth.Nonce, ExpiresAt: r.auth.ExpiresAt}
	if err := errors.Join(log.Admit(t.Context(), a), log.Close()); err != nil {
		t.Fatal(err)
	}
	f.start()
	if a := f.send(r); a.status != http.StatusConflict || a.code() != "JOB_INTERRUPTED" {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	if st := f.engine.Stats(); st.Requests != 0 {
		t.Fatalf("the engine was asked: %+v", st)
	}
}

// running is a host that runs; stop ends it and returns what Run returned.
func (f *fixture) run(t *testing.T) (stop func() error) {
	t.Helper()
	f.stop()
	h, err := host.New(f.cfg, host.Deps{Chain: f.chain, Key: f.key, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	f.host = h
	f.server.URL = "http://" + h.PublicAddr()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	return func() error {
		cancel()
		return <-ended
	}
}

func TestRunServesThenStopsCleanly(t *testing.T) {
	f := newFixture(t, nil)
	stop := f.run(t)
	encoded, code, _, err := post(t.Context(), f.chat("2"), f.server.URL)
	if err != nil || code != "" {
		t.Fatalf("got %s, %v", code, err)
	}
	first := f.record(encoded)
	if err := stop(); err != nil {
		t.Fatalf("run: %v", err)
	}
	f.start()
	second := f.record(f.send(f.chat("2")).header.Get(wire.HeaderReceipt))
	if second.Seq != first.Seq+1 { // a clean stop wastes no numbers
		t.Fatalf("got seq %d after %d", second.Seq, first.Seq)
	}
}

func TestJobThatOutlastsTheDrainIsBrokenOffWithAReceipt(t *testing.T) {
	f := newFixture(t, func(c *host.Config, _ *enginesim.Config) { c.Timeouts.Drain = 30 * time.Millisecond })
	stop := f.run(t)
	h := f.hang(t)
	if err := stop(); err != nil {
		t.Fatalf("run: %v", err)
	}
	rest, err := io.ReadAll(h.body)
	if err != nil {
		t.Fatal(err)
	}
	stream, encoded := splitStream(t, rest)
	rec := f.record(encoded)
	if rec.Outcome != receipt.OutcomeProviderFail || rec.Amount != 0 || !strings.Contains(string(stream), "HOST_STOPPED") {
		t.Fatalf("got %+v, %s", rec, stream)
	}
	f.start()
	if logged := f.logged(); len(logged) != 1 || logged[0] != rec {
		t.Fatalf("log: got %+v", logged)
	}
}

func TestHostWithoutItsLogTakesNoJobAndOwnsUpToRunningOnes(t *testing.T) {
	f := newFixture(t, nil)
	h := f.hang(t)
	if err := f.host.Close(); err != nil {
		t.Fatal(err)
	}
	if a := f.send(f.chat("1")); a.status != http.StatusServiceUnavailable || a.code() != "RECEIPT_LOG_FAILED" {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	h.leave()
	f.stop()
	f.start()
	if a := f.send(h.request); a.code() != "JOB_INTERRUPTED" {
		t.Fatalf("got %d %s", a.status, a.body)
	}
}

func TestEpochNeverFallsBackOverARestart(t *testing.T) {
	f := newFixture(t, nil)
	f.send(f.chat("1"))
	f.stop()
	f.chain.set(func(c *fakeChain) { c.epoch = 2 }) // the node is still catching up
	f.start()
	if rec := f.record(f.send(f.chat("1")).header.Get(wire.HeaderReceipt)); rec.Epoch != 3 {
		t.Fatalf("got epoch %d", rec.Epoch)
	}
}
