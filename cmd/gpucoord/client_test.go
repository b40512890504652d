// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/client/tx"

	rewardstypes "github.com/gpucoord/gpucoord/x/rewards/types"
)

func TestWrongHomeIsNamedAndNotMade(t *testing.T) {
	node := newFakeNode(t)
	node.answers["/gpucoord.rewards.v1.Query/Status"] = &rewardstypes.QueryStatusResponse{NextEpoch: 5}
	home := filepath.Join(t.TempDir(), "mistyped")
	for _, args := range [][]string{
		{"query", "rewards", "status"}, {"query", "tx", "00"}, {"tx", "rewards", "claim", "--from", "me"}, {"status"},
	} {
		_, err := gpucoord(t, append(args, "--home", home)...)
		if !errors.Is(err, errNoHome) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), home) {
			t.Errorf("%v: got %v, want one line with %s that says %v", args, err, home, errNoHome)
		}
	}
	out, err := gpucoord(t, "query", "rewards", "status", "--home", home, "--node", node.url)
	if err != nil || !strings.Contains(out, `next_epoch: "5"`) {
		t.Errorf("with --node: %q, %v", out, err)
	}
	t.Setenv("GPUCOORD_NODE", node.url)
	if out, err := gpucoord(t, "query", "rewards", "status", "--home", home); err != nil || !strings.Contains(out, `next_epoch: "5"`) {
		t.Errorf("with GPUCOORD_NODE: %q, %v", out, err)
	}
	if _, err := gpucoord(t, "query", "--home", home); err != nil {
		t.Errorf("the list of queries: %v", err)
	}
	if _, err := os.Stat(home); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the home was made (%v)", err)
	}
}

func TestHomeIsReadFromTheEnvironment(t *testing.T) {
	node := newFakeNode(t)
	node.answers["/gpucoord.rewards.v1.Query/Status"] = &rewardstypes.QueryStatusResponse{NextEpoch: 5}
	t.Setenv("GPUCOORD_HOME", clientHome(t, node.url))
	if out, err := gpucoord(t, "query", "rewards", "status"); err != nil || !strings.Contains(out, `next_epoch: "5"`) {
		t.Errorf("%q, %v", out, err)
	}
}

// unsignedTx is a transaction as tx sign writes it; a fake node does not look.
const unsignedTx = `{"body":{"messages":[],"memo":"","timeout_height":"0","extension_options":[],"non_critical_extension_options":[]},` +
	`"auth_info":{"signer_infos":[],"fee":{"amount":[],"gas_limit":"1","payer":"","granter":""}},"signatures":[]}`

func TestRefusedTransactionIsAnError(t *testing.T) {
	node := newFakeNode(t)
	file := write(t, "tx.json", unsignedTx)
	home := clientHome(t, node.url)
	if out, err := gpucoord(t, "tx", "broadcast", file, "--home", home); err != nil {
		t.Errorf("taken: %v: %s", err, out)
	}
	node.code = 13
	for _, args := range [][]string{{"--home", home}, {"--home", home, "--output", "json"}, {"--node", node.url}} {
		_, err := gpucoord(t, append([]string{"tx", "broadcast", file}, args...)...)
		if !errors.Is(err, errRefused) || !strings.Contains(err.Error(), "sdk code 13: insufficient fee") {
			t.Errorf("%v: got %v, want %v with the node's words", args, err, errRefused)
		}
	}
}

// factoryOf runs the flags of a transaction through the root command and returns what it would be made with.
func factoryOf(t *testing.T, home string, args ...string) (tx.Factory, error) {
	t.Helper()
	root, err := newRootCommand(home)
	if err != nil {
		t.Fatal(err)
	}
	var factory tx.Factory
	probe := &cobra.Command{Use: "probe", RunE: func(cmd *cobra.Command, _ []string) error {
		clientCtx, err := client.GetClientTxContext(cmd)
		if err != nil {
			return err
		}
		factory, err = tx.NewFactoryCLI(clientCtx, cmd.Flags())
		return err
	}}
	flags.AddTxFlagsToCmd(probe)
	group, _, err := root.Find([]string{"tx"})
	if err != nil {
		t.Fatal(err)
	}
	group.AddCommand(probe)
	root.PersistentFlags().String(flags.FlagHome, home, "")
	root.SetArgs(append([]string{"tx", "probe", "--home", home}, args...))
	return factory, root.ExecuteContext(t.Context())
}

func TestFeesNeedNoFlags(t *testing.T) {
	home := clientHome(t, "http://127.0.0.1:1")
	priced := clientHome(t, "http://127.0.0.1:1")
	file := filepath.Join(priced, "config", "client.toml")
	settings, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(settings, "gas-prices = \"0.5ualeph\"\ngas = \"777\"\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		home     string
		args     []string
		prices   string
		fees     string
		gas      uint64
		simulate bool
	}{
		"default":     {home: home, prices: "0.001000000000000000ualeph", gas: 200_000, simulate: true},
		"client.toml": {home: priced, prices: "0.500000000000000000ualeph", gas: 777},
		"fees":        {home: priced, args: []string{"--fees", "9ualeph"}, fees: "9ualeph", gas: 777},
		"prices":      {home: priced, args: []string{"--gas-prices", "2ualeph"}, prices: "2.000000000000000000ualeph", gas: 777},
		"gas":         {home: home, args: []string{"--gas", "5"}, prices: "0.001000000000000000ualeph", gas: 5},
		"offline":     {home: home, args: []string{"--offline", "-a", "1", "-s", "1"}, prices: "0.001000000000000000ualeph", gas: 200_000},
		"offline no home": {
			home: filepath.Join(home, "none"), args: []string{"--offline", "-a", "1", "-s", "1"}, prices: "0.001000000000000000ualeph", gas: 200_000,
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := factoryOf(t, c.home, c.args...)
			if err != nil {
				t.Fatal(err)
			}
			if f.GasPrices().String() != c.prices || f.Fees().String() != c.fees || f.SimulateAndExecute() != c.simulate || f.Gas() != c.gas && !c.simulate {
				t.Errorf("prices %s, fees %s, gas %d, simulated %t; want %s, %s, %d, %t",
					f.GasPrices(), f.Fees(), f.Gas(), f.SimulateAndExecute(), c.prices, c.fees, c.gas, c.simulate)
			}
		})
	}
	for _, args := range [][]string{{"--fees", "200"}, {"--gas-prices", "cheap"}} {
		if _, err := factoryOf(t, home, args...); !errors.Is(err, errFee) {
			t.Errorf("%v: got %v, want %v", args, err, errFee)
		}
	}
}
