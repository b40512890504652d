// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/relayer/config"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const hostID = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"

const relayerFile = `
chain_id = "gpucoord-1"
operator = "gpucoord1abc"
account_key_file = "relayer.key"
data_dir = "data"
interval = "500ms"
[batch]
grace_blocks = 7
[serve]
public_url = "https://relayer.example"
[[hosts]]
host_id = "` + hostID + `"
admin_url = "http://127.0.0.1:8081"
admin_token_file = "token"
key_file = "host.key"
simulated = "dgx-h100"
gpu_indices = [0, 3]
`

func TestLoadKeepsDefaultsAndReadsTheFile(t *testing.T) {
	got, err := config.Load(write(t, relayerFile), config.DefaultRelayer())
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Check(); err != nil {
		t.Fatal(err)
	}
	if got.Interval.Std() != 500*time.Millisecond || got.Batch.GraceBlocks != 7 {
		t.Errorf("interval %v, grace %d: not what the file says", got.Interval.Std(), got.Batch.GraceBlocks)
	}
	if want := config.DefaultRelayer().Batch.MarginBlocks; got.Batch.MarginBlocks != want {
		t.Errorf("margin %d, want the default %d beside a key that is given", got.Batch.MarginBlocks, want)
	}
	if h := got.Hosts[0]; h.HostID.String() != hostID || len(h.GPUIndices) != 2 || h.GPUIndices[1] != 3 {
		t.Errorf("host is %+v", h)
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, inError string }{
		"an unknown key":        {"chain_idd = \"x\"", "chain_idd"},
		"an unknown nested key": {"[batch]\ngrace = 1", "grace"},
		"a wrong type":          {"chain_id = 5", "chain_id"},
		"a number as duration":  {"interval = \"5\"", "duration"},
		"a short id":            {"[[hosts]]\nhost_id = \"00\"", "64 hex digits"},
		"bad TOML":              {"chain_id", "chain_id"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.Load(write(t, c.text), config.DefaultRelayer())
			if !errors.Is(err, config.ErrFile) || !strings.Contains(err.Error(), c.inError) {
				t.Fatalf("got %v, want ErrFile that names %q", err, c.inError)
			}
		})
	}
	if _, err := config.Load(filepath.Join(t.TempDir(), "none"), config.DefaultRelayer()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want that there is no such file", err)
	}
}

func TestRelayerCheckNamesTheFault(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*config.Relayer)
		want  error
	}{
		"no chain":              {func(c *config.Relayer) { c.ChainID = "" }, config.ErrNoChainID},
		"no operator":           {func(c *config.Relayer) { c.Operator = "" }, config.ErrNoOperator},
		"no key":                {func(c *config.Relayer) { c.AccountKeyFile = "" }, config.ErrNoKey},
		"no data":               {func(c *config.Relayer) { c.DataDir = "" }, config.ErrNoDataDir},
		"no interval":           {func(c *config.Relayer) { c.Interval = 0 }, config.ErrBadInterval},
		"no margin":             {func(c *config.Relayer) { c.Batch.MarginBlocks = 0 }, config.ErrBadBatch},
		"no grace":              {func(c *config.Relayer) { c.Batch.GraceBlocks = 0 }, config.ErrNoGrace},
		"too many frames":       {func(c *config.Relayer) { c.Collect.MaxFrames = 10_001 }, config.ErrBadCollect},
		"listen":                {func(c *config.Relayer) { c.Serve.Listen = "8092" }, config.ErrBadListen},
		"status for all":        {func(c *config.Relayer) { c.Serve.StatusListen = "0.0.0.0:8093" }, config.ErrStatusPublic},
		"no public URL":         {func(c *config.Relayer) { c.Serve.PublicURL = "" }, config.ErrBadPublicURL},
		"a long public URL":     {func(c *config.Relayer) { c.Serve.PublicURL = "http://" + strings.Repeat("a", 180) }, config.ErrBadPublicURL},
		"no hosts":              {func(c *config.Relayer) { c.Hosts = nil }, config.ErrNoHosts},
		"a host twice":          {func(c *config.Relayer) { c.Hosts = append(c.Hosts, c.Hosts[0]) }, config.ErrBadHost},
		"a host without token":  {func(c *config.Relayer) { c.Hosts[0].AdminTokenFile = "" }, config.ErrBadHost},
		"real and simulated":    {func(c *config.Relayer) { c.Hosts[0].NVML = true }, config.ErrBadProbe},
		"a probe without a key": {func(c *config.Relayer) { c.Hosts[0].KeyFile = "" }, config.ErrProbeKey},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := config.Load(write(t, relayerFile), config.DefaultRelayer())
			if err != nil {
				t.Fatal(err)
			}
			c.spoil(&cfg)
			if err := cfg.Check(); !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestAHostStopsBeforeItsEpochsBatchIsBuilt(t *testing.T) {
	const block = 6 * time.Second // of public networks
	relayer := config.DefaultRelayer().Batch
	view, err := config.DefaultHost().View.Resolve(block)
	if err != nil {
		t.Fatalf("the defaults: %v", err)
	}
	if view.Fresh.Std() != time.Second || view.Bound.Std() != 10*time.Second || view.GraceBlocks != relayer.GraceBlocks {
		t.Errorf("got %+v, want 1s, 10s and the relayer's %d blocks", view, relayer.GraceBlocks)
	}
	// The batch is built grace blocks after the epoch's end at the earliest; the host counts jobs to the epoch for its bound longer.
	if grace := time.Duration(relayer.GraceBlocks) * block; view.Bound.Std() >= grace {
		t.Errorf("bound %s reaches the batch, which is built %s after the epoch", view.Bound.Std(), grace)
	}
	for name, c := range map[string]struct {
		change func(*config.HostView)
		block  time.Duration
		want   error
	}{
		"the last nanosecond": {func(v *config.HostView) { v.Bound = config.Duration(2*block - 1) }, block, nil},
		"the whole grace":     {func(v *config.HostView) { v.Bound = config.Duration(2 * block) }, block, config.ErrBoundPastGrace},
		"longer than it":      {func(v *config.HostView) { v.Bound = config.Duration(20 * time.Second) }, block, config.ErrBoundPastGrace},
		"a longer grace":      {func(v *config.HostView) { v.Bound, v.GraceBlocks = config.Duration(20*time.Second), 4 }, block, nil},
		"shorter blocks":      {func(v *config.HostView) { v.Bound = config.Duration(10 * time.Second) }, time.Second, config.ErrBoundPastGrace},
		"derived from them":   {func(*config.HostView) {}, time.Second, nil},
		"no grace":            {func(v *config.HostView) { v.GraceBlocks = 0 }, block, config.ErrBoundPastGrace},
		"an absurd grace":     {func(v *config.HostView) { v.GraceBlocks = 1 << 63 }, block, config.ErrBoundPastGrace},
		"no block time":       {func(*config.HostView) {}, 0, config.ErrBoundPastGrace},
		"bound below fresh":   {func(v *config.HostView) { v.Bound = config.Duration(time.Second) }, block, config.ErrBadView},
		"never fresh":         {func(v *config.HostView) { v.Fresh = -1 }, block, config.ErrBadView},
	} {
		t.Run(name, func(t *testing.T) {
			v := config.DefaultHost().View
			c.change(&v)
			if _, err := v.Resolve(c.block); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestHostFileGivesAHostConfiguration(t *testing.T) {
	dir := t.TempDir()
	engineKey := filepath.Join(dir, "engine.key")
	if err := os.WriteFile(engineKey, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := config.Load(write(t, `
chain_id = "gpucoord-1"
host_id = "`+hostID+`"
operator = "gpucoord1abc"
key_file = "host.key"
data_dir = "`+dir+`"
admin_token_file = "token"
engine_url = "http://127.0.0.1:8000"
engine_key_file = "`+engineKey+`"
direct_payers = ["00000000000000000000000000000000000000ff"]
[limits]
max_concurrent = 9
[timeouts]
drain = "3s"
[[models]]
name = "base"
id = "`+hostID+`"
price_in_uusdc = 10
price_out_uusdc = 20
[[models.adapters]]
name = "lora"
id = "`+strings.Repeat("ab", 32)+`"
`), config.DefaultHost())
	if err != nil {
		t.Fatal(err)
	}
	c, err := file.Config(8453, "v1")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	if c.EVMChainID != 8453 || c.EngineKey != "secret" || c.Limits.MaxConcurrent != 9 || c.Timeouts.Drain != 3*time.Second {
		t.Errorf("configuration is %+v", c)
	}
	if c.Limits.MaxUncountersigned != 32 || c.DirectPayers[0][19] != 0xff {
		t.Errorf("limits are %+v, direct payers %x", c.Limits, c.DirectPayers)
	}
	if m := c.Models[0]; m.PriceOutUusdc != 20 || m.ID[0] != 1 || m.Adapters[0].Name != "lora" || m.Adapters[0].ID[31] != 0xab {
		t.Errorf("model is %+v", m)
	}
}

func TestGatewayFileIsFlat(t *testing.T) {
	file, err := config.Load(write(t, `
chain_id = "gpucoord-1"
node = "grpc://127.0.0.1:1"
key_file = "gateway.key"
[timeouts]
job = "60s"
`), config.DefaultGateway())
	if err != nil {
		t.Fatal(err)
	}
	if file.ChainID != "gpucoord-1" || file.Node != "grpc://127.0.0.1:1" || file.KeyFile != "gateway.key" || time.Duration(file.Timeouts.Job) != time.Minute {
		t.Errorf("file is %+v", file)
	}
	if file.Limits.MaxChoices == 0 {
		t.Error("defaults are gone")
	}
}
