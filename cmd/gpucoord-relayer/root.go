// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"
)

// newRootCommand builds the command tree. Each command reads its file, makes what it runs and runs it until the
// command's context ends.
func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "gpucoord-relayer",
		Short:         "Off-chain programs of gpucoord",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.PersistentFlags().String("log-level", "info", "least level that is logged: debug, info, warn or error")
	root.AddCommand(
		newRunCommand(),
		newHostCommand(),
		newGatewayCommand(),
		newEngineCommand(),
		newDemoCommand(),
		newEVMCommand(),
		newKeysCommand(),
		newVersionCommand(),
	)
	return root
}

// newLogger logs as text to w, from the level that the flag says.
func newLogger(cmd *cobra.Command, w io.Writer) (*slog.Logger, error) {
	text, err := cmd.Flags().GetString("log-level")
	if err != nil {
		return nil, err
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(text)); err != nil {
		return nil, fmt.Errorf("--log-level %q: give debug, info, warn or error", text)
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level})), nil
}

// addConfigFlag adds --config, which must be given.
func addConfigFlag(cmd *cobra.Command, path *string) *cobra.Command {
	cmd.Flags().StringVar(path, "config", "", "configuration file (TOML)")
	if err := cmd.MarkFlagRequired("config"); err != nil {
		panic("flag config is not there: " + err.Error()) // only a fault of the line above
	}
	return cmd
}
