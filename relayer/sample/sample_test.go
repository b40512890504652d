// SPDX-License-Identifier: Apache-2.0

package sample_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cosmos/gogoproto/proto"
	"google.golang.org/grpc"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	"github.com/gpucoord/gpucoord/relayer/batch"
	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/da"
	"github.com/gpucoord/gpucoord/relayer/internal/receipttest"
	"github.com/gpucoord/gpucoord/relayer/sample"
	"github.com/gpucoord/gpucoord/relayer/store"
	"github.com/gpucoord/gpucoord/relayer/submit"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

// Epoch 7 of the default schedule is submitted in blocks 161 to 168, its seed is drawn by 184, samples are opened in 185
// to 194.
const (
	openFirst = 185
	openLast  = 194
	batchID   = 31
)

// fixture is a batch of 40 receipts in three groups that the chain has.
type fixture struct {
	*receipttest.Maker
	t       *testing.T
	store   *store.Store
	files   *da.Dir
	dir     string
	plan    batch.Plan
	onChain receiptstypes.Batch
	seed    []byte
	height  uint64
	log     *slog.Logger
	sampler *sample.Sampler
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{Maker: receipttest.New(), t: t, dir: t.TempDir(), height: openFirst, log: slog.New(slog.DiscardHandler)}
	seed := sha256.Sum256([]byte("seed"))
	f.seed = seed[:]
	var err error
	if f.store, err = store.Open(t.Context(), filepath.Join(f.dir, "relayer.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.store.Close() })
	if f.files, err = da.OpenDir(filepath.Join(f.dir, "da")); err != nil {
		t.Fatal(err)
	}
	f.build()
	f.restart()
	return f
}

func (f *fixture) build() {
	f.t.Helper()
	facts := &batch.Facts{
		HostID: f.HostID, HostKey: f.HostKeyAddress(), Epoch: receipttest.Epoch, EpochStart: receipttest.Start, NextEpochStart: receipttest.Start + 100,
		Settlements: make(map[batch.Payment]batch.Settlement),
		Assets:      map[[32]byte]*royaltiestypes.Asset{f.Model: {Kind: royaltiestypes.AssetKind_ASSET_KIND_BASE, CommercialUse: true}},
		MaxGroups:   256, ClaimableUusdc: math.MaxUint64, TokensLeft: math.MaxUint64,
	}
	var receipts []store.Receipt
	for seq := range uint64(40) {
		r := f.Record(seq+1, func(r *receipt.Record) { r.Auth.IssuedAt += seq % 3 })
		facts.Settlements[batch.Payment{Payer: r.Auth.Payer, IssuedAt: r.Auth.IssuedAt}] = batch.Settlement{Settler: [20]byte{byte(seq % 3)}}
		receipts = append(receipts, f.Stored(r))
	}
	var err error
	if f.plan, err = batch.PlanOf(receipts, facts); err != nil {
		f.t.Fatal(err)
	}
	sum, err := f.files.Write(f.plan.Records())
	if err != nil {
		f.t.Fatal(err)
	}
	row := &store.Batch{HostID: f.HostID, HostKey: f.HostKeyAddress(), Epoch: receipttest.Epoch, DASHA256: sum, Msg: []byte{1}}
	if err := f.store.SaveBatch(f.t.Context(), row, store.Item{Key: "batch", TypeURL: "/x", Msg: []byte{1}}, nil); err != nil {
		f.t.Fatal(err)
	}
	key := f.HostKeyAddress()
	f.onChain = receiptstypes.Batch{
		Id: batchID, HostKey: key[:], HostId: f.HostID[:], Epoch: receipttest.Epoch, Groups: f.plan.Messages(), DaSha256: sum[:], Samples: 8,
		Status: receiptstypes.BatchStatus_BATCH_STATUS_SUBMITTED,
	}
}

func (f *fixture) restart() {
	head := func(context.Context) (chain.Head, error) { return chain.Head{Height: f.height}, nil }
	f.sampler = sample.New(head, sample.Queries{Operators: fakeOperators{}, Receipts: fakeReceipts{f: f}}, f.store, f.files,
		sample.Config{Sender: "sender", Domain: f.Domain}, f.log)
}

func (f *fixture) step() {
	f.t.Helper()
	if err := f.sampler.Step(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) item(key string) store.Item {
	f.t.Helper()
	item, err := f.store.Item(f.t.Context(), key)
	if err != nil {
		f.t.Fatalf("%s: %v", key, err)
	}
	return item
}

// accept checks a message as the chain does and marks its draws.
func (f *fixture) accept(item store.Item) {
	f.t.Helper()
	var msg receiptstypes.MsgOpenSamples
	if err := proto.Unmarshal(item.Msg, &msg); err != nil {
		f.t.Fatal(err)
	}
	if err := msg.ValidateBasic(); err != nil {
		f.t.Fatal(err)
	}
	groups, err := f.onChain.DomainGroups()
	if err != nil {
		f.t.Fatal(err)
	}
	for _, s := range msg.Samples {
		o, err := sumtree.DecodeOpening(s.Opening)
		if err != nil {
			f.t.Fatal(err)
		}
		if err := sumtree.CheckSample([32]byte(f.seed), batchID, s.Draw, f.onChain.Samples, groups, int(s.Group), &o); err != nil {
			f.t.Errorf("draw %d: %v", s.Draw, err)
		}
		if sha256.Sum256(s.Record) != o.Leaf.RecordHash {
			f.t.Errorf("draw %d: the record is not the leaf's", s.Draw)
		}
		f.onChain.Opened |= 1 << s.Draw
	}
	if msg.BatchId != batchID || msg.Sender != "sender" || item.NotBefore != openFirst || item.Deadline != openLast {
		f.t.Errorf("batch %d by %q from %d to %d", msg.BatchId, msg.Sender, item.NotBefore, item.Deadline)
	}
}

type fakeOperators struct{ operatorstypes.QueryClient }

func (fakeOperators) Params(context.Context, *operatorstypes.QueryParamsRequest, ...grpc.CallOption) (*operatorstypes.QueryParamsResponse, error) {
	return &operatorstypes.QueryParamsResponse{Params: operatorstypes.DefaultParams()}, nil
}

type fakeReceipts struct {
	receiptstypes.QueryClient
	f *fixture
}

func (r fakeReceipts) Batch(context.Context, *receiptstypes.QueryBatchRequest, ...grpc.CallOption) (*receiptstypes.QueryBatchResponse, error) {
	return &receiptstypes.QueryBatchResponse{Batch: r.f.onChain, Seed: r.f.seed}, nil
}

func (r fakeReceipts) Batches(_ context.Context, req *receiptstypes.QueryBatchesRequest, _ ...grpc.CallOption) (*receiptstypes.QueryBatchesResponse, error) {
	if !req.ByEpoch || req.Epoch != receipttest.Epoch || r.f.onChain.Id == 0 {
		return &receiptstypes.QueryBatchesResponse{}, nil
	}
	other := r.f.onChain
	other.Id, other.DaSha256 = 30, make([]byte, 32)
	return &receiptstypes.QueryBatchesResponse{Batches: []receiptstypes.Batch{other, r.f.onChain}}, nil
}

func TestEveryDrawIsOpenedInOneTransaction(t *testing.T) {
	f := newFixture(t)
	f.step()
	f.accept(f.item(sample.Key(batchID)))
	if !f.onChain.AllOpened() {
		t.Fatalf("opened %b of %d", f.onChain.Opened, f.onChain.Samples)
	}
	f.restart()
	f.step() // says that it is done
	if got, err := f.store.Batches(t.Context(), 0); err != nil || !got[0].Opened || got[0].ID != batchID {
		t.Errorf("batch is %+v (%v), want opened, id %d", got, err, batchID)
	}
}

func TestAllSeedsGiveSamplesThatTheChainTakes(t *testing.T) {
	f := newFixture(t)
	for i := range 50 {
		seed := sha256.Sum256([]byte{byte(i)})
		f.onChain.Samples = uint32(2 + i%19)
		opener, err := sample.NewOpener(&f.onChain, seed[:], f.plan.Records(), f.Domain)
		if err != nil {
			t.Fatal(err)
		}
		groups, err := f.onChain.DomainGroups()
		if err != nil {
			t.Fatal(err)
		}
		for _, draw := range opener.Missing() {
			s, err := opener.Open(draw)
			if err != nil {
				t.Fatal(err)
			}
			o, err := sumtree.DecodeOpening(s.Opening)
			if err != nil {
				t.Fatal(err)
			}
			if err := sumtree.CheckSample(seed, batchID, draw, f.onChain.Samples, groups, int(s.Group), &o); err != nil {
				t.Errorf("seed %d, draw %d: %v", i, draw, err)
			}
		}
	}
}

func TestNothingIsOpenedOutsideTheWindowOrWithoutSeed(t *testing.T) {
	f := newFixture(t)
	for height := range uint64(300) {
		if f.height = height; height >= openFirst-1 && height < openLast {
			continue
		}
		f.step()
		if _, err := f.store.Item(t.Context(), sample.Key(batchID)); !errors.Is(err, store.ErrNoItem) {
			t.Fatalf("samples at height %d", height)
		}
	}
	f.height, f.seed = openFirst, nil
	f.step()
	if _, err := f.store.Item(t.Context(), sample.Key(batchID)); !errors.Is(err, store.ErrNoItem) {
		t.Fatal("samples without a seed")
	}
}

// Samples that contradict each other void a batch by a transaction that succeeds, so nothing but this tells the operator.
func TestVoidBatchIsToldOnce(t *testing.T) {
	f := newFixture(t)
	var logged strings.Builder
	f.log = slog.New(slog.NewTextHandler(&logged, nil))
	f.restart()
	f.onChain.Status, f.onChain.Reason = receiptstypes.BatchStatus_BATCH_STATUS_VOID, receiptstypes.RepeatedLeaf
	f.step()
	f.step()
	if n := strings.Count(logged.String(), receiptstypes.RepeatedLeaf); n != 1 || !strings.Contains(logged.String(), "level=ERROR") {
		t.Errorf("told %d times, want once as an error: %s", n, logged.String())
	}
	if _, err := f.store.Item(t.Context(), sample.Key(batchID)); !errors.Is(err, store.ErrNoItem) {
		t.Error("samples of a void batch are sent")
	}
}

func TestBatchThatTheChainDoesNotHaveWaits(t *testing.T) {
	f := newFixture(t)
	f.onChain.Id = 0
	f.step()
	f.onChain.Id = batchID
	f.step()
	f.accept(f.item(sample.Key(batchID)))
}

func TestRefusedTogetherGoesSingly(t *testing.T) {
	f := newFixture(t)
	f.step()
	all := f.item(sample.Key(batchID))
	f.step() // it waits to be sent
	if _, err := f.store.Item(t.Context(), sample.KeyOne(batchID, 0)); !errors.Is(err, store.ErrNoItem) {
		t.Fatal("sent singly although nothing was refused")
	}
	if err := f.store.MarkPending(t.Context(), all.ID, openFirst, "draw 3: refused"); err != nil {
		t.Fatal(err)
	}
	f.onChain.Opened = 1 << 5 // someone opened one meanwhile
	f.step()
	if got := f.item(sample.Key(batchID)); got.State != store.Failed {
		t.Errorf("the one for all is %s, want failed: it would be refused again", got.State)
	}
	for draw := range f.onChain.Samples {
		if draw != 5 {
			f.accept(f.item(sample.KeyOne(batchID, draw)))
		}
	}
	if !f.onChain.AllOpened() {
		t.Errorf("opened %b of %d", f.onChain.Opened, f.onChain.Samples)
	}
}

func TestSentButNotSeenYetIsNotSentAgain(t *testing.T) {
	f := newFixture(t)
	f.step()
	if err := f.store.MarkDone(t.Context(), f.item(sample.Key(batchID)).ID, f.height); err != nil {
		t.Fatal(err)
	}
	f.step() // the state that is read is not newer than the block that holds them
	if _, err := f.store.Item(t.Context(), sample.KeyOne(batchID, 0)); !errors.Is(err, store.ErrNoItem) {
		t.Fatal("sent singly at the height of the block that holds them")
	}
	f.height++
	f.step() // the chain took them and still misses some
	f.item(sample.KeyOne(batchID, 0))
}

func TestDamagedDAFileIsAnError(t *testing.T) {
	f := newFixture(t)
	path := f.files.Path([32]byte(f.onChain.DaSha256))
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[100]++
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.sampler.Step(t.Context()); !errors.Is(err, da.ErrWrongHash) {
		t.Errorf("got %v, want ErrWrongHash", err)
	}
}

func TestOpenerRefusesOtherRecords(t *testing.T) {
	f := newFixture(t)
	records := f.plan.Records()
	if _, err := sample.NewOpener(&f.onChain, f.seed, records[1:], f.Domain); !errors.Is(err, sample.ErrWrongRecords) {
		t.Errorf("one too few: got %v", err)
	}
	if _, err := sample.NewOpener(&f.onChain, f.seed, append(records, records[0]), f.Domain); !errors.Is(err, sample.ErrWrongRecords) {
		t.Errorf("one too many: got %v", err)
	}
	if _, err := sample.NewOpener(&f.onChain, nil, records, f.Domain); !errors.Is(err, sample.ErrNoSeed) {
		t.Errorf("no seed: got %v", err)
	}
	records[0], records[len(records)-1] = records[len(records)-1], records[0]
	opener, err := sample.NewOpener(&f.onChain, f.seed, records, f.Domain)
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	for _, draw := range opener.Missing() {
		if _, err := opener.Open(draw); err != nil {
			failed++
		}
	}
	if failed == 0 {
		t.Error("records in another order were opened")
	}
}

func TestMessagesOfTheOutboxAreTheChains(t *testing.T) {
	item, err := submit.ItemOf("k", &receiptstypes.MsgOpenSamples{BatchId: 1}, 2, 3)
	if err != nil || item.TypeURL != "/gpucoord.receipts.v1.MsgOpenSamples" || item.NotBefore != 2 || item.Deadline != 3 {
		t.Errorf("item is %+v (%v)", item, err)
	}
}
