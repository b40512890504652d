// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/cosmos/gogoproto/proto"

	svrcmd "github.com/cosmos/cosmos-sdk/server/cmd"
)

// fakeNode answers CometBFT's JSON-RPC: queries with the message for their path, transactions with a code.
type fakeNode struct {
	t       *testing.T
	answers map[string]proto.Message
	asked   map[string][]byte // the last request of each path
	code    uint32
	url     string
}

func newFakeNode(t *testing.T) *fakeNode {
	t.Helper()
	n := &fakeNode{t: t, answers: make(map[string]proto.Message), asked: make(map[string][]byte)}
	server := httptest.NewServer(n)
	t.Cleanup(server.Close)
	n.url = server.URL
	return n
}

// ServeHTTP implements http.Handler.
func (n *fakeNode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var call struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
		Params struct {
			Path string `json:"path"`
			Data string `json:"data"`
		} `json:"params"`
	}
	if err := json.NewDecoder(r.Body).Decode(&call); err != nil {
		n.t.Errorf("request: %v", err)
		return
	}
	var result string
	switch call.Method {
	case "abci_query":
		answer, known := n.answers[call.Params.Path]
		if !known {
			n.t.Errorf("query of %s", call.Params.Path)
			return
		}
		raw, err := proto.Marshal(answer)
		if err != nil {
			n.t.Error(err)
		}
		if n.asked[call.Params.Path], err = hex.DecodeString(call.Params.Data); err != nil {
			n.t.Error(err)
		}
		result = fmt.Sprintf(`{"response":{"code":0,"value":%q,"height":"7"}}`, base64.StdEncoding.EncodeToString(raw))
	case "broadcast_tx_sync":
		result = fmt.Sprintf(`{"code":%d,"data":"","log":"insufficient fee","codespace":"sdk","hash":"00AB"}`, n.code)
	default:
		n.t.Errorf("call of %s", call.Method)
	}
	if _, err := fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`, call.ID, result); err != nil {
		n.t.Error(err)
	}
}

// gpucoord runs a command line and returns what it printed.
func gpucoord(t *testing.T, args ...string) (string, error) {
	t.Helper()
	root, err := newRootCommand(filepath.Join(t.TempDir(), "default"))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(args)
	err = svrcmd.Execute(root, environmentPrefix, filepath.Join(t.TempDir(), "default"))
	return out.String(), err
}

// clientHome is a home with a client.toml.
func clientHome(t *testing.T, node string) string {
	t.Helper()
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, "config"), 0o700); err != nil {
		t.Fatal(err)
	}
	settings := fmt.Sprintf("chain-id = \"local-test-1\"\nkeyring-backend = \"test\"\noutput = \"text\"\nnode = %q\nbroadcast-mode = \"sync\"\n", node)
	if err := os.WriteFile(filepath.Join(home, "config", "client.toml"), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	return home
}
