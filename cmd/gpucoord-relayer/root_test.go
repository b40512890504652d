// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gpucoord/gpucoord/host/enginesim"
	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/config"
)

// execute runs a command line and returns what it printed.
func execute(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return executeWith(t.Context(), args...)
}

func executeWith(ctx context.Context, args ...string) (string, error) {
	var out bytes.Buffer
	root := newRootCommand()
	root.SetOut(&out)
	root.SetErr(io.Discard)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	return out.String(), err
}

func TestKeysNewPrintsAddressesAndNeverTheKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	out, err := execute(t, "keys", "new", "--out", path)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	account, err := chain.LoadAccount(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out, account.Bech32()) || !strings.Contains(out, "key_address ") {
		t.Errorf("printed %q, want the addresses", out)
	}
	if strings.Contains(out, strings.TrimSpace(string(raw))) {
		t.Error("the key was printed")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v (%v), want 600", info.Mode().Perm(), err)
	}
	if _, err := execute(t, "keys", "new", "--out", path); !errors.Is(err, os.ErrExist) {
		t.Errorf("second time: got %v, want that the file exists", err)
	}
	if shown, err := execute(t, "keys", "show", path); err != nil || shown != out {
		t.Errorf("show prints %q (%v), want %q", shown, err, out)
	}
}

func TestCommandsReadTheirFileStrictly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.toml")
	if err := os.WriteFile(path, []byte("chain_idd = \"x\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"run", "host", "gateway"} {
		if _, err := execute(t, command, "--config", path); !errors.Is(err, config.ErrFile) {
			t.Errorf("%s: got %v, want ErrFile", command, err)
		}
		if _, err := execute(t, command); err == nil || !strings.Contains(err.Error(), "config") {
			t.Errorf("%s without a file: got %v", command, err)
		}
	}
	if _, err := execute(t, "engine", "--log-level", "loud"); err == nil || !strings.Contains(err.Error(), "loud") {
		t.Errorf("wrong log level: got %v", err)
	}
}

func TestRunChecksItsConfiguration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.toml")
	if err := os.WriteFile(path, []byte("chain_id = \"x\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := execute(t, "run", "--config", path); !errors.Is(err, config.ErrNoOperator) {
		t.Errorf("got %v, want ErrNoOperator", err)
	}
}

func TestEngineEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := executeWith(ctx, "engine", "--listen", "127.0.0.1:0"); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestEngineFailsOneCompletionInSoMany(t *testing.T) {
	h := engineHandler(&engineOptions{Config: enginesim.Config{Model: "m"}, failEvery: 3})
	var codes []int
	for range 6 {
		w := httptest.NewRecorder()
		body := strings.NewReader(`{"model":"m","messages":[{"role":"user","content":"hello"}],"max_tokens":2}`)
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/chat/completions", body))
		codes = append(codes, w.Code)
		if w.Code == http.StatusOK && !strings.Contains(w.Body.String(), "simulated") {
			t.Errorf("answer is not labelled: %s", w.Body)
		}
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("answer is no JSON: %s", w.Body)
		}
	}
	for i, want := range []int{200, 200, 500, 200, 200, 500} {
		if codes[i] != want {
			t.Fatalf("codes are %v", codes)
		}
	}
}

func TestVersion(t *testing.T) {
	if out, err := execute(t, "version"); err != nil || !strings.HasPrefix(out, "gpucoord-relayer ") || !strings.Contains(out, "signatures ") {
		t.Errorf("got %q, %v", out, err)
	}
}
