// SPDX-License-Identifier: Apache-2.0

package batch_test

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"testing"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	"github.com/gpucoord/gpucoord/relayer/batch"
	"github.com/gpucoord/gpucoord/relayer/internal/receipttest"
	"github.com/gpucoord/gpucoord/relayer/store"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

var (
	operator = [20]byte{1, 1}
	settlerA = [20]byte{0xa}
	settlerB = [20]byte{0xb}
	adapter  = [32]byte{0xad}
)

func base(m *receipttest.Maker) *royaltiestypes.Asset {
	return &royaltiestypes.Asset{Id: m.Model[:], Kind: royaltiestypes.AssetKind_ASSET_KIND_BASE, CommercialUse: true}
}

func lora(m *receipttest.Maker) *royaltiestypes.Asset {
	return &royaltiestypes.Asset{Id: adapter[:], Kind: royaltiestypes.AssetKind_ASSET_KIND_ADAPTER, Base: m.Model[:], CommercialUse: true}
}

// factsOf says that every payer of the records is direct, settled by the operator, and that nothing limits the batch.
func factsOf(m *receipttest.Maker, records []receipt.Record) *batch.Facts {
	f := &batch.Facts{
		HostID: m.HostID, HostKey: m.HostKeyAddress(), Epoch: receipttest.Epoch,
		EpochStart: receipttest.Start, NextEpochStart: receipttest.Start + 100, KeyRegisteredAt: receipttest.Start - 1000,
		Settlements: make(map[batch.Payment]batch.Settlement),
		Assets:      map[[32]byte]*royaltiestypes.Asset{m.Model: base(m), adapter: lora(m)},
		MaxGroups:   256, MinJobAmountUusdc: 1, ClaimableUusdc: math.MaxUint64, TokensLeft: math.MaxUint64,
	}
	for _, r := range records {
		f.Settlements[payment(r)] = batch.Settlement{Settler: operator}
	}
	return f
}

func payment(r receipt.Record) batch.Payment {
	return batch.Payment{Payer: r.Auth.Payer, IssuedAt: r.Auth.IssuedAt}
}

func stored(m *receipttest.Maker, records []receipt.Record) []store.Receipt {
	out := make([]store.Receipt, len(records))
	for i, r := range records {
		out[i] = m.Stored(r)
	}
	return out
}

func planOf(t *testing.T, m *receipttest.Maker, records []receipt.Record, f *batch.Facts) batch.Plan {
	t.Helper()
	plan, err := batch.PlanOf(stored(m, records), f)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func reasonsOf(plan batch.Plan) map[string]int {
	out := make(map[string]int)
	for _, r := range plan.Rejected {
		out[r.Reason]++
	}
	return out
}

func TestEveryContextRuleTurnsDown(t *testing.T) {
	m := receipttest.New()
	withAdapter := func(r *receipt.Record) { r.Auth.AdapterID = adapter }
	for name, c := range map[string]struct {
		record receipt.Record
		facts  func(*batch.Facts, receipt.Record)
		reason string // "" for a record that is claimed
	}{
		"good":             {m.Record(5), nil, ""},
		"good adapter":     {m.Record(5, withAdapter), nil, ""},
		"good gateway job": {m.Countersigned(m.Record(5)), gatewaySettles, ""},
		"key registered later": {
			m.Record(5), func(f *batch.Facts, r receipt.Record) { f.KeyRegisteredAt = r.ServedAt + 1 }, "host key was not valid at servedAt",
		},
		"key registered in that second": {m.Record(5), func(f *batch.Facts, r receipt.Record) { f.KeyRegisteredAt = r.ServedAt }, ""},
		"key expired in that second": {
			m.Record(5), func(f *batch.Facts, r receipt.Record) { f.KeyExpiresAt = r.ServedAt }, "host key was not valid at servedAt",
		},
		"another key": {m.Record(5), func(f *batch.Facts, _ receipt.Record) { f.HostKey[0]++ }, "record is of another host key"},
		"another host": {
			m.Record(5), func(f *batch.Facts, _ receipt.Record) { f.HostID[0]++ }, "record is of another host",
		},
		"another epoch": {m.Record(5), func(f *batch.Facts, _ receipt.Record) { f.Epoch++ }, "record is of another epoch"},
		"31 s too early": {
			m.Record(5, func(r *receipt.Record) { r.Auth.IssuedAt -= 100; r.ServedAt = receipttest.Start - 31 }), nil,
			"servedAt is outside the epoch and its clock slack",
		},
		"30 s early": {m.Record(5, func(r *receipt.Record) { r.Auth.IssuedAt -= 100; r.ServedAt = receipttest.Start - 30 }), nil, ""},
		"30 s late": {
			m.Record(5, func(r *receipt.Record) { r.ServedAt = receipttest.Start + 130 }), nil, "servedAt is outside the epoch and its clock slack",
		},
		"29 s late":                   {m.Record(5, func(r *receipt.Record) { r.ServedAt = receipttest.Start + 129 }), nil, ""},
		"gateway did not countersign": {m.Record(5), gatewaySettles, "gateway-settled record is not countersigned"},
		"adapter of another base": {
			m.Record(5, withAdapter), func(f *batch.Facts, _ receipt.Record) { f.Assets[adapter].Base = make([]byte, 32) },
			"adapter's base is not the record's model",
		},
		"settler of another kind": {
			m.Record(5), func(f *batch.Facts, r receipt.Record) {
				f.Settlements[payment(r)] = batch.Settlement{Settler: operator, Mismatched: true}
			}, batch.ReasonSettler,
		},
		"at the watermark":    {m.Record(5), func(f *batch.Facts, _ receipt.Record) { f.Watermarks = map[[20]byte]uint64{operator: 5} }, batch.ReasonWatermark},
		"above the watermark": {m.Record(5), func(f *batch.Facts, _ receipt.Record) { f.Watermarks = map[[20]byte]uint64{operator: 4, settlerA: 9} }, ""},
		"unknown model":       {m.Record(5), func(f *batch.Facts, _ receipt.Record) { f.Assets[m.Model] = nil }, batch.ReasonModel},
		"model is an adapter": {
			m.Record(5), func(f *batch.Facts, _ receipt.Record) { f.Assets[m.Model] = lora(m) }, batch.ReasonModel,
		},
		"no commercial use": {
			m.Record(5), func(f *batch.Facts, _ receipt.Record) { f.Assets[m.Model].CommercialUse = false }, batch.ReasonModel,
		},
		"adapter taken down": {
			m.Record(5, withAdapter), func(f *batch.Facts, _ receipt.Record) {
				f.Assets[adapter].Status, f.Assets[adapter].TakenDownEpoch = royaltiestypes.AssetStatus_ASSET_STATUS_TAKEN_DOWN, receipttest.Epoch
			}, batch.ReasonAdapter,
		},
		"adapter taken down from the next epoch": {
			m.Record(5, withAdapter), func(f *batch.Facts, _ receipt.Record) {
				f.Assets[adapter].Status, f.Assets[adapter].TakenDownEpoch = royaltiestypes.AssetStatus_ASSET_STATUS_TAKEN_DOWN, receipttest.Epoch+1
			}, "",
		},
		"tokens that do not add up": {
			m.Record(5, func(r *receipt.Record) { r.PromptTokens, r.OutputTokens = math.MaxUint64, 1 }), nil, batch.ReasonSums,
		},
		"too cheap": {
			m.Record(5), func(f *batch.Facts, r receipt.Record) { f.MinJobAmountUusdc = r.Amount + 1 }, batch.ReasonMinAmount,
		},
		"just not too cheap": {m.Record(5), func(f *batch.Facts, r receipt.Record) { f.MinJobAmountUusdc = r.Amount }, ""},
		"over the tokens":    {m.Record(5), func(f *batch.Facts, _ receipt.Record) { f.TokensLeft = 149 }, batch.ReasonTokenLimit},
		"all the tokens":     {m.Record(5), func(f *batch.Facts, _ receipt.Record) { f.TokensLeft = 150 }, ""},
		"over the cover":     {m.Record(5), func(f *batch.Facts, r receipt.Record) { f.ClaimableUusdc = r.Amount - 1 }, batch.ReasonCover},
		"all the cover":      {m.Record(5), func(f *batch.Facts, r receipt.Record) { f.ClaimableUusdc = r.Amount }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := factsOf(m, []receipt.Record{c.record})
			if c.facts != nil {
				c.facts(f, c.record)
			}
			plan := planOf(t, m, []receipt.Record{c.record}, f)
			if c.reason == "" {
				if len(plan.Groups) != 1 || len(plan.Rejected) != 0 {
					t.Fatalf("turned down: %v", reasonsOf(plan))
				}
				return
			}
			if len(plan.Groups) != 0 || reasonsOf(plan)[c.reason] != 1 || len(plan.Rejected) != 1 {
				t.Fatalf("%d groups, turned down: %v, want %q", len(plan.Groups), reasonsOf(plan), c.reason)
			}
			if r := plan.Rejected[0]; r.Stage != store.StageBatch || r.HostID != f.HostID || r.Seq != c.record.Seq || !bytes.Equal(r.Bytes, c.record.AppendSR1(nil)) {
				t.Errorf("rejection is %+v", r)
			}
		})
	}
}

func gatewaySettles(f *batch.Facts, r receipt.Record) {
	f.Settlements[payment(r)] = batch.Settlement{Settler: settlerA, Gateway: true}
}

// mixed are nine records of two settlers, with and without an adapter; seqs interleave.
func mixed(m *receipttest.Maker) ([]receipt.Record, *batch.Facts) {
	var records []receipt.Record
	for seq := uint64(1); seq <= 9; seq++ {
		records = append(records, m.Record(seq, func(r *receipt.Record) {
			r.Auth.IssuedAt += seq % 2 // tells the settlers apart
			if seq%3 == 0 {
				r.Auth.AdapterID = adapter
			}
			if seq == 8 {
				r.Outcome, r.Amount = receipt.OutcomeUpstreamFail, 0
			}
		}))
	}
	f := factsOf(m, records)
	for _, r := range records {
		settler := settlerA
		if r.Auth.IssuedAt%2 == 1 {
			settler = settlerB
		}
		f.Settlements[payment(r)] = batch.Settlement{Settler: settler}
	}
	return records, f
}

func TestGroupsAreThoseOfTheirKeysInOrder(t *testing.T) {
	m := receipttest.New()
	records, f := mixed(m)
	plan := planOf(t, m, records, f)
	if len(plan.Rejected) != 0 {
		t.Fatalf("turned down: %v", reasonsOf(plan))
	}
	want := []struct {
		settler [20]byte
		adapter [32]byte
		seqs    []uint64
	}{
		{settlerA, [32]byte{}, []uint64{2, 4, 8}},
		{settlerA, adapter, []uint64{6}},
		{settlerB, [32]byte{}, []uint64{1, 5, 7}},
		{settlerB, adapter, []uint64{3, 9}},
	}
	if len(plan.Groups) != len(want) {
		t.Fatalf("%d groups, want %d", len(plan.Groups), len(want))
	}
	for i, w := range want {
		g := plan.Groups[i]
		var seqs []uint64
		amount := uint64(0)
		for _, sr1 := range g.Records {
			r, err := receipt.Decode(sr1)
			if err != nil {
				t.Fatal(err)
			}
			seqs, amount = append(seqs, r.Seq), amount+r.Amount
		}
		if g.Settler != w.settler || g.AdapterID != w.adapter || g.ModelID != m.Model || fmt.Sprint(seqs) != fmt.Sprint(w.seqs) {
			t.Errorf("group %d is settler %x, adapter %x, seqs %v", i, g.Settler[:1], g.AdapterID[:1], seqs)
		}
		if g.Root.Amount != amount || g.Count != uint64(len(seqs)) || g.FirstSeq != seqs[0] || g.LastSeq != seqs[len(seqs)-1] || g.Root.Tokens != 150*g.Count {
			t.Errorf("group %d has sums %+v", i, g.Group)
		}
	}
	if plan.Receipts != 9 || plan.AmountUusdc != 8*1000+1+2+3+4+5+6+7+9 || plan.Tokens != 9*150 || len(plan.Records()) != 9 {
		t.Errorf("plan has %d receipts, %d uusdc, %d tokens", plan.Receipts, plan.AmountUusdc, plan.Tokens)
	}
}

// TestTheChainTakesTheMessage applies the chain's own checks of a batch's form to what a plan becomes.
func TestTheChainTakesTheMessage(t *testing.T) {
	m := receipttest.New()
	records, f := mixed(m)
	plan := planOf(t, m, records, f)
	key := m.HostKeyAddress()
	onChain := receiptstypes.Batch{HostKey: key[:], HostId: m.HostID[:], Groups: plan.Messages()}
	groups, err := onChain.DomainGroups()
	if err != nil {
		t.Fatal(err)
	}
	for i := range onChain.Groups {
		if err := onChain.Groups[i].Check(); err != nil {
			t.Errorf("group %d: %v", i, err)
		}
		if groups[i] != plan.Groups[i].Group {
			t.Errorf("group %d is another one on the chain", i)
		}
	}
	sums, err := sumtree.BatchOf(groups)
	if err != nil || sums.Count != plan.Receipts || sums.Amount != plan.AmountUusdc {
		t.Errorf("batch is %+v (%v)", sums, err)
	}
}

func TestEqualFactsGiveEqualPlans(t *testing.T) {
	m := receipttest.New()
	records, f := mixed(m)
	f.MaxGroups, f.ClaimableUusdc = 3, 5000
	first := planOf(t, m, records, f)
	if len(first.Rejected) == 0 || len(first.Groups) == 0 {
		t.Fatal("the limits must leave something and not all")
	}
	for range 20 { // map order differs from run to run
		again := planOf(t, m, records, f)
		if !reflect.DeepEqual(first.Rejected, again.Rejected) || !bytes.Equal(bytes.Join(first.Records(), nil), bytes.Join(again.Records(), nil)) {
			t.Fatal("the same receipts and facts gave another plan")
		}
	}
}

func TestLimitsDropTheLowestValueFirst(t *testing.T) {
	m := receipttest.New()
	for name, c := range map[string]struct {
		limit  func(*batch.Facts)
		left   []uint64 // amounts of the groups that stay
		reason string
	}{
		// groups by value: A+adapter 1006, A 2006, B+adapter 2012, B 3013
		"groups": {func(f *batch.Facts) { f.MaxGroups = 2 }, []uint64{3013, 2012}, batch.ReasonMaxGroups},
		"cover":  {func(f *batch.Facts) { f.ClaimableUusdc = 5025 }, []uint64{3013, 2012}, batch.ReasonCover},
		"tokens": {func(f *batch.Facts) { f.TokensLeft = 5 * 150 }, []uint64{3013, 2012}, batch.ReasonTokenLimit},
		"all but the last records of the last group": {func(f *batch.Facts) { f.ClaimableUusdc = 2100 }, []uint64{2006}, batch.ReasonCover},
		"nothing fits": {func(f *batch.Facts) { f.ClaimableUusdc = 999 }, nil, batch.ReasonCover},
	} {
		t.Run(name, func(t *testing.T) {
			records, f := mixed(m)
			c.limit(f)
			plan := planOf(t, m, records, f)
			var left []uint64
			kept := 0
			for _, g := range plan.Groups {
				left, kept = append(left, g.Root.Amount), kept+len(g.Records)
			}
			if len(left) == 2 && left[0] < left[1] {
				left[0], left[1] = left[1], left[0]
			}
			if fmt.Sprint(left) != fmt.Sprint(c.left) {
				t.Errorf("groups of %v stay, want %v", left, c.left)
			}
			if got := reasonsOf(plan); got[c.reason] != 9-kept {
				t.Errorf("%d of 9 stay; turned down: %v", kept, got)
			}
		})
	}
}

func TestUnresolvedPayerIsAnError(t *testing.T) {
	m := receipttest.New()
	r := m.Record(1)
	f := factsOf(m, nil)
	if _, err := batch.PlanOf([]store.Receipt{m.Stored(r)}, f); err == nil {
		t.Error("a payer that nobody resolved was taken for a direct one")
	}
}
