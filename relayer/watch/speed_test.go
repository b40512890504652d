// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"os"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/relayer/sigcheck"
)

// TestReceiptsPerSecond checks GPUCOORD_WATCH_RECEIPTS different receipts in batches of 20,000, all signatures included, and prints
// how many a second that were. Without the variable it checks 400 and looks at nothing but that all were.
func TestReceiptsPerSecond(t *testing.T) {
	total, size := 400, 200
	if n, err := strconv.Atoi(os.Getenv("GPUCOORD_WATCH_RECEIPTS")); err == nil {
		total, size = n, min(n, 20_000)
	}
	f := newFixture(t)
	f.cfg.Workers = runtime.GOMAXPROCS(0)
	f.cfg.Checker.Recover = sigcheck.Recover
	if err := f.w.Close(); err != nil {
		t.Fatal(err)
	}
	f.open()
	for seq := 1; seq <= total; seq += size {
		var records []receipt.Record
		for i := range size {
			records = append(records, f.m.Record(uint64(seq+i))) //nolint:gosec // not negative
		}
		f.claim(part{records: records})
	}
	began, cpu := time.Now(), cpuTime(t)
	f.rounds(1)
	took, used := time.Since(began), cpuTime(t)-cpu
	st, err := f.w.Status(t.Context())
	if err != nil || st.ReceiptsChecked != uint64(total) || len(f.chain.sent) != 0 {
		t.Fatalf("status is %+v (%v), want %d receipts and nothing to file", st, err, total)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("%d receipts with two signatures, fetched, checked, indexed: %.0f/s wall on %d cores, %.0f/s per core of CPU time, libsecp256k1 %t, heap %d MiB",
		total, float64(total)/took.Seconds(), runtime.GOMAXPROCS(0), float64(total)/used.Seconds(), sigcheck.Native, m.HeapInuse>>20)
}

// cpuTime is what all threads of the process have used.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
