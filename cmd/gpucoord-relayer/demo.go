// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"

	"github.com/gpucoord/gpucoord/relayer/demo"
)

func newDemoCommand() *cobra.Command {
	opts := demo.DefaultOptions()
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run the whole product on this machine: simulated engines, real everything else",
		Long: `Run the whole product on this machine: a node, three operators with hosts and relayers, two gateways, two base
models and five adapters. Requests are replayed through gateway, host and engine as real HTTP; when the chain has
settled their epochs, one page says who served what, who was paid what and why, and whether the money adds up. The chain's
anchors go to a contract on an EVM chain, and one receipt is verified all the way there.

The engines run no model and the GPUs are simulated. Everything it starts ends with it. The data directory starts again.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts.Out, opts.Progress = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return demo.Run(cmd.Context(), opts)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.Home, "home", "", "data directory; a new one under the system's temporary directory when empty, kept on exit")
	flags.StringVar(&opts.TraceFile, "trace", "", "CSV file of requests: TIMESTAMP,ContextTokens,GeneratedTokens")
	flags.IntVar(&opts.Requests, "requests", opts.Requests, "how many requests are replayed")
	flags.Float64Var(&opts.Speedup, "speedup", opts.Speedup, "how many times as fast as the trace; 0 spreads it over two and a half epochs")
	flags.StringVar(&opts.ReportFile, "report", "", "JSON file for the numbers")
	flags.StringVar(&opts.EVMRPC, "evm-rpc", "", "JSON-RPC of the EVM chain that anchors go to; an embedded development chain when empty")
	flags.StringVar(&opts.EVMKeyFile, "evm-key-file", "", "geth keystore (version 3) of the account that pays there")
	flags.StringVar(&opts.EVMPasswordFile, "evm-password-file", "", "file with the keystore's password")
	flags.BoolVar(&opts.NoEVM, "no-evm", false, "leave the EVM chain out")
	flags.BoolVar(&opts.Once, "once", false, "end after the page, with exit status 0 only if every check held")
	return cmd
}
