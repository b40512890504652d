// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"errors"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/relayer/config"
	"github.com/gpucoord/gpucoord/relayer/da"
)

const watchFile = `
chain_id = "gpucoord-1"
data_dir = "data"
[da]
pin_url = "https://api2.aleph.im/api/v0/storage/add_file"
[watch]
enabled = true
operators = ["gpucoord1abc"]
reporter_key_file = "reporter.key"
allow = ["*", "10.0.0.7:8090"]
max_bytes = 5000000
fetch_wait = "2s"
`

func TestAWatchtowerNeedsNoOperator(t *testing.T) {
	got, err := config.Load(write(t, watchFile), config.DefaultRelayer())
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Check(); err != nil || !got.WatchOnly() {
		t.Fatalf("watch only: %t, %v", got.WatchOnly(), err)
	}
	w := &got.Watch
	if w.MaxBytes != 5_000_000 || w.FetchWait.Std() != 2*time.Second || w.FetchTries != config.DefaultRelayer().Watch.FetchTries || len(w.Allow) != 2 {
		t.Errorf("section is %+v", *w)
	}
}

func TestCheckNamesFaultsOfWatchAndDA(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*config.Relayer)
		want  error
	}{
		"off and no operator": {func(c *config.Relayer) { c.Watch.Enabled = false }, config.ErrNoOperator},
		"operator, no key":    {func(c *config.Relayer) { c.Operator = "gpucoord1abc" }, config.ErrNoKey},
		"public status":       {func(c *config.Relayer) { c.Serve.StatusListen = ":8091" }, config.ErrStatusPublic},
		"small files":         {func(c *config.Relayer) { c.Watch.MaxBytes = 10 }, config.ErrWatchBytes},
		"small cache":         {func(c *config.Relayer) { c.Watch.CacheBytes = c.Watch.MaxBytes - 1 }, config.ErrWatchBytes},
		"no tries":            {func(c *config.Relayer) { c.Watch.FetchTries = 0 }, config.ErrWatchFetch},
		"no wait":             {func(c *config.Relayer) { c.Watch.FetchWait = 0 }, config.ErrWatchFetch},
		"many fetches":        {func(c *config.Relayer) { c.Watch.Fetches = 101 }, config.ErrWatchFetch},
		"addresses":           {func(c *config.Relayer) { c.Watch.Allow = []string{"http://x"} }, da.ErrBadPolicy},
		"pin address":         {func(c *config.Relayer) { c.DA.PinURL = "ipfs://x" }, config.ErrPinURL},
		"pin times":           {func(c *config.Relayer) { c.DA.PinTimeout = 0 }, config.ErrPinTimes},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := config.Load(write(t, watchFile), config.DefaultRelayer())
			if err != nil {
				t.Fatal(err)
			}
			c.spoil(&cfg)
			if err := cfg.Check(); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}
