// SPDX-License-Identifier: Apache-2.0

// Command gpucoord runs a node of the chain, signs transactions and asks queries.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	svrcmd "github.com/cosmos/cosmos-sdk/server/cmd"
)

// environmentPrefix starts the variables that stand for flags: GPUCOORD_HOME, GPUCOORD_NODE and so on.
const environmentPrefix = "GPUCOORD"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", errorText(err))
		os.Exit(exitCode(err))
	}
}

func run() error {
	user, err := os.UserHomeDir()
	if err != nil {
		return fmt.Errorf("find the home directory, or set HOME: %w", err)
	}
	home := filepath.Join(user, ".gpucoord")
	root, err := newRootCommand(home)
	if err != nil {
		return err
	}
	return svrcmd.Execute(root, environmentPrefix, home)
}
