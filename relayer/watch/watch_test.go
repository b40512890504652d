// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"testing"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/internal/receipttest"
	"github.com/gpucoord/gpucoord/relayer/watch"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

var (
	gatewaySettler = []byte("gateway's settler 20")
	staleRef       = [32]byte{3: 3}
)

// frauds are what a cheater does, and what is filed for it.
var frauds = []struct {
	name   string
	commit func(f *fixture)
	kind   watch.Kind
	void   int // how many batches
}{
	{"the same records in two batches", func(f *fixture) {
		f.claim(part{records: f.records(1, 2, 3)})
		f.claim(part{records: f.records(3)})
	}, watch.Repeat, 2},
	{"a job under two seqs", func(f *fixture) {
		f.claim(part{records: f.records(1, 2)})
		again := f.m.Record(5, func(r *receipt.Record) { r.Auth.Nonce = 2 })
		f.claim(part{records: []receipt.Record{f.m.Record(4), again}})
	}, watch.Repeat, 2},
	{"a seq for two jobs", func(f *fixture) {
		f.claim(part{records: f.records(1, 2)})
		f.claim(part{records: []receipt.Record{f.m.Record(2, func(r *receipt.Record) { r.Auth.Nonce = 99 })}})
	}, watch.Equivocation, 2},
	{"a payment for two jobs that the operator pays for itself", func(f *fixture) {
		f.m.Payer = f.m.HostKey
		paid := func(r *receipt.Record) { r.Auth.PaymentRef = [32]byte{5} }
		f.claim(part{records: []receipt.Record{f.m.Record(1, paid)}})
		f.claim(part{records: []receipt.Record{f.m.Record(2, paid)}})
	}, watch.Equivocation, 2},
	{"more tokens than were signed", func(f *fixture) {
		records := f.records(1, 2, 3)
		records[1].OutputTokens += 1000 // after signing
		f.claim(part{records: records})
	}, watch.Record, 1},
	{"another model's job", func(f *fixture) {
		f.claim(part{records: []receipt.Record{f.m.Record(1), f.m.Record(2, func(r *receipt.Record) { r.Auth.ModelID[0]++ }), f.m.Record(3)}})
	}, watch.Record, 1},
	{"another epoch's job", func(f *fixture) {
		f.claim(part{records: []receipt.Record{f.m.Record(1, func(r *receipt.Record) { r.Epoch++ })}})
	}, watch.Record, 1},
	{"a gateway's job without its countersignature", func(f *fixture) {
		payer := receipt.KeyAddress(f.m.Payer)
		f.chain.gateway = &receiptstypes.GatewayKey{
			Address: payer[:], Gateway: chain.Bech32(make([]byte, 20)), Settler: chain.Bech32(gatewaySettler), ValidFrom: 1,
		}
		settled := func(g *receiptstypes.Group) { g.Settler = gatewaySettler }
		f.claim(part{records: []receipt.Record{f.m.Countersigned(f.m.Record(1)), f.m.Record(2)}, group: settled})
	}, watch.Record, 1},
	{"a record that names an expired attestation", func(f *fixture) {
		f.claim(part{records: []receipt.Record{f.m.Record(1), f.m.Record(2, func(r *receipt.Record) { r.AttestRef = staleRef })}})
	}, watch.Stale, 1},
	{"a leaf that says more than its record", func(f *fixture) {
		f.claim(part{records: f.records(1, 2, 3, 4, 5), leaf: func(i int, l *sumtree.Leaf) {
			if i == 3 {
				l.Amount += 5_000_000
				l.Tokens += 77
			}
		}})
	}, watch.Record, 1},
	{"an inner sum that is larger than its children", func(f *fixture) {
		f.claim(part{records: f.records(1, 2, 3, 4, 5, 6, 7), entry: func(level, i int, e *sumtree.Entry) {
			if level == 1 && i == 2 {
				e.Amount += 1 << 40
			}
		}})
	}, watch.Node, 1},
	{"a leaf's entry that is larger than the leaf", func(f *fixture) {
		f.claim(part{records: f.records(1), entry: func(_, _ int, e *sumtree.Entry) { e.Amount += 3 }})
	}, watch.Node, 1},
	{"leaves out of order", func(f *fixture) {
		f.claim(part{records: f.records(1, 3, 2, 4)})
	}, watch.Order, 1},
	{"a range that does not end with its last leaf", func(f *fixture) {
		f.claim(part{records: f.records(1, 2), group: func(g *receiptstypes.Group) { g.LastSeq = 9 }})
	}, watch.Order, 1},
}

func TestEveryFraudIsFiledAndProven(t *testing.T) {
	for _, fraud := range frauds {
		for _, reopen := range []bool{false, true} {
			name := fraud.name
			if reopen {
				name += ", restarted at every step"
			}
			t.Run(name, func(t *testing.T) {
				f := newFixture(t)
				f.reopen = reopen
				fraud.commit(f)
				f.rounds(6)
				f.want(fraud.kind, watch.ResultProven)
				void := 0
				for _, b := range f.chain.batches {
					if b.Status == receiptstypes.BatchStatus_BATCH_STATUS_VOID {
						void++
					}
				}
				if void != fraud.void {
					t.Errorf("%d batches are void, want %d", void, fraud.void)
				}
				if f.chain.sent["/gpucoord.operators.v1.MsgCommitReport"] != 1 || f.chain.sent["/gpucoord.receipts.v1.MsgChallenge"] != 1 {
					t.Errorf("sent %v, want one report and one challenge", f.chain.sent)
				}
			})
		}
	}
}

// Whoever pays an operator directly may name one payment as often as he likes: filing that would cost the bond.
func TestCustomersPaymentIsNotFiled(t *testing.T) {
	f := newFixture(t)
	paid := func(r *receipt.Record) { r.Auth.PaymentRef = [32]byte{5} }
	f.claim(part{records: []receipt.Record{f.m.Record(1, paid), f.m.Record(2, paid)}})
	f.claim(part{records: []receipt.Record{f.m.Record(3, paid)}})
	f.rounds(4)
	f.want("", "")
	st, err := f.w.Status(t.Context())
	if err != nil || st.BatchesChecked != 2 {
		t.Errorf("status is %+v (%v), want 2 batches checked", st, err)
	}
	if len(f.chain.sent) != 0 {
		t.Errorf("sent %v, want nothing", f.chain.sent)
	}
}

func TestHonestBatchesGiveNothingToFile(t *testing.T) {
	f := newFixture(t)
	for i := range uint64(5) {
		f.claim(part{records: f.records(10*i+1, 10*i+2, 10*i+5)})
	}
	f.rounds(3)
	f.want("", "")
	st, err := f.w.Status(t.Context())
	if err != nil || st.BatchesChecked != 5 || st.ReceiptsChecked != 15 || st.Lag != 0 || st.FetchErrors != 0 {
		t.Errorf("status is %+v (%v), want 5 batches with 15 receipts", st, err)
	}
	if f.asked != 5 {
		t.Errorf("%d files were asked for, want each once", f.asked)
	}
}

func TestWithheldRecordsAreDemanded(t *testing.T) {
	for name, hide := range map[string]func(f *fixture, b *receiptstypes.Batch){
		"no file":        func(f *fixture, _ *receiptstypes.Batch) { clear(f.files) },
		"other bytes":    func(f *fixture, _ *receiptstypes.Batch) { f.files[fileOf(f)] = []byte("other") },
		"too many bytes": func(f *fixture, _ *receiptstypes.Batch) { f.files[fileOf(f)] = make([]byte, 1<<20) },
		"no address":     func(_ *fixture, b *receiptstypes.Batch) { b.DaUri = "nowhere" },
		"no records":     func(f *fixture, b *receiptstypes.Batch) { f.serve(b, []byte("of its hash, but no records")) },
		"fewer records": func(f *fixture, b *receiptstypes.Batch) {
			r := f.m.Record(1)
			f.serve(b, append([]byte{2, 21}, r.AppendSR1(nil)...))
		},
		"other records": func(f *fixture, b *receiptstypes.Batch) { b.Groups[0].Root[0]++ },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			b := f.claim(part{records: f.records(1, 2, 3)})
			hide(f, b)
			f.rounds(5)
			f.want("", "")
			if len(f.chain.demands) != 1 || f.chain.demands[0].BatchId != b.Id || f.chain.demands[0].Index > 2 {
				t.Fatalf("demands are %+v, want one of a leaf of the batch", f.chain.demands)
			}
			f.chain.demands, b.Status, b.Reason = nil, receiptstypes.BatchStatus_BATCH_STATUS_VOID, receiptstypes.FaultWithheld
			f.rounds(1)
			f.want(watch.Withheld, watch.ResultProven)
		})
	}
}

func fileOf(f *fixture) string {
	for name := range f.files {
		return name
	}
	return ""
}

func TestAnsweredDemandIsLost(t *testing.T) {
	f := newFixture(t)
	f.claim(part{records: f.records(1)})
	clear(f.files)
	f.rounds(4)
	f.chain.demands = nil
	f.rounds(1)
	f.want(watch.Withheld, watch.ResultRefused)
}

func TestRecordsThatComeLateAreStillChecked(t *testing.T) {
	f := newFixture(t)
	f.claim(part{records: f.records(1, 3, 2)})
	kept := map[string][]byte{}
	for name, file := range f.files {
		kept[name] = file
	}
	clear(f.files)
	f.rounds(3)
	if len(f.chain.demands) != 1 {
		t.Fatalf("%d demands, want 1", len(f.chain.demands))
	}
	for name, file := range kept {
		f.files[name] = file
	}
	f.rounds(2)
	if st, err := f.w.Status(t.Context()); err != nil || st.BatchesChecked != 1 || st.Found[watch.Order] != 1 {
		t.Errorf("status is %+v (%v), want the batch checked and its order found", st, err)
	}
}

func TestAddressesThatAreNotAllowedAreNotDemanded(t *testing.T) {
	f := newFixture(t)
	b := f.claim(part{records: f.records(1)})
	b.DaUri = "https://elsewhere.example/da/x"
	f.rounds(4)
	if len(f.chain.demands) != 0 || f.asked != 0 {
		t.Errorf("%d demands, %d requests; want none: the configuration and not the operator keeps the records away", len(f.chain.demands), f.asked)
	}
}

func TestOnlyTheNamedOperatorsAreWatched(t *testing.T) {
	f := newFixture(t)
	f.cfg.Operators = []string{chain.Bech32(operator[:])}
	f.reopen = true
	f.claim(part{records: f.records(1)})
	f.claim(part{records: f.records(2)}).Operator = chain.Bech32(reporter[:])
	f.claim(part{records: f.records(3)})
	f.rounds(2)
	if st, err := f.w.Status(t.Context()); err != nil || st.BatchesChecked != 2 {
		t.Errorf("%d batches were checked (%v), want 2", st.BatchesChecked, err)
	}
}

func TestWithoutAReporterNothingIsSent(t *testing.T) {
	f := newFixture(t)
	f.cfg.Reporter, f.reopen = [20]byte{}, true
	f.claim(part{records: f.records(1, 3, 2, 4)})
	f.rounds(3)
	f.want(watch.Order, watch.ResultUnfiled)
	if len(f.chain.sent) != 0 {
		t.Errorf("sent %v", f.chain.sent)
	}
}

func TestCaseOfABatchThatIsOverIsMoot(t *testing.T) {
	f := newFixture(t)
	b := f.claim(part{records: f.records(1, 3, 2, 4)})
	f.rounds(1)
	b.Status = receiptstypes.BatchStatus_BATCH_STATUS_VOID // by somebody else
	f.rounds(2)
	f.want(watch.Order, watch.ResultMoot)
	if f.chain.sent["/gpucoord.receipts.v1.MsgChallenge"] != 0 {
		t.Error("evidence was sent for nothing")
	}
}

func TestGravestFindingIsFiledAloneAndTheOthersAreMoot(t *testing.T) {
	f := newFixture(t)
	records := f.records(1, 3, 2, 4)
	records[3].Amount++ // after signing
	f.claim(part{records: records})
	f.rounds(8)
	st, err := f.w.Status(t.Context())
	if err != nil || st.Filed[watch.Record][watch.ResultProven] != 1 || st.Filed[watch.Order][watch.ResultMoot] != 1 {
		t.Errorf("filed %v (%v), want the record proven and the order moot", st.Filed, err)
	}
}

func TestCopiedRecordsOfAnotherHostDoNotHideItsSecondClaim(t *testing.T) {
	f := newFixture(t)
	thief := *f.m
	thief.HostKey = receipttest.Key("another host key")
	copied := f.records(1)
	victim := f.m
	f.m = &thief // the batch is of the other key
	f.claim(part{records: copied})
	f.m = victim
	f.claim(part{records: f.records(1)})
	f.claim(part{records: f.records(1)})
	f.rounds(8)
	st, err := f.w.Status(t.Context())
	if err != nil || st.Filed[watch.Record][watch.ResultProven] != 1 || st.Filed[watch.Repeat][watch.ResultProven] != 1 {
		t.Errorf("filed %v (%v), want the copy shown as a bad record and the second claim as one", st.Filed, err)
	}
}

func TestFullCacheDropsTheOldestFileAndFetchesItAgain(t *testing.T) {
	f := newFixture(t)
	f.cfg.CacheBytes, f.reopen = 600, true
	f.claim(part{records: f.records(1)})
	f.claim(part{records: f.records(2)})
	f.rounds(2)
	if err := f.w.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := f.asked
	f.claim(part{records: f.records(1)})
	f.rounds(6)
	f.want(watch.Repeat, watch.ResultProven)
	if f.asked <= before {
		t.Errorf("asked %d times before and %d after: the first file was not dropped", before, f.asked)
	}
}

func TestOldEpochsAreForgotten(t *testing.T) {
	f := newFixture(t)
	f.claim(part{records: f.records(1)})
	f.rounds(2)
	f.chain.height = 1 << 40
	if err := f.w.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.chain.height = newFakeChain(t, f.m).height
	f.claim(part{records: f.records(1)})
	f.rounds(3)
	f.want("", "")
}
