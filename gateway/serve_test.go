// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/gateway"
	"github.com/gpucoord/gpucoord/gateway/route"
)

func TestCompletionIsServedPaidAndCountersigned(t *testing.T) {
	f := newFixture(t, 1, nil)
	k := f.newKey(100_000)
	a := f.complete(k.Key, chat(5))
	job := f.hosts[0].sent()[0]
	if a.status != http.StatusOK || a.header.Get(gateway.HeaderReceiptID) != hex.EncodeToString(job.id[:]) || !bytes.Contains(a.body, []byte(`"completion_tokens":5`)) {
		t.Fatalf("got %d %v %s", a.status, a.header, a.body)
	}
	for name := range a.header {
		if strings.HasPrefix(name, "X-Gpucoord") && name != gateway.HeaderReceiptID {
			t.Errorf("the customer sees %s", name)
		}
	}
	f.wantCredit(k, 100_000-20, 0, 20) // 10 prompt tokens at 1, 5 output tokens at 2
	f.late()
	if got := f.hosts[0].countersigned(); got != 1 {
		t.Fatalf("%d countersigned", got)
	}
	used := f.usage(k)
	if len(used) != 1 || used[0].State != "settled" || used[0].Amount != 20 || used[0].Max != job.auth.MaxAmount {
		t.Fatalf("got %+v", used)
	}
}

func TestAuthorisationSaysWhatTheGatewayPaysFor(t *testing.T) {
	f := newFixture(t, 1, nil)
	f.table = func(s *route.Snapshot) { s.Hosts[0].Offers[0].Name = "served/base" }
	f.cfg.Models = []gateway.Model{{Name: "base", ModelID: hex.EncodeToString(modelID[:])}}
	f.stop()
	f.start()
	k := f.newKey(100_000)
	body := `{"model":"base","model":"base","user":"alice@example.com","metadata":{"ip":"192.0.2.1"},"messages":[{"role":"user","content":"<é>"}],"n":2,"max_tokens":7}`
	if a := f.complete(k.Key, body); a.status != http.StatusOK {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	f.complete(k.Key, chat(1))
	job, other := f.hosts[0].sent()[0], f.hosts[0].sent()[1]
	want := receipt.JobAuth{
		Payer: receipt.KeyAddress(key("gateway")), Operator: receipt.KeyAddress(key("host 0")), ModelID: modelID,
		RequestCommit: job.auth.RequestCommit, PaymentRef: job.auth.PaymentRef, Nonce: job.auth.Nonce, IssuedAt: job.auth.IssuedAt, ExpiresAt: job.auth.ExpiresAt,
		MaxAmount: uint64(len(job.body)) + 256 + 2*7*2,
	}
	if job.auth != want || job.auth.ExpiresAt-job.auth.IssuedAt > 3600 {
		t.Errorf("got %+v\nwant %+v", job.auth, want)
	}
	if job.auth.PaymentRef == other.auth.PaymentRef || job.auth.Nonce == other.auth.Nonce || job.salt == other.salt {
		t.Error("two jobs share a payment reference, a nonce or a salt")
	}
	if job.model != "served/base" || !bytes.Contains(job.body, []byte("<é>")) {
		t.Errorf("the host got %s", job.body)
	}
	for _, secret := range []string{"alice", "192.0.2.1", k.Key} {
		if bytes.Contains(job.body, []byte(secret)) || strings.Contains(strings.Join(job.header["Authorization"], ""), secret) {
			t.Errorf("the host learns %q", secret)
		}
	}
}

func TestStreamReachesTheCustomerClean(t *testing.T) {
	f := newFixture(t, 1, nil)
	k := f.newKey(100_000)
	a := f.complete(k.Key, streamed(3))
	want := "data: {\"choices\":[{\"delta\":{\"content\":\"token 0\"}}]}\n\n" +
		"data: {\"choices\":[{\"delta\":{\"content\":\"token 1\"}}]}\n\n" +
		"data: {\"choices\":[{\"delta\":{\"content\":\"token 2\"}}]}\n\n" + "data: [DONE]\n\n"
	if a.status != http.StatusOK || string(a.body) != want {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	job := f.hosts[0].sent()[0]
	if got := a.trailer.Get(gateway.HeaderReceiptID); got != hex.EncodeToString(job.id[:]) {
		t.Errorf("trailer %q", got)
	}
	if !bytes.Contains(job.body, []byte(`"include_usage":true`)) {
		t.Errorf("the host was not asked for usage: %s", job.body)
	}
	f.wantCredit(k, 100_000-16, 0, 16)
	f.late()
	if got := f.hosts[0].countersigned(); got != 1 {
		t.Fatalf("%d countersigned", got)
	}
}

func TestStreamsUsageGoesToWhoAskedForIt(t *testing.T) {
	f := newFixture(t, 1, nil)
	k := f.newKey(100_000)
	ask := func(options string) string {
		a := f.complete(k.Key, strings.Replace(streamed(2), "{", `{"stream_options":`+options+`,`, 1))
		if a.status != http.StatusOK {
			t.Fatalf("got %d %s", a.status, a.body)
		}
		return string(a.body)
	}
	if got := ask(`{"include_usage":true}`); strings.Count(got, `"usage"`) != 1 || !strings.Contains(got, `{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":2}}`) {
		t.Errorf("at the end: got %s", got)
	}
	if got := ask(`{"include_usage":true,"continuous_usage_stats":true}`); strings.Count(got, `"usage"`) != 3 {
		t.Errorf("continuous: got %s", got)
	}
	if got := ask(`null`); strings.Contains(got, `"usage"`) {
		t.Errorf("null: got %s", got)
	}
}

func TestModelListsHaveLibertAIsShape(t *testing.T) {
	f := newFixture(t, 2, nil)
	f.table = func(s *route.Snapshot) {
		for i := range s.Hosts {
			s.Hosts[i].Endpoint = []string{"https://gpu-c.models.example", "https://gpu-a.models.example"}[i]
			s.Hosts[i].Offers[0].Name = "qwen3.6-35b-a3b"
		}
		s.Hosts[1].Offers = append(s.Hosts[1].Offers, route.Offer{Asset: route.Asset{ModelID: modelID, AdapterID: [32]byte{1}}, Name: "ada-sql-v2"})
		simulated := s.Hosts[0]
		simulated.Simulated, simulated.Offers = true, []route.Offer{{Asset: route.Asset{ModelID: [32]byte{9}}, Name: "simulated"}}
		s.Hosts = append(s.Hosts, simulated)
	}
	if err := f.g.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := f.do(t.Context(), http.MethodGet, f.server.URL+"/libertai/models", "", "")
	if want := `{"ada-sql-v2":{"servers":["https://gpu-a.models.example"]},` +
		`"qwen3.6-35b-a3b":{"servers":["https://gpu-a.models.example","https://gpu-c.models.example"]}}`; string(a.body) != want {
		t.Errorf("got %s", a.body)
	}
	a = f.do(t.Context(), http.MethodGet, f.server.URL+"/v1/models", "", "")
	var list struct {
		Object string
		Data   []struct {
			ID, Object string
			OwnedBy    string `json:"owned_by"`
			Created    int64
		}
	}
	if err := json.Unmarshal(a.body, &list); err != nil {
		t.Fatal(err)
	}
	if list.Object != "list" || len(list.Data) != 2 || list.Data[0].ID != "ada-sql-v2" || list.Data[1].Object != "model" ||
		list.Data[1].OwnedBy != "gpucoord" || list.Data[1].Created == 0 {
		t.Errorf("got %s", a.body)
	}
}

func TestNothingPrivateIsWritten(t *testing.T) {
	f := newFixture(t, 1, nil)
	k := f.newKey(100_000)
	f.complete(k.Key, chat(2))
	f.complete(k.Key, streamed(2))
	f.hosts[0].set(func(h *fakeHost) { h.tamper = func(r *receipt.Record) { r.Amount++ } })
	f.complete(k.Key, chat(2))
	f.hosts[0].set(func(h *fakeHost) {
		h.serve = func(w http.ResponseWriter, _ *http.Request, j *fakeJob) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = w.Write(append([]byte(`{"error":{"code":"tell me a secret","message":"tell me a secret"}}`), j.body...))
		}
	})
	f.complete(k.Key, chat(2))
	metrics := f.adminDo(http.MethodGet, "/metrics", "", nil)
	f.stop()
	files := [][]byte{[]byte(f.logs.String()), metrics.body}
	for _, suffix := range []string{"", "-wal"} {
		if b, err := os.ReadFile(f.cfg.Ledger + suffix); err == nil {
			files = append(files, b)
		}
	}
	if len(files) < 3 {
		t.Fatal("no ledger to look into")
	}
	for i, b := range files {
		for _, secret := range []string{"secret", k.Key, "token 0", "127.0.0.1"} {
			if i == 2 && secret == "127.0.0.1" { // where hosts are is public: the endpoint is kept
				continue
			}
			if bytes.Contains(b, []byte(secret)) {
				t.Errorf("file %d holds %q", i, secret)
			}
		}
	}
	if !strings.Contains(string(metrics.body), `gpucoord_gateway_receipts_rejected_total{reason="WRONG_AMOUNT"} 1`) ||
		!strings.Contains(string(metrics.body), `gpucoord_gateway_credit_uusdc{part="spent"} 28`) {
		t.Errorf("got %s", metrics.body)
	}
}
