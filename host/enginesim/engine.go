// SPDX-License-Identifier: Apache-2.0

// Package enginesim stands in for an inference engine: it speaks vLLM's HTTP shapes and runs no model.
//
// Every answer says in its text that it is simulated. It is deterministic: the number of output tokens follows from max_tokens, the number
// of prompt tokens is that of the words in the prompt, ids count requests, and a prompt that came before counts as cached in blocks of 16
// tokens. It answers one choice whatever n asks for. Latency and faults are configurable.
package enginesim

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Label begins every text the engine writes.
const Label = "[simulated output, no model was run]"

// createdAt is the fixed time of every model and completion, in Unix seconds.
const createdAt = 1790000000

// Config says what the engine pretends to serve.
type Config struct {
	// Model is the served name of the base model, Root what it was loaded from (default: Model).
	Model, Root string
	// Adapters are the adapters loaded at the start.
	Adapters []string
	// OwnedBy tells engines apart: "vllm" (default) or "sglang".
	OwnedBy string
	// MaxModelLen bounds prompt and output together, in tokens (default 131072).
	MaxModelLen uint64
	// DefaultMaxTokens is how many tokens are written when the request does not say (default 16).
	DefaultMaxTokens uint64
	// TTFT is the time to the first token and PerToken that between two tokens; both may be zero.
	TTFT, PerToken time.Duration
	// PromptTokensDetails adds cached_tokens to the usage, as --enable-prompt-tokens-details does.
	PromptTokensDetails bool
}

// Engine is the stand-in; it is an http.Handler.
type Engine struct {
	cfg Config
	mux *http.ServeMux

	mu       sync.Mutex // guards what follows
	adapters map[string]string
	fault    Fault
	stats    Stats
	seen     map[[32]byte]bool
	order    [][32]byte // of seen, oldest first
}

// Stats counts what the engine did.
type Stats struct {
	// Requests counts completions asked for; Stop, Length and Aborted how they ended.
	Requests, Stop, Length, Aborted uint64
	// Running is how many are in progress.
	Running uint64
	// PromptTokens, CachedTokens and OutputTokens are summed over finished completions.
	PromptTokens, CachedTokens, OutputTokens uint64
}

// New returns an engine that serves cfg.
func New(cfg Config) *Engine {
	if cfg.Root == "" {
		cfg.Root = cfg.Model
	}
	if cfg.OwnedBy == "" {
		cfg.OwnedBy = "vllm"
	}
	if cfg.MaxModelLen == 0 {
		cfg.MaxModelLen = 131072
	}
	if cfg.DefaultMaxTokens == 0 {
		cfg.DefaultMaxTokens = 16
	}
	e := &Engine{cfg: cfg, mux: http.NewServeMux(), adapters: make(map[string]string), seen: make(map[[32]byte]bool)}
	for _, a := range cfg.Adapters {
		e.adapters[a] = "/adapters/" + a
	}
	e.mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	e.mux.HandleFunc("GET /metrics", e.metrics)
	e.mux.HandleFunc("GET /v1/models", e.models)
	e.mux.HandleFunc("POST /v1/chat/completions", e.complete(chatShape))
	e.mux.HandleFunc("POST /v1/completions", e.complete(textShape))
	for _, prefix := range []string{"/v1", ""} { // vLLM's path and SGLang's
		e.mux.HandleFunc("POST "+prefix+"/load_lora_adapter", e.loadAdapter)
		e.mux.HandleFunc("POST "+prefix+"/unload_lora_adapter", e.unloadAdapter)
	}
	return e
}

// ServeHTTP implements http.Handler.
func (e *Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.mux.ServeHTTP(w, r) }

// Stats returns what the engine did so far.
func (e *Engine) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.stats
}

// count changes the counters.
func (e *Engine) count(change func(*Stats)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change(&e.stats)
}

// cacheBlock is the granularity of a prefix cache, in tokens; cacheEntries how many prompts are remembered.
const (
	cacheBlock   = 16
	cacheEntries = 1024
)

// cached returns how many of a prompt's tokens the simulated prefix cache holds, and remembers the prompt.
func (e *Engine) cached(prompt string, tokens uint64) uint64 {
	key := sha256.Sum256([]byte(prompt))
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.seen[key] {
		return tokens / cacheBlock * cacheBlock
	}
	if len(e.order) == cacheEntries {
		delete(e.seen, e.order[0])
		e.order = e.order[1:]
	}
	e.seen[key] = true
	e.order = append(e.order, key)
	return 0
}

// apiError answers in vLLM's error shape.
func apiError(w http.ResponseWriter, status int, kind, message string) {
	writeJSON(w, status, map[string]any{"error": map[string]any{"message": message, "type": kind, "param": nil, "code": status}})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, fmt.Sprintf("encode answer: %v", err), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the client is gone
}
