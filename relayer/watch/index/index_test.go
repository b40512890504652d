// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/relayer/watch/index"
)

func open(t testing.TB, dir string) *index.Index {
	t.Helper()
	x, err := index.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func add(t testing.TB, x *index.Index, entries ...index.Entry) []index.Conflict {
	t.Helper()
	conflicts, err := x.Add(entries)
	if err != nil {
		t.Fatal(err)
	}
	return conflicts
}

func entry(x *index.Index, what string, place index.Place) index.Entry {
	return index.Entry{Kind: index.Job, Key: x.Key(index.Job, []byte(what)), Place: place}
}

func TestSecondClaimIsAConflictWithTheFirst(t *testing.T) {
	x := open(t, t.TempDir())
	defer func() { _ = x.Close() }()
	first, second, third := index.Place{Batch: 1}, index.Place{Batch: 2, Leaf: 5}, index.Place{Batch: 2, Group: 1}
	if got := add(t, x, entry(x, "a", first), entry(x, "b", index.Place{Batch: 1, Leaf: 1})); len(got) != 0 {
		t.Errorf("two jobs gave %v", got)
	}
	if got := add(t, x, entry(x, "a", first)); len(got) != 0 {
		t.Errorf("the same again gave %v", got)
	}
	got := add(t, x, entry(x, "a", third), entry(x, "c", second), entry(x, "a", second))
	want := []index.Conflict{{Kind: index.Job, First: first, Second: second}, {Kind: index.Job, First: first, Second: third}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := add(t, x, entry(x, "d", third), entry(x, "d", second)); len(got) != 1 || got[0].First != second || got[0].Second != third {
		t.Errorf("twice in one batch gave %v, want the lower place first", got)
	}
}

func TestEntriesAndSecretSurviveReopening(t *testing.T) {
	dir := t.TempDir()
	x := open(t, dir)
	before := x.Key(index.Seq, []byte("a"))
	add(t, x, entry(x, "a", index.Place{Batch: 1}))
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	x = open(t, dir)
	defer func() { _ = x.Close() }()
	if x.Key(index.Seq, []byte("a")) != before {
		t.Error("the key of the same claim changed")
	}
	if x.Key(index.Job, []byte("a")) == before {
		t.Error("two kinds share a key")
	}
	if got := add(t, x, entry(x, "a", index.Place{Batch: 9})); len(got) != 1 {
		t.Errorf("got %v, want one conflict", got)
	}
}

func TestKeysOfTwoIndexesDiffer(t *testing.T) {
	a, b := open(t, t.TempDir()), open(t, t.TempDir())
	defer func() { _, _ = a.Close(), b.Close() }()
	if a.Key(index.Job, []byte("a")) == b.Key(index.Job, []byte("a")) {
		t.Error("a key can be computed without the secret")
	}
}

func TestPruneForgetsOldBatchesAlone(t *testing.T) {
	x := open(t, t.TempDir())
	defer func() { _ = x.Close() }()
	add(t, x, entry(x, "old", index.Place{Batch: 4}), entry(x, "new", index.Place{Batch: 5}))
	if err := x.Prune(5); err != nil {
		t.Fatal(err)
	}
	if got := add(t, x, entry(x, "old", index.Place{Batch: 6})); len(got) != 0 {
		t.Errorf("forgotten claim gave %v", got)
	}
	if got := add(t, x, entry(x, "new", index.Place{Batch: 6})); len(got) != 1 {
		t.Errorf("kept claim gave %v", got)
	}
}

// TestMemoryStaysFlat adds GPUCOORD_WATCH_RECEIPTS receipts of three claims each and prints what every million cost. Without
// the variable it adds 200,000, which is more than stay in memory. In the end every first claim must still be known.
func TestMemoryStaysFlat(t *testing.T) {
	receipts, step := 200_000, 100_000
	if n, err := strconv.Atoi(os.Getenv("GPUCOORD_WATCH_RECEIPTS")); err == nil {
		receipts, step = n, 1_000_000
	}
	x := open(t, t.TempDir())
	defer func() { _ = x.Close() }()
	const batchSize = 5_000
	begin, cpu := time.Now(), cpuTime(t)
	for at := 0; at < receipts; at += batchSize {
		entries := make([]index.Entry, 0, 3*batchSize)
		for i := range batchSize {
			name := binary.BigEndian.AppendUint64(nil, uint64(at+i)) //nolint:gosec // not negative
			place := index.Place{Batch: uint64(at/batchSize) + 1, Leaf: uint32(i)}
			for _, kind := range []index.Kind{index.Job, index.Seq, index.Payment} {
				entries = append(entries, index.Entry{Kind: kind, Key: x.Key(kind, name), Place: place})
			}
		}
		if got := add(t, x, entries...); len(got) != 0 {
			t.Fatalf("%d conflicts among different claims", len(got))
		}
		if done := at + batchSize; done%step == 0 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			now, used := time.Now(), cpuTime(t)
			t.Logf("%9d receipts: %7.0f/s wall, %7.0f/s per core, heap %4d MiB, rss %4d MiB", done, float64(step)/now.Sub(begin).Seconds(),
				float64(step)/(used-cpu).Seconds(), m.HeapAlloc>>20, residentMiB(t))
			begin, cpu = now, used
			if m.HeapAlloc > 256<<20 {
				t.Errorf("heap has %d MiB", m.HeapAlloc>>20)
			}
		}
	}
	for at := 0; at < receipts; at += batchSize {
		first := index.Place{Batch: uint64(at/batchSize) + 1}
		key := x.Key(index.Seq, binary.BigEndian.AppendUint64(nil, uint64(at)))
		got := add(t, x, index.Entry{Kind: index.Seq, Key: key, Place: index.Place{Batch: 1 << 40}})
		if len(got) != 1 || got[0].First != first {
			t.Fatalf("second claim of receipt %d gave %v, want a conflict with %v", at, got, first)
		}
	}
}

func TestTornLogLosesOnlyWhatWasNeverAcknowledged(t *testing.T) {
	dir := t.TempDir()
	x := open(t, dir)
	add(t, x, entry(x, "a", index.Place{Batch: 1}))
	whole, err := os.Stat(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	add(t, x, entry(x, "b", index.Place{Batch: 1, Leaf: 1}))
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, "log"), whole.Size()+20); err != nil {
		t.Fatal(err)
	}
	for range 2 { // what is torn is written over
		x = open(t, dir)
		if got := add(t, x, entry(x, "a", index.Place{Batch: 2})); len(got) != 1 {
			t.Errorf("whole entry: got %v, want a conflict", got)
		}
		if got := add(t, x, entry(x, "b", index.Place{Batch: 1, Leaf: 1})); len(got) != 0 {
			t.Errorf("torn entry, added again: got %v", got)
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
	x = open(t, dir)
	defer func() { _ = x.Close() }()
	if got := add(t, x, entry(x, "b", index.Place{Batch: 3})); len(got) != 1 {
		t.Errorf("entry that was added again: got %v, want a conflict", got)
	}
}

func TestDamagedRunIsRefused(t *testing.T) {
	dir := t.TempDir()
	x := open(t, dir)
	add(t, x, entry(x, "a", index.Place{Batch: 1}), entry(x, "b", index.Place{Batch: 1}))
	if err := x.Prune(0); err != nil { // makes a run
		t.Fatal(err)
	}
	if got := add(t, x, entry(x, "a", index.Place{Batch: 2})); len(got) != 1 {
		t.Errorf("claim in a run: got %v, want a conflict", got)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	runs, err := filepath.Glob(filepath.Join(dir, "*.run"))
	if err != nil || len(runs) != 1 {
		t.Fatalf("runs: %v (%v)", runs, err)
	}
	raw, err := os.ReadFile(runs[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{"order": append(append([]byte{}, raw[32:]...), raw[:32]...), "length": raw[:40], "empty": {}} {
		if err := os.WriteFile(runs[0], bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := index.Open(dir); !errors.Is(err, index.ErrDamaged) {
			t.Errorf("%s: got %v, want ErrDamaged", name, err)
		}
	}
}
