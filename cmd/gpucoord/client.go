// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cosmos/cosmos-sdk/client"
	clientconfig "github.com/cosmos/cosmos-sdk/client/config"
	"github.com/cosmos/cosmos-sdk/client/flags"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

const (
	// flagByPrefix starts the flags that say that another flag is a filter: --by-epoch for --epoch.
	flagByPrefix = "by-"

	// gasAdjustment leaves room between the gas of a simulation and that of the block.
	gasAdjustment = 1.5
)

// Errors of the commands that talk to a node.
var (
	errNoHome     = errors.New("no config/client.toml there: name a node's home with --home, or a node with --node")
	errNoNodeHome = errors.New("no config directory there: name a node's home with --home, or make one with gpucoord init")
	errFee        = errors.New("not an amount with its denom, such as 200ualeph, or a price such as 0.001ualeph")
)

// needsOf says what a command needs of the home.
type needsOf int

const (
	needsNode   needsOf = iota // the node's settings, which it writes when absent
	needsClient                // client.toml, unless the command line names a node; it writes nothing
	needsKeys                  // client.toml where there is one; it writes nothing but keys
)

// needs tells by the command's first word. A command that only lists others needs nothing.
func needs(cmd *cobra.Command) needsOf {
	top := cmd
	for top.HasParent() && top.Parent().HasParent() {
		top = top.Parent()
	}
	switch top.Name() {
	case "query", "tx", "status":
		if cmd.HasSubCommands() {
			return needsKeys
		}
		return needsClient
	case "keys":
		return needsKeys
	default:
		return needsNode
	}
}

// checkStart refuses to start a node in a directory that has no settings: a mistyped --home must not become a new one.
//
// Errors: errNoNodeHome.
func checkStart(cmd *cobra.Command, home string) error {
	if cmd.Name() != "start" || cmd.Parent() != cmd.Root() {
		return nil
	}
	if value, given := os.LookupEnv(environmentPrefix + "_HOME"); given && !cmd.Flags().Changed(flags.FlagHome) {
		home = value
	}
	if _, err := os.Stat(filepath.Join(home, "config")); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", home, errNoNodeHome)
	}
	return nil
}

// prepareClient reads flags, environment and client.toml. It writes nothing: a mistyped --home must not become a new one.
//
// Errors: errNoHome, errFee, or the settings'.
func prepareClient(cmd *cobra.Command, clientCtx client.Context, needed needsOf, noted *refusal) error {
	set := cmd.Flags()
	if err := readEnvironment(set); err != nil {
		return err
	}
	clientCtx, err := client.ReadPersistentCommandFlags(clientCtx.WithCmdContext(cmd.Context()), set)
	if err != nil {
		return err
	}
	if clientCtx, err = readClientConfig(clientCtx, set, needed); err != nil {
		return err
	}
	if err := setFees(clientCtx, set); err != nil {
		return err
	}
	if err := client.SetCmdClientContextHandler(clientCtx, cmd); err != nil {
		return err
	}
	// The handler has dialled --node. What it dialled is kept from here on, so that its answers can be noted.
	if node := set.Lookup(flags.FlagNode); node != nil {
		node.Changed = false
	}
	clientCtx = client.GetClientContextFromCmd(cmd)
	return client.SetCmdClientContext(cmd, clientCtx.WithClient(&notingClient{CometRPC: clientCtx.Client, noted: noted}))
}

// readEnvironment gives each flag that is not on the command line the value of its variable, GPUCOORD_HOME for --home.
func readEnvironment(set *pflag.FlagSet) error {
	var errs []error
	set.VisitAll(func(f *pflag.Flag) {
		name := environmentPrefix + "_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if value, given := os.LookupEnv(name); given && !f.Changed {
			if err := set.Set(f.Name, value); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
			}
		}
	})
	return errors.Join(errs...)
}

// readClientConfig reads client.toml, or takes the defaults where there is none and the command can do without.
func readClientConfig(clientCtx client.Context, set *pflag.FlagSet, needed needsOf) (client.Context, error) {
	home := clientCtx.HomeDir
	_, err := os.Stat(filepath.Join(home, "config", "client.toml"))
	switch {
	case err == nil:
		return clientconfig.ReadFromClientConfig(clientCtx)
	case !errors.Is(err, fs.ErrNotExist):
		return clientCtx, err
	}
	offline, _ := set.GetBool(flags.FlagOffline) // a command without the flag is not offline
	if needed == needsClient && !set.Changed(flags.FlagNode) && !offline {
		return clientCtx, fmt.Errorf("%s: %w", home, errNoHome)
	}
	if clientCtx, err = clientconfig.ReadDefaultValuesFromDefaultClientConfig(clientCtx); err != nil {
		return clientCtx, err
	}
	clientCtx = clientCtx.WithKeyringDir(home) // the defaults were read from a directory that is gone
	keys, err := client.NewKeyringFromBackend(clientCtx, flags.DefaultKeyringBackend)
	return clientCtx.WithKeyring(keys), err
}

// setFees makes --fees, --gas-prices and --gas unnecessary: gas is simulated and paid at this chain's price, or as client.toml says.
//
// Errors: errFee, on which the SDK would panic.
func setFees(clientCtx client.Context, set *pflag.FlagSet) error {
	if set.Lookup(flags.FlagGasPrices) == nil {
		return nil
	}
	v := clientCtx.Viper
	v.SetDefault(flags.FlagGasPrices, minimumGasPrice)
	v.SetDefault(flags.FlagGas, flags.GasFlagAuto)
	v.SetDefault(flags.FlagGasAdjustment, gasAdjustment)
	if set.Changed(flags.FlagFees) && !set.Changed(flags.FlagGasPrices) {
		v.Set(flags.FlagGasPrices, "") // one of the two
	}
	if offline, _ := set.GetBool(flags.FlagOffline); offline && !set.Changed(flags.FlagGas) {
		v.Set(flags.FlagGas, "") // nobody to simulate it
	}
	fees, _ := set.GetString(flags.FlagFees)
	if _, err := sdk.ParseCoinsNormalized(fees); err != nil {
		return fmt.Errorf("--fees %q: %w", fees, errFee)
	}
	prices := v.GetString(flags.FlagGasPrices)
	if set.Changed(flags.FlagGasPrices) {
		prices, _ = set.GetString(flags.FlagGasPrices)
	}
	if _, err := sdk.ParseDecCoins(prices); err != nil {
		return fmt.Errorf("--gas-prices %q: %w", prices, errFee)
	}
	return nil
}
