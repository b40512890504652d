// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"

	dbm "github.com/cosmos/cosmos-db"
	"github.com/spf13/cobra"

	"cosmossdk.io/log/v2"
	"github.com/cosmos/cosmos-sdk/client"
	clientconfig "github.com/cosmos/cosmos-sdk/client/config"
	"github.com/cosmos/cosmos-sdk/client/debug"
	"github.com/cosmos/cosmos-sdk/client/keys"
	"github.com/cosmos/cosmos-sdk/client/pruning"
	"github.com/cosmos/cosmos-sdk/client/rpc"
	"github.com/cosmos/cosmos-sdk/client/snapshot"
	"github.com/cosmos/cosmos-sdk/server"
	authcmd "github.com/cosmos/cosmos-sdk/x/auth/client/cli"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	genutilcli "github.com/cosmos/cosmos-sdk/x/genutil/client/cli"

	"github.com/gpucoord/gpucoord/app"
)

// newRootCommand builds the command tree; home is where a node lives when --home is not given.
func newRootCommand(home string) (*cobra.Command, error) {
	// The commands are generated from the modules, so one application is built for them, over an empty store.
	wiring, err := app.New(log.NewNopLogger(), dbm.NewMemDB(), noOptions{})
	if err != nil {
		return nil, fmt.Errorf("wire the application: %w", err)
	}
	clientCtx := newClientContext(wiring.Encoding(), home)

	root := &cobra.Command{
		Use:               "gpucoord",
		Short:             "Node, transactions and queries of the gpucoord chain",
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return prepare(cmd, clientCtx) },
	}
	basics, txConfig := wiring.Basics(), wiring.Encoding().TxConfig
	root.AddCommand(
		withConsensusParams(genutilcli.InitCmd(basics, home)),
		genutilcli.Commands(txConfig, basics, home),
		newLocalnetCommand(wiring, home),
		keys.Commands(),
		newQueryCommand(),
		newTxCommand(),
		server.StatusCommand(),
		debug.Cmd(),
		pruning.Cmd(newNode, home),
		snapshot.Cmd(newNode),
	)
	server.AddCommands(root, home, newNode, exportNode, func(*cobra.Command) {})

	commands := wiring.AutoCLI()
	commands.ClientCtx = clientCtx
	if err := commands.EnhanceRootCommand(root); err != nil {
		return nil, fmt.Errorf("generate the modules' commands: %w", err)
	}
	return root, nil
}

func newClientContext(encoding app.Encoding, home string) client.Context {
	return client.Context{}.
		WithCodec(encoding.Codec).
		WithInterfaceRegistry(encoding.InterfaceRegistry).
		WithTxConfig(encoding.TxConfig).
		WithLegacyAmino(encoding.Amino).
		WithInput(os.Stdin).
		WithAccountRetriever(authtypes.AccountRetriever{}).
		WithHomeDir(home).
		WithViper(environmentPrefix)
}

// prepare reads flags, environment and the files under --home, which it writes with their defaults when absent.
func prepare(cmd *cobra.Command, clientCtx client.Context) error {
	cmd.SetOut(cmd.OutOrStdout())
	cmd.SetErr(cmd.ErrOrStderr())
	clientCtx, err := client.ReadPersistentCommandFlags(clientCtx.WithCmdContext(cmd.Context()), cmd.Flags())
	if err != nil {
		return err
	}
	if clientCtx, err = clientconfig.ReadFromClientConfig(clientCtx); err != nil {
		return err
	}
	if err := client.SetCmdClientContextHandler(clientCtx, cmd); err != nil {
		return err
	}
	template, appConfig := appSettings()
	return server.InterceptConfigsPreRunHandler(cmd, template, appConfig, cometSettings())
}

// newQueryCommand groups the queries; the modules' own are generated.
func newQueryCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "query", Aliases: []string{"q"}, Short: "Ask the chain", RunE: client.ValidateCmd}
	cmd.AddCommand(
		rpc.WaitTxCmd(),
		server.QueryBlockCmd(),
		server.QueryBlocksCmd(),
		server.QueryBlockResultsCmd(),
		authcmd.QueryTxsByEventsCmd(),
		authcmd.QueryTxCmd(),
	)
	return cmd
}

// newTxCommand groups the transactions; the modules' own are generated.
func newTxCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "tx", Short: "Sign and send transactions", RunE: client.ValidateCmd}
	cmd.AddCommand(
		authcmd.GetSignCommand(),
		authcmd.GetSignBatchCommand(),
		authcmd.GetMultiSignCommand(),
		authcmd.GetMultiSignBatchCmd(),
		authcmd.GetValidateSignaturesCommand(),
		authcmd.GetBroadcastCommand(),
		authcmd.GetEncodeCommand(),
		authcmd.GetDecodeCommand(),
		authcmd.GetSimulateCmd(),
	)
	return cmd
}
