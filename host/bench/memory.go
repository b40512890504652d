// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"runtime"
)

// maxBytesPerJob bounds what the heap keeps of a job that is over: its nonce for as long as its authorisation could come again (70
// minutes), and where its receipt lies for four epochs. Both are forgotten then; nothing else may grow.
const maxBytesPerJob = 192

// benchMemory sends many jobs and compares heap and goroutines after a tenth of them with those at the end.
func benchMemory(out io.Writer, opts options) (err error) {
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
	for _, at := range []int{tenth, opts.memory / step * step} {
		for ; sent < at; sent += step {
			if _, err := r.load(r.metered, sent%(2*step) == 0, step, opts.clients); err != nil {
				return err
			}
		}
		i := 0
		if at > tenth {
			i = 1
		}
		heaps[i], goroutines[i] = heap(), runtime.NumGoroutine()
	}
	t := table{title: fmt.Sprintf("memory over %d jobs, half of them streams, in one epoch (client and engine included)", sent)}
	t.add("heap after", fmt.Sprintf("%d jobs", tenth), fmt.Sprintf("%d KiB, %d goroutines", heaps[0]>>10, goroutines[0]))
	t.add("", fmt.Sprintf("%d jobs", sent), fmt.Sprintf("%d KiB, %d goroutines", heaps[1]>>10, goroutines[1]))
	kept := int64(heaps[1]) - int64(heaps[0]) //nolint:gosec // a heap is below 2^63
	kept /= int64(max(1, sent-tenth))
	t.add("", "kept of a job that is over", fmt.Sprintf("%d bytes (limit %d) %s", kept, maxBytesPerJob, word(kept <= maxBytesPerJob)))
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
