// SPDX-License-Identifier: Apache-2.0

// Command bench measures the state machine against the ratios that the protocol promises, and prints them as tables.
//
// All figures are of whole blocks through FinalizeBlock and Commit over a memory database, signatures included. What is
// compared runs interleaved, and medians are printed with the processor time beside the wall time, because a shared
// machine varies more than most changes do. A ratio is judged by processor time. Garbage is collected between blocks
// and not counted.
//
// Where a batch's time goes, by -cpuprofile, in rounded parts of its block: a third is the module's own work (half of it the
// checks of admission, a quarter locks), a quarter the SDK's checks before it, a quarter the state tree (about 20 keys written),
// the rest decoding and the block's own frame. Of a settlement most is reads and writes of small keys and five bank transfers.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"runtime/pprof"
)

// options are the sizes of a run.
type options struct {
	crowd  int // operators of the large registry
	rounds int // measurements of each case
}

func main() {
	var opts options
	flag.IntVar(&opts.crowd, "operators", 100_000, "operators of the large registry")
	flag.IntVar(&opts.rounds, "rounds", 9, "measurements of each case, interleaved")
	profile := flag.String("cpuprofile", "", `file for a profile; "go tool pprof -tagfocus block=batch" shows the blocks of batches, of "send", "settle" and so on`)
	only := flag.String("only", "", "one of: batch, settle, challenge, epoch; empty runs all")
	flag.Parse()
	debug.SetGCPercent(-1)
	if err := profiled(*profile, func() error { return run(os.Stdout, opts, *only) }); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// profiled runs f and writes where its time went to a file, unless that has no name.
func profiled(name string, f func() error) error {
	if name == "" {
		return f()
	}
	file, err := os.Create(name) //nolint:gosec // the caller's own file
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return errors.Join(err, file.Close())
	}
	err = f()
	pprof.StopCPUProfile()
	return errors.Join(err, file.Close())
}

func run(out io.Writer, opts options, only string) error {
	for _, b := range []struct {
		name    string
		measure func(options) (table, error)
	}{
		{"batch", benchBatch},
		{"settle", benchSettle},
		{"challenge", benchChallenge},
		{"epoch", benchEpoch},
	} {
		if only != "" && only != b.name {
			continue
		}
		result, err := b.measure(opts)
		if err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
		if err := result.write(out); err != nil {
			return err
		}
	}
	return nil
}
