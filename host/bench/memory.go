// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/gpucoord/gpucoord/host/jobbook"
	"github.com/gpucoord/gpucoord/host/receiptlog"
)

const (
	// maxBytesPerJob bounds what the heap keeps of a job that is over: its nonce for as long as its authorisation could come again (70
	// minutes), and where its receipt lies for four epochs. Both are forgotten then; nothing else may grow.
	maxBytesPerJob = 192
	// maxGrowth is how much the heap may grow once what comes equals what is forgotten, in percent.
	maxGrowth = 10
)

// benchMemory asks twice whether memory stays flat: over jobs through the host, where all that may grow is what it has to remember, and
// over hours of a host's memory of jobs, when the first ones are forgotten.
func benchMemory(out io.Writer, opts options) error {
	return errors.Join(benchHeap(out, opts), benchSteady(out, opts))
}

// benchHeap sends many jobs and compares heap and goroutines after a tenth of them with those at the end.
func benchHeap(out io.Writer, opts options) (err error) {
	r, err := newRig(opts.dir, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.stop()) }()
	const step = 1_000
	var heaps [2]uint64
	var goroutines [2]int
	tenth := opts.memory / 10 / step * step
	sent := 0
	for i, at := range []int{tenth, opts.memory / step * step} {
		for ; sent < at; sent += step {
			if _, err := r.load(r.metered, sent%(2*step) == 0, step, opts.clients); err != nil {
				return err
			}
		}
		heaps[i], goroutines[i] = heap(), runtime.NumGoroutine()
	}
	t := table{title: fmt.Sprintf("memory over %d jobs, half of them streams, none of them old enough to be forgotten (client and engine included)", sent)}
	t.add("heap after", fmt.Sprintf("%d jobs", tenth), fmt.Sprintf("%d KiB, %d goroutines", heaps[0]>>10, goroutines[0]))
	t.add("", fmt.Sprintf("%d jobs", sent), fmt.Sprintf("%d KiB, %d goroutines", heaps[1]>>10, goroutines[1]))
	kept := int64(heaps[1]) - int64(heaps[0]) //nolint:gosec // a heap is below 2^63
	kept /= int64(max(1, sent-tenth))
	t.add("", "kept of a job that is over", fmt.Sprintf("%d bytes (limit %d) %s", kept, maxBytesPerJob, word(kept <= maxBytesPerJob)))
	return t.write(out)
}

// benchSteady lets the host's memory of jobs live through ten hours in which jobs come evenly, with a clock of its own: authorisations
// run for an hour and are forgotten ten minutes later.
func benchSteady(out io.Writer, opts options) error {
	const (
		hours, lifeSeconds, pruneSeconds = 10, 3_600, 60
		begin                            = 1_700_000_000 // some second
	)
	perHour := uint64(max(1, opts.memory)) //nolint:gosec // positive
	book := jobbook.New(3)
	before := heap()
	t := table{title: fmt.Sprintf("the host's memory of jobs over %d hours of %d jobs each", hours, perHour)}
	var first, last uint64
	var seq uint64
	for hour := range uint64(hours) {
		for n := range perHour {
			now := begin + hour*3_600 + n*3_600/perHour
			if n%max(1, perHour*pruneSeconds/3_600) == 0 {
				book.Prune(now)
			}
			seq++
			a := receiptlog.Admission{Payer: [20]byte{1}, Nonce: seq, ExpiresAt: now + lifeSeconds, MaxAmount: 1}
			for i := range 8 {
				a.JobID[i] = byte(seq >> (8 * i)) //nolint:gosec // a name for a job
			}
			if err := book.Admit(a, jobbook.Limits{Cover: 1 << 62, MaxOpen: 1}); err != nil {
				return err
			}
			book.Served(a.JobID, 3, seq, 1)
		}
		last = heap() - min(before, heap())
		if hour == 2 { // all of the first hour is forgotten by now
			first = last
		}
		if hour == 0 || hour >= 2 && hour%2 == 0 || hour == hours-1 {
			t.add("after hour", fmt.Sprint(hour+1), fmt.Sprintf("%d KiB for %d nonces", last>>10, book.Totals().Known))
		}
	}
	runtime.KeepAlive(book)
	t.add("growth", "from hour 3 to the last", fmt.Sprintf("%d KiB (limit %d %%) %s", (int64(last)-int64(first))>>10, maxGrowth, //nolint:gosec // heaps are below 2^63
		word(last <= first+first*maxGrowth/100)))
	return t.write(out)
}

// heap is what is in use after a collection.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // finalisers of the first one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
