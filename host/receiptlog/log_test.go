// SPDX-License-Identifier: Apache-2.0

package receiptlog_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host/receiptlog"
)

var (
	testDomain = receipt.NewDomain("gpucoord-test-1", 7)
	testKey    = [20]byte{1, 2, 3}
)

func options(dir string) receiptlog.Options {
	return receiptlog.Options{Dir: dir, Domain: testDomain, HostKey: testKey}
}

func open(t *testing.T, o receiptlog.Options) *receiptlog.Log {
	t.Helper()
	l, err := receiptlog.Open(o, nil)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return l
}

func closeLog(t *testing.T, l *receiptlog.Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
}

// record returns an unsigned record; signatures end in a v byte, as real ones do.
func record(nonce, epoch, seq uint64) (jobID [32]byte, r receipt.Record) {
	r = receipt.Record{
		Auth:  receipt.JobAuth{Payer: [20]byte{9}, Operator: testKey, Nonce: nonce, MaxAmount: 100, ExpiresAt: 50},
		Epoch: epoch, Seq: seq, Outcome: receipt.OutcomeOK, Amount: 7,
	}
	r.SigPayer[64], r.SigOperator[64] = 27, 28
	return r.Auth.ID(testDomain), r
}

func serve(t *testing.T, l *receiptlog.Log, nonce, epoch uint64) [32]byte {
	t.Helper()
	seq, err := l.NextSeq(t.Context())
	if err != nil {
		t.Fatalf("next seq: %v", err)
	}
	id, r := record(nonce, epoch, seq)
	if err := l.Receipt(t.Context(), id, &r); err != nil {
		t.Fatalf("append receipt: %v", err)
	}
	return id
}

func TestLookupSurvivesReopen(t *testing.T) {
	dir := t.TempDir()
	l := open(t, options(dir))
	id := serve(t, l, 1, 5)
	plain := serve(t, l, 2, 5)
	sig := [65]byte{1, 64: 27}
	if err := l.Final(t.Context(), id, sig); err != nil {
		t.Fatal(err)
	}
	closeLog(t, l)

	l = open(t, options(dir))
	defer closeLog(t, l)
	got, err := l.Lookup(id)
	if err != nil || !got.Countersigned || got.SigFinal != sig || got.Auth.Nonce != 1 {
		t.Fatalf("lookup: got %+v, %v", got, err)
	}
	if got, err = l.Lookup(plain); err != nil || got.Countersigned || got.Auth.Nonce != 2 {
		t.Fatalf("lookup without countersignature: got %+v, %v", got, err)
	}
	if _, err := l.Lookup([32]byte{}); !errors.Is(err, receiptlog.ErrUnknownJob) {
		t.Fatalf("unknown job: got %v", err)
	}
}

func TestSeqContinuesAfterCleanCloseAndSkipsAfterCrash(t *testing.T) {
	dir := t.TempDir()
	next := func(l *receiptlog.Log) uint64 {
		t.Helper()
		n, err := l.NextSeq(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	l := open(t, options(dir))
	if a, b := next(l), next(l); a != 1 || b != 2 {
		t.Fatalf("first numbers: got %d, %d", a, b)
	}
	closeLog(t, l)

	l = open(t, options(dir))
	if got := next(l); got != 3 || l.Stats().Unclean {
		t.Fatalf("after a clean close: got %d, unclean %v", got, l.Stats().Unclean)
	}
	crashed := copyDir(t, dir) // what a killed process leaves behind
	closeLog(t, l)

	l = open(t, options(crashed))
	defer closeLog(t, l)
	// the second process reserved 3..1026, so nothing up to there may be used again
	if got := next(l); got != 2+receiptlog.SeqBlock+1 || !l.Stats().Unclean {
		t.Fatalf("after a crash: got %d, unclean %v", got, l.Stats().Unclean)
	}
}

func TestSeqReservesBeyondTheFirstBlock(t *testing.T) {
	l := open(t, options(t.TempDir()))
	defer closeLog(t, l)
	for want := uint64(1); want <= 2*receiptlog.SeqBlock+1; want++ {
		got, err := l.NextSeq(t.Context())
		if err != nil || got != want {
			t.Fatalf("got %d, %v, want %d", got, err, want)
		}
	}
}

// copyDir copies what is on disk, as a killed process would leave it; the LOCK of the living one does not count there.
func copyDir(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	names, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, filepath.Base(name)), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// logFile returns the bytes of a one-segment log with two receipts, and for each the file size from which on it was acknowledged.
func logFile(t *testing.T) (name string, b []byte, ids [][32]byte, ends []int64) {
	t.Helper()
	dir := t.TempDir()
	l := open(t, options(dir))
	for nonce := uint64(1); nonce <= 2; nonce++ {
		ids = append(ids, serve(t, l, nonce, 5))
		ends = append(ends, l.Stats().End)
	}
	copied := copyDir(t, dir)
	closeLog(t, l)
	names, err := filepath.Glob(filepath.Join(copied, "*.seg"))
	if err != nil || len(names) != 1 {
		t.Fatalf("segments: %v, %v", names, err)
	}
	b, err = os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Base(names[0]), b, ids, ends
}

func TestTruncationAtEveryByteLosesNothingAcknowledged(t *testing.T) {
	name, whole, ids, ends := logFile(t)
	root := t.TempDir()
	for cut := range len(whole) + 1 {
		dir := filepath.Join(root, "d")
		if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		l := open(t, options(dir))
		for i, id := range ids {
			if got, want := l.Has(id), int64(cut) >= ends[i]; got != want {
				t.Fatalf("cut at %d: receipt %d found %v, want %v", cut, i, got, want)
			}
		}
		if cut%8 != 0 { // appending syncs twice more
			closeLog(t, l)
			continue
		}
		after := serve(t, l, 9, 5)
		got, err := l.Lookup(after)
		if err != nil {
			t.Fatalf("cut at %d: append after opening: %v", cut, err)
		}
		if int64(cut) >= ends[0] && got.Seq <= receiptlog.SeqBlock {
			t.Fatalf("cut at %d: seq %d of the old block was used again", cut, got.Seq)
		}
		closeLog(t, l)
	}
}

func TestAnyFlippedBitIsDamageNotALoss(t *testing.T) {
	name, whole, _, ends := logFile(t)
	dir := t.TempDir()
	for i := range int(ends[1]) {
		b := bytes.Clone(whole)
		b[i] ^= 1 << (i % 8)
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := receiptlog.Open(options(dir), nil)
		if err == nil {
			t.Fatalf("bit flipped at %d: opened with %+v", i, l.Stats())
		}
		if !errors.Is(err, receiptlog.ErrDamaged) {
			t.Fatalf("bit flipped at %d: got %v", i, err)
		}
	}
}

func TestZeroedTailIsTorn(t *testing.T) {
	name, whole, ids, ends := logFile(t)
	dir := t.TempDir()
	clear(whole[ends[0]+100:]) // the last page of the last write never reached the disk
	if err := os.WriteFile(filepath.Join(dir, name), whole, 0o600); err != nil {
		t.Fatal(err)
	}
	l := open(t, options(dir))
	defer closeLog(t, l)
	if !l.Has(ids[0]) || l.Has(ids[1]) || l.Stats().TornBytes != int64(len(whole))-ends[0] {
		t.Fatalf("got %+v", l.Stats())
	}
}

func TestOpenRefusesForeignAndLockedAndMissingSegments(t *testing.T) {
	dir := t.TempDir()
	o := options(dir)
	o.SegmentBytes = 1000
	l := open(t, o)
	for nonce := range uint64(6) {
		serve(t, l, nonce, 5)
	}
	if _, err := receiptlog.Open(o, nil); !errors.Is(err, receiptlog.ErrLocked) {
		t.Fatalf("second process: got %v", err)
	}
	closeLog(t, l)

	foreign := o
	foreign.HostKey[0]++
	if _, err := receiptlog.Open(foreign, nil); !errors.Is(err, receiptlog.ErrForeign) {
		t.Fatalf("other key: got %v", err)
	}
	foreign = o
	foreign.Domain = receipt.NewDomain("other-1", 7)
	if _, err := receiptlog.Open(foreign, nil); !errors.Is(err, receiptlog.ErrForeign) {
		t.Fatalf("other chain: got %v", err)
	}
	names, _ := filepath.Glob(filepath.Join(dir, "*.seg")) // the pattern is valid
	if len(names) < 3 {
		t.Fatalf("no rotation: %v", names)
	}
	if err := os.Remove(names[1]); err != nil {
		t.Fatal(err)
	}
	if _, err := receiptlog.Open(o, nil); !errors.Is(err, receiptlog.ErrDamaged) {
		t.Fatalf("missing segment: got %v", err)
	}
}

func TestReadWalksDurableReceiptsAcrossSegments(t *testing.T) {
	o := options(t.TempDir())
	o.SegmentBytes = 1000
	l := open(t, o)
	defer closeLog(t, l)
	var want [][32]byte
	for nonce := range uint64(7) {
		if err := l.Admit(t.Context(), receiptlog.Admission{JobID: [32]byte{byte(nonce)}}); err != nil {
			t.Fatal(err)
		}
		want = append(want, serve(t, l, nonce, 5))
	}
	if err := l.Final(t.Context(), want[0], [65]byte{64: 27}); err != nil {
		t.Fatal(err)
	}
	var got [][32]byte
	finals := 0
	for off := l.Stats().First; ; {
		frames, next, err := l.Read(off, 2)
		if err != nil {
			t.Fatalf("read at %d: %v", off, err)
		}
		if next == off {
			break
		}
		for len(frames) > 0 {
			f, rest, err := receiptlog.Next(frames)
			if err != nil {
				t.Fatal(err)
			}
			switch f.Kind {
			case receiptlog.KindReceipt:
				r, err := receipt.Decode(f.Payload)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, r.JobID(testDomain))
			case receiptlog.KindFinal:
				finals++
			default:
				t.Fatalf("kind %d was returned", f.Kind)
			}
			frames = rest
		}
		off = next
	}
	if len(got) != len(want) || finals != 1 {
		t.Fatalf("got %d receipts and %d countersignatures, want %d and 1", len(got), finals, len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("receipt %d differs", i)
		}
	}
	if _, _, err := l.Read(l.Stats().End+1, 1); !errors.Is(err, receiptlog.ErrBeyondEnd) {
		t.Fatalf("beyond the end: got %v", err)
	}
	if _, _, err := l.Read(1, 1); !errors.Is(err, receiptlog.ErrBadOffset) {
		t.Fatalf("inside a frame: got %v", err)
	}
}

func TestOldEpochsAreForgottenThenDeleted(t *testing.T) {
	o := options(t.TempDir())
	o.SegmentBytes, o.IndexEpochs, o.KeepEpochs = 1000, 1, 4
	l := open(t, o)
	defer closeLog(t, l)
	first := serve(t, l, 0, 1)
	for epoch := uint64(1); epoch <= 2; epoch++ {
		serve(t, l, epoch, epoch)
	}
	if !l.Has(first) {
		t.Fatal("the epoch before the newest is forgotten too early")
	}
	serve(t, l, 3, 3)
	if l.Has(first) || l.Stats().First != 0 {
		t.Fatalf("epoch 1 at epoch 3: found %v, first offset %d", l.Has(first), l.Stats().First)
	}
	for epoch := uint64(4); epoch <= 12; epoch++ {
		serve(t, l, epoch, epoch)
	}
	st := l.Stats()
	if st.First == 0 || st.Indexed != 2 {
		t.Fatalf("got %+v", st)
	}
	if _, _, err := l.Read(0, 1); !errors.Is(err, receiptlog.ErrPruned) {
		t.Fatalf("deleted offset: got %v", err)
	}
}

func TestUnexpiredAdmissionKeepsItsSegment(t *testing.T) {
	o := options(t.TempDir())
	o.SegmentBytes, o.IndexEpochs, o.KeepEpochs = 1000, 1, 1
	l := open(t, o)
	defer closeLog(t, l)
	expires := uint64(time.Now().Add(time.Hour).Unix())
	if err := l.Admit(t.Context(), receiptlog.Admission{JobID: [32]byte{1}, ExpiresAt: expires}); err != nil {
		t.Fatal(err)
	}
	for epoch := uint64(1); epoch <= 12; epoch++ {
		serve(t, l, epoch, epoch)
	}
	if st := l.Stats(); st.First != 0 {
		t.Fatalf("the nonce of a job that can still be sent again is gone: %+v", st)
	}
}

func TestConcurrentAppendsShareSyncs(t *testing.T) {
	o := options(t.TempDir())
	var mu sync.Mutex
	syncs, appends := 0, 0
	o.Synced = func(n int, _ time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		syncs++
		appends += n
	}
	l := open(t, o)
	const workers, each = 32, 8
	ids := make([][each][32]byte, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				seq, err := l.NextSeq(t.Context())
				id, r := record(uint64(w*each+i), 5, seq)
				if err := errors.Join(err, l.Receipt(t.Context(), id, &r)); err != nil {
					t.Error(err)
				}
				ids[w][i] = id
			}
		})
	}
	wg.Wait()
	for w := range workers {
		for _, id := range ids[w] {
			if !l.Has(id) {
				t.Fatal("an acknowledged receipt is not found")
			}
		}
	}
	closeLog(t, l)
	if appends != workers*each+2 || syncs >= appends/2 { // + the reservation at the start and the clean close
		t.Fatalf("%d appends took %d syncs", appends, syncs)
	}
}

func TestAppendAfterCloseAndWithEndedContext(t *testing.T) {
	l := open(t, options(t.TempDir()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	id, r := record(1, 5, 1)
	if err := l.Receipt(ctx, id, &r); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatalf("ended context: got %v", err)
	}
	closeLog(t, l)
	if err := l.Receipt(t.Context(), id, &r); !errors.Is(err, receiptlog.ErrClosed) {
		t.Fatalf("closed log: got %v", err)
	}
	closeLog(t, l)
}

func TestFrameBytes(t *testing.T) {
	payload := make([]byte, 97)
	b := receiptlog.AppendFrame(nil, receiptlog.KindFinal, payload)
	if len(b) != receiptlog.FrameOverhead+97 || binary.BigEndian.Uint32(b) != 97 || b[8] != 2 {
		t.Fatalf("got % x", b[:9])
	}
	f, rest, err := receiptlog.Next(append(b, 1))
	if err != nil || f.Kind != receiptlog.KindFinal || !bytes.Equal(f.Payload, payload) || len(rest) != 1 {
		t.Fatalf("got %+v, %d left, %v", f, len(rest), err)
	}
}
