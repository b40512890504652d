// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"github.com/gpucoord/gpucoord/app"
	"github.com/gpucoord/gpucoord/app/apptest"
	"github.com/gpucoord/gpucoord/domain/receipt"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

const (
	senders = 32 // transactions of one measured block, each of another operator

	smallRegistry = 100 // operators of the small registry

	recordsPerGroup = 2 // so that every group has a tree with two children to check

	batchLimit    = 2_000 // a batch of 16 groups costs at most two transfers, in thousandths
	registryLimit = 1_100 // and at most 10 % more among many operators than among few
)

// seat is a market whose operators send and submit in turn.
type seat struct {
	*apptest.Market

	empty, sends, batches []cost
}

// seatOptions are the sizes of a seat.
type seatOptions struct {
	operators          int // all of them, the senders included
	gateways, adapters int
	finalise           uint32 // max_finalise_per_block
}

// newSeat starts a market of senders, beside a crowd that fills the registry up.
func newSeat(o seatOptions) (*seat, error) {
	market, err := apptest.NewMarket(apptest.MarketOptions{
		Operators: senders, HostsPerOperator: 1, Gateways: o.gateways, Adapters: o.adapters,
		BondUltai: 1_000_000_000_000, EscrowUusdc: 100_000_000_000,
		Genesis: apptest.Options{Patch: func(a *app.App, state app.GenesisState) error {
			if err := longWindows(a, state, o.finalise); err != nil {
				return err
			}
			return addCrowd(a, state, o.operators-senders)
		}},
	})
	return &seat{Market: market}, err
}

// longWindows makes the submit window long enough for every round of one epoch.
func longWindows(a *app.App, state app.GenesisState, finalise uint32) error {
	cdc := a.Encoding().Codec
	err := apptest.Edit(cdc, state, operatorstypes.ModuleName, &operatorstypes.GenesisState{}, func(g *operatorstypes.GenesisState) error {
		g.Params.Schedule.EpochBlocks, g.Params.Schedule.SubmitBlocks = 200, 1_000
		g.Params.UnbondingBlocks = 10_000
		return nil
	})
	if err != nil {
		return err
	}
	return apptest.Edit(cdc, state, receiptstypes.ModuleName, &receiptstypes.GenesisState{}, func(g *receiptstypes.GenesisState) error {
		g.Params.ThawBlocks, g.Params.MaxFinalisePerBlock = 10_000, finalise
		return nil
	})
}

// serve serves rounds batches for each host in the running epoch, and returns them by round when the epoch's submit window has opened.
func (s *seat) serve(rounds int) ([][]*apptest.Claim, error) {
	schedule, err := s.App.Operators.Schedule(s.Context())
	if err != nil {
		return nil, err
	}
	epoch, err := schedule.Of(s.Height())
	if err != nil {
		return nil, err
	}
	claims := make([][]*apptest.Claim, rounds)
	for round := range rounds {
		for _, host := range s.Hosts {
			claim, err := s.Claim(host, epoch, s.records(host, epoch))
			if err != nil {
				return nil, err
			}
			claims[round] = append(claims[round], claim)
		}
	}
	windows, err := schedule.Windows(epoch)
	if err != nil {
		return nil, err
	}
	return claims, s.Until(windows.Submit.First)
}

// records are the jobs of one batch: recordsPerGroup for each gateway and adapter.
func (s *seat) records(host *apptest.Host, epoch uint64) []apptest.Served {
	var served []apptest.Served
	for _, payer := range s.Payers[:len(s.Gateways)] {
		for _, adapter := range s.Adapters {
			for range recordsPerGroup {
				record := s.Serve(host, payer, epoch, apptest.Job{
					Model: s.Model, Adapter: adapter, Outcome: receipt.OutcomeOK, Amount: 1_000, PromptTokens: 10, OutputTokens: 20,
				})
				served = append(served, apptest.Served{Record: record, Settler: payer.Settler})
			}
		}
	}
	return served
}

func (s *seat) sendTxs() ([][]byte, error) {
	txs := make([][]byte, senders)
	for i, from := range s.Operators {
		to := s.Operators[(i+1)%senders]
		msg := banktypes.NewMsgSend(from.Address, to.Address, sdk.NewCoins(sdk.NewInt64Coin(app.BondDenom, 1)))
		var err error
		if txs[i], err = s.Sign(from, msg); err != nil {
			return nil, err
		}
	}
	return txs, nil
}

func (s *seat) claimTxs(claims []*apptest.Claim) ([][]byte, error) {
	txs := make([][]byte, len(claims))
	for i, claim := range claims {
		var err error
		if txs[i], err = s.Sign(claim.Host.Operator, claim.Msg); err != nil {
			return nil, err
		}
	}
	return txs, nil
}

// round measures an empty block, a block of transfers and a block of batches, the last two by transaction.
func (s *seat) round(claims []*apptest.Claim) error {
	empty, err := block("empty", s.Chain)
	if err != nil {
		return err
	}
	s.empty = append(s.empty, empty)
	txs, err := s.sendTxs()
	if err != nil {
		return err
	}
	sends, err := block("send", s.Chain, txs...)
	if err != nil {
		return err
	}
	s.sends = append(s.sends, sends.minus(empty).over(len(txs)))
	if txs, err = s.claimTxs(claims); err != nil {
		return err
	}
	batches, err := block("batch", s.Chain, txs...)
	if err != nil {
		return err
	}
	s.batches = append(s.batches, batches.minus(empty).over(len(txs)))
	return nil
}

// benchBatch compares a batch of 16 groups with a transfer, in a small and in a large registry.
func benchBatch(opts options) (table, error) {
	result := table{title: "batch of 16 groups against bank MsgSend, per transaction"}
	sizes := []int{smallRegistry, opts.crowd}
	seats, claims := make([]*seat, len(sizes)), make([][][]*apptest.Claim, len(sizes))
	for i, size := range sizes {
		var err error
		if seats[i], err = newSeat(seatOptions{operators: size, gateways: 4, adapters: 4, finalise: receiptstypes.MaxPerBlock}); err != nil {
			return table{}, err
		}
		if claims[i], err = seats[i].serve(opts.rounds); err != nil {
			return table{}, err
		}
	}
	for round := range opts.rounds {
		for i, s := range seats {
			if err := s.round(claims[i][round]); err != nil {
				return table{}, err
			}
		}
	}
	for i, s := range seats {
		name := fmt.Sprintf("%d operators", sizes[i])
		send, batch := median(s.sends), median(s.batches)
		result.add(name+": empty block", median(s.empty).String())
		result.add(name+": MsgSend", send.String())
		result.add(name+": MsgSubmitBatch", batch.String())
		result.judge(name+": batch / send", batch.cpu, send.cpu, batchLimit)
	}
	result.judge(fmt.Sprintf("batch among %d / among %d", sizes[1], sizes[0]), median(seats[1].batches).cpu, median(seats[0].batches).cpu, registryLimit)
	return result, nil
}
