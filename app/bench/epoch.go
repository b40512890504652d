// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	dbm "github.com/cosmos/cosmos-db"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/app"
	"github.com/gpucoord/gpucoord/app/apptest"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	rewardskeeper "github.com/gpucoord/gpucoord/x/rewards/keeper"
	rewardstypes "github.com/gpucoord/gpucoord/x/rewards/types"
)

const (
	// epochRepeats is how often the same blocks run; each block counts with its least time, because what the machine adds is noise.
	epochRepeats = 3

	slowestLimit = 2_000 // slowest block of an epoch's settlement against the median one, in thousandths

	gatewaysOfCrowd = 16

	// maxSettlementBlocks stops a settlement that does not end.
	maxSettlementBlocks = 100_000
)

var errNoSettlement = errors.New("the epoch's settlement did not end")

// benchEpoch settles an epoch in which every operator of the crowd has usage, and compares the slowest block with the median one.
func benchEpoch(opts options) (table, error) {
	result := table{title: fmt.Sprintf("settling an epoch of %d operators", opts.crowd)}
	db := dbm.NewMemDB()
	chain, err := newCrowdedEpoch(db, opts.crowd)
	if err != nil {
		return table{}, err
	}
	var least []time.Duration
	for range epochRepeats {
		times, err := settleCopy(chain, db)
		if err != nil {
			return table{}, err
		}
		if least == nil {
			least = times
		}
		for i := range least {
			least[i] = min(least[i], times[i])
		}
	}
	sorted := slices.Sorted(slices.Values(least))
	middle, slowest := sorted[len(sorted)/2], sorted[len(sorted)-1]
	result.add("blocks", fmt.Sprint(len(least)))
	result.add("median block", micros(middle)+" cpu")
	result.add("slowest block", micros(slowest)+" cpu")
	result.judge("slowest / median", slowest, middle, slowestLimit)
	return result, nil
}

// newCrowdedEpoch starts a chain over db in whose epoch 0 every operator of the crowd has usage, and goes to the last block
// before the settlement.
func newCrowdedEpoch(db dbm.DB, crowd int) (*apptest.Chain, error) {
	chain, err := apptest.New(apptest.Options{DB: db, Patch: func(a *app.App, state app.GenesisState) error {
		if err := addCrowd(a, state, crowd); err != nil {
			return err
		}
		return addUsage(a, state, crowd)
	}})
	if err != nil {
		return nil, err
	}
	for range maxSettlementBlocks {
		ready, err := chain.App.Receipts.EpochReady(chain.Context().WithBlockHeight(int64(chain.Height())+1), 0)
		if err != nil {
			return nil, err
		}
		if ready {
			return chain, nil
		}
		if _, err := block("epoch", chain); err != nil {
			return nil, err
		}
	}
	return nil, errNoSettlement
}

// settleCopy settles the epoch on a copy of the chain and returns the processor time of every block.
func settleCopy(chain *apptest.Chain, db dbm.DB) ([]time.Duration, error) {
	twin, err := copyDB(db)
	if err != nil {
		return nil, err
	}
	if chain, err = chain.Reopen(twin); err != nil {
		return nil, err
	}
	queries := rewardskeeper.NewQueryServer(chain.App.Rewards)
	var times []time.Duration
	for range maxSettlementBlocks {
		spent, err := block("epoch", chain)
		if err != nil {
			return nil, err
		}
		times = append(times, spent.cpu)
		epoch, err := queries.Epoch(chain.Context(), &rewardstypes.QueryEpochRequest{})
		if err != nil {
			return nil, err
		}
		if epoch.Settlement.Phase == rewardstypes.Phase_PHASE_DONE {
			return times, nil
		}
	}
	return nil, errNoSettlement
}

func copyDB(from dbm.DB) (dbm.DB, error) {
	to := dbm.NewMemDB()
	entries, err := from.Iterator(nil, nil)
	if err != nil {
		return nil, err
	}
	for ; entries.Valid(); entries.Next() {
		if err := to.Set(entries.Key(), entries.Value()); err != nil {
			return nil, errors.Join(err, entries.Close())
		}
	}
	return to, errors.Join(entries.Error(), entries.Close())
}

// addUsage puts epoch 0 into the genesis as if every operator of the crowd had served one of the gateways, and its pool into x/rewards.
func addUsage(a *app.App, state app.GenesisState, crowd int) error {
	const amount, take, pool = 1_000_000, 100_000, 60_000
	cdc := a.Encoding().Codec
	err := apptest.Edit(cdc, state, receiptstypes.ModuleName, &receiptstypes.GenesisState{}, func(g *receiptstypes.GenesisState) error {
		spends := make([]uint64, gatewaysOfCrowd)
		for i := range crowd {
			operator, settler := crowdAddress(i).String(), gatewayAddress(i%gatewaysOfCrowd).String()
			spends[i%gatewaysOfCrowd] += amount
			g.Usages = append(g.Usages, receiptstypes.Usage{
				Operator: operator, Settler: settler, Class: receiptstypes.Class_CLASS_ROUTED, AmountUusdc: amount,
				TakeUusdc: take, PoolUusdc: pool, Tokens: 1_000, Ok: 50, Fail: 1, Accredited: true,
			})
			g.Spends = append(g.Spends, receiptstypes.Spend{Settler: settler, Controller: operator, AmountUusdc: amount})
		}
		for i, spent := range spends {
			settler := gatewayAddress(i).String()
			g.Gateways = append(g.Gateways, receiptstypes.Gateway{Address: settler, Controller: settler, Moniker: "gateway", Accredited: true, RegisteredHeight: 1})
			g.Settlers = append(g.Settlers, receiptstypes.Settler{
				Address: settler, Gateway: settler, Controller: settler, Class: receiptstypes.Class_CLASS_ROUTED, RegisteredHeight: 1,
			})
			g.Spends = append(g.Spends, receiptstypes.Spend{Settler: settler, AmountUusdc: spent})
		}
		n := uint64(crowd)
		g.Epochs = append(g.Epochs, receiptstypes.EpochState{
			Params: g.Params, PoolUusdc: n * pool, TakeUusdc: n * take, AmountUusdc: n * amount, Batches: n, Receipts: n * 51,
		})
		return nil
	})
	if err != nil {
		return err
	}
	return fund(a, state, rewardstypes.ModuleName, sdk.NewInt64Coin(receiptstypes.SettlementDenom, int64(crowd)*pool))
}

func gatewayAddress(number int) sdk.AccAddress {
	hash := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("gateway of the crowd"), uint64(number)))
	return hash[:20]
}
