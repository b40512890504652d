// SPDX-License-Identifier: Apache-2.0

package batch_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/cosmos/gogoproto/proto"

	"github.com/gpucoord/gpucoord/domain/epoch"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/relayer/batch"
	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/da"
	"github.com/gpucoord/gpucoord/relayer/internal/receipttest"
	"github.com/gpucoord/gpucoord/relayer/store"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// Epochs of the fake chain have 20 blocks from height 1 on and 8 blocks to submit: epoch 7 is blocks 141 to 160, its
// window 161 to 168.
const (
	submitFirst = 161
	submitLast  = 168
)

type fixture struct {
	*receipttest.Maker
	chain    *fakeChain
	store    *store.Store
	dir      string
	files    *da.Dir
	drainErr error
	drained  int
	batcher  *batch.Batcher
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{Maker: receipttest.New(), dir: t.TempDir()}
	f.chain = newFakeChain(f.Maker)
	var err error
	if f.store, err = store.Open(t.Context(), filepath.Join(f.dir, "relayer.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.store.Close() })
	if f.files, err = da.OpenDir(filepath.Join(f.dir, "da")); err != nil {
		t.Fatal(err)
	}
	f.restart(f.store)
	return f
}

// restart makes a new batcher over the same files.
func (f *fixture) restart(s batch.Store) {
	host := batch.Host{ID: f.HostID, Drain: func(context.Context) error { f.drained++; return f.drainErr }}
	f.batcher = batch.New(f.chain.head, f.chain.queries(), s, f.files, []batch.Host{host}, batch.Config{
		Operator: chain.Bech32(operator[:]), Sender: "sender", PublicURL: "https://relayer.example", GraceBlocks: 2, MarginBlocks: 3,
	}, slog.New(slog.DiscardHandler))
}

func (f *fixture) collect(t *testing.T, records ...receipt.Record) {
	t.Helper()
	at, err := f.store.Cursor(t.Context(), f.HostID)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.store.SaveChunk(t.Context(), &store.Chunk{HostID: f.HostID, From: at, Next: at + 1, Receipts: stored(f.Maker, records)}); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) stepAt(t *testing.T, height uint64) {
	t.Helper()
	f.chain.height = height
	if err := f.batcher.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) batches(t *testing.T) []store.Batch {
	t.Helper()
	got, err := f.store.Batches(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// due is when the fixture's batch is built.
func (f *fixture) due() uint64 {
	return batch.DueHeight(f.HostID, receipttest.Epoch, epoch.Window{First: submitFirst, Last: submitLast}, 2, 3)
}

func TestBatchIsBuiltWhenDueAndOnce(t *testing.T) {
	f := newFixture(t)
	f.collect(t, f.Record(1), f.Record(2))
	for height := uint64(141); height < f.due(); height++ {
		f.stepAt(t, height)
		if got := f.batches(t); len(got) != 0 {
			t.Fatalf("built at height %d, due at %d", height, f.due())
		}
	}
	f.stepAt(t, f.due())
	got := f.batches(t)
	if len(got) != 1 || got[0].Receipts != 2 || got[0].AmountUusdc != 2003 || got[0].Epoch != receipttest.Epoch {
		t.Fatalf("batches are %+v, want one of two receipts", got)
	}
	item, err := f.store.Item(t.Context(), store.BatchKey(f.HostKeyAddress(), receipttest.Epoch))
	if err != nil || item.Deadline != submitLast || item.NotBefore != submitFirst || item.State != store.Pending {
		t.Fatalf("transaction is %+v (%v)", item, err)
	}
	var msg receiptstypes.MsgSubmitBatch
	if err := proto.Unmarshal(item.Msg, &msg); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("https://relayer.example/da/%x", got[0].DASHA256); msg.DaUri != want || msg.Sender != "sender" || msg.Epoch != receipttest.Epoch {
		t.Errorf("message says %q, %q, epoch %d", msg.DaUri, msg.Sender, msg.Epoch)
	}
	records, err := f.files.Read([32]byte(msg.DaSha256))
	if err != nil || len(records) != 2 {
		t.Fatalf("DA file has %d records (%v), want 2", len(records), err)
	}
	f.collect(t, f.Record(3)) // too late: the chain takes no second batch in its place
	f.restart(f.store)
	f.stepAt(t, f.due()+1)
	if again := f.batches(t); len(again) != 1 || again[0].Receipts != 2 {
		t.Errorf("batches are %+v after a restart", again)
	}
}

func TestDueHeightKeepsGraceAndMarginAndSpreads(t *testing.T) {
	window := epoch.Window{First: 1000, Last: 1099}
	seen := make(map[uint64]bool)
	for i := range 200 {
		at := batch.DueHeight([32]byte{byte(i)}, uint64(i%3), window, 10, 5)
		if at < 1010 || at > 1094 {
			t.Fatalf("host %d is due at %d, want 1010 to 1094", i, at)
		}
		seen[at] = true
	}
	if len(seen) < 50 {
		t.Errorf("200 hosts share %d heights of 85", len(seen))
	}
	for _, c := range []struct{ grace, margin, want uint64 }{{500, 5, 1094}, {500, 500, 1000}, {0, 500, 1000}} {
		if got := batch.DueHeight([32]byte{1}, 1, window, c.grace, c.margin); got != c.want {
			t.Errorf("grace %d, margin %d: due at %d, want %d", c.grace, c.margin, got, c.want)
		}
	}
}

func TestLogIsReadBeforeAndWaitedForUntilTheMargin(t *testing.T) {
	f := newFixture(t)
	f.collect(t, f.Record(1))
	f.drainErr = errors.New("host does not answer")
	latest := uint64(submitLast - 3)
	for height := f.due(); height < latest; height++ {
		f.chain.height = height
		if err := f.batcher.Step(t.Context()); !errors.Is(err, f.drainErr) {
			t.Fatalf("height %d: got %v, want the host's error", height, err)
		}
	}
	if len(f.batches(t)) != 0 {
		t.Fatal("built although the log could not be read")
	}
	f.stepAt(t, latest)
	if len(f.batches(t)) != 1 || f.drained == 0 {
		t.Error("what is there is not claimed when time runs out")
	}
}

func TestLateRelayerStillClaimsUntilTheWindowEnds(t *testing.T) {
	f := newFixture(t)
	f.collect(t, f.Record(1))
	f.stepAt(t, submitLast) // what is sent now would be in the block after the window
	if len(f.batches(t)) != 0 {
		t.Error("built too late")
	}
	f.stepAt(t, submitLast-1)
	if len(f.batches(t)) != 1 {
		t.Error("not built although one block is left")
	}
}

func TestNothingToClaimIsNotedAndAskedAgain(t *testing.T) {
	f := newFixture(t)
	r := f.Record(1)
	f.chain.gatewayKey(f.Payer, 0, 0)
	f.collect(t, r)
	f.stepAt(t, f.due())
	f.stepAt(t, f.due())
	if len(f.batches(t)) != 0 {
		t.Fatal("an uncountersigned receipt of a gateway was claimed")
	}
	st, err := f.store.Status(t.Context())
	if err != nil || len(st.Rejected) != 1 || st.Rejected[0].Count != 1 || st.Rejected[0].Stage != store.StageBatch {
		t.Errorf("turned down: %+v (%v), want one", st.Rejected, err)
	}
	f.collect(t, f.Countersigned(r))
	f.stepAt(t, f.due())
	if got := f.batches(t); len(got) != 1 || got[0].Receipts != 1 {
		t.Errorf("batches are %+v, want the countersigned receipt's", got)
	}
}

func TestWhollyJailedEpochIsNotClaimed(t *testing.T) {
	const first, last = 141, 160 // blocks of the epoch
	for name, c := range map[string]struct {
		from, until uint64
		want        int
	}{
		"never jailed":      {0, 0, 1},
		"the whole epoch":   {first, last + 1, 0},
		"but the first":     {first + 1, last + 100, 1},
		"but the last":      {first - 100, last, 1},
		"jailed since":      {last + 1, last + 100, 1},
		"jailed for good":   {first, math.MaxUint64, 0},
		"ended long before": {1, first, 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.chain.jailedFrom, f.chain.jailedUntil = c.from, c.until
			f.collect(t, f.Record(1), f.Record(2))
			f.stepAt(t, f.due())
			if got := f.batches(t); len(got) != c.want {
				t.Fatalf("%d batches, want %d", len(got), c.want)
			}
			st, err := f.store.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if c.want == 0 && (len(st.Rejected) != 1 || st.Rejected[0].Reason != batch.ReasonJailed || st.Rejected[0].Count != 2) {
				t.Errorf("turned down: %+v, want both for %q", st.Rejected, batch.ReasonJailed)
			}
		})
	}
}

// A gateway that ends its key before a job's issuedAt moves the job to another settler. What it could still move is not claimed.
func TestJobsOfTheChainsFutureAreNotClaimed(t *testing.T) {
	f := newFixture(t)
	f.chain.time = receipttest.Start + 50
	for i := range uint64(3) { // issued a second before the newest block, with it, and after it
		f.collect(t, f.Record(i+1, func(r *receipt.Record) {
			r.Auth.IssuedAt = uint64(f.chain.time) - 1 + i
			r.Auth.ExpiresAt, r.ServedAt = r.Auth.IssuedAt+30, r.Auth.IssuedAt+1
		}))
	}
	f.stepAt(t, f.due())
	if got := f.batches(t); len(got) != 1 || got[0].Receipts != 1 {
		t.Fatalf("batches are %+v, want one of the first receipt", got)
	}
	st, err := f.store.Status(t.Context())
	if err != nil || len(st.Rejected) != 1 || st.Rejected[0].Reason != batch.ReasonUnsettled || st.Rejected[0].Count != 2 {
		t.Errorf("turned down: %+v (%v), want two for %q", st.Rejected, err, batch.ReasonUnsettled)
	}
}

func TestPayersAreResolvedAtTheirTime(t *testing.T) {
	f := newFixture(t)
	f.chain.gatewayKey(f.Payer, receipttest.Start+2, receipttest.Start+4) // before and after it is a direct payer's
	for i := range uint64(6) {
		r := f.Record(i+1, func(r *receipt.Record) { r.Auth.IssuedAt += i })
		f.collect(t, f.Countersigned(r))
	}
	f.stepAt(t, f.due())
	var msg receiptstypes.MsgSubmitBatch
	if err := proto.Unmarshal(f.batches(t)[0].Msg, &msg); err != nil {
		t.Fatal(err)
	}
	counts := make(map[[20]byte]uint64)
	for _, g := range msg.Groups {
		counts[[20]byte(g.Settler)] = g.Count
	}
	if counts[settlerA] != 3 || counts[operator] != 3 {
		t.Errorf("settlers have %v, want 3 of the gateway (seconds 2 to 4) and 3 of the operator", counts)
	}
	if f.chain.payerCalls > 4 {
		t.Errorf("%d questions, want one for the gateway's key and one for each other second", f.chain.payerCalls)
	}
}

func TestLimitsOfTheChainAreRead(t *testing.T) {
	for name, change := range map[string]func(*fakeChain){
		"watermark":    func(c *fakeChain) { c.watermark = 1 },
		"cover":        func(c *fakeChain) { c.cover = 20 * 1500 },
		"open claims":  func(c *fakeChain) { c.open = 1_000_000 - 1500 },
		"tokens":       func(c *fakeChain) { c.ceiling = 200 },
		"registration": func(c *fakeChain) { c.assetHeight = 161 },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			change(f.chain)
			f.collect(t, f.Record(1), f.Record(2))
			f.stepAt(t, f.due())
			want := uint64(1)
			if name == "registration" {
				want = 0 // the model was registered after the epoch
			}
			got := uint64(0)
			for _, b := range f.batches(t) {
				got += b.Receipts
			}
			if got != want {
				t.Errorf("%d receipts are claimed, want %d", got, want)
			}
		})
	}
}

func TestUnsentBatchesUseTheCoverUp(t *testing.T) {
	f := newFixture(t)
	f.chain.cover = 20 * 2500
	key := receipttest.Key("second key")
	other := *f.Maker
	other.HostKey = key
	f.chain.keys[other.HostKeyAddress()] = true
	f.collect(t, f.Record(1), f.Record(2), other.Record(1), other.Record(2))
	f.stepAt(t, f.due())
	sum := uint64(0)
	for _, b := range f.batches(t) {
		sum += b.AmountUusdc
	}
	if sum != 2003 {
		t.Errorf("%d uusdc are claimed under a cover for 2500, want the first key's 2003", sum)
	}
}

func TestFailureBetweenFileAndStoreIsRepeated(t *testing.T) {
	f := newFixture(t)
	f.collect(t, f.Record(1))
	f.restart(&failingStore{Store: f.store})
	f.chain.height = f.due()
	if err := f.batcher.Step(t.Context()); !errors.Is(err, errDisk) {
		t.Fatalf("got %v, want the store's error", err)
	}
	if _, err := f.store.Next(t.Context(), submitLast); !errors.Is(err, store.ErrNoItem) {
		t.Fatalf("a transaction without its batch: %v", err)
	}
	f.restart(f.store)
	f.stepAt(t, f.due())
	if got := f.batches(t); len(got) != 1 {
		t.Fatalf("%d batches", len(got))
	}
	entries, err := os.ReadDir(filepath.Join(f.dir, "da"))
	if err != nil || len(entries) != 1 {
		t.Errorf("%d DA files (%v), want the same one again", len(entries), err)
	}
}

func TestOldEpochsAreForgotten(t *testing.T) {
	f := newFixture(t)
	f.collect(t, f.Record(1))
	f.stepAt(t, f.due())
	b := f.batches(t)[0]
	week := uint64(7 * 24 * 3600 / 6)
	f.stepAt(t, submitLast+week)
	if len(f.batches(t)) != 1 {
		t.Error("forgotten within seven days of its last window")
	}
	f.stepAt(t, submitLast+week+150)
	if len(f.batches(t)) != 0 {
		t.Error("still there long after")
	}
	if _, err := os.Stat(f.files.Path(b.DASHA256)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("DA file: %v, want that it is gone", err)
	}
}
