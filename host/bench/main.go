// SPDX-License-Identifier: Apache-2.0

// Command bench measures what the host's metering costs beside a bare httputil.ReverseProxy to the same engine, and whether its memory
// stays flat, and prints tables.
//
// Client, engine and both proxies share one process and machine, so an engine that answers at once shows the processor time of a job, and
// one with a model's latency what its customers notice. The two sides take turns and medians are printed, because a shared machine varies
// more than most changes do; processor time varies least. Every job has its own signed authorisation, and its nonce and receipt are synced
// to disk. An engine that answers at once is no model: it is the worst case, and a table says where its time goes.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

// options are the sizes of a run.
type options struct {
	dir      string // of the receipt logs
	rounds   int
	requests int // of a round on each side
	clients  int
	ttft     time.Duration
	crowd    int // clients of the engine that answers at once
	memory   int // requests of the memory run
}

func main() {
	var opts options
	flag.StringVar(&opts.dir, "dir", "", "directory for the receipt logs; empty takes a temporary one")
	flag.IntVar(&opts.rounds, "rounds", 9, "rounds of each case, sides in turns")
	flag.IntVar(&opts.requests, "requests", 600, "requests of a round on each side")
	flag.IntVar(&opts.clients, "clients", 16, "clients that send at the same time")
	flag.IntVar(&opts.crowd, "crowd", 64, "clients where the engine answers at once: enough that the processor, not the disk, is what they wait for")
	flag.DurationVar(&opts.ttft, "ttft", 50*time.Millisecond, "time to the first token of the engine with latency")
	flag.IntVar(&opts.memory, "memory", 100_000, "requests of the memory run")
	only := flag.String("only", "", "one of: proxy, stages, memory; empty runs all")
	flag.Parse()
	if err := run(os.Stdout, opts, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, opts options, only string) (err error) {
	if opts.dir, err = os.MkdirTemp(opts.dir, "gpucoord-bench-"); err != nil {
		return err
	}
	defer func() {
		if cleanup := os.RemoveAll(opts.dir); err == nil {
			err = cleanup
		}
	}()
	for _, b := range []struct {
		name    string
		measure func(io.Writer, options) error
	}{
		{"proxy", benchProxy},
		{"stages", benchStages},
		{"memory", benchMemory},
	} {
		if only != "" && only != b.name {
			continue
		}
		if err := b.measure(out, opts); err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
	}
	return nil
}
