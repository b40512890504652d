// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"

	dbm "github.com/cosmos/cosmos-db"
	"github.com/cosmos/gogoproto/proto"
	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"cosmossdk.io/client/v2/autocli"
	"cosmossdk.io/client/v2/autocli/flag"
	"cosmossdk.io/log/v2"
	"github.com/cosmos/cosmos-sdk/client"
	clientconfig "github.com/cosmos/cosmos-sdk/client/config"
	"github.com/cosmos/cosmos-sdk/client/debug"
	"github.com/cosmos/cosmos-sdk/client/flags"
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

	noted := new(refusal)
	root := &cobra.Command{
		Use:                "gpucoord",
		Short:              "Node, transactions and queries of the gpucoord chain",
		SilenceErrors:      true,
		SilenceUsage:       true,
		PersistentPreRunE:  func(cmd *cobra.Command, _ []string) error { return prepare(cmd, clientCtx, noted) },
		PersistentPostRunE: func(*cobra.Command, []string) error { return noted.err },
	}
	basics, txConfig := wiring.Basics(), wiring.Encoding().TxConfig
	root.AddCommand(
		withConsensusParams(genutilcli.InitCmd(basics, home)),
		genutilcli.Commands(txConfig, basics, home),
		newLocalnetCommand(wiring, home),
		newAnchorsCommand(),
		newReceiptCommand(clientCtx),
		newVerifyCommand(),
		keys.Commands(),
		newQueryCommand(),
		newTxCommand(),
		server.StatusCommand(),
		debug.Cmd(),
		pruning.Cmd(newNode, home),
		snapshot.Cmd(newNode),
	)
	server.AddCommands(root, home, newNode, exportNode, func(*cobra.Command) {})

	if err := addModuleCommands(root, wiring, clientCtx); err != nil {
		return nil, err
	}
	withUsage(root)
	return root, nil
}

// addModuleCommands generates the commands of the modules.
func addModuleCommands(root *cobra.Command, wiring *app.App, clientCtx client.Context) error {
	commands := wiring.AutoCLI()
	commands.ClientCtx = clientCtx
	files, err := proto.MergedRegistry()
	if err != nil {
		return fmt.Errorf("read the protobuf descriptors: %w", err)
	}
	form := bytesForm{files: files, accounts: commands.AddressCodec}
	if err := commands.EnhanceRootCommandWithBuilder(root, newCommandBuilder(commands, files, form)); err != nil {
		return fmt.Errorf("generate the modules' commands: %w", err)
	}
	query, _, err := root.Find([]string{"query"})
	if err != nil {
		return err
	}
	texts := map[protoreflect.FullName]textOf{explainMethod: explainText(wiring.Encoding().Codec)}
	return printer{form: form, texts: texts}.wrapQueries(query, commands.ModuleOptions)
}

// newCommandBuilder is the SDK's own, with arguments that take bytes as queries print them.
func newCommandBuilder(commands autocli.AppOptions, files *protoregistry.Files, form bytesForm) *autocli.Builder {
	builder := &autocli.Builder{
		Builder: flag.Builder{
			TypeResolver: protoregistry.GlobalTypes, FileResolver: files, AddressCodec: commands.AddressCodec,
			ValidatorAddressCodec: commands.ValidatorAddressCodec, ConsensusAddressCodec: commands.ConsensusAddressCodec,
		},
		GetClientConn: func(cmd *cobra.Command) (grpc.ClientConnInterface, error) { return client.GetClientQueryContext(cmd) },
		AddQueryConnFlags: func(cmd *cobra.Command) {
			flags.AddQueryFlagsToCmd(cmd)
			flags.AddKeyringFlags(cmd.Flags())
		},
		AddTxConnFlags: flags.AddTxFlagsToCmd,
	}
	files.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		for i := range file.Messages().Len() {
			if d := file.Messages().Get(i); strings.HasPrefix(string(d.FullName()), ourPackages) {
				builder.DefineMessageFlagType(d.FullName(), messageFlag{form: form, desc: d})
			}
		}
		return true
	})
	return builder
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

// prepare reads flags, environment and the files under --home. A node's commands write those with their defaults when absent.
func prepare(cmd *cobra.Command, clientCtx client.Context, noted *refusal) error {
	cmd.SetOut(cmd.OutOrStdout())
	cmd.SetErr(cmd.ErrOrStderr())
	if needed := needs(cmd); needed != needsNode {
		return prepareClient(cmd, clientCtx, needed, noted)
	}
	clientCtx, err := client.ReadPersistentCommandFlags(clientCtx.WithCmdContext(cmd.Context()), cmd.Flags())
	if err != nil {
		return err
	}
	if err := checkStart(cmd, clientCtx.HomeDir); err != nil {
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
	cmd := &cobra.Command{Use: "query", Aliases: []string{"q"}, Short: "Ask the chain", Long: queryLong, RunE: client.ValidateCmd}
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
