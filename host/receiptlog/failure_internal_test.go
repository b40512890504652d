// SPDX-License-Identifier: Apache-2.0

package receiptlog

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestFailedWriteEndsTheLog(t *testing.T) {
	l, err := Open(Options{Dir: t.TempDir()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	end := l.Stats().End
	if err := l.segments[0].file.Close(); err != nil { // from now on every write fails
		t.Fatal(err)
	}
	for range 2 {
		if err := l.Admit(t.Context(), Admission{JobID: [32]byte{1}}); !errors.Is(err, ErrFailed) {
			t.Fatalf("got %v", err)
		}
	}
	select {
	case <-l.Failed():
	default:
		t.Fatal("the failure is not announced")
	}
	if st := l.Stats(); st.End != end || !errors.Is(l.Err(), ErrFailed) {
		t.Fatalf("got %+v, %v", st, l.Err())
	}
	if err := l.Close(); !errors.Is(err, ErrFailed) {
		t.Fatalf("close: got %v", err)
	}
}

func TestReceiptIsAcknowledgedThoughNoSegmentFollows(t *testing.T) {
	l, err := Open(Options{Dir: t.TempDir(), SegmentBytes: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	l.opts.Dir += "/gone" // the next segment cannot be created; appends wait for the writer, which reads it later
	job := [32]byte{1}
	if err := l.Admit(t.Context(), Admission{JobID: job}); err != nil {
		t.Fatalf("a durable append was reported as lost: %v", err)
	}
	<-l.Failed()
	if err := l.Admit(t.Context(), Admission{JobID: [32]byte{2}}); !errors.Is(err, ErrFailed) {
		t.Fatalf("got %v", err)
	}
	if err := l.Close(); !errors.Is(err, ErrFailed) {
		t.Fatalf("close: got %v", err)
	}
}

func TestNoNumberIsHandedOutAfterTheClose(t *testing.T) {
	l, err := Open(Options{Dir: t.TempDir()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if seq, err := l.NextSeq(t.Context()); !errors.Is(err, ErrClosed) {
		t.Fatalf("got %d, %v: the next process uses it too", seq, err)
	}
}

func TestALogOfAnotherVersionIsNamed(t *testing.T) {
	dir := t.TempDir()
	header := (&segmentHeader{}).append(nil)
	header[0] = headerVersion - 1
	if err := os.WriteFile(filepath.Join(dir, segmentName(0)), AppendFrame(nil, KindHeader, header), 0o600); err != nil {
		t.Fatal(err)
	}
	if l, err := Open(Options{Dir: dir}, nil); !errors.Is(err, ErrVersion) {
		t.Fatalf("got %v, %v, want ErrVersion", l, err)
	}
}

func TestAdmissionsComeBackWhole(t *testing.T) {
	want := Admission{
		JobID: [32]byte{1}, Payer: [20]byte{2}, Nonce: 3, ExpiresAt: 4, MaxAmount: 5, OwesCountersignature: true, Settler: [20]byte{6},
	}
	b := want.append(nil)
	if len(b) != payloadSize(KindOpen) {
		t.Fatalf("%d bytes, the format says %d", len(b), payloadSize(KindOpen))
	}
	if got := decodeAdmission(b); got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}
