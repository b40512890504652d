// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/relayer/config"
)

const evmFile = `
chain_id = "gpucoord-1"
[[evm]]
name = "sepolia"
chain_id = 11155111
rpcs = ["https://rpc.example/v1?key=SECRET", "file:/etc/gpucoord/rpc"]
contract = "0x00000000000000000000000000000000000000aa"
key_file = "evm.json"
password_file = "evm.pass"
max_fee_gwei = 20
[[evm]]
name = "l2"
chain_id = 10
rpcs = ["http://127.0.0.1:8545"]
contract = "00000000000000000000000000000000000000bb"
watch_only = true
race_window = "0s"
`

func anchoring(t *testing.T) config.Anchoring {
	t.Helper()
	c, err := config.Load(write(t, evmFile), config.DefaultAnchoring())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEVMSectionsHaveDefaults(t *testing.T) {
	c := anchoring(t)
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	first, second := c.EVM[0].Resolve(), c.EVM[1].Resolve()
	if first.MaxFeeGwei != 20 || first.HardMaxFeeGwei != 200 || first.RaceWindow.Std() != 30*time.Second || first.Confirmations != 64 {
		t.Errorf("first is %+v", first)
	}
	if first.Contract != (config.EVMAddress{19: 0xaa}) || second.Contract != (config.EVMAddress{19: 0xbb}) {
		t.Errorf("contracts are %x and %x", first.Contract, second.Contract)
	}
	if second.RaceWindow.Std() != 0 || second.MaxFeeGwei != 50 || second.HasKey() || !first.HasKey() {
		t.Errorf("second is %+v", second)
	}
}

func TestEVMCheckNamesTheFault(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*config.Anchoring)
		want  error
	}{
		"no chain":             {func(c *config.Anchoring) { c.ChainID = "" }, config.ErrNoChainID},
		"no sections":          {func(c *config.Anchoring) { c.EVM = nil }, config.ErrNoEVM},
		"status for all":       {func(c *config.Anchoring) { c.StatusListen = ":8092" }, config.ErrStatusPublic},
		"no name":              {func(c *config.Anchoring) { c.EVM[0].Name = "" }, config.ErrEVMName},
		"a name with spaces":   {func(c *config.Anchoring) { c.EVM[0].Name = "a b" }, config.ErrEVMName},
		"a name twice":         {func(c *config.Anchoring) { c.EVM[1].Name = "sepolia" }, config.ErrEVMName},
		"no EVM chain":         {func(c *config.Anchoring) { c.EVM[0].ChainID = 0 }, config.ErrEVMChain},
		"no RPC":               {func(c *config.Anchoring) { c.EVM[0].RPCs = nil }, config.ErrEVMRPC},
		"another scheme":       {func(c *config.Anchoring) { c.EVM[0].RPCs[0] = "ws://SECRET" }, config.ErrEVMRPC},
		"no contract":          {func(c *config.Anchoring) { c.EVM[0].Contract = config.EVMAddress{} }, config.ErrEVMTarget},
		"no password":          {func(c *config.Anchoring) { c.EVM[0].PasswordFile = "" }, config.ErrEVMKey},
		"two keys":             {func(c *config.Anchoring) { c.EVM[0].RemoteSigner = "http://x" }, config.ErrEVMKey},
		"no key to anchor":     {func(c *config.Anchoring) { c.EVM[1].WatchOnly = false }, config.ErrEVMKey},
		"hard below the first": {func(c *config.Anchoring) { c.EVM[0].HardMaxFeeGwei = 19 }, config.ErrEVMFees},
		"a tip above the fee":  {func(c *config.Anchoring) { c.EVM[0].TipGwei = 21 }, config.ErrEVMFees},
		"too often":            {func(c *config.Anchoring) { c.EVM[0].Interval = 1 }, config.ErrEVMTimes},
		"resent too early":     {func(c *config.Anchoring) { c.EVM[0].ResendAfter = config.Duration(time.Second) }, config.ErrEVMTimes},
		"one account twice": {func(c *config.Anchoring) {
			c.EVM[1] = c.EVM[0]
			c.EVM[1].Name = "again"
		}, config.ErrEVMShared},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := anchoring(t)
			c.spoil(&cfg)
			err := cfg.Check()
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if strings.Contains(err.Error(), "SECRET") {
				t.Errorf("the error shows the RPC: %v", err)
			}
			relayer, loadErr := config.Load(write(t, relayerFile), config.DefaultRelayer())
			if loadErr != nil {
				t.Fatal(loadErr)
			}
			relayer.EVM = cfg.EVM
			if len(cfg.EVM) > 0 && cfg.ChainID != "" && cfg.StatusListen == anchoring(t).StatusListen && !errors.Is(relayer.Check(), c.want) {
				t.Errorf("a relayer's file: got %v, want %v", relayer.Check(), c.want)
			}
		})
	}
}
