// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/gpucoord/gpucoord/domain/fraud"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/da"
	"github.com/gpucoord/gpucoord/relayer/watch"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// answering is an answerer beside a chain on which its batch is asked for a leaf of its second group.
func answering(t *testing.T) (*fixture, *watch.Answerer, *da.Dir, [][]byte) {
	t.Helper()
	f := newFixture(t)
	first, second := f.records(1, 2), f.records(3, 4, 5)
	b := f.claim(part{records: first}, part{records: second})
	f.chain.demands = []receiptstypes.Demand{{Id: 8, BatchId: b.Id, Group: 1, Index: 2, DueHeight: 77}}
	dir, err := da.OpenDir(filepath.Join(t.TempDir(), "da"))
	if err != nil {
		t.Fatal(err)
	}
	var records [][]byte
	for _, r := range append(first, second...) {
		records = append(records, r.AppendSR1(nil))
	}
	a := watch.NewAnswerer(f.chain.queries().Receipts, f.outbox, dir, watch.AnswerConfig{
		Operator: chain.Bech32(operator[:]), Sender: "sender", Domain: f.m.Domain,
	}, slog.New(slog.DiscardHandler))
	return f, a, dir, records
}

func TestDemandIsAnsweredOnceWithTheLeaf(t *testing.T) {
	f, a, dir, records := answering(t)
	if _, err := dir.Write(records); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := a.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	item, err := f.outbox.Item(t.Context(), "answer/8")
	if err != nil || item.Deadline != 77 {
		t.Fatalf("item is %+v (%v), want one until block 77", item, err)
	}
	var msg receiptstypes.MsgAnswerData
	if err := msg.Unmarshal(item.Msg); err != nil {
		t.Fatal(err)
	}
	opening, err := sumtree.DecodeOpening(msg.Opening)
	if err != nil {
		t.Fatal(err)
	}
	groups, err := f.chain.batches[0].DomainGroups()
	if err != nil {
		t.Fatal(err)
	}
	if opening.Index != 2 || msg.DemandId != 8 || string(msg.Record) != string(records[4]) {
		t.Errorf("answers leaf %d of demand %d", opening.Index, msg.DemandId)
	}
	shown := fraud.Record{Placed: fraud.Placed{Opening: opening}, SR1: msg.Record}
	if _, fault, err := shown.Check(&groups[1], receipt.Checker{Domain: f.m.Domain}); fault != nil || err != nil {
		t.Errorf("the answer does not open the leaf: %v, %v", fault, err)
	}
}

func TestDemandsOfOthersAreLeftToThem(t *testing.T) {
	f, a, _, _ := answering(t)
	f.chain.batches[0].Operator = chain.Bech32(reporter[:])
	if err := a.Step(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLostFileIsSaid(t *testing.T) {
	f, a, dir, records := answering(t)
	if err := a.Step(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: got %v, want that it does not exist", err)
	}
	if _, err := dir.Write(records); err != nil {
		t.Fatal(err)
	}
	f.chain.batches[0].Groups[1].Root[0]++
	if err := a.Step(t.Context()); !errors.Is(err, watch.ErrNotOurTree) {
		t.Errorf("another tree: got %v, want ErrNotOurTree", err)
	}
}
