// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"

	"github.com/gpucoord/gpucoord/verify"
)

// Errors of what "verify receipt" is asked for.
var (
	errTrust    = errors.New("--trust is HEIGHT:HASH, the hash as 64 hex digits, from a source that you trust")
	errContract = errors.New("--evm and --contract go together: an http or https URL, and an address of 40 hex digits")
	errSkip     = errors.New("--skip names no check")
	errPeriod   = errors.New("--trusting-period must be above zero and below the chain's unbonding time")
)

// exitError ends the program with a code of its own, after a report that says all.
type exitError struct {
	code int
	why  string
}

// Error implements error.
func (e *exitError) Error() string { return e.why }

// exitCode is what the program ends with on err: 1, unless the error has a code of its own.
func exitCode(err error) int {
	var exit *exitError
	if errors.As(err, &exit) {
		return exit.code
	}
	return 1
}

// wallClock is this machine's time, which no chain code reads.
func wallClock() time.Time { return time.Now() }

// verifyOptions are the flags of "verify receipt".
type verifyOptions struct {
	trust    string
	period   time.Duration
	evm      string
	contract string
	skip     []string
}

func newVerifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check evidence without trusting a node",
		RunE:  client.ValidateCmd,
		// There is no home to read or write: evidence is checked on any machine.
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil },
	}
	cmd.AddCommand(newVerifyReceiptCommand())
	return cmd
}

func newVerifyReceiptCommand() *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "receipt BUNDLE",
		Short: "Check that a receipt is a settled fact of the chain, from one file",
		Long: `Check a file of "gpucoord receipt bundle" and print a row for each check: PASS, FAIL or NOT CHECKED.

Everything stands on one header that you trust: name its height and hash with --trust, from a block explorer, a node of
yours, or a validator, but not from who gave you the bundle. Nothing is asked over the network unless you name an EVM node
and the address of the chain's ReceiptAnchor contract there.

The checks: ` + strings.Join(verify.Checks(), ", ") + `.

It exits with 0 when all checks passed, 1 when one failed, 2 when none failed but one was not made. Checks that you --skip
are not counted, and the last line says so.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runVerifyReceipt(cmd, args[0], o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.trust, "trust", "", "HEIGHT:HASH of a header that you trust")
	f.DurationVar(&o.period, "trusting-period", verify.DefaultTrustingPeriod, "for how long an earlier header is trusted")
	f.StringVar(&o.evm, "evm", "", "JSON-RPC URL of an EVM node")
	f.StringVar(&o.contract, "contract", "", "address of the ReceiptAnchor contract")
	f.StringSliceVar(&o.skip, "skip", nil, "check to leave out; may be repeated")
	_ = cmd.MarkFlagRequired("trust")
	return cmd
}

func runVerifyReceipt(cmd *cobra.Command, path string, o verifyOptions) error {
	options, err := o.parse()
	if err != nil {
		return err
	}
	text, err := readBundle(path)
	if err != nil {
		return err
	}
	report := verify.Verify(cmd.Context(), text, options)
	if err := report.Write(cmd.OutOrStdout()); err != nil {
		return err
	}
	if code := report.ExitCode(); code != 0 {
		return &exitError{code: code, why: report.Conclusion()}
	}
	return nil
}

// readBundle reads no more of a file than tells that it is too large.
func readBundle(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return io.ReadAll(io.LimitReader(file, verify.MaxBytes+1))
}

func (o *verifyOptions) parse() (options verify.Options, err error) {
	options = verify.Options{Now: wallClock(), TrustingPeriod: o.period, Skip: o.skip}
	height, hash, found := strings.Cut(o.trust, ":")
	raw, hashErr := hex.DecodeString(strings.TrimPrefix(hash, "0x"))
	options.Trust.Height, err = strconv.ParseInt(height, 10, 64)
	if !found || err != nil || hashErr != nil || len(raw) != 32 || options.Trust.Height <= 0 {
		return options, fmt.Errorf("--trust %q: %w", o.trust, errTrust)
	}
	options.Trust.Hash = [32]byte(raw)
	if o.period <= 0 {
		return options, errPeriod
	}
	for _, name := range o.skip {
		if !slices.Contains(verify.Checks(), name) {
			return options, fmt.Errorf("%w %q; the checks are %s", errSkip, name, strings.Join(verify.Checks(), ", "))
		}
	}
	if o.evm == "" && o.contract == "" {
		return options, nil
	}
	address, addressErr := hex.DecodeString(strings.TrimPrefix(o.contract, "0x"))
	endpoint, err := url.Parse(o.evm)
	if err != nil || addressErr != nil || len(address) != 20 || endpoint.Host == "" || endpoint.Scheme != "http" && endpoint.Scheme != "https" {
		return options, errContract
	}
	options.Contract = &verify.Contract{URL: o.evm, Address: [20]byte(address)}
	return options, nil
}
