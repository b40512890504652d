// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"

	"github.com/gpucoord/gpucoord/relayer"
	"github.com/gpucoord/gpucoord/relayer/config"
)

func newRunCommand() *cobra.Command {
	var path string
	return addConfigFlag(&cobra.Command{
		Use:   "run",
		Short: "Relay an operator's receipts: collect, batch, submit, open samples, state capacity",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(path, config.DefaultRelayer())
			if err != nil {
				return err
			}
			log, err := newLogger(cmd, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return relayer.Run(cmd.Context(), cfg, log)
		},
	}, &path)
}
