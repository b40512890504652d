// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"google.golang.org/protobuf/reflect/protoreflect"
	"sigs.k8s.io/yaml"

	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
)

const (
	outputText = "text"
	outputJSON = "json"
	// jsonIndent is that of the generated commands.
	jsonIndent = "  "
	// flagNoIndent is one of theirs.
	flagNoIndent = "no-indent"
)

// queryLong says what the queries print.
const queryLong = `Ask the chain.

Ids, hashes, keys and signatures are printed in lower-case hex and accounts in bech32, and every argument and flag takes
them in that form. --output text, the default, prints YAML; --output json the same as JSON. REST and gRPC have proto's
own form, base64, for all bytes.`

// textOf prints an answer, given as proto JSON, in words instead of YAML.
type textOf func(raw []byte) (string, error)

// printer prints the answers of queries.
type printer struct {
	form bytesForm
	// texts are the queries that have a text of their own, by method.
	texts map[protoreflect.FullName]textOf
}

// wrapQueries makes the generated queries of this chain's modules, and those of transactions, print bytes readably.
func (p printer) wrapQueries(query *cobra.Command, modules map[string]*autocliv1.ModuleOptions) error {
	for name, options := range modules {
		if options.GetQuery() == nil || !strings.HasPrefix(options.Query.Service, ourPackages) {
			continue
		}
		found, err := p.form.files.FindDescriptorByName(protoreflect.FullName(options.Query.Service))
		if err != nil {
			return fmt.Errorf("service %s: %w", options.Query.Service, err)
		}
		service, _ := found.(protoreflect.ServiceDescriptor)
		for _, o := range options.Query.RpcCommandOptions {
			method := service.Methods().ByName(protoreflect.Name(o.RpcMethod))
			cmd, _, err := query.Find([]string{name, strings.Fields(o.Use)[0]})
			if err != nil {
				return fmt.Errorf("query %s: %w", name, err)
			}
			answer := method.Output()
			p.wrap(cmd, p.texts[method.FullName()], func(tree any) any { return p.form.print(answer, tree) })
			hideFilters(cmd)
		}
	}
	for _, name := range []string{"tx", "txs", "wait-tx"} {
		if cmd, _, err := query.Find([]string{name}); err == nil && cmd != query {
			p.wrap(cmd, nil, p.form.printAny)
		}
	}
	return nil
}

// wrap lets a command print its answer as JSON into a buffer and prints it itself.
func (p printer) wrap(cmd *cobra.Command, text textOf, readable func(any) any) {
	inner := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		output := client.GetClientContextFromCmd(cmd).OutputFormat
		if output != outputText && output != outputJSON {
			return fmt.Errorf("%w: got %q", errOutput, output)
		}
		if err := setFilters(cmd.Flags()); err != nil {
			return err
		}
		raw, err := captureJSON(cmd, func() error { return inner(cmd, args) })
		if err != nil {
			return err
		}
		out, err := format(cmd, raw, output, text, readable)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), strings.TrimRight(out, "\n"))
		return err
	}
}

func format(cmd *cobra.Command, raw []byte, output string, text textOf, readable func(any) any) (string, error) {
	if output == outputText && text != nil {
		return text(raw)
	}
	tree, err := decodeJSON(raw)
	if err != nil { // a help text, for example
		return string(raw), nil //nolint:nilerr // it is printed as it came
	}
	indent := jsonIndent
	if compact, err := cmd.Flags().GetBool(flagNoIndent); err != nil || compact {
		indent = ""
	}
	if raw, err = encodeJSON(readable(tree), indent); err != nil {
		return "", err
	}
	if output == outputText {
		raw, err = yaml.JSONToYAML(raw)
	}
	return string(raw), err
}

// captureJSON runs a command that prints JSON and returns what it printed.
func captureJSON(cmd *cobra.Command, run func() error) ([]byte, error) {
	var out bytes.Buffer
	printed := cmd.OutOrStdout()
	cmd.SetOut(&out)
	defer cmd.SetOut(printed)
	clientCtx := client.GetClientContextFromCmd(cmd).WithOutput(&out).WithOutputFormat(outputJSON)
	if err := client.SetCmdClientContext(cmd, clientCtx); err != nil {
		return nil, err
	}
	if cmd.Flags().Lookup(flags.FlagOutput) != nil { // the flag counts more than the context
		if err := cmd.Flags().Set(flags.FlagOutput, outputJSON); err != nil {
			return nil, err
		}
	}
	err := run()
	return out.Bytes(), err
}

// setFilters sets --by-epoch when --epoch is given. Proto cannot tell a zero from nothing, so a filter by a number has a
// second field that says that it is one.
func setFilters(set *pflag.FlagSet) error {
	var err error
	set.Visit(func(f *pflag.Flag) {
		if by := set.Lookup(flagByPrefix + f.Name); by != nil && !by.Changed && err == nil {
			err = set.Set(by.Name, "true")
		}
	})
	return err
}

// hideFilters hides the flags that setFilters sets.
func hideFilters(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if by := cmd.Flags().Lookup(flagByPrefix + f.Name); by != nil {
			by.Hidden = true
		}
	})
}
