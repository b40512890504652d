// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/relayer/internal/receipttest"
	"github.com/gpucoord/gpucoord/relayer/store"
)

func open(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newStore(t *testing.T) *store.Store {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "relayer.db"))
}

func chunk(m *receipttest.Maker, from, next int64, records ...receipt.Record) *store.Chunk {
	c := &store.Chunk{HostID: m.HostID, From: from, Next: next}
	for _, r := range records {
		c.Receipts = append(c.Receipts, m.Stored(r))
	}
	return c
}

func save(t *testing.T, s *store.Store, c *store.Chunk) {
	t.Helper()
	if err := s.SaveChunk(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func reasons(t *testing.T, s *store.Store) map[string]uint64 {
	t.Helper()
	st, err := s.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]uint64)
	for _, r := range st.Rejected {
		out[r.Reason] += r.Count
	}
	return out
}

func TestReceiptsAndCursorSurviveReopening(t *testing.T) {
	m, path := receipttest.New(), filepath.Join(t.TempDir(), "relayer.db")
	s := open(t, path)
	save(t, s, chunk(m, 0, 100, m.Record(2), m.Record(1)))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	if at, err := s.Cursor(t.Context(), m.HostID); err != nil || at != 100 {
		t.Errorf("cursor is %d (%v), want 100", at, err)
	}
	got, err := s.Receipts(t.Context(), m.HostID, receipttest.Epoch, m.HostKeyAddress())
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Seq != 1 || got[1].Seq != 2 {
		t.Fatalf("receipts are %+v, want seq 1 and 2", got)
	}
	want := m.Stored(m.Record(1))
	if got[0].JobID != want.JobID || !bytes.Equal(got[0].SR1, want.SR1) || got[0].HostKey != want.HostKey || got[0].HostID != want.HostID {
		t.Error("receipt 1 is not what was saved")
	}
	if keys, err := s.HostKeys(t.Context(), m.HostID, receipttest.Epoch); err != nil || len(keys) != 1 || keys[0] != m.HostKeyAddress() {
		t.Errorf("host keys are %x (%v)", keys, err)
	}
	if _, err := s.ReceiptOfJob(t.Context(), [32]byte{1}); !errors.Is(err, store.ErrNoReceipt) {
		t.Errorf("unknown job: got %v, want ErrNoReceipt", err)
	}
}

func TestChunkIsWrittenWholeOrNotAtAll(t *testing.T) {
	m, s := receipttest.New(), newStore(t)
	save(t, s, chunk(m, 0, 100, m.Record(1)))
	if err := s.SaveChunk(t.Context(), chunk(m, 0, 200, m.Record(2))); !errors.Is(err, store.ErrCursorMoved) {
		t.Errorf("chunk at an old offset: got %v, want ErrCursorMoved", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.SaveChunk(ctx, chunk(m, 100, 200, m.Record(2))); err == nil {
		t.Error("chunk was saved under an ended context")
	}
	if got, err := s.Receipts(t.Context(), m.HostID, receipttest.Epoch, m.HostKeyAddress()); err != nil || len(got) != 1 {
		t.Errorf("%d receipts (%v), want the first chunk's one", len(got), err)
	}
	if at, err := s.Cursor(t.Context(), m.HostID); err != nil || at != 100 {
		t.Errorf("cursor is %d (%v), want 100", at, err)
	}
}

func TestReceiptGainsItsCountersignatureOnce(t *testing.T) {
	m, s := receipttest.New(), newStore(t)
	plain := m.Record(1)
	final := m.Countersigned(plain)
	other := final
	other.SigFinal[0]++ // another signature of the same: which of two is kept does not matter, but it stays
	save(t, s, chunk(m, 0, 1, plain))
	save(t, s, chunk(m, 1, 2, final))
	save(t, s, chunk(m, 2, 3, other, plain))
	got, err := s.ReceiptOfJob(t.Context(), plain.JobID(m.Domain))
	if err != nil || !bytes.Equal(got.SR1, final.AppendSR1(nil)) {
		t.Errorf("stored record is not the first countersigned one (%v)", err)
	}
	st, err := s.Status(t.Context())
	if err != nil || len(st.Logs) != 1 || st.Logs[0].Receipts != 1 || st.Logs[0].Countersigned != 1 || st.Logs[0].Offset != 3 {
		t.Errorf("counts are %+v (%v), want one receipt, countersigned", st.Logs, err)
	}
}

func TestContradictionsAreTurnedDown(t *testing.T) {
	m, s := receipttest.New(), newStore(t)
	first := m.Record(1)
	otherJob := m.Record(1, func(r *receipt.Record) { r.Auth.Nonce = 99 })
	otherSeq := m.Record(2, func(r *receipt.Record) { r.Auth.Nonce = 1; r.Amount = 1001 })
	otherAmount := m.Record(1, func(r *receipt.Record) { r.Amount = 5 })
	save(t, s, chunk(m, 0, 1, first, otherJob, otherSeq, otherAmount))
	want := map[string]uint64{store.ReasonSeqReused: 1, store.ReasonJobReused: 1, store.ReasonTwoRecords: 1}
	got := reasons(t, s)
	for reason, n := range want {
		if got[reason] != n {
			t.Errorf("%q: %d times, want %d; all: %v", reason, got[reason], n, got)
		}
	}
	if r, err := s.Receipts(t.Context(), m.HostID, receipttest.Epoch, m.HostKeyAddress()); err != nil || len(r) != 1 || !bytes.Equal(r[0].SR1, first.AppendSR1(nil)) {
		t.Errorf("%d receipts (%v), want the first alone", len(r), err)
	}
}

func TestBatchIsSavedOnceWithItsTransaction(t *testing.T) {
	m, s := receipttest.New(), newStore(t)
	b := &store.Batch{HostID: m.HostID, HostKey: m.HostKeyAddress(), Epoch: 7, DASHA256: [32]byte{1}, Msg: []byte("msg"), Receipts: 2, AmountUusdc: 30, Tokens: 4}
	item := store.Item{Key: store.BatchKey(b.HostKey, 7), TypeURL: "/x", Msg: b.Msg, Deadline: 50}
	rejected := []store.Rejection{{HostID: m.HostID, Bytes: []byte("r"), Seq: 1 << 63, Epoch: 7, Stage: store.StageBatch, Reason: "why"}}
	if err := s.SaveBatch(t.Context(), b, item, rejected); err != nil {
		t.Fatal(err)
	}
	again := *b
	again.AmountUusdc = 31
	if err := s.SaveBatch(t.Context(), &again, item, rejected); err != nil {
		t.Fatal(err)
	}
	unsent, err := s.UnsentBatches(t.Context())
	if err != nil || len(unsent) != 1 || unsent[0].AmountUusdc != 30 || unsent[0].HostKey != b.HostKey || unsent[0].DASHA256 != b.DASHA256 {
		t.Fatalf("unsent batches are %+v (%v), want the first one", unsent, err)
	}
	next, err := s.Next(t.Context(), 1)
	if err != nil || next.Key != item.Key {
		t.Fatalf("next is %+v (%v)", next, err)
	}
	if err := s.MarkDone(t.Context(), next.ID, 9); err != nil {
		t.Fatal(err)
	}
	if unsent, err := s.UnsentBatches(t.Context()); err != nil || len(unsent) != 0 {
		t.Errorf("%d unsent batches (%v) after the transaction is in a block", len(unsent), err)
	}
	if err := errors.Join(s.SetBatchID(t.Context(), b.HostKey, 7, 12), s.SetOpened(t.Context(), b.HostKey, 7)); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Batches(t.Context(), 7); err != nil || len(got) != 1 || got[0].ID != 12 || !got[0].Opened {
		t.Errorf("batches are %+v (%v), want id 12, opened", got, err)
	}
	if got := reasons(t, s); got["why"] != 1 {
		t.Errorf("rejections are %v", got)
	}
}

func TestReplaceEndsWhatWaitsAndLeavesWhatIsBeingSent(t *testing.T) {
	s := newStore(t)
	for _, key := range []string{"waits", "flies"} {
		if err := s.Enqueue(t.Context(), store.Item{Key: key, TypeURL: "/x", Msg: []byte{1}}); err != nil {
			t.Fatal(err)
		}
	}
	flies, err := s.Item(t.Context(), "flies")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.MarkSending(t.Context(), flies.ID, store.Signed{Tx: []byte{2}, Hash: "H", Sequence: 3, Expires: 4}); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"waits", "flies"} {
		if err := s.Replace(t.Context(), key, []store.Item{{Key: key + "/1", TypeURL: "/x", Msg: []byte{1}}}); err != nil {
			t.Fatal(err)
		}
	}
	for key, want := range map[string]store.State{"waits": store.Failed, "flies": store.Sending, "waits/1": store.Pending, "flies/1": store.Pending} {
		if got, err := s.Item(t.Context(), key); err != nil || got.State != want {
			t.Errorf("%s is %s (%v), want %s", key, got.State, err, want)
		}
	}
	got, err := s.Item(t.Context(), "flies")
	if err != nil || got.Sequence != 3 || got.Expires != 4 || got.TxHash != "H" || got.Tries != 1 {
		t.Errorf("sending item is %+v (%v)", got, err)
	}
}

func TestPruneForgetsOldEpochs(t *testing.T) {
	m, s := receipttest.New(), newStore(t)
	save(t, s, chunk(m, 0, 1, m.Record(1), m.Record(2, func(r *receipt.Record) { r.Epoch = 8 })))
	if err := s.Prune(t.Context(), 8, 100); err != nil {
		t.Fatal(err)
	}
	for epoch, want := range map[uint64]int{7: 0, 8: 1} {
		if got, err := s.Receipts(t.Context(), m.HostID, epoch, m.HostKeyAddress()); err != nil || len(got) != want {
			t.Errorf("epoch %d has %d receipts (%v), want %d", epoch, len(got), err, want)
		}
	}
}

func TestOpenRefusesAnotherVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relayer.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), path); !errors.Is(err, store.ErrVersion) {
		t.Errorf("got %v, want ErrVersion", err)
	}
}
