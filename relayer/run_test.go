// SPDX-License-Identifier: Apache-2.0

package relayer_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/relayer"
	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/config"
)

// good is a configuration whose files exist and whose node does not.
func good(t *testing.T) config.Relayer {
	t.Helper()
	dir := t.TempDir()
	key, token := filepath.Join(dir, "key"), filepath.Join(dir, "token")
	if err := errors.Join(chain.WriteKeyFile(key, [32]byte{31: 1}), os.WriteFile(token, []byte("a long enough token"), 0o600)); err != nil {
		t.Fatal(err)
	}
	c := config.DefaultRelayer()
	c.ChainID, c.Node, c.Operator = "gpucoord-test", "grpc://127.0.0.1:1", chain.Bech32(make([]byte, 20))
	c.AccountKeyFile, c.DataDir = key, filepath.Join(dir, "data")
	c.Serve = config.Serve{Listen: "127.0.0.1:0", PublicURL: "http://127.0.0.1:1", StatusListen: "127.0.0.1:0"}
	c.Hosts = []config.RelayedHost{{HostID: config.Hash{1}, AdminURL: "http://127.0.0.1:1", AdminTokenFile: token}}
	return c
}

func TestRunRefusesWhatCannotWork(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*config.Relayer)
		want  error
	}{
		"configuration": {func(c *config.Relayer) { c.Hosts = nil }, config.ErrNoHosts},
		"no key file":   {func(c *config.Relayer) { c.AccountKeyFile += "x" }, os.ErrNotExist},
		"node address":  {func(c *config.Relayer) { c.Node = "127.0.0.1:9090" }, chain.ErrBadURL},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := good(t)
			c.spoil(&cfg)
			if err := relayer.Run(t.Context(), cfg, slog.New(slog.DiscardHandler)); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestRunWaitsForItsNode(t *testing.T) {
	cfg := good(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := relayer.Run(ctx, cfg, slog.New(slog.DiscardHandler)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want that it waited until its context ended", err)
	}
	if _, err := os.Stat(filepath.Join(cfg.DataDir, "relayer.db")); err != nil {
		t.Errorf("store: %v", err)
	}
}

func TestAWatchtowerAloneNeedsNoOperator(t *testing.T) {
	cfg := good(t)
	cfg.Hosts, cfg.Operator, cfg.AccountKeyFile, cfg.Serve.PublicURL = nil, "", "", ""
	cfg.Watch.Enabled = true
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := relayer.Run(ctx, cfg, slog.New(slog.DiscardHandler)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want that it waited for its node until its context ended", err)
	}
}
