// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/gateway"
	"github.com/gpucoord/gpucoord/gateway/route"
)

func TestRequestsThatAreRefused(t *testing.T) {
	f := newFixture(t, 1, nil)
	k := f.newKey(1_000)
	var expired, revoked account
	f.adminDo(http.MethodPost, "/admin/v1/keys", fmt.Sprintf(`{"credits_uusdc":1000,"expires_at":%d}`, time.Now().Unix()), &expired)
	revoked = f.newKey(1_000)
	f.adminDo(http.MethodPost, "/admin/v1/keys/"+revoked.ID+"/revoke", "", nil)
	for name, c := range map[string]struct {
		key, body string
		header    []string
		status    int
		code      string
	}{
		"no key":             {"", chat(5), nil, 401, "API_KEY_MISSING"},
		"unknown key":        {"gck_none", chat(5), nil, 401, "API_KEY_INVALID"},
		"expired key":        {expired.Key, chat(5), nil, 401, "API_KEY_INVALID"},
		"revoked key":        {revoked.Key, chat(5), nil, 401, "API_KEY_INVALID"},
		"the key's id":       {k.ID, chat(5), nil, 401, "API_KEY_INVALID"},
		"no JSON":            {k.Key, "tell me", nil, 400, "REQUEST_MALFORMED"},
		"empty":              {k.Key, "", nil, 400, "REQUEST_MALFORMED"},
		"null":               {k.Key, "null", nil, 400, "REQUEST_MALFORMED"},
		"no model":           {k.Key, `{"messages":[]}`, nil, 400, "REQUEST_MALFORMED"},
		"model is a number":  {k.Key, `{"model":1}`, nil, 400, "REQUEST_MALFORMED"},
		"negative tokens":    {k.Key, `{"model":"base","max_tokens":-1}`, nil, 400, "REQUEST_MALFORMED"},
		"broken options":     {k.Key, `{"model":"base","stream":true,"stream_options":1}`, nil, 400, "REQUEST_MALFORMED"},
		"too many tokens":    {k.Key, `{"model":"base","max_completion_tokens":131073}`, nil, 400, "TOO_MANY_TOKENS"},
		"too many answers":   {k.Key, `{"model":"base","n":17}`, nil, 400, "TOO_MANY_TOKENS"},
		"too many prompts":   {k.Key, `{"model":"base","n":9,"prompt":["a","b"]}`, nil, 400, "TOO_MANY_TOKENS"},
		"answers that wrap":  {k.Key, `{"model":"base","best_of":18446744073709551615,"prompt":["a","b"]}`, nil, 400, "TOO_MANY_TOKENS"},
		"unknown model":      {k.Key, `{"model":"none"}`, nil, 404, "UNKNOWN_MODEL"},
		"too dear":           {k.Key, chat(5), []string{"X-Gpucoord-Max-Price-Out", "1999999"}, 503, "NO_HOST"},
		"other region":       {k.Key, chat(5), []string{"X-Gpucoord-Region", "us"}, 503, "NO_HOST"},
		"bad price":          {k.Key, chat(5), []string{"X-Gpucoord-Max-Price-Out", "cheap"}, 400, "FILTER_MALFORMED"},
		"more than credit":   {k.Key, chat(400), nil, 402, "INSUFFICIENT_CREDITS"},
		"default max tokens": {k.Key, `{"model":"base"}`, nil, 402, "INSUFFICIENT_CREDITS"},
		"10 MB":              {k.Key, `{"model":"base","prompt":"` + strings.Repeat("x", 10<<20) + `"}`, nil, 413, "BODY_TOO_LARGE"},
	} {
		t.Run(name, func(t *testing.T) {
			f.t = t
			a := f.complete(c.key, c.body, c.header...)
			if a.status != c.status || a.code() != c.code {
				t.Fatalf("got %d %s", a.status, a.body)
			}
		})
	}
	f.t = t
	if got := len(f.hosts[0].sent()); got != 0 {
		t.Errorf("%d requests reached the host", got)
	}
	f.wantCredit(k, 1_000, 0, 0)
}

func TestPromptsAreCountedForTheReservation(t *testing.T) {
	f := newFixture(t, 1, nil)
	k := f.newKey(1_000_000)
	for body, outputs := range map[string]uint64{
		`{"model":"base","max_tokens":7,"prompt":"a"}`:              7,
		`{"model":"base","max_tokens":7,"prompt":[1,2,3]}`:          7,
		`{"model":"base","max_tokens":7,"prompt":["a","b"],"n":2}`:  28,
		`{"model":"base","max_tokens":7,"prompt":[[1,2],[3],[4]]}`:  21,
		`{"model":"base","max_tokens":7,"best_of":3,"prompt":"a"}`:  21,
		`{"model":"base","max_tokens":7,"max_completion_tokens":9}`: 9,
		`{"model":"base","max_tokens":null,"prompt":[]}`:            2048,
		`{"model":"base"}`: 2048,
		`{"model":"base","max_completion_tokens":9,"stream":false}`:  9,
		`{"Max_Tokens":1,"model":"base","max_tokens":8,"N":5,"n":1}`: 8,
	} {
		before := len(f.hosts[0].sent())
		f.do(t.Context(), http.MethodPost, f.server.URL+"/v1/completions", k.Key, body)
		jobs := f.hosts[0].sent()
		if len(jobs) != before+1 {
			t.Fatalf("%s did not reach the host", body)
		}
		job := jobs[before]
		if want := uint64(len(job.body)) + 256 + 2*outputs; job.auth.MaxAmount != want {
			t.Errorf("%s: reserved %d, want %d", body, job.auth.MaxAmount, want)
		}
	}
}

func TestCreditIsNeverOverdrawnByConcurrentRequests(t *testing.T) {
	f := newFixture(t, 3, nil)
	k := f.newKey(2_000)
	var wg sync.WaitGroup
	var mu sync.Mutex
	served := uint64(0)
	for i := range 24 {
		wg.Go(func() {
			request := chat(5)
			if i%2 == 0 {
				request = streamed(5)
			}
			switch a := f.complete(k.Key, request); {
			case a.status == http.StatusOK:
				mu.Lock()
				served++
				mu.Unlock()
			case a.code() != "INSUFFICIENT_CREDITS":
				t.Errorf("got %d %s", a.status, a.body)
			}
		})
	}
	wg.Wait()
	f.wantCredit(k, 2_000-20*served, 0, 20*served)
	if served == 0 {
		t.Error("nothing was served")
	}
}

func TestRateAndConcurrencyOfAKeyAreBounded(t *testing.T) {
	f := newFixture(t, 1, func(c *gateway.Config) {
		c.Limits.RatePerSecond, c.Limits.RateBurst, c.Limits.MaxConcurrentPerKey, c.Limits.MaxConcurrent = 1, 3, 1, 2
	})
	busy, other, third := f.newKey(100_000), f.newKey(100_000), f.newKey(100_000)
	entered, release := make(chan struct{}, 2), make(chan struct{})
	f.hosts[0].set(func(h *fakeHost) {
		h.serve = func(w http.ResponseWriter, r *http.Request, j *fakeJob) {
			entered <- struct{}{}
			<-release
			h.honest(w, r, j)
		}
	})
	var wg sync.WaitGroup
	for _, k := range []account{busy, other} {
		wg.Go(func() { f.complete(k.Key, chat(5)) })
		<-entered
	}
	if a := f.complete(third.Key, chat(5)); a.status != 503 || a.code() != "GATEWAY_BUSY" {
		t.Errorf("third at once: got %d %s", a.status, a.body)
	}
	close(release)
	wg.Wait()
	f.hosts[0].set(func(h *fakeHost) { h.serve = nil })
	f.waitFor("room", func() bool { return f.complete("none", chat(5)).code() == "API_KEY_INVALID" })
	codes := make(map[string]int)
	for range 6 {
		codes[f.complete(third.Key, chat(5)).code()]++
	}
	if codes["RATE_LIMITED"] < 2 || codes[""] < 3 {
		t.Errorf("burst of three: got %v", codes)
	}
}

func TestOneKeysConcurrencyIsBounded(t *testing.T) {
	f := newFixture(t, 1, func(c *gateway.Config) { c.Limits.MaxConcurrentPerKey = 1 })
	k := f.newKey(100_000)
	entered, release := make(chan struct{}), make(chan struct{})
	f.hosts[0].set(func(h *fakeHost) {
		h.serve = func(w http.ResponseWriter, r *http.Request, j *fakeJob) {
			close(entered)
			<-release
			h.honest(w, r, j)
		}
	})
	var wg sync.WaitGroup
	wg.Go(func() { f.complete(k.Key, chat(5)) })
	<-entered
	if a := f.complete(k.Key, chat(5)); a.status != 429 || a.code() != "TOO_MANY_CONCURRENT" {
		t.Errorf("got %d %s", a.status, a.body)
	}
	close(release)
	wg.Wait()
}

// raw opens a connection and sends the head of a completion.
func (f *fixture) raw(k account, length int, body string) net.Conn {
	f.t.Helper()
	conn, err := (&net.Dialer{}).DialContext(f.t.Context(), "tcp", strings.TrimPrefix(f.server.URL, "http://"))
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = conn.Close() })
	if _, err := fmt.Fprintf(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s",
		k.Key, length, body); err != nil {
		f.t.Fatal(err)
	}
	return conn
}

func TestSlowBodyIsRefused(t *testing.T) {
	f := newFixture(t, 1, func(c *gateway.Config) { c.Timeouts.Body = gateway.Duration(50 * time.Millisecond) })
	conn := f.raw(f.newKey(100_000), 1000, `{"model":`)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusRequestTimeout || !strings.Contains(string(b), "BODY_INCOMPLETE") {
		t.Errorf("got %d %s", resp.StatusCode, b)
	}
}

func TestCustomerWhoDoesNotReadIsCutOff(t *testing.T) {
	f := newFixture(t, 1, func(c *gateway.Config) { c.Timeouts.Write = gateway.Duration(100 * time.Millisecond) })
	k := f.newKey(100_000)
	f.hosts[0].set(func(h *fakeHost) {
		h.serve = func(w http.ResponseWriter, r *http.Request, j *fakeJob) {
			begin(w)
			filler := "data: {\"choices\":[{\"delta\":{\"content\":\"" + strings.Repeat("x", 1<<16) + "\"}}]}\n\n"
			send(w, token(0))
			for r.Context().Err() == nil {
				send(w, filler)
			}
			h.sign(j, receipt.OutcomeUserCancel, 1, [32]byte{})
		}
	})
	body := streamed(50)
	f.raw(k, len(body), body) // reads nothing
	f.waitFor("the end", func() bool { f.late(); used := f.usage(k); return len(used) == 1 && used[0].State == "settled" })
	f.wantCredit(k, 100_000-12, 0, 12)
}

func TestTableThatIsTooOldStopsTheGateway(t *testing.T) {
	f := newFixture(t, 1, func(c *gateway.Config) { c.Hosts.MaxAge = gateway.Duration(time.Nanosecond) })
	k := f.newKey(100_000)
	if a := f.complete(k.Key, chat(5)); a.status != 503 || a.code() != "HOSTS_UNKNOWN" {
		t.Errorf("got %d %s", a.status, a.body)
	}
	for _, path := range []string{"/healthz", "/v1/models", "/libertai/models"} {
		if a := f.do(t.Context(), http.MethodGet, f.server.URL+path, "", ""); a.status != 503 {
			t.Errorf("%s: got %d", path, a.status)
		}
	}
}

func TestSimulatedHostsTakePartOnlyWhenAllowed(t *testing.T) {
	f := newFixture(t, 1, nil)
	f.table = func(s *route.Snapshot) { s.Hosts[0].Simulated = true }
	f.refresh()
	k := f.newKey(100_000)
	if a := f.complete(k.Key, chat(5)); a.code() != "NO_HOST" {
		t.Errorf("got %d %s", a.status, a.body)
	}
	f.cfg.AllowSimulated = true
	f.stop()
	f.start()
	if a := f.complete(k.Key, chat(5)); a.status != http.StatusOK {
		t.Errorf("got %d %s", a.status, a.body)
	}
}
