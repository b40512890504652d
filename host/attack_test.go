// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host"
	"github.com/gpucoord/gpucoord/host/enginesim"
	"github.com/gpucoord/gpucoord/host/wire"
)

func TestCountersignedJobsUseUpTheCoverUntilTheyAreClaimed(t *testing.T) {
	f := newFixture(t, nil)
	f.chain.set(func(c *fakeChain) { c.view.AvailableUusdc = 1_000_000 })
	rec := f.record(f.send(f.chat("5")).header.Get(wire.HeaderReceipt))
	if a := f.countersign(&rec, f.payer); a.status != http.StatusOK {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	for range 2 {
		if a := f.send(f.chat("5")); a.code() != "SETTLER_UNFUNDED" { // 1,000,000 again, and 6 are not claimed
			t.Fatalf("got %d %s", a.status, a.body)
		}
		f.stop() // a restart knows as much
		f.start()
	}
	f.chain.set(func(c *fakeChain) { c.watermark = rec.Seq })
	if a := f.send(f.chat("5")); a.status != http.StatusOK {
		t.Fatalf("after the claim: got %d %s", a.status, a.body)
	}
}

func TestOneOfConcurrentCopiesIsServed(t *testing.T) {
	f := newFixture(t, nil)
	same := f.chat("2")
	same.auth.RequestCommit = wire.Commit(same.salt, []byte(same.body))
	same.commit = false
	other := f.chat("3") // another job with the same nonce
	other.auth.Nonce = same.auth.Nonce
	other.auth.RequestCommit = wire.Commit(other.salt, []byte(other.body))
	other.commit = false
	codes := make(chan string, 24)
	var wg sync.WaitGroup
	for i := range cap(codes) {
		r := *[]*request{same, other}[i%2]
		wg.Go(func() {
			_, code, _, err := post(context.Background(), &r, f.server.URL)
			if err != nil {
				code = err.Error()
			}
			codes <- code
		})
	}
	wg.Wait()
	close(codes)
	for code := range codes {
		if code != "" && code != "JOB_RUNNING" && code != "NONCE_USED" {
			t.Errorf("got %s", code)
		}
	}
	if st := f.engine.Stats(); st.Requests != 1 || len(f.logged()) != 1 {
		t.Fatalf("the engine was asked %d times, %d receipts", st.Requests, len(f.logged()))
	}
}

// unfinished sends a job whose body does not end and waits until the host reads it, which it says by asking for it.
func (f *fixture) unfinished(r *request) net.Conn {
	f.t.Helper()
	req, err := r.http(f.t.Context(), f.server.URL)
	if err != nil {
		f.t.Fatal(err)
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.server.URL, "http://"))
	if err != nil {
		f.t.Fatal(err)
	}
	head := "POST " + r.path + " HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n"
	for _, name := range []string{wire.HeaderJobAuth, wire.HeaderSalt} {
		head += name + ": " + req.Header.Get(name) + "\r\n"
	}
	if _, err := io.WriteString(conn, head+"\r\n"); err != nil {
		f.t.Fatal(err)
	}
	answer := make([]byte, len("HTTP/1.1 100"))
	if _, err := io.ReadFull(conn, answer); err != nil || !strings.Contains(string(answer), " ") {
		f.t.Fatalf("got %q, %v", answer, err)
	}
	f.t.Cleanup(func() { _ = conn.Close() }) // the test is over
	if string(answer) != "HTTP/1.1 100" {
		return nil
	}
	return conn
}

func TestStrangersCannotOccupyTheHostWithBodies(t *testing.T) {
	f := newFixture(t, func(c *host.Config, _ *enginesim.Config) {
		c.Limits.MaxConcurrent = 1
		c.DirectPayers = [][20]byte{receipt.KeyAddress(key("payer"))}
	})
	f.chain.set(func(c *fakeChain) { c.view.IsGateway = false })
	r := f.chat("1")
	r.signer = key("stranger")
	r.auth.Payer = receipt.KeyAddress(r.signer)
	if f.unfinished(r) != nil {
		t.Fatal("the host waits for the body of a key that it does not serve")
	}
}

func TestOnePayerCannotOccupyTheHostWithBodies(t *testing.T) {
	f := newFixture(t, func(c *host.Config, _ *enginesim.Config) { c.Limits.MaxUncountersigned = 1 })
	r := f.chat("1")
	if f.unfinished(r) == nil {
		t.Fatal("the first body is not read")
	}
	if a := f.send(f.chat("1")); a.status != http.StatusTooManyRequests || a.code() != "TOO_MANY_ARRIVING" {
		t.Fatalf("got %d %s", a.status, a.body)
	}
}

func TestPayersAreNotLimitedByTheAddressTheyShare(t *testing.T) {
	f := newFixture(t, func(c *host.Config, _ *enginesim.Config) { c.Limits.RatePerSecond, c.Limits.RateBurst = 1, 1 })
	for i := range 10 {
		a := f.send(f.chat("1"))
		if a.status != http.StatusOK {
			t.Fatalf("job %d: got %d %s", i, a.status, a.body)
		}
		rec := f.record(a.header.Get(wire.HeaderReceipt))
		if a := f.countersign(&rec, f.payer); a.status != http.StatusOK {
			t.Fatalf("countersignature %d: got %d %s", i, a.status, a.body)
		}
	}
	limited := 0
	for range 5 {
		r := f.chat("1")
		r.signer = key("someone") // a wrong signature counts
		if a := f.send(r); a.code() == "RATE_LIMITED" {
			limited++
		}
	}
	if limited < 3 {
		t.Fatalf("wrong signatures are not limited: %d of 5", limited)
	}
}

func TestEndlessAndPackedBodies(t *testing.T) {
	f := newFixture(t, func(c *host.Config, _ *enginesim.Config) { c.Limits.MaxBodyBytes = 64 << 10 })
	send := func(body io.Reader, encoding string) *answer {
		t.Helper()
		req, err := f.chat("1").http(t.Context(), f.server.URL)
		if err != nil {
			t.Fatal(err)
		}
		req.Body, req.ContentLength = io.NopCloser(body), -1
		if encoding != "" {
			req.Header.Set("Content-Encoding", encoding)
		}
		return f.do(req)
	}
	if a := send(&endless{limit: 200 << 10}, ""); a.status != http.StatusRequestEntityTooLarge || a.code() != "BODY_TOO_LARGE" {
		t.Fatalf("chunked: got %d %s", a.status, a.body)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(make([]byte, 10<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if a := send(&packed, "gzip"); a.status != http.StatusBadRequest || a.code() != "REQUEST_COMMIT_MISMATCH" {
		t.Fatalf("gzip: got %d %s", a.status, a.body)
	}
}

// endless is a body of x without a length.
type endless struct{ limit int }

func (e *endless) Read(b []byte) (int, error) {
	if e.limit <= 0 {
		return 0, io.EOF
	}
	for i := range b {
		b[i] = 'x'
	}
	e.limit -= len(b)
	return len(b), nil
}

func TestStreamsShareTheEnginesConnections(t *testing.T) {
	f := newFixture(t, nil)
	var mu sync.Mutex
	opened := 0
	counted := httptest.NewUnstartedServer(f.engine)
	counted.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		if s == http.StateNew {
			opened++
		}
	}
	counted.Start()
	defer counted.Close()
	f.stop()
	f.cfg.EngineURL = counted.URL
	f.start()
	for range 8 {
		if a := f.send(f.streamed("3")); a.status != http.StatusOK {
			t.Fatalf("got %d %s", a.status, a.body)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if opened > 2 { // the next job may begin before the last one's connection is back
		t.Fatalf("8 streams opened %d connections", opened)
	}
}

func TestEngineThatDoesNotEndAfterDoneHoldsNobody(t *testing.T) {
	f := newFixture(t, nil)
	hung := make(chan struct{})
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, `data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}`+"\n\ndata: [DONE]\n\n") // the host may have gone
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(hung)
	}))
	defer engine.Close()
	f.stop()
	f.cfg.EngineURL = engine.URL
	f.start()
	a := f.send(f.streamed("3"))
	if rec := f.record(a.trailer.Get(wire.HeaderReceipt)); rec.Outcome != receipt.OutcomeOK || rec.OutputTokens != 2 {
		t.Fatalf("got %+v", rec)
	}
	select {
	case <-hung:
	case <-time.After(10 * time.Second):
		t.Fatal("the engine's connection was kept")
	}
}
