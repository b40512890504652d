// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"errors"
	"log/slog"
	"os"
	"testing"

	"github.com/gpucoord/gpucoord/host"
	"github.com/gpucoord/gpucoord/host/receiptlog"
)

func TestConfigFaultsAreNamed(t *testing.T) {
	for name, tc := range map[string]struct {
		want   error
		change func(*host.Config)
	}{
		"chain id":            {host.ErrNoChainID, func(c *host.Config) { c.ChainID = "" }},
		"host id":             {host.ErrNoHostID, func(c *host.Config) { c.HostID = [32]byte{} }},
		"data dir":            {host.ErrNoDataDir, func(c *host.Config) { c.DataDir = "" }},
		"half TLS":            {host.ErrHalfTLS, func(c *host.Config) { c.TLSCertFile = "x" }},
		"admin token":         {host.ErrNoAdminToken, func(c *host.Config) { c.AdminTokenFile = "" }},
		"engine scheme":       {host.ErrBadEngineURL, func(c *host.Config) { c.EngineURL = "ftp://engine" }},
		"engine path":         {host.ErrBadEngineURL, func(c *host.Config) { c.EngineURL = "http://engine/v1" }},
		"engine password":     {host.ErrBadEngineURL, func(c *host.Config) { c.EngineURL = "http://a:b@engine" }},
		"listen":              {host.ErrBadListen, func(c *host.Config) { c.Listen = "8080" }},
		"admin on all":        {host.ErrAdminExposed, func(c *host.Config) { c.AdminListen = "0.0.0.0:1" }},
		"admin on no address": {host.ErrAdminExposed, func(c *host.Config) { c.AdminListen = ":1" }},
		"no models":           {host.ErrNoModels, func(c *host.Config) { c.Models = nil }},
		"no model id":         {host.ErrBadModel, func(c *host.Config) { c.Models = []host.Model{{Name: "x"}} }},
		"no model name":       {host.ErrBadModel, func(c *host.Config) { c.Models = []host.Model{{ID: modelID}} }},
		"name twice":          {host.ErrBadModel, func(c *host.Config) { c.Models = append(c.Models, host.Model{Name: "ada", ID: [32]byte{1}}) }},
		"id twice":            {host.ErrBadModel, func(c *host.Config) { c.Models = append(c.Models, host.Model{Name: "y", ID: modelID}) }},
		"limit":               {host.ErrBadLimit, func(c *host.Config) { c.Limits.MaxConcurrent = 0 }},
		"burst":               {host.ErrBadLimit, func(c *host.Config) { c.Limits.RatePerSecond, c.Limits.RateBurst = 1, 0 }},
		"timeout":             {host.ErrBadLimit, func(c *host.Config) { c.Timeouts.Write = 0 }},
	} {
		cfg := config(t)
		cfg.EngineURL = "http://127.0.0.1:1"
		if err := cfg.Check(); err != nil {
			t.Fatal(err)
		}
		tc.change(&cfg)
		if err := cfg.Check(); !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestNewRefusesWhatItCannotServeWith(t *testing.T) {
	cfg := config(t)
	cfg.EngineURL = "http://127.0.0.1:1"
	deps := host.Deps{Chain: newFakeChain(), Key: key("host"), Logger: slog.New(slog.DiscardHandler)}
	if _, err := host.New(cfg, host.Deps{}); !errors.Is(err, host.ErrMissingDeps) {
		t.Fatalf("no deps: got %v", err)
	}
	h, err := host.New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := host.New(cfg, deps); !errors.Is(err, receiptlog.ErrLocked) {
		t.Fatalf("second host: got %v", err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	deps.Key = key("another")
	if _, err := host.New(cfg, deps); !errors.Is(err, receiptlog.ErrForeign) {
		t.Fatalf("another key: got %v", err)
	}
	if err := os.WriteFile(cfg.AdminTokenFile, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := host.New(cfg, deps); !errors.Is(err, host.ErrNoAdminToken) {
		t.Fatalf("short token: got %v", err)
	}
}
