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
	"github.com/gpucoord/gpucoord/relayer/evm"
)

// anchoringOnly is a configuration whose node and EVM chain do not exist.
func anchoringOnly() config.Anchoring {
	return config.Anchoring{
		ChainID: "gpucoord-test", Node: "grpc://127.0.0.1:1", StatusListen: "127.0.0.1:0",
		EVM: []config.EVM{{Name: "x", ChainID: 1, RPCs: []string{"http://127.0.0.1:1"}, Contract: config.EVMAddress{1}, WatchOnly: true}},
	}
}

func TestAnchorRefusesWhatCannotWork(t *testing.T) {
	open := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(open, []byte("{}"), 0o644); err != nil { //nolint:gosec // that is the fault
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		spoil func(*config.Anchoring)
		want  error
	}{
		"configuration":    {func(c *config.Anchoring) { c.EVM = nil }, config.ErrNoEVM},
		"node address":     {func(c *config.Anchoring) { c.Node = "127.0.0.1:9090" }, chain.ErrBadURL},
		"key for all":      {func(c *config.Anchoring) { c.EVM[0].KeyFile, c.EVM[0].PasswordFile = open, open }, evm.ErrKeyMode},
		"no file of a URL": {func(c *config.Anchoring) { c.EVM[0].RPCs[0] = "file:" + open + "x" }, os.ErrNotExist},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := anchoringOnly()
			c.spoil(&cfg)
			if err := relayer.Anchor(t.Context(), cfg, slog.New(slog.DiscardHandler)); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestAnchorWaitsForItsNode(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := relayer.Anchor(ctx, anchoringOnly(), slog.New(slog.DiscardHandler)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want that it waited until its context ended", err)
	}
}
