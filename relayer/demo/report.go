// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"encoding/json"
	"fmt"
	"os"
	"sort"

	"github.com/gpucoord/gpucoord/domain/receipt"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// Report is what --report writes. Money is in uusdc, millionths of a USD; sums are over the settled epochs of this run.
type Report struct {
	ChainID   string `json:"chain_id"`
	Simulated bool   `json:"simulated"` // always: engines and GPUs are stand-ins
	// FirstEpoch and LastEpoch are the first and the last settled epoch with receipts.
	FirstEpoch    uint64 `json:"first_epoch"`
	LastEpoch     uint64 `json:"last_epoch"`
	EpochsSettled int    `json:"epochs_settled"`
	Height        uint64 `json:"height"`

	Requests  int            `json:"requests"`
	Served    int            `json:"served"`
	Cancelled int            `json:"cancelled"`
	Refused   map[string]int `json:"refused"`

	Batches  int    `json:"batches"`
	Receipts uint64 `json:"receipts"`
	Tokens   uint64 `json:"tokens"`
	// RejectedReceipts are those that a gateway or a relayer found wrong.
	RejectedReceipts uint64 `json:"rejected_receipts"`
	// FailedJobs are receipts of jobs that failed or were broken off.
	FailedJobs uint64 `json:"failed_jobs"`

	AmountUusdc    uint64 `json:"amount_uusdc"`
	TakeUusdc      uint64 `json:"take_uusdc"`
	RoyaltiesUusdc uint64 `json:"royalties_uusdc"`
	// OperatorShareUusdc is settled on the chain, DirectShareUusdc was paid to operators outside it.
	OperatorShareUusdc uint64 `json:"operator_share_uusdc"`
	DirectShareUusdc   uint64 `json:"direct_share_uusdc"`
	RewardsUusdc       uint64 `json:"rewards_uusdc"`

	Operators []OperatorReport `json:"operators"`
	Royalties []RoyaltyReport  `json:"royalties"`
	Models    []ModelReport    `json:"models"`

	Anchors *AnchorsReport `json:"anchors,omitempty"`

	Checks       []Check `json:"checks"`
	InvariantsOK bool    `json:"invariants_ok"`
}

// OperatorReport is one operator's row.
type OperatorReport struct {
	Name      string `json:"name"`
	Address   string `json:"address"`
	Simulated bool   `json:"simulated"`
	Receipts  uint64 `json:"receipts"`
	OK        uint64 `json:"ok"`
	Fail      uint64 `json:"fail"`
	// Cancelled jobs are those that their customers left; they are neither ok nor failed.
	Cancelled          uint64 `json:"cancelled"`
	Tokens             uint64 `json:"tokens"`
	AmountUusdc        uint64 `json:"amount_uusdc"`
	TakeUusdc          uint64 `json:"take_uusdc"`
	RoyaltiesUusdc     uint64 `json:"royalties_uusdc"`
	OperatorShareUusdc uint64 `json:"operator_share_uusdc"`
	DirectShareUusdc   uint64 `json:"direct_share_uusdc"`
	RewardsUusdc       uint64 `json:"rewards_uusdc"`
	ReputationPpm      uint64 `json:"reputation_ppm"`
}

// RoyaltyReport is one author's row.
type RoyaltyReport struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	// RunUusdc accrued since the run began, LifetimeUusdc since genesis.
	RunUusdc      uint64 `json:"run_uusdc"`
	LifetimeUusdc uint64 `json:"lifetime_uusdc"`
}

// ModelReport is one model with one adapter, or none.
type ModelReport struct {
	Model          string `json:"model"`
	Adapter        string `json:"adapter"`
	Receipts       uint64 `json:"receipts"`
	Tokens         uint64 `json:"tokens"`
	AmountUusdc    uint64 `json:"amount_uusdc"`
	RoyaltiesUusdc uint64 `json:"royalties_uusdc"`
}

// newReport adds up the settled epochs.
func (w *World) newReport(baseline, f *facts, t *Traffic) *Report {
	r := &Report{
		ChainID: w.state.ChainID, Simulated: true, Height: f.height, EpochsSettled: len(f.settled),
		Requests: t.Sent, Served: t.Served, Cancelled: t.Cancelled, Refused: t.Refused,
	}
	r.RejectedReceipts = f.rejected
	for _, b := range f.books {
		r.RejectedReceipts += b.rejected
	}
	if len(f.settled) == 0 {
		return r
	}
	r.FirstEpoch, r.LastEpoch = f.settled[0].state.Epoch, f.settled[len(f.settled)-1].state.Epoch
	rows := make(map[string]*OperatorReport)
	for _, o := range operators {
		address := w.state.Accounts[o.name].Address
		rows[address] = &OperatorReport{Name: o.moniker, Address: address, Simulated: true}
	}
	models := make(map[[64]byte]*ModelReport)
	for i := range f.batches {
		b := &f.batches[i]
		if b.Epoch < r.FirstEpoch || b.Epoch > r.LastEpoch || b.Status != receiptstypes.BatchStatus_BATCH_STATUS_FINALISED {
			continue
		}
		r.Batches++
		r.addBatch(b, rows[b.Operator], models)
	}
	for _, e := range f.settled {
		r.RewardsUusdc += e.settlement.RewardsUusdc
		for address, explained := range e.explained {
			if row := rows[address]; row != nil {
				row.RewardsUusdc += explained.Row.RewardUusdc
				row.ReputationPpm = explained.Row.ReputationPpm
			}
		}
	}
	r.FailedJobs = f.count(r.FirstEpoch, r.LastEpoch, func(x *receipt.Record) bool { return x.Outcome != receipt.OutcomeOK })
	r.sortRows(rows, models)
	r.addAuthors(w, baseline, f)
	return r
}

// addBatch adds a settled batch to the sums and rows.
func (r *Report) addBatch(b *receiptstypes.Batch, row *OperatorReport, models map[[64]byte]*ModelReport) {
	names := assetNames()
	for i := range b.Groups {
		g, s := &b.Groups[i], &b.States[i]
		onChain, direct := s.OperatorUusdc, uint64(0)
		if !s.PaysOperators {
			onChain, direct = 0, s.OperatorUusdc
		}
		amount, take, royalty := g.AmountUusdc, s.TakeUusdc, s.RoyaltyUusdc
		if s.Unfunded { // it settles nothing
			amount, take, royalty, onChain, direct = 0, 0, 0, 0, 0
		}
		r.Receipts, r.Tokens = r.Receipts+g.Count, r.Tokens+g.Tokens
		r.AmountUusdc, r.TakeUusdc, r.RoyaltiesUusdc = r.AmountUusdc+amount, r.TakeUusdc+take, r.RoyaltiesUusdc+royalty
		r.OperatorShareUusdc, r.DirectShareUusdc = r.OperatorShareUusdc+onChain, r.DirectShareUusdc+direct
		if row != nil {
			row.Receipts, row.Tokens = row.Receipts+g.Count, row.Tokens+g.Tokens
			row.OK, row.Fail = row.OK+uint64(g.Ok), row.Fail+uint64(g.Fail)
			row.Cancelled += g.Count - uint64(g.Ok) - uint64(g.Fail)
			row.AmountUusdc, row.TakeUusdc, row.RoyaltiesUusdc = row.AmountUusdc+amount, row.TakeUusdc+take, row.RoyaltiesUusdc+royalty
			row.OperatorShareUusdc, row.DirectShareUusdc = row.OperatorShareUusdc+onChain, row.DirectShareUusdc+direct
		}
		key := [64]byte(append(append([]byte{}, g.ModelId...), g.AdapterId...))
		if models[key] == nil {
			models[key] = &ModelReport{Model: names[[32]byte(g.ModelId)], Adapter: names[[32]byte(g.AdapterId)]}
		}
		m := models[key]
		m.Receipts, m.Tokens = m.Receipts+g.Count, m.Tokens+g.Tokens
		m.AmountUusdc, m.RoyaltiesUusdc = m.AmountUusdc+amount, m.RoyaltiesUusdc+royalty
	}
}

func (r *Report) sortRows(rows map[string]*OperatorReport, models map[[64]byte]*ModelReport) {
	for _, row := range rows {
		r.Operators = append(r.Operators, *row)
	}
	sort.Slice(r.Operators, func(i, k int) bool { return r.Operators[i].Name < r.Operators[k].Name })
	for _, m := range models {
		r.Models = append(r.Models, *m)
	}
	sort.Slice(r.Models, func(i, k int) bool {
		a, b := &r.Models[i], &r.Models[k]
		return a.Model < b.Model || a.Model == b.Model && a.Adapter < b.Adapter
	})
}

func (r *Report) addAuthors(w *World, baseline, f *facts) {
	before, lifetime := baseline.royalties(), f.royalties()
	for _, name := range authors {
		address := w.state.Accounts[name].Address
		r.Royalties = append(r.Royalties, RoyaltyReport{
			Name: name, Address: address, RunUusdc: lifetime[address] - before[address], LifetimeUusdc: lifetime[address],
		})
	}
}

// royalties is what accrued to each author since genesis, by address.
func (f *facts) royalties() map[string]uint64 {
	out := make(map[string]uint64)
	for i := range f.accruals {
		out[f.accruals[i].Payee] = f.accruals[i].LifetimeUusdc
	}
	return out
}

// count counts the receipts of epochs in the hosts' logs.
func (f *facts) count(first, last uint64, wanted func(*receipt.Record) bool) uint64 {
	var n uint64
	for _, records := range f.logs {
		for i := range records {
			if e := records[i].Epoch; e >= first && e <= last && wanted(&records[i]) {
				n++
			}
		}
	}
	return n
}

// writeFile writes the report as JSON.
func (r *Report) writeFile(path string) error {
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the report: %w", err)
	}
	if err := os.WriteFile(path, append(raw, '\n'), 0o644); err != nil { //nolint:gosec // it is for others to read
		return fmt.Errorf("--report: %w", err)
	}
	return nil
}
