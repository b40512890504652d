// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// rpcProxy stands between a relayer and an EVM node. It can be down, serve an old state, and tell when a transaction went out.
type rpcProxy struct {
	url, target string

	mu sync.Mutex
	// down hangs up on every caller.
	down bool
	// newest is the block whose state is shown as the newest; 0 shows the node's.
	newest uint64
	// sent runs once, when the node has taken a transaction and before the caller hears of it.
	sent func()
}

func startProxy(t *testing.T, target string) *rpcProxy {
	t.Helper()
	p := &rpcProxy{target: target}
	server := httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

// set changes what the proxy does.
func (p *rpcProxy) set(change func(*rpcProxy)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

// question is a JSON-RPC request.
type question struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  []any           `json:"params"`
}

func (p *rpcProxy) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	down, newest := p.down, p.newest
	p.mu.Unlock()
	if down {
		panic(http.ErrAbortHandler) // hangs up
	}
	var q question
	decoder := json.NewDecoder(r.Body)
	decoder.UseNumber()
	if err := decoder.Decode(&q); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if newest > 0 {
		q.age(newest)
	}
	body, err := json.Marshal(q)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	answer, status, err := forward(r, p.target, body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	if q.Method == "eth_sendRawTransaction" && !bytes.Contains(answer, []byte(`"error"`)) {
		p.mu.Lock()
		sent := p.sent
		p.sent = nil
		p.mu.Unlock()
		if sent != nil {
			sent()
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(answer) // the caller may be gone
}

func forward(r *http.Request, target string, body []byte) ([]byte, int, error) {
	request, err := http.NewRequestWithContext(r.Context(), http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, 0, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return answer, response.StatusCode, err
}

// blockAt says which parameter of a method names a block.
var blockAt = map[string]int{
	"eth_getBlockByNumber": 0, "eth_call": 1, "eth_getBalance": 1, "eth_getTransactionCount": 1, "eth_getCode": 1, "eth_estimateGas": 1,
}

// age asks for the state of an old block wherever newer ones were asked for. Such a node knows no receipt of a later block either.
func (q *question) age(newest uint64) {
	old := fmt.Sprintf("0x%x", newest)
	if q.Method == "eth_getTransactionReceipt" {
		q.Params = []any{"0x" + strings.Repeat("0", 64)}
		return
	}
	i, names := blockAt[q.Method]
	if !names {
		return
	}
	if len(q.Params) <= i {
		q.Params = append(q.Params, old)
		return
	}
	tag, _ := q.Params[i].(string)
	number, err := strconv.ParseUint(strings.TrimPrefix(tag, "0x"), 16, 64)
	if slices.Contains([]string{"latest", "pending", "safe", "finalized"}, tag) || err == nil && number > newest {
		q.Params[i] = old
	}
}
