// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/relayer/chain"
)

func newKeysCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "keys", Short: "Make keys for hosts, gateways and relayers"}
	cmd.AddCommand(newKeysNewCommand(), newKeysShowCommand())
	return cmd
}

func newKeysNewCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "new",
		Short: "Write a new key to a file that only its owner may read, and print its addresses",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			raw, err := chain.NewKey()
			if err != nil {
				return err
			}
			if err := chain.WriteKeyFile(out, raw); err != nil {
				return err
			}
			return printAddresses(cmd, raw)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "file to write; it must not exist")
	if err := cmd.MarkFlagRequired("out"); err != nil {
		panic("flag out is not there: " + err.Error()) // only a fault of the line above
	}
	return cmd
}

func newKeysShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show FILE",
		Short: "Print the addresses of a key file",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, err := chain.ReadKeyFile(args[0])
			if err != nil {
				return err
			}
			return printAddresses(cmd, raw)
		},
	}
}

// printAddresses prints what a key is called on the chain: as an account, and as a receipt or gateway key. Never the key.
func printAddresses(cmd *cobra.Command, raw [32]byte) error {
	key, err := receipt.ParsePrivateKey(raw[:])
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "account     %s\nkey_address %x\npublic_key  %x\n",
		chain.NewAccount(raw).Bech32(), receipt.KeyAddress(key), key.PubKey().SerializeCompressed())
	return err
}
