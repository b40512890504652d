// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/relayer/config"
	"github.com/gpucoord/gpucoord/relayer/evm"
	"github.com/gpucoord/gpucoord/relayer/evm/devchain"
)

func TestEVMDeployPrintsTheContract(t *testing.T) {
	dev, err := devchain.Start(t.Context(), devchain.Options{Dir: t.TempDir(), BlockInterval: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := dev.Close(); err != nil {
			t.Error(err)
		}
	}()
	id := strings.Repeat("0a", 32)
	args := []string{
		"evm", "deploy", "--rpc", dev.URL, "--key-file", dev.Accounts[0].KeystorePath, "--password-file", dev.Accounts[0].PasswordFile,
		"--chain-id", "gpucoord-1", "--origin", id, "--valset", "0x" + id, "--trusting-period", "1h",
	}
	out, err := execute(t, args...)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out, "contract 0x") || !strings.Contains(out, "origin   "+id+"\n") {
		t.Errorf("printed %q", out)
	}
	if _, err := execute(t, append(args, "--origin", "0a")...); !errors.Is(err, errNotHash) {
		t.Errorf("a short origin: got %v", err)
	}
	if _, err := execute(t, append(args, "--password-file", dev.Accounts[0].KeystorePath)...); !errors.Is(err, evm.ErrKeyFile) {
		t.Errorf("a wrong password: got %v", err)
	}
}

func TestEVMRunNeedsItsFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "evm.toml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("chain_id = \"gpucoord-1\"\n")
	if _, err := execute(t, "evm", "run", "--config", file); !errors.Is(err, config.ErrNoEVM) {
		t.Errorf("got %v, want %v", err, config.ErrNoEVM)
	}
	write(`
chain_id = "gpucoord-1"
node = "grpc://127.0.0.1:1"
status_listen = "127.0.0.1:0"
[[evm]]
name = "dev"
chain_id = 1337
rpcs = ["http://127.0.0.1:1"]
contract = "0x00000000000000000000000000000000000000aa"
watch_only = true
`)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := executeWith(ctx, "evm", "run", "--config", file); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want that it runs until its context ends", err)
	}
}
