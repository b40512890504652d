// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/gateway"
	"github.com/gpucoord/gpucoord/gateway/route"
	"github.com/gpucoord/gpucoord/host/wire"
)

// firstHost makes the first host the one that is drawn first: the others weigh nothing.
func firstHost(s *route.Snapshot) {
	for i := range s.Hosts[1:] {
		s.Hosts[i+1].ReputationPPM = 0
	}
}

// refusal is a host's answer with a code.
func refusal(status int, code string) func(http.ResponseWriter, *http.Request, *fakeJob) {
	return func(w http.ResponseWriter, _ *http.Request, _ *fakeJob) {
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"error":{"type":"x","code":%q,"message":"no"}}`, code)
	}
}

func TestAnotherHostServesWhenOneFailsBeforeTheFirstByte(t *testing.T) {
	var followed bool
	elsewhere := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true })
	evil := newServer(t, elsewhere)
	body := func(contentType, text string) func(http.ResponseWriter, *http.Request, *fakeJob) {
		return func(w http.ResponseWriter, _ *http.Request, _ *fakeJob) {
			w.Header().Set("Content-Type", contentType)
			_, _ = io.WriteString(w, text)
		}
	}
	drop := func(http.ResponseWriter, *http.Request, *fakeJob) { panic(http.ErrAbortHandler) }
	for name, c := range map[string]struct {
		request string
		serve   func(http.ResponseWriter, *http.Request, *fakeJob)
	}{
		"busy":            {chat(5), refusal(503, "HOST_BUSY")},
		"unfunded":        {chat(5), refusal(402, "SETTLER_UNFUNDED")},
		"our own mistake": {chat(5), refusal(400, "WRONG_HOST_KEY")},
		"no connection":   {chat(5), drop},
		"no stream":       {streamed(5), drop},
		"half an answer": {chat(5), func(w http.ResponseWriter, _ *http.Request, _ *fakeJob) {
			w.Header().Set("Content-Length", "99")
			body("application/json", `{"choices":[`)(w, nil, nil)
			drop(w, nil, nil)
		}},
		"no JSON":         {chat(5), body("application/json", "<html>")},
		"no completion":   {chat(5), body("application/json", `{"receipt":"x","replayed":true}`)},
		"error as answer": {chat(5), body("application/json", `{"choices":[],"error":{"message":"x"}}`)},
		"wrong type":      {chat(5), body("text/html", `{"choices":[]}`)},
		"JSON as stream":  {streamed(5), body("application/json", `{"choices":[]}`)},
		"error as event":  {streamed(5), body("text/event-stream", "data: {\"error\":{\"message\":\"x\"}}\n\n")},
		"empty stream":    {streamed(5), body("text/event-stream", "")},
		"comments only":   {streamed(5), body("text/event-stream", ": one\n\n: two\n\n")},
		"giant event":     {streamed(5), body("text/event-stream", "data: "+strings.Repeat("x", 2<<20)+"\n\n")},
		"redirect": {chat(5), func(w http.ResponseWriter, r *http.Request, _ *fakeJob) {
			http.Redirect(w, r, evil, http.StatusTemporaryRedirect)
		}},
		"answer too large": {chat(5), body("application/json", `{"choices":["`+strings.Repeat("x", 17<<20)+`"]}`)},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, 2, nil)
			f.table = firstHost
			f.refresh()
			k := f.newKey(100_000)
			f.hosts[0].set(func(h *fakeHost) { h.serve = c.serve })
			a := f.complete(k.Key, c.request)
			if a.status != http.StatusOK || len(f.hosts[0].sent()) != 1 || len(f.hosts[1].sent()) != 1 {
				t.Fatalf("got %d %s after %d and %d tries", a.status, a.body, len(f.hosts[0].sent()), len(f.hosts[1].sent()))
			}
			first, second := f.hosts[0].sent()[0].auth, f.hosts[1].sent()[0].auth
			if first.Nonce == second.Nonce || first.PaymentRef == second.PaymentRef {
				t.Error("the second authorisation repeats the first")
			}
			f.wantCredit(k, 100_000-20, 0, 20)
			used := f.usage(k)
			if len(used) != 2 || used[0].State+used[1].State != "releasedsettled" && used[0].State+used[1].State != "settledreleased" {
				t.Errorf("got %+v", used)
			}
			f.complete(k.Key, c.request) // the host that failed is left alone
			if got := len(f.hosts[0].sent()); got != 1 {
				t.Errorf("the failed host was tried %d times", got)
			}
		})
	}
	if followed {
		t.Error("a redirect was followed")
	}
}

func TestAtMostThreeHostsAreTried(t *testing.T) {
	f := newFixture(t, 5, nil)
	k := f.newKey(100_000)
	for _, h := range f.hosts {
		h.set(func(h *fakeHost) { h.serve = refusal(503, "HOST_BUSY") })
	}
	a := f.complete(k.Key, chat(5))
	tries := 0
	for _, h := range f.hosts {
		if n := len(h.sent()); n > 1 {
			t.Errorf("one host was tried %d times", n)
		} else {
			tries += n
		}
	}
	if a.status != http.StatusBadGateway || a.code() != "HOSTS_FAILED" || tries != 3 {
		t.Fatalf("got %d %s after %d tries", a.status, a.body, tries)
	}
	f.wantCredit(k, 100_000, 0, 0)
}

func TestBrokenOffStreamCostsNothing(t *testing.T) {
	f := newFixture(t, 2, nil)
	f.table = firstHost
	f.refresh()
	k := f.newKey(100_000)
	f.hosts[0].set(func(h *fakeHost) {
		h.serve = func(w http.ResponseWriter, _ *http.Request, j *fakeJob) {
			begin(w)
			send(w, token(0))
			h.sign(j, receipt.OutcomeOK, 5, [32]byte{}) // claims the whole
			panic(http.ErrAbortHandler)
		}
	})
	a := f.complete(k.Key, streamed(5))
	if a.status != http.StatusOK || !strings.Contains(string(a.body), "token 0") || !strings.Contains(string(a.body), `"HOST_FAILED"`) ||
		!strings.HasSuffix(string(a.body), "data: [DONE]\n\n") || len(f.hosts[1].sent()) != 0 {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	f.late()
	f.wantCredit(k, 100_000, 0, 0)
	if used := f.usage(k); used[0].State != "rejected" || used[0].Reason != "NOT_DELIVERED" {
		t.Fatalf("got %+v", used)
	}
	if f.hosts[0].countersigned() != 0 {
		t.Error("countersigned")
	}
}

func TestEnginesRefusalIsPassedOn(t *testing.T) {
	f := newFixture(t, 2, nil)
	f.table = firstHost
	f.refresh()
	k := f.newKey(100_000)
	f.hosts[0].set(func(h *fakeHost) {
		h.serve = func(w http.ResponseWriter, _ *http.Request, j *fakeJob) {
			w.Header().Set(wire.HeaderReceipt, wire.EncodeReceipt(h.sign(j, receipt.OutcomeRefused, 0, [32]byte{})))
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error":{"message":"maximum context length is 10 tokens","type":"BadRequestError","param":null,"code":400}}`)
		}
	})
	a := f.complete(k.Key, chat(5))
	if a.status != http.StatusBadRequest || a.code() != "ENGINE_REFUSED" || !strings.Contains(string(a.body), "maximum context length") ||
		len(f.hosts[1].sent()) != 0 {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	f.wantCredit(k, 100_000, 0, 0)
	if used := f.usage(k); used[0].State != "settled" || used[0].Amount != 0 { // a receipt over nothing is countersigned too
		t.Fatalf("got %+v", used)
	}
}

func TestSilentHostIsReplaced(t *testing.T) {
	f := newFixture(t, 2, func(c *gateway.Config) { c.Timeouts.FirstByte = gateway.Duration(50 * time.Millisecond) })
	f.table = firstHost
	f.refresh()
	k := f.newKey(100_000)
	f.hosts[0].set(func(h *fakeHost) {
		h.serve = func(w http.ResponseWriter, r *http.Request, _ *fakeJob) {
			begin(w)
			send(w, "")
			<-r.Context().Done()
		}
	})
	if a := f.complete(k.Key, streamed(5)); a.status != http.StatusOK || len(f.hosts[1].sent()) != 1 {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	f.wantCredit(k, 100_000-20, 0, 20)
}
