// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/version"

	"github.com/gpucoord/gpucoord/relayer/sigcheck"
)

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			recovery := "pure Go"
			if sigcheck.Native {
				recovery = "libsecp256k1"
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "gpucoord-relayer %s\ncommit     %s\ngo         %s\nsignatures %s\n",
				version.Version, version.Commit, runtime.Version(), recovery)
			return err
		},
	}
}
