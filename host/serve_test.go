// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host"
	"github.com/gpucoord/gpucoord/host/enginesim"
	"github.com/gpucoord/gpucoord/host/wire"
)

func TestUnaryAnswerCarriesItsReceipt(t *testing.T) {
	f := newFixture(t, nil)
	r := f.chat("20")
	a := f.send(r)
	if a.status != http.StatusOK || !bytes.Contains(a.body, []byte(enginesim.Label)) {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	rec := f.record(a.header.Get(wire.HeaderReceipt))
	if rec.Outcome != receipt.OutcomeOK || rec.PromptTokens != 5 || rec.OutputTokens != 20 || rec.CachedTokens != 0 {
		t.Fatalf("got %+v", rec)
	}
	if rec.Amount != 21 { // 5 × 0.2 + 20 × 1
		t.Fatalf("amount: got %d, want 21", rec.Amount)
	}
	if rec.HostID != hostID || rec.Epoch != 3 || rec.Seq != 1 || rec.Auth != r.auth || rec.AttestRef != [32]byte{} {
		t.Fatalf("got %+v", rec)
	}
	if rec.OutputCommit != wire.Commit(r.salt, a.body) {
		t.Fatal("outputCommit is not that of the answer")
	}
	id := rec.JobID(domain)
	if got := a.header.Get(wire.HeaderJobID); got != hex.EncodeToString(id[:]) {
		t.Fatalf("job id header: got %s", got)
	}
	if logged := f.logged(); len(logged) != 1 || logged[0] != rec {
		t.Fatalf("log: got %+v", logged)
	}
}

func TestAdapterIsServedUnderItsName(t *testing.T) {
	f := newFixture(t, nil)
	r := f.request(`{"model":"ada","prompt":"a b c","max_tokens":2}`)
	r.path, r.auth.AdapterID = "/v1/completions", adapterID
	a := f.send(r)
	rec := f.record(a.header.Get(wire.HeaderReceipt))
	if a.status != http.StatusOK || rec.Auth.AdapterID != adapterID || rec.PromptTokens != 3 || !bytes.Contains(a.body, []byte(`"model":"ada"`)) {
		t.Fatalf("got %d %s, %+v", a.status, a.body, rec)
	}
}

func TestAmountStopsAtMaxAmount(t *testing.T) {
	f := newFixture(t, nil)
	r := f.request(`{"model":"base","messages":[{"content":"` + strings.Repeat("w ", 40) + `"}],"max_tokens":1}`) // 9 micro-USD
	r.auth.MaxAmount = 3
	if rec := f.record(f.send(r).header.Get(wire.HeaderReceipt)); rec.Amount != 3 || rec.PromptTokens != 40 || rec.OutputTokens != 1 {
		t.Fatalf("got %+v", rec)
	}
}

func TestRepeatedPromptReportsCachedTokens(t *testing.T) {
	f := newFixture(t, nil)
	body := `{"model":"base","messages":[{"content":"` + strings.Repeat("w ", 40) + `"}],"max_tokens":1}`
	f.send(f.request(body))
	rec := f.record(f.send(f.request(body)).header.Get(wire.HeaderReceipt))
	if rec.PromptTokens != 40 || rec.CachedTokens != 32 {
		t.Fatalf("got %+v", rec)
	}
}

// splitStream takes the receipt comment off a streamed answer.
func splitStream(t *testing.T, body []byte) (stream []byte, encoded string) {
	t.Helper()
	stream, comment, ok := bytes.Cut(body, []byte(wire.ReceiptComment))
	if !ok || !bytes.HasSuffix(comment, []byte("\n\n")) {
		t.Fatalf("no receipt comment in %q", body)
	}
	return stream, strings.TrimSpace(string(comment))
}

func TestStreamEndsWithItsReceipt(t *testing.T) {
	for name, tc := range map[string]struct {
		options    string
		usageLines int // events with a usage object that the client sees
	}{
		"client did not ask for usage": {``, 0},
		"client asked for usage":       {`"stream_options":{"include_usage":true},`, 1},
		"null options":                 {`"stream_options":null,`, 0},
		"client asked for all usage":   {`"stream_options":{"include_usage":true,"continuous_usage_stats":true},`, 9},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			r := f.streamed("7")
			r.body = `{` + tc.options + strings.TrimPrefix(r.body, "{")
			a := f.send(r)
			stream, encoded := splitStream(t, a.body)
			if !bytes.HasSuffix(stream, []byte("data: [DONE]\n\n")) || bytes.Count(stream, []byte("data: ")) < 9 {
				t.Fatalf("got %s", stream)
			}
			if got := bytes.Count(stream, []byte(`"usage":{`)); got != tc.usageLines {
				t.Fatalf("usage objects: got %d, want %d in %s", got, tc.usageLines, stream)
			}
			if a.trailer.Get(wire.HeaderReceipt) != encoded {
				t.Fatalf("trailer %q is not the comment %q", a.trailer.Get(wire.HeaderReceipt), encoded)
			}
			rec := f.record(encoded)
			if rec.Outcome != receipt.OutcomeOK || rec.PromptTokens != 5 || rec.OutputTokens != 7 || rec.Amount != 8 {
				t.Fatalf("got %+v", rec)
			}
			if rec.OutputCommit != wire.Commit(r.salt, stream) {
				t.Fatal("outputCommit is not that of the stream up to [DONE]")
			}
			for line := range strings.Lines(string(stream)) {
				if data, ok := strings.CutPrefix(line, "data: {"); ok && !json.Valid([]byte("{"+data)) {
					t.Fatalf("event is no JSON: %s", line)
				}
			}
		})
	}
}

func TestRepeatedAuthorisationGetsTheStoredReceipt(t *testing.T) {
	f := newFixture(t, nil)
	r := f.chat("4")
	first := f.send(r)
	rec := f.record(first.header.Get(wire.HeaderReceipt))
	again := f.send(r)
	var got struct {
		Receipt  string
		Replayed bool
	}
	if err := json.Unmarshal(again.body, &got); err != nil {
		t.Fatal(err)
	}
	if again.status != http.StatusOK || !got.Replayed || got.Receipt != again.header.Get(wire.HeaderReceipt) || f.record(got.Receipt) != rec {
		t.Fatalf("got %d %s", again.status, again.body)
	}
	if n := f.engine.Stats().Requests; n != 1 {
		t.Fatalf("the engine was asked %d times", n)
	}

	other := f.chat("5")
	other.auth.Nonce = r.auth.Nonce
	if a := f.send(other); a.status != http.StatusConflict || a.code() != "NONCE_USED" {
		t.Fatalf("same nonce for another job: got %d %s", a.status, a.body)
	}
	f.stop()
	f.start()
	if a := f.send(r); a.header.Get(wire.HeaderReceipt) != got.Receipt {
		t.Fatalf("after a restart: got %d %s", a.status, a.body)
	}
	if a := f.send(other); a.code() != "NONCE_USED" {
		t.Fatalf("same nonce after a restart: got %d %s", a.status, a.body)
	}
}

func TestBodyIsUnderstoodInOneWay(t *testing.T) {
	f := newFixture(t, nil)
	// Go would match "Model" to a field named model; the engine would not.
	r := f.request(`{"model":"base","Model":"ada","max_tokens":1,"max_tokens":3,"messages":[{"content":"a"}]}`)
	rec := f.record(f.send(r).header.Get(wire.HeaderReceipt))
	if rec.OutputTokens != 3 {
		t.Fatalf("got %+v", rec)
	}
}

func TestExecCommitBindsSamplingAndSeed(t *testing.T) {
	f := newFixture(t, nil)
	commit := func(extra string) [32]byte {
		r := f.request(`{"model":"base","messages":[],"max_tokens":1` + extra + `}`)
		return f.record(f.send(r).header.Get(wire.HeaderReceipt)).ExecCommit
	}
	plain, seeded, hot := commit(``), commit(`,"seed":7`), commit(`,"temperature":1.5`)
	if plain == seeded || plain == hot || seeded == hot || plain != commit(`,"user":"x"`) {
		t.Fatalf("got %x, %x, %x", plain, seeded, hot)
	}
}

func TestSeqAndEpochAscendTogether(t *testing.T) {
	f := newFixture(t, nil)
	for _, epoch := range []uint64{3, 4, 3, 5} { // a node that restarts may fall back for a moment
		f.chain.set(func(c *fakeChain) { c.epoch = epoch })
		f.send(f.chat("1"))
	}
	want := []uint64{3, 4, 4, 5}
	for i, rec := range f.logged() {
		if rec.Epoch != want[i] || rec.Seq != uint64(i+1) {
			t.Errorf("receipt %d: got epoch %d seq %d, want epoch %d", i, rec.Epoch, rec.Seq, want[i])
		}
	}
}

func TestSGLangEngine(t *testing.T) {
	f := newFixture(t, func(c *host.Config, e *enginesim.Config) {
		e.OwnedBy = "sglang"
		c.Models[0].Adapters[0].EngineName = "base:ada"
	})
	r := f.request(`{"model":"ada","messages":[{"content":"a b"}],"stream":true,"max_tokens":3}`)
	r.auth.AdapterID = adapterID
	stream, encoded := splitStream(t, f.send(r).body)
	if rec := f.record(encoded); rec.OutputTokens != 3 || !bytes.Contains(stream, []byte(`"model":"base:ada"`)) {
		t.Fatalf("got %+v, %s", rec, stream)
	}
}

func TestModelsAreThoseConfiguredAndLoaded(t *testing.T) {
	f := newFixture(t, func(c *host.Config, _ *enginesim.Config) {
		c.Models = append(c.Models, host.Model{Name: "not-loaded", ID: [32]byte{0xdd}})
	})
	a := f.get("/v1/models", "")
	var list struct {
		Data []struct {
			ID, Parent string
			AdapterID  string `json:"gpucoord_adapter_id"`
		}
	}
	if err := json.Unmarshal(a.body, &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Data) != 2 || list.Data[0].ID != "base" || list.Data[1].ID != "ada" || list.Data[1].Parent != "base" ||
		list.Data[1].AdapterID != hex.EncodeToString(adapterID[:]) || bytes.Contains(a.body, []byte("/adapters/")) {
		t.Fatalf("got %s", a.body)
	}
}

func TestCard(t *testing.T) {
	f := newFixture(t, nil)
	var card struct {
		ChainID    string `json:"chain_id"`
		KeyAddress string `json:"key_address"`
		Simulated  bool
		Models     []struct {
			Name     string
			PriceIn  uint64 `json:"price_in_uusdc_per_million"`
			Adapters []struct{ Name string }
		}
		Claims map[string]struct{ Status string }
	}
	if err := json.Unmarshal(f.get("/.well-known/gpucoord", "").body, &card); err != nil {
		t.Fatal(err)
	}
	addr := receipt.KeyAddress(f.key)
	if card.ChainID != chainID || card.KeyAddress != hex.EncodeToString(addr[:]) || !card.Simulated || len(card.Claims) != 4 ||
		len(card.Models) != 1 || card.Models[0].PriceIn != priceIn || card.Models[0].Adapters[0].Name != "ada" {
		t.Fatalf("got %+v", card)
	}
	for name, c := range card.Claims {
		if c.Status != "not offered" {
			t.Errorf("claim %s: got %q", name, c.Status)
		}
	}
}

// get asks the public interface, with a proof of a payer key unless auth is empty.
func (f *fixture) get(path, auth string) *answer {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, f.server.URL+path, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	if auth != "" {
		req.Header.Set(wire.HeaderAuth, auth)
	}
	return f.do(req)
}
