// SPDX-License-Identifier: Apache-2.0

// Command bench measures the state machine against the ratios that the protocol promises, and prints them as tables.
//
// All figures are of whole blocks through FinalizeBlock and Commit over a memory database, signatures included. What is
// compared runs interleaved, and medians are printed with the processor time beside the wall time, because a shared
// machine varies more than most changes do. A ratio is judged by processor time. Garbage is collected between blocks
// and not counted.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
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
	only := flag.String("only", "", "one of: batch, settle, epoch; empty runs all")
	flag.Parse()
	debug.SetGCPercent(-1)
	if err := run(os.Stdout, opts, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, opts options, only string) error {
	for _, b := range []struct {
		name    string
		measure func(options) (table, error)
	}{
		{"batch", benchBatch},
		{"settle", benchSettle},
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
