// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/gpucoord/gpucoord/app/apptest"
)

// cost is what something took.
type cost struct{ wall, cpu time.Duration }

func (c cost) minus(d cost) cost { return cost{wall: c.wall - d.wall, cpu: c.cpu - d.cpu} }

func (c cost) over(n int) cost {
	return cost{wall: c.wall / time.Duration(n), cpu: c.cpu / time.Duration(n)}
}

func (c cost) String() string { return fmt.Sprintf("%s cpu, %s wall", micros(c.cpu), micros(c.wall)) }

func micros(d time.Duration) string { return fmt.Sprintf("%d us", d.Microseconds()) }

// processorTime is what all threads of this process have used so far, the collector's included.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0 // it only fails for a wrong argument
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// garbageLimit is how much the heap may grow before garbage is collected, between two blocks.
const garbageLimit = 1 << 30

// heapAfterCollection is the heap's size when garbage was last collected. Measurements do not run in parallel.
var heapAfterCollection uint64

// collect keeps the collector, which is switched off, out of the measured blocks: one of them would pay for all.
func collect() {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	if stats.HeapAlloc < heapAfterCollection+garbageLimit {
		return
	}
	runtime.GC()
	runtime.ReadMemStats(&stats)
	heapAfterCollection = stats.HeapAlloc
}

// block runs a block and returns its cost; a transaction that fails is an error. A profile has what as the label "block" of its samples.
func block(what string, chain *apptest.Chain, txs ...[]byte) (cost, error) {
	collect()
	var response *abci.ResponseFinalizeBlock
	var err error
	cpu, wall := processorTime(), time.Now() //nolint:forbidigo // this program measures time
	pprof.Do(context.Background(), pprof.Labels("block", what), func(context.Context) {
		response, err = chain.Block(txs...)
	})
	spent := cost{wall: time.Since(wall), cpu: processorTime() - cpu} //nolint:forbidigo // see above
	if err != nil {
		return cost{}, err
	}
	for i, result := range response.TxResults {
		if result.Code != 0 {
			return cost{}, fmt.Errorf("transaction %d: %s", i, result.Log)
		}
	}
	return spent, nil
}

// median returns the middle of each measure by itself.
func median(costs []cost) cost {
	walls, cpus := make([]time.Duration, len(costs)), make([]time.Duration, len(costs))
	for i, c := range costs {
		walls[i], cpus[i] = c.wall, c.cpu
	}
	slices.Sort(walls)
	slices.Sort(cpus)
	return cost{wall: walls[len(walls)/2], cpu: cpus[len(cpus)/2]}
}

// table is one benchmark's result.
type table struct {
	title string
	rows  [][2]string
}

func (t *table) add(name, value string) { t.rows = append(t.rows, [2]string{name, value}) }

// judge adds a ratio in thousandths and whether it keeps its limit.
func (t *table) judge(name string, of, by time.Duration, limitThousandths int64) {
	thousandths := of.Nanoseconds() * 1_000 / max(1, by.Nanoseconds())
	word := "PASS"
	if thousandths > limitThousandths {
		word = "MISS"
	}
	t.add(name, fmt.Sprintf("%s (limit %s) %s", decimal(thousandths), decimal(limitThousandths), word))
}

func decimal(thousandths int64) string {
	return fmt.Sprintf("%d.%03d", thousandths/1_000, thousandths%1_000)
}

func (t *table) write(out io.Writer) error {
	if _, err := fmt.Fprintf(out, "\n%s\n%s\n", t.title, strings.Repeat("-", len(t.title))); err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range t.rows {
		if _, err := fmt.Fprintf(w, "%s\t%s\n", row[0], row[1]); err != nil {
			return err
		}
	}
	return w.Flush()
}
