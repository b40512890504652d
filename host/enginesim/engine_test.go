// SPDX-License-Identifier: Apache-2.0

package enginesim_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gpucoord/gpucoord/host/enginesim"
)

func config() enginesim.Config {
	return enginesim.Config{Model: "base", Root: "org/Base", Adapters: []string{"ada"}, PromptTokensDetails: true}
}

func post(e http.Handler, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
	return w
}

type answer struct {
	Object  string
	Model   string
	Choices []struct {
		Message struct{ Content string }
		Text    string
		Finish  string `json:"finish_reason"`
	}
	Usage struct {
		Prompt  int `json:"prompt_tokens"`
		Output  int `json:"completion_tokens"`
		Total   int `json:"total_tokens"`
		Details struct {
			Cached int `json:"cached_tokens"`
		} `json:"prompt_tokens_details"`
	}
	Error struct {
		Type string
		Code int
	}
}

func decode(t *testing.T, w *httptest.ResponseRecorder) (a answer) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatalf("answer %q: %v", w.Body, err)
	}
	return a
}

func TestChatCompletion(t *testing.T) {
	e := enginesim.New(config())
	body := `{"model":"ada","messages":[{"role":"system","content":"be brief"},{"role":"user","content":[{"type":"text","text":"one two three"}]}],"max_tokens":4}`
	a := decode(t, post(e, "/v1/chat/completions", body))
	if a.Object != "chat.completion" || a.Model != "ada" || a.Usage.Prompt != 5 || a.Usage.Output != 4 || a.Usage.Total != 9 {
		t.Fatalf("got %+v", a)
	}
	if c := a.Choices[0]; c.Finish != "length" || !strings.HasPrefix(c.Message.Content, enginesim.Label) {
		t.Fatalf("got %+v", c)
	}
}

func TestRepeatedPromptIsCachedInBlocks(t *testing.T) {
	e := enginesim.New(config())
	body := `{"model":"base","prompt":"` + strings.Repeat("w ", 40) + `","max_tokens":1}`
	first, second := decode(t, post(e, "/v1/completions", body)), decode(t, post(e, "/v1/completions", body))
	if first.Usage.Details.Cached != 0 || second.Usage.Details.Cached != 32 || second.Usage.Prompt != 40 {
		t.Fatalf("got %+v, then %+v", first.Usage, second.Usage)
	}
	if second.Object != "text_completion" || second.Choices[0].Text != enginesim.Label {
		t.Fatalf("got %+v", second)
	}
}

func TestErrorsInVLLMsShape(t *testing.T) {
	e := enginesim.New(config())
	for name, tc := range map[string]struct {
		body, kind string
		status     int
	}{
		"unknown model":  {`{"model":"nope","messages":[]}`, "NotFoundError", 404},
		"not JSON":       {`{`, "BadRequestError", 400},
		"too long":       {`{"model":"base","prompt":"a","max_tokens":131072}`, "BadRequestError", 400},
		"stream options": {`{"model":"base","prompt":"a","stream_options":{"include_usage":true}}`, "BadRequestError", 400},
	} {
		w := post(e, "/v1/chat/completions", tc.body)
		if a := decode(t, w); w.Code != tc.status || a.Error.Code != tc.status || a.Error.Type != tc.kind {
			t.Errorf("%s: got %d %s", name, w.Code, w.Body)
		}
	}
}

func TestStreamHasTheChunksOfTheCapture(t *testing.T) {
	e := enginesim.New(config())
	w := post(e, "/v1/chat/completions",
		`{"model":"base","messages":[{"content":"a b"}],"max_tokens":3,"stream":true,"stream_options":{"include_usage":true}}`)
	var events []string
	for sc := bufio.NewScanner(w.Body); sc.Scan(); {
		if data, ok := strings.CutPrefix(sc.Text(), "data: "); ok {
			events = append(events, data)
		}
	}
	if len(events) != 6 || events[5] != "[DONE]" { // 3 tokens, the finish, the usage
		t.Fatalf("got %q", events)
	}
	if !strings.Contains(events[4], `"choices":[]`) || !strings.Contains(events[4], `"completion_tokens":3`) {
		t.Fatalf("usage chunk: %s", events[4])
	}
	if strings.Contains(events[0], "usage") || !strings.Contains(events[3], `"finish_reason":"length"`) {
		t.Fatalf("got %q", events)
	}
}

func TestAdaptersAreLoadedAndUnloaded(t *testing.T) {
	e := enginesim.New(config())
	if w := post(e, "/v1/load_lora_adapter", `{"lora_name":"new","lora_path":"/adapters/new"}`); w.Code != 200 ||
		w.Body.String() != "Success: LoRA adapter 'new' added successfully" {
		t.Fatalf("load: %d %s", w.Code, w.Body)
	}
	if w := post(e, "/v1/load_lora_adapter", `{"lora_name":"new","lora_path":"/adapters/new"}`); w.Code != 400 {
		t.Fatalf("load twice: %d", w.Code)
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/models", nil))
	var list struct {
		Data []struct {
			ID, Root, Parent string
			OwnedBy          string `json:"owned_by"`
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Data) != 3 || list.Data[0].Parent != "" || list.Data[0].Root != "org/Base" || list.Data[2].ID != "new" ||
		list.Data[2].Parent != "base" || list.Data[2].OwnedBy != "vllm" {
		t.Fatalf("got %+v", list.Data)
	}
	if w := post(e, "/v1/unload_lora_adapter", `{"lora_name":"new"}`); w.Code != 200 {
		t.Fatalf("unload: %d", w.Code)
	}
	if w := post(e, "/v1/unload_lora_adapter", `{"lora_name":"new"}`); w.Code != 404 {
		t.Fatalf("unload twice: %d", w.Code)
	}
}

func TestSGLangNames(t *testing.T) {
	cfg := config()
	cfg.OwnedBy = "sglang"
	e := enginesim.New(cfg)
	if w := post(e, "/v1/completions", `{"model":"base:ada","prompt":"a"}`); w.Code != 200 {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	if w := post(e, "/load_lora_adapter", `{"lora_name":"x","lora_path":"/x"}`); w.Code != 200 {
		t.Fatalf("got %d", w.Code)
	}
}

func TestMetricsHaveTheFixturesNames(t *testing.T) {
	e := enginesim.New(config())
	post(e, "/v1/completions", `{"model":"base","prompt":"a b c","max_tokens":2}`)
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	got, _ := io.ReadAll(w.Body) // a recorder's buffer
	for _, line := range []string{
		`vllm:prompt_tokens_total{model_name="base",engine="0"} 3.0`,
		`vllm:generation_tokens_total{model_name="base",engine="0"} 2.0`,
		`vllm:request_success_total{finished_reason="length",model_name="base",engine="0"} 1.0`,
		`vllm:num_requests_running{model_name="base",engine="0"} 0.0`,
	} {
		if !strings.Contains(string(got), line+"\n") {
			t.Errorf("no %q in\n%s", line, got)
		}
	}
}

func TestLatencyIsTheConfiguredOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := config()
		cfg.TTFT, cfg.PerToken = time.Second, 10*time.Millisecond
		e := enginesim.New(cfg)
		start := time.Now()
		post(e, "/v1/completions", `{"model":"base","prompt":"a","max_tokens":11}`)
		if got, want := time.Since(start), time.Second+100*time.Millisecond; got != want {
			t.Fatalf("took %v, want %v", got, want)
		}
	})
}
