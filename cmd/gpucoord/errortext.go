// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/spf13/cobra"
)

var (
	// rpcPrefix is what gRPC puts before an error, once for each hop.
	rpcPrefix = regexp.MustCompile(`rpc error: code = \w+ desc = `)
	// sourcePosition is where the SDK's error was made, which tells a user nothing.
	sourcePosition = regexp.MustCompile(` \[[^\[\]\s]+\.go:\d+\]`)
	// positional is how generated commands name an argument: by a flag that nobody can give.
	positional = regexp.MustCompile(`for "--(\d+)" flag`)
)

// errorText is an error as the command line shows it: without what only the program's authors can read.
func errorText(err error) string {
	text := sourcePosition.ReplaceAllString(rpcPrefix.ReplaceAllString(err.Error(), ""), "")
	return positional.ReplaceAllStringFunc(text, func(found string) string {
		index, err := strconv.Atoi(positional.FindStringSubmatch(found)[1])
		if err != nil {
			return found
		}
		return fmt.Sprintf("for argument %d", index+1)
	})
}

// withUsage makes every command that is given the wrong number of arguments say which it takes.
func withUsage(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return fmt.Errorf("%w; usage: %s", err, cmd.UseLine())
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		withUsage(sub)
	}
}
