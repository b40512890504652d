// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/hex"
	"fmt"

	"github.com/spf13/cobra"

	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/x/anchors/signer"
	anchorstypes "github.com/gpucoord/gpucoord/x/anchors/types"
)

// newAnchorsCommand groups what a validator does with its anchor key, and what a deployer of a contract needs of a genesis.
func newAnchorsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "anchors", Short: "Anchor keys and the origin id"}
	key := &cobra.Command{Use: "key", Short: "Make an anchor key, and prove that you hold it"}
	key.AddCommand(newAnchorKeyNewCommand(), newAnchorKeyProofCommand())
	cmd.AddCommand(key, newAnchorsOriginCommand())
	for _, c := range []*cobra.Command{cmd, key} {
		// None of it touches a node's home, so none of its files are written.
		c.PersistentPreRunE = func(*cobra.Command, []string) error { return nil }
	}
	return cmd
}

func newAnchorKeyNewCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "new FILE",
		Short: "Write a new anchor key to FILE (64 hex digits, readable by its owner alone) and print its address",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			address, err := signer.NewKeyFile(args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), hex.EncodeToString(address[:]))
			return err
		},
	}
}

func newAnchorKeyProofCommand() *cobra.Command {
	var chainID, validator string
	cmd := &cobra.Command{
		Use:     "proof FILE",
		Short:   "Print the key's address and its proof of possession, the arguments of: gpucoord tx anchors register-key",
		Example: "gpucoord tx anchors register-key $(gpucoord anchors key proof FILE --chain-id ID --validator gpucoordvaloper1...) --from validator",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := signer.Open(args[0])
			if err != nil {
				return err
			}
			address, proof := key.Address(), key.SignDigest(anchor.KeyProofDigest(chainID, validator))
			_, err = fmt.Fprintln(cmd.OutOrStdout(), hex.EncodeToString(address[:]), hex.EncodeToString(proof[:]))
			return err
		},
	}
	cmd.Flags().StringVar(&chainID, "chain-id", "", "chain id")
	cmd.Flags().StringVar(&validator, "validator", "", "operator address of the validator, gpucoordvaloper1...")
	for _, name := range []string{"chain-id", "validator"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the flag was just made
		}
	}
	return cmd
}

func newAnchorsOriginCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "origin GENESIS.json",
		Short: "Print the origin id of the chain that starts from a genesis file, in hex",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			genesis, err := genutiltypes.AppGenesisFromFile(args[0])
			if err != nil {
				return fmt.Errorf("read the genesis: %w", err)
			}
			origin, err := anchorstypes.OriginID(genesis.ChainID, genesis.GenesisTime, genesis.InitialHeight, genesis.AppState)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), hex.EncodeToString(origin[:]))
			return err
		},
	}
}
