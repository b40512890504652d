// SPDX-License-Identifier: Apache-2.0

package enginesim

import (
	"fmt"
	"net/http"
	"strings"
)

// metrics answers vLLM's metric names; as in vLLM, every counter carries the base model only.
func (e *Engine) metrics(w http.ResponseWriter, _ *http.Request) {
	st := e.Stats()
	labels := fmt.Sprintf(`model_name=%q,engine="0"`, e.cfg.Model)
	var b strings.Builder
	metric := func(kind, name string, value uint64) {
		fmt.Fprintf(&b, "# TYPE vllm:%s %s\nvllm:%s{%s} %d.0\n", name, kind, name, labels, value)
	}
	metric("gauge", "num_requests_running", st.Running)
	metric("gauge", "num_requests_waiting", 0)
	metric("gauge", "kv_cache_usage_perc", 0)
	metric("counter", "prefix_cache_queries_total", st.PromptTokens)
	metric("counter", "prefix_cache_hits_total", st.CachedTokens)
	metric("counter", "prompt_tokens_total", st.PromptTokens)
	metric("counter", "generation_tokens_total", st.OutputTokens)
	b.WriteString("# TYPE vllm:request_success_total counter\n")
	for _, end := range []struct {
		reason string
		count  uint64
	}{{"stop", st.Stop}, {"length", st.Length}, {"abort", st.Aborted}} {
		fmt.Fprintf(&b, "vllm:request_success_total{finished_reason=%q,%s} %d.0\n", end.reason, labels, end.count)
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write([]byte(b.String())) // the client is gone
}
