// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/gpucoord/gpucoord/app"
)

// errOutput names the two forms a report may take.
var errOutput = errors.New("--output is text or json")

// localnetOptions are the flags of "localnet init".
type localnetOptions struct {
	home         string
	chainID      string
	epochBlocks  uint64
	blockTime    time.Duration
	gasPrices    string
	accountsFile string
	patchFile    string
	ports        localnetPorts
}

// localnetPorts are the loopback TCP ports a local node listens on.
type localnetPorts struct {
	RPC  uint16 `json:"rpc"`
	P2P  uint16 `json:"p2p"`
	GRPC uint16 `json:"grpc"`
	API  uint16 `json:"api"`
}

func newLocalnetCommand(wiring *app.App, home string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "localnet",
		Short: "Local networks for tests and demonstrations",
		// The home is written whole by init, so the defaults that other commands would put there must not come first.
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil },
	}
	cmd.AddCommand(newLocalnetInitCommand(wiring, home))
	return cmd
}

func newLocalnetInitCommand(wiring *app.App, home string) *cobra.Command {
	var (
		opts   localnetOptions
		output string
	)
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write the home of a single-validator chain, ready for: gpucoord start --home DIR",
		Long: `Write the home of a single-validator chain on the loopback address, ready for "gpucoord start --home DIR".

Every key, the validator's included, goes unencrypted into the test keyring under DIR. Use it for nothing that
has value. DIR must not hold a genesis yet.

--accounts names a JSON file with the accounts of the genesis:

  [{"name": "operator", "coins": "1000000000ualeph,5000000000ultai"},
   {"name": "gateway",  "coins": "900000000uusdc", "mnemonic": "twenty four words ..."},
   {"address": "gpucoord1...", "coins": "1ualeph"}]

A name gets a key in the keyring: from its mnemonic, or a new one whose mnemonic is printed. The validator is added
under the name "validator".

--genesis-patch names a JSON merge patch (RFC 7396) that is applied to the whole genesis last:

  {"app_state": {"receipts": {"params": {"min_job_amount": "10"}}}}

The result is validated as "gpucoord genesis validate" does.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output != "text" && output != "json" {
				return fmt.Errorf("%w: got %q", errOutput, output)
			}
			report, err := initLocalnet(wiring, opts)
			if err != nil {
				return err
			}
			return report.write(cmd.OutOrStdout(), output)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.home, "home", home, "directory of the new node")
	flags.StringVar(&opts.chainID, "chain-id", "gpucoord-local-1", "chain id")
	flags.Uint64Var(&opts.epochBlocks, "epoch-blocks", localEpochBlocks, "blocks of one epoch; every window of the protocol shrinks with it")
	flags.DurationVar(&opts.blockTime, "block-time", time.Second, "pause after a block (timeout_commit); 0 is as fast as the machine")
	flags.StringVar(&opts.gasPrices, "minimum-gas-prices", minimumGasPrice, "gas price the node asks for")
	flags.StringVar(&opts.accountsFile, "accounts", "", "JSON file of genesis accounts")
	flags.StringVar(&opts.patchFile, "genesis-patch", "", "JSON merge patch of the genesis")
	flags.Uint16Var(&opts.ports.RPC, "rpc-port", 26657, "port of CometBFT's RPC")
	flags.Uint16Var(&opts.ports.P2P, "p2p-port", 26656, "port of the peer-to-peer listener")
	flags.Uint16Var(&opts.ports.GRPC, "grpc-port", 9090, "port of gRPC")
	flags.Uint16Var(&opts.ports.API, "api-port", 1317, "port of the REST gateway")
	flags.StringVarP(&output, "output", "o", "text", "form of the report: text or json")
	return cmd
}

// localnetReport is what "localnet init" prints.
type localnetReport struct {
	Home            string            `json:"home"`
	ChainID         string            `json:"chain_id"`
	EpochBlocks     uint64            `json:"epoch_blocks"`
	KeyringBackend  string            `json:"keyring_backend"`
	MinimumGasPrice string            `json:"minimum_gas_prices"`
	Validator       localnetAccount   `json:"validator"`
	ValidatorOper   string            `json:"validator_operator"`
	Accounts        []localnetAccount `json:"accounts"`
	Ports           localnetPorts     `json:"ports"`
	RPC             string            `json:"rpc"`
	GRPC            string            `json:"grpc"`
	API             string            `json:"api"`
}

// localnetAccount is one funded account; a name means that the keyring holds its key.
type localnetAccount struct {
	Name     string `json:"name,omitempty"`
	Address  string `json:"address"`
	Mnemonic string `json:"mnemonic,omitempty"`
	Coins    string `json:"coins"`
}

func (r localnetReport) write(out io.Writer, form string) error {
	if form == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	if _, err := fmt.Fprintf(out, "local chain %s in %s, epochs of %d blocks\nrpc %s\ngrpc %s\napi %s\n",
		r.ChainID, r.Home, r.EpochBlocks, r.RPC, r.GRPC, r.API); err != nil {
		return err
	}
	for _, account := range append([]localnetAccount{r.Validator}, r.Accounts...) {
		if _, err := fmt.Fprintf(out, "%-12s %s %s\n", account.Name, account.Address, account.Coins); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "keys are unencrypted in the test keyring: for tests only\nstart it: gpucoord start --home %s\n", r.Home)
	return err
}
