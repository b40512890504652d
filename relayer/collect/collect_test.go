// SPDX-License-Identifier: Apache-2.0

package collect_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host/receiptlog"
	"github.com/gpucoord/gpucoord/relayer/collect"
	"github.com/gpucoord/gpucoord/relayer/internal/receipttest"
	"github.com/gpucoord/gpucoord/relayer/sigcheck"
	"github.com/gpucoord/gpucoord/relayer/store"
)

// memoryLog is a host's log in memory.
type memoryLog struct {
	bytes []byte
	first int64 // what is before it was deleted
	err   error
}

func (l *memoryLog) Read(_ context.Context, offset int64, most int) (collect.Piece, error) {
	end := int64(len(l.bytes))
	switch {
	case l.err != nil:
		return collect.Piece{}, l.err
	case offset < l.first:
		return collect.Piece{}, collect.ErrPruned
	}
	p := collect.Piece{Next: offset, End: end}
	for rest := l.bytes[min(offset, end):]; most > 0 && len(rest) > 0; most-- {
		size := int(receiptlog.FrameOverhead) + int(rest[3]) + int(rest[2])<<8
		size = min(size, len(rest))
		p.Frames, rest = append(p.Frames, rest[:size]...), rest[size:]
		p.Next += int64(size)
	}
	return p, nil
}

func (l *memoryLog) First(context.Context) (int64, error) { return l.first, nil }

// fixture is a collector of one host with its log and store.
type fixture struct {
	*receipttest.Maker
	log       *memoryLog
	store     *store.Store
	collector *collect.Collector
	owners    map[[20]byte][32]byte
	asked     int
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "relayer.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	f := &fixture{Maker: receipttest.New(), log: &memoryLog{}, store: s}
	f.owners = map[[20]byte][32]byte{f.HostKeyAddress(): f.HostID}
	f.restart(s)
	return f
}

// restart makes a new collector over the same store.
func (f *fixture) restart(s collect.Store) {
	owner := func(_ context.Context, key [20]byte) ([32]byte, error) {
		f.asked++
		host, known := f.owners[key]
		if !known {
			return host, collect.ErrUnknownKey
		}
		return host, nil
	}
	f.collector = collect.New(f.log, owner, s, collect.Config{
		HostID: f.HostID, MaxFrames: 3, Workers: 2, Checker: receipt.Checker{Domain: f.Domain, Recover: sigcheck.Recover},
	}, slog.New(slog.DiscardHandler))
}

func (f *fixture) drain(t *testing.T) {
	t.Helper()
	if err := f.collector.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) stored(t *testing.T) []store.Receipt {
	t.Helper()
	got, err := f.store.Receipts(t.Context(), f.HostID, receipttest.Epoch, f.HostKeyAddress())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (f *fixture) expect(t *testing.T, want ...receipt.Record) {
	t.Helper()
	got := f.stored(t)
	if len(got) != len(want) {
		t.Fatalf("%d receipts, want %d", len(got), len(want))
	}
	for i := range want {
		if !bytes.Equal(got[i].SR1, want[i].AppendSR1(nil)) || got[i].JobID != want[i].JobID(f.Domain) {
			t.Errorf("receipt %d is another one than seq %d (countersigned %t)", i, want[i].Seq, want[i].Countersigned)
		}
	}
}

func (f *fixture) rejected(t *testing.T) map[string]uint64 {
	t.Helper()
	st, err := f.store.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]uint64)
	for _, r := range st.Rejected {
		out[r.Reason] += r.Count
	}
	return out
}

func TestCountersignaturesJoinTheirReceipts(t *testing.T) {
	f := newFixture(t)
	one, two, three := f.Countersigned(f.Record(1)), f.Countersigned(f.Record(2)), f.Record(3)
	b := f.Frame(nil, one)
	b = f.FinalFrame(b, one) // in the same piece
	b = f.Frame(b, two)
	b = f.Frame(b, three)
	b = f.FinalFrame(b, two) // in the next piece
	f.log.bytes = b
	f.drain(t)
	f.expect(t, one, two, three)

	last := f.Countersigned(three)
	f.log.bytes = f.FinalFrame(f.log.bytes, last) // in the next pass, of another process
	f.restart(f.store)
	f.drain(t)
	f.expect(t, one, two, last)
	if len(f.rejected(t)) != 0 {
		t.Errorf("turned down: %v", f.rejected(t))
	}
	if at, err := f.store.Cursor(t.Context(), f.HostID); err != nil || at != int64(len(f.log.bytes)) {
		t.Errorf("cursor is %d (%v), want the end %d", at, err, len(f.log.bytes))
	}
	if f.asked != 2 {
		t.Errorf("the chain was asked %d times for one key, want once a process", f.asked)
	}
}

func TestWrongRecordsAreTurnedDownWithTheReason(t *testing.T) {
	good := receipttest.New()
	stranger := receipttest.New()
	stranger.HostKey = receipttest.Key("a key of nobody")
	neighbour := receipttest.New()
	neighbour.HostKey = receipttest.Key("a key of another host")
	for name, c := range map[string]struct {
		record receipt.Record
		reason string
	}{
		"amount over what was authorised": {good.Record(1, func(r *receipt.Record) { r.Amount = r.Auth.MaxAmount + 1 }), "AMOUNT_OVER_MAX"},
		"changed after signing":           {changed(good.Record(1), func(r *receipt.Record) { r.Amount++ }), "BAD_OPERATOR_SIG"},
		"payer's signature":               {changed(good.Record(1), func(r *receipt.Record) { r.SigPayer = r.SigOperator }), "BAD_PAYER_SIG"},
		"high s":                          {changed(good.Record(1), func(r *receipt.Record) { r.SigPayer[32] = 0xff }), "HIGH_S"},
		"another host's id":               {good.Record(1, func(r *receipt.Record) { r.HostID[0]++ }), "record is of another host"},
		"an unregistered key":             {stranger.Record(1), "receipt key is not registered"},
		"another host's key":              {neighbour.Record(1), "receipt key is of another host"},
		"a huge seq":                      {good.Record(1 << 63), "a number is 2^63 or above"},
		"free failure that costs":         {good.Record(1, func(r *receipt.Record) { r.Outcome = receipt.OutcomeProviderFail }), "AMOUNT_NOT_ALLOWED"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.owners[neighbour.HostKeyAddress()] = [32]byte{1}
			f.log.bytes = f.Frame(f.Frame(nil, c.record), f.Record(7))
			f.drain(t)
			f.expect(t, f.Record(7))
			if got := f.rejected(t); got[c.reason] != 1 || len(got) != 1 {
				t.Errorf("turned down: %v, want %q", got, c.reason)
			}
		})
	}
}

func changed(r receipt.Record, change func(*receipt.Record)) receipt.Record {
	change(&r)
	return r
}

func TestWrongCountersignatureLeavesTheReceipt(t *testing.T) {
	f := newFixture(t)
	r := f.Countersigned(f.Record(1))
	forged := r
	forged.SigFinal = r.SigOperator
	f.log.bytes = f.FinalFrame(f.FinalFrame(f.Frame(nil, r), forged), f.Countersigned(f.Record(9)))
	f.drain(t)
	f.expect(t, f.Record(1))
	got := f.rejected(t)
	if got["countersignature: BAD_FINAL_SIG"] != 1 || got["countersignature of an unknown job"] != 1 || len(got) != 2 {
		t.Errorf("turned down: %v", got)
	}
	f.log.bytes = f.FinalFrame(f.log.bytes, r) // the right one may still come
	f.drain(t)
	f.expect(t, r)
}

func TestDuplicatesAreOneReceipt(t *testing.T) {
	f := newFixture(t)
	r := f.Record(1)
	for range 5 {
		f.log.bytes = f.Frame(f.log.bytes, r)
	}
	f.drain(t)
	f.expect(t, r)
	st, err := f.store.Status(t.Context())
	if err != nil || st.Logs[0].Receipts != 1 {
		t.Errorf("%+v (%v), want one receipt counted", st.Logs, err)
	}
}

func TestShrunkenLogStopsCollecting(t *testing.T) {
	f := newFixture(t)
	f.log.bytes = f.Frame(f.Frame(nil, f.Record(1)), f.Record(2))
	f.drain(t)
	whole := f.log.bytes
	f.log.bytes = f.Frame(nil, f.Record(1))
	for range 2 {
		if err := f.collector.Drain(t.Context()); !errors.Is(err, collect.ErrLogShrank) {
			t.Fatalf("got %v, want ErrLogShrank", err)
		}
	}
	if h := f.collector.Health(); !errors.Is(h.Err, collect.ErrLogShrank) || h.CaughtUp.IsZero() {
		t.Errorf("health is %+v, want the error and when it went well last", h)
	}
	f.expect(t, f.Record(1), f.Record(2)) // what was read stays
	f.log.bytes = f.Frame(whole, f.Record(3))
	f.drain(t) // the host was restored
	f.expect(t, f.Record(1), f.Record(2), f.Record(3))
}

func TestDamagedAndTruncatedPiecesMoveNothing(t *testing.T) {
	for name, spoil := range map[string]func([]byte) []byte{
		"a changed byte": func(b []byte) []byte { b[len(b)-1]++; return b },
		"a missing byte": func(b []byte) []byte { return b[:len(b)-1] },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.log.bytes = f.Frame(nil, f.Record(1))
			f.drain(t)
			at := int64(len(f.log.bytes))
			whole := f.Frame(bytes.Clone(f.log.bytes), f.Record(2))
			f.log.bytes = spoil(bytes.Clone(whole))
			if err := f.collector.Drain(t.Context()); !errors.Is(err, collect.ErrDamaged) {
				t.Fatalf("got %v, want ErrDamaged", err)
			}
			if got, err := f.store.Cursor(t.Context(), f.HostID); err != nil || got != at {
				t.Errorf("cursor is %d (%v), want %d", got, err, at)
			}
			f.log.bytes = whole
			f.drain(t)
			f.expect(t, f.Record(1), f.Record(2))
		})
	}
}

func TestDeletedPartOfTheLogIsSkipped(t *testing.T) {
	f := newFixture(t)
	f.log.bytes = f.Frame(nil, f.Record(1))
	f.log.first = int64(len(f.log.bytes))
	f.log.bytes = f.Frame(f.log.bytes, f.Record(2))
	f.drain(t)
	f.expect(t, f.Record(2))
}

// failingStore fails to save, once.
type failingStore struct {
	collect.Store
	failed bool
}

var errDisk = errors.New("disk is full")

func (s *failingStore) SaveChunk(ctx context.Context, c *store.Chunk) error {
	if !s.failed {
		s.failed = true
		return errDisk
	}
	return s.Store.SaveChunk(ctx, c)
}

func TestFailureOfTheStoreLosesNothing(t *testing.T) {
	f := newFixture(t)
	f.log.bytes = f.Frame(f.Frame(nil, f.Record(1)), f.Record(2))
	f.restart(&failingStore{Store: f.store})
	if err := f.collector.Drain(t.Context()); !errors.Is(err, errDisk) {
		t.Fatalf("got %v, want the store's error", err)
	}
	f.expect(t)
	f.drain(t)
	f.expect(t, f.Record(1), f.Record(2))
}
