// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gpucoord/gpucoord/verify"
)

// selectorHead is that of head(), as the compiler prints it.
const selectorHead = "8f7dcfa3"

// fakeContract answers JSON-RPC like a node behind which one contract stands.
type fakeContract struct {
	origin, ring [32]byte
	frozen       bool
	includes     uint64
	status       int
	noCode       bool
	answer       string
	calls        []string
}

func (f *fakeContract) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var request struct {
		Method string            `json:"method"`
		Params []json.RawMessage `json:"params"`
	}
	if json.Unmarshal(body, &request) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	f.calls = append(f.calls, request.Method)
	switch {
	case f.status != 0:
		w.WriteHeader(f.status)
	case f.answer != "":
		_, _ = io.WriteString(w, f.answer)
	case request.Method == "eth_blockNumber":
		_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":1,"result":"0x1f"}`)
	default:
		var message struct{ To, Data string }
		_ = json.Unmarshal(request.Params[0], &message)
		_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":1,"result":"0x%x"}`, f.call(message.Data))
	}
}

func word(n uint64) []byte {
	return append(make([]byte, 24), byte(n>>56), byte(n>>48), byte(n>>40), byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

func (f *fakeContract) call(data string) []byte {
	if f.noCode {
		return nil
	}
	switch calldata := strings.TrimPrefix(data, "0x"); {
	case len(calldata) > 8+64:
		return word(f.includes)
	case len(calldata) == 8+64:
		return f.ring[:]
	case calldata == selectorHead:
		frozen := uint64(0)
		if f.frozen {
			frozen = 1
		}
		var b []byte
		for _, n := range []uint64{9, logSize, 990, 1, frozen} {
			b = append(b, word(n)...)
		}
		return b
	default:
		return f.origin[:]
	}
}

func TestContract(t *testing.T) {
	w, _ := base()
	held := w.anchor.StructHash()
	for _, c := range []struct {
		name   string
		node   fakeContract
		status verify.Status
		err    error
		exit   int
	}{
		{"agrees", fakeContract{origin: origin, ring: held, includes: 1}, verify.Pass, nil, 0},
		{"of another chain", fakeContract{origin: [32]byte{1}, ring: held, includes: 1}, verify.Fail, verify.ErrContractOrigin, 1},
		{"frozen", fakeContract{origin: origin, ring: held, includes: 1, frozen: true}, verify.Fail, verify.ErrContractFrozen, 1},
		{"without the anchor", fakeContract{origin: origin, includes: 1}, verify.Fail, verify.ErrContractNoAnchor, 1},
		{"disagrees", fakeContract{origin: origin, ring: held}, verify.Fail, verify.ErrContract, 1},
		{"says neither true nor false", fakeContract{origin: origin, ring: held, includes: 2}, verify.Fail, verify.ErrContract, 1},
		{"no contract there", fakeContract{noCode: true}, verify.Fail, verify.ErrContract, 1},
		{"node is down", fakeContract{status: http.StatusBadGateway}, verify.NotChecked, nil, 2},
		{"node answers nonsense", fakeContract{answer: "<html>"}, verify.NotChecked, nil, 2},
		{"node reports an error", fakeContract{answer: `{"error":{"code":3,"message":"execution reverted"}}`}, verify.NotChecked, nil, 2},
		{"node answers nothing", fakeContract{answer: `{"result":null}`}, verify.NotChecked, nil, 2},
		{"block number is none", fakeContract{answer: `{"result":"abc"}`}, verify.NotChecked, nil, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(&c.node)
			defer server.Close()
			b, trust := baseBundle()
			contract := &verify.Contract{URL: server.URL + "/v3/secret-key", Address: [20]byte{7}}
			report := check(t, b, verify.Options{Trust: trust, Contract: contract})
			row := report.Row(verify.CheckEVM)
			if row.Status != c.status || !errors.Is(row.Err, c.err) || report.ExitCode() != c.exit {
				t.Errorf("exit %d, %s: %s", report.ExitCode(), row.Status, row.What)
			}
			if text := show(t, report); strings.Contains(text, "secret-key") || (c.exit == 0) != strings.HasSuffix(text, "all checks passed\n") {
				t.Errorf("report:\n%s", text)
			}
		})
	}
}

// TestUnreachable: the error of a request that got no answer does not print the URL, which may hold a key.
func TestUnreachable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	b, trust := baseBundle()
	report := check(t, b, verify.Options{Trust: trust, Contract: &verify.Contract{URL: server.URL + "/v3/secret-key"}})
	if text := show(t, report); report.ExitCode() != 2 || strings.Contains(text, "secret-key") {
		t.Errorf("exit %d\n%s", report.ExitCode(), text)
	}
}
