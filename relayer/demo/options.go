// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Errors of the options.
var (
	ErrNoBinary = errors.New("gpucoord is neither beside gpucoord-relayer nor in $PATH; build both with: make build")
	ErrRequests = errors.New("--requests must be 1 to 1000000")
	ErrEVMFlags = errors.New("--evm-rpc is an http or https URL, goes with --evm-key-file and --evm-password-file, and not with --no-evm")
	ErrSpeedup  = errors.New("--speedup must be 0 (spread over two and a half epochs) or 0.001 to 1000000")
)

// Options are the flags of the demo.
type Options struct {
	// Home is the data directory; empty makes a fresh one that is kept.
	Home string
	// TraceFile is an Azure LLM inference trace; empty is a small built-in one.
	TraceFile string
	// Requests is how many are replayed.
	Requests int
	// Speedup divides the trace's times; 0 spreads the requests over two and a half epochs.
	Speedup float64
	// ReportFile gets the numbers as JSON, unless empty.
	ReportFile string
	// Once ends after the page; else the demo goes on at a low rate until it is interrupted.
	Once bool
	// EVMRPC is the JSON-RPC of the EVM chain that anchors go to, paid by the account of the keystore EVMKeyFile, which EVMPasswordFile
	// opens; empty is an embedded development chain. NoEVM leaves it out.
	EVMRPC, EVMKeyFile, EVMPasswordFile string
	NoEVM                               bool
	// Relayer and Node are the two binaries; empty is this program and gpucoord beside it or in $PATH.
	Relayer, Node string
	// Out gets the page, Progress what is being done meanwhile.
	Out, Progress io.Writer
}

// DefaultOptions returns the options of make demo.
func DefaultOptions() Options {
	return Options{Requests: 200, Out: os.Stdout, Progress: os.Stderr}
}

const (
	// epochBlocks and blockPause make an epoch of about 7 seconds, and settle it about 18 seconds after its end.
	epochBlocks = 20
	blockPause  = 300 * time.Millisecond
	// submitBlocks is the submit window, graceBlocks how much of it relayers wait for late countersignatures, marginBlocks what they leave
	// for sending: enough for a node that is killed and started again in it.
	submitBlocks = 20
	graceBlocks  = 8
	marginBlocks = 8
)

// check completes the options.
//
// Errors: ErrRequests, ErrSpeedup, ErrEVMFlags, ErrNoBinary, or the file system's.
func (o *Options) check() error {
	if o.Requests < 1 || o.Requests > 1_000_000 {
		return fmt.Errorf("%w: got %d", ErrRequests, o.Requests)
	}
	if o.Speedup != 0 && !(o.Speedup >= 0.001 && o.Speedup <= 1_000_000) { // written so that NaN is refused
		return fmt.Errorf("%w: got %g", ErrSpeedup, o.Speedup)
	}
	if err := o.checkEVM(); err != nil {
		return err
	}
	var err error
	if o.Relayer == "" {
		if o.Relayer, err = os.Executable(); err != nil {
			return fmt.Errorf("find this program: %w", err)
		}
	}
	if o.Node == "" {
		if o.Node, err = findNode(o.Relayer); err != nil {
			return err
		}
	}
	if o.Home == "" {
		if o.Home, err = os.MkdirTemp("", "gpucoord-demo-"); err != nil {
			return fmt.Errorf("make a data directory: %w", err)
		}
	}
	o.Home, err = filepath.Abs(o.Home)
	return err
}

// checkEVM makes the paths absolute: the anchorer reads them too.
func (o *Options) checkEVM() error {
	if o.EVMRPC == "" {
		if o.EVMKeyFile != "" || o.EVMPasswordFile != "" {
			return ErrEVMFlags
		}
		return nil
	}
	u, err := url.Parse(o.EVMRPC)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || o.EVMKeyFile == "" || o.EVMPasswordFile == "" || o.NoEVM {
		return ErrEVMFlags // without the address: it can hold an access key
	}
	if o.EVMKeyFile, err = filepath.Abs(o.EVMKeyFile); err != nil {
		return err
	}
	o.EVMPasswordFile, err = filepath.Abs(o.EVMPasswordFile)
	return err
}

func findNode(relayer string) (string, error) {
	beside := filepath.Join(filepath.Dir(relayer), "gpucoord")
	if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0 {
		return beside, nil
	}
	path, err := exec.LookPath("gpucoord")
	if err != nil {
		return "", ErrNoBinary
	}
	return filepath.Abs(path)
}

// trace returns the requests to replay.
func (o *Options) trace() ([]Request, error) {
	if o.TraceFile == "" {
		return builtinTrace(o.Requests), nil
	}
	return readTraceFile(o.TraceFile, o.Requests)
}
