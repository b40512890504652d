// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	dbm "github.com/cosmos/cosmos-db"
	"github.com/spf13/cobra"

	"cosmossdk.io/log/v2"
	"github.com/cosmos/cosmos-sdk/server"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	"github.com/cosmos/cosmos-sdk/x/genutil"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/gpucoord/gpucoord/app"
)

// noOptions are the settings of an application that never runs a block.
type noOptions struct{}

// Get implements servertypes.AppOptions.
func (noOptions) Get(string) any { return nil }

// newNode builds the application of a running node. The server's interface leaves no room for an error, and a node
// that can not load its state must not go on.
func newNode(logger log.Logger, db dbm.DB, opts servertypes.AppOptions) servertypes.Application {
	node, err := app.New(logger, db, opts, server.DefaultBaseappOptions(opts)...)
	if err != nil {
		panic(fmt.Errorf("start the application: %w", err))
	}
	return node
}

func exportNode(
	logger log.Logger, db dbm.DB, height int64, forZeroHeight bool, _ []string, opts servertypes.AppOptions, modules []string,
) (servertypes.ExportedApp, error) {
	var node *app.App
	var err error
	if height < 0 { // the latest
		node, err = app.New(logger, db, opts)
	} else {
		node, err = app.NewAtHeight(logger, db, opts, height)
	}
	if err != nil {
		return servertypes.ExportedApp{}, err
	}
	return node.Export(forZeroHeight, modules)
}

// withConsensusParams makes init write this chain's consensus parameters instead of CometBFT's.
func withConsensusParams(cmd *cobra.Command) *cobra.Command {
	inner := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := inner(cmd, args); err != nil {
			return err
		}
		file := server.GetServerContextFromCmd(cmd).Config.GenesisFile()
		genesis, err := genutiltypes.AppGenesisFromFile(file)
		if err != nil {
			return fmt.Errorf("read the new genesis: %w", err)
		}
		keyTypes := genesis.Consensus.Params.Validator
		genesis.Consensus.Params = app.DefaultConsensusParams()
		genesis.Consensus.Params.Validator = keyTypes
		return genutil.ExportGenesisFile(genesis, file)
	}
	return cmd
}
