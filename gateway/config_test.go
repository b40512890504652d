// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/gpucoord/gpucoord/gateway"
	"github.com/gpucoord/gpucoord/gateway/route"
	"github.com/gpucoord/gpucoord/relayer/chain"
)

func TestConfigFaultsHaveNames(t *testing.T) {
	id := hex.EncodeToString(modelID[:])
	for name, c := range map[string]struct {
		change func(*gateway.Config)
		want   error
	}{
		"none":          {func(*gateway.Config) {}, nil},
		"chain id":      {func(c *gateway.Config) { c.ChainID = "" }, gateway.ErrNoChainID},
		"key file":      {func(c *gateway.Config) { c.KeyFile = "" }, gateway.ErrNoKeyFile},
		"secret file":   {func(c *gateway.Config) { c.PaymentSecretFile = "" }, gateway.ErrNoSecretFile},
		"admin token":   {func(c *gateway.Config) { c.AdminTokenFile = "" }, gateway.ErrNoAdminToken},
		"ledger":        {func(c *gateway.Config) { c.Ledger = "" }, gateway.ErrNoLedger},
		"half of TLS":   {func(c *gateway.Config) { c.TLSCertFile = "x" }, gateway.ErrHalfTLS},
		"listen":        {func(c *gateway.Config) { c.Listen = "nowhere" }, gateway.ErrBadListen},
		"admin listen":  {func(c *gateway.Config) { c.AdminListen = "nowhere" }, gateway.ErrBadListen},
		"admin exposed": {func(c *gateway.Config) { c.AdminListen = "0.0.0.0:1" }, gateway.ErrAdminExposed},
		"admin on all":  {func(c *gateway.Config) { c.AdminListen = ":1" }, gateway.ErrAdminExposed},
		"model id":      {func(c *gateway.Config) { c.Models = []gateway.Model{{Name: "a", ModelID: "12"}} }, gateway.ErrBadModel},
		"zero model":    {func(c *gateway.Config) { c.Models = []gateway.Model{{Name: "a", ModelID: strings.Repeat("0", 64)}} }, gateway.ErrBadModel},
		"model name":    {func(c *gateway.Config) { c.Models = []gateway.Model{{ModelID: id}} }, gateway.ErrBadModel},
		"model twice": {func(c *gateway.Config) {
			c.Models = []gateway.Model{{Name: "a", ModelID: id}, {Name: "a", ModelID: id}}
		}, gateway.ErrBadModel},
		"no body":          {func(c *gateway.Config) { c.Limits.MaxBodyBytes = 0 }, gateway.ErrBadLimit},
		"no tries":         {func(c *gateway.Config) { c.Hosts.MaxTries = -1 }, gateway.ErrBadLimit},
		"default over max": {func(c *gateway.Config) { c.Limits.DefaultMaxTokens = c.Limits.MaxOutputTokens + 1 }, gateway.ErrBadLimit},
		"no choices":       {func(c *gateway.Config) { c.Limits.MaxChoices = 0 }, gateway.ErrBadLimit},
		"no write timeout": {func(c *gateway.Config) { c.Timeouts.Write = 0 }, gateway.ErrBadTimeout},
		"no interval":      {func(c *gateway.Config) { c.Receipts.Interval = 0 }, gateway.ErrBadTimeout},
		"long jobs":        {func(c *gateway.Config) { c.Timeouts.Job = gateway.Duration(time.Hour) }, gateway.ErrBadJobTTL},
	} {
		cfg := testConfig(t)
		c.change(&cfg)
		if err := cfg.Check(); !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestConfigIsWrittenAsTOML(t *testing.T) {
	cfg := testConfig(t)
	cfg.Models = []gateway.Model{{Name: "a", ModelID: "b"}}
	text, err := toml.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var got gateway.Config
	if err := toml.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, cfg) {
		t.Fatalf("got %+v, %v\nof %s", got, err, text)
	}
	for _, line := range []string{"[timeouts]", "host_idle = '2m0s'", "allow_private = true", "[[models]]", "max_price"} {
		if found := strings.Contains(string(text), line); found == (line == "max_price") {
			t.Errorf("%q: %v in %s", line, found, text)
		}
	}
	var file struct { // as a program's file holds it
		Node string `toml:"node"`
		gateway.Config
	}
	if err := toml.Unmarshal(append([]byte("node = 'grpc://n:1'\n"), text...), &file); err != nil || file.Node != "grpc://n:1" || !reflect.DeepEqual(file.Config, cfg) {
		t.Fatalf("got %+v, %v", file, err)
	}
	if err := toml.Unmarshal([]byte("[timeouts]\nwrite = 'soon'"), &got); err == nil {
		t.Error("read a duration that is none")
	}
}

func TestNewRefusesWhatItCannotUse(t *testing.T) {
	hosts := func(context.Context) (route.Snapshot, error) { return route.Snapshot{}, nil }
	deps := gateway.Deps{Hosts: hosts, ValidFrom: func(context.Context, [20]byte) (uint64, error) { return 1, nil }, Logger: slog.New(slog.DiscardHandler)}
	for name, c := range map[string]struct {
		change func(*gateway.Config, *gateway.Deps)
		want   error
	}{
		"config":      {func(c *gateway.Config, _ *gateway.Deps) { c.ChainID = "" }, gateway.ErrNoChainID},
		"no hosts":    {func(_ *gateway.Config, d *gateway.Deps) { d.Hosts = nil }, gateway.ErrMissingDeps},
		"no logger":   {func(_ *gateway.Config, d *gateway.Deps) { d.Logger = nil }, gateway.ErrMissingDeps},
		"no key":      {func(c *gateway.Config, _ *gateway.Deps) { c.KeyFile += "x" }, os.ErrNotExist},
		"token twice": {func(c *gateway.Config, _ *gateway.Deps) { c.KeyFile = c.AdminTokenFile }, chain.ErrKeyFile},
		"short token": {func(c *gateway.Config, _ *gateway.Deps) { writeFile(t, c.AdminTokenFile, "short") }, gateway.ErrNoAdminToken},
	} {
		cfg, d := testConfig(t), deps
		c.change(&cfg, &d)
		if g, err := gateway.New(cfg, d); !errors.Is(err, c.want) || g != nil {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
