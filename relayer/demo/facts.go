// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"

	"github.com/cosmos/cosmos-sdk/types/query"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/relayer/chain"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	rewardstypes "github.com/gpucoord/gpucoord/x/rewards/types"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

// pageLimit is the most that the chain's queries give at once.
const pageLimit = 200

// facts are what the chain says after one block, and what hosts and gateways say themselves.
type facts struct {
	height   uint64
	supply   map[string]uint64 // by denom
	balances map[string]uint64 // of module accounts, in uusdc
	batches  []receiptstypes.Batch
	accruals []royaltiestypes.Accrual
	// earnings are what operators have earned on the chain, by operator.
	earnings map[string]uint64
	// assets are what models have earned, by name.
	assets map[string]uint64
	// earningFrom is the first epoch in which a base earns, plus 1, by name; royaltyCap the most that royalties take, in bps.
	earningFrom map[string]uint64
	royaltyCap  uint64
	// settled are the settled epochs with receipts, in order.
	settled []epochFacts
	// forfeits is what settlements of epochs have given to insurance since the baseline.
	forfeits uint64
	// sponsors is the sponsors' money not yet awarded.
	sponsors uint64
	// logs are the receipts that each host's own log holds, by operator, with their countersignatures.
	logs map[string][]receipt.Record
	// books are what each gateway's own ledger says, by gateway.
	books map[string]book
	// claimed are the jobs whose records each batch published, by batch.
	claimed map[uint64][][32]byte
	// why is what the command line says of the largest reward.
	why string
	// rejected counts the records that relayers found wrong.
	rejected uint64
}

// epochFacts are one settled epoch.
type epochFacts struct {
	state      receiptstypes.EpochState
	settlement rewardstypes.EpochSettlement
	explained  map[string]*rewardstypes.QueryExplainResponse // by operator's address
}

// moduleAccounts are the accounts that money of receipts passes through.
var moduleAccounts = []string{"receipts", "royalties", "rewards", "insurance", "probers_pool", "aleph_pool", "operators"}

// observe reads the chain at the newest height whose state is certain to be there: a node shows a block before it has executed it.
func (w *World) observe(ctx context.Context) (*facts, error) {
	head, err := w.chain.Head(ctx)
	if err != nil {
		return nil, err
	}
	height := head.Height - 1
	f := &facts{
		height: height, supply: make(map[string]uint64), balances: make(map[string]uint64),
		earnings: make(map[string]uint64), assets: make(map[string]uint64), earningFrom: make(map[string]uint64),
	}
	at := chain.AtHeight(ctx, height)
	for _, read := range []func(context.Context, *facts) error{w.readMoney, w.readBatches, w.readRoyalties, w.readEarnings} {
		if err := read(at, f); err != nil {
			return nil, fmt.Errorf("read the chain at height %d: %w", height, err)
		}
	}
	return f, nil
}

func (w *World) readMoney(ctx context.Context, f *facts) error {
	for _, denom := range []string{"uusdc", "ultai", "ualeph"} {
		res, err := w.chain.Bank.SupplyOf(ctx, &banktypes.QuerySupplyOfRequest{Denom: denom})
		if err != nil {
			return err
		}
		f.supply[denom] = res.Amount.Amount.Uint64()
	}
	for _, name := range moduleAccounts {
		address := chain.Bech32(authtypes.NewModuleAddress(name))
		res, err := w.chain.Bank.Balance(ctx, &banktypes.QueryBalanceRequest{Address: address, Denom: "uusdc"})
		if err != nil {
			return err
		}
		f.balances[name] = res.Balance.Amount.Uint64()
	}
	status, err := w.chain.Rewards.Status(ctx, &rewardstypes.QueryStatusRequest{})
	if err != nil {
		return err
	}
	f.sponsors = status.SponsorsUusdc
	return nil
}

func (w *World) readBatches(ctx context.Context, f *facts) error {
	page := &query.PageRequest{Limit: pageLimit}
	for {
		res, err := w.chain.Receipts.Batches(ctx, &receiptstypes.QueryBatchesRequest{Pagination: page})
		if err != nil {
			return err
		}
		f.batches = append(f.batches, res.Batches...)
		if res.Pagination == nil || len(res.Pagination.NextKey) == 0 {
			return nil
		}
		page = &query.PageRequest{Key: res.Pagination.NextKey, Limit: pageLimit}
	}
}

func (w *World) readRoyalties(ctx context.Context, f *facts) error {
	res, err := w.chain.Royalties.Accruals(ctx, &royaltiestypes.QueryAccrualsRequest{Pagination: &query.PageRequest{Limit: pageLimit}})
	if err != nil {
		return err
	}
	f.accruals = res.Accruals
	params, err := w.chain.Royalties.Params(ctx, &royaltiestypes.QueryParamsRequest{})
	if err != nil {
		return err
	}
	f.royaltyCap = params.Params.RoyaltyCapBps
	for id, name := range assetNames() {
		if id == [32]byte{} {
			continue
		}
		res, err := w.chain.Royalties.Asset(ctx, &royaltiestypes.QueryAssetRequest{AssetId: hexOf(id)})
		if err != nil {
			return err
		}
		f.assets[name], f.earningFrom[name] = res.LifetimeUusdc, res.Asset.EarningFrom
	}
	return nil
}

func (w *World) readEarnings(ctx context.Context, f *facts) error {
	for _, o := range operators {
		address := w.state.Accounts[o.name].Address
		res, err := w.chain.Receipts.Earnings(ctx, &receiptstypes.QueryEarningsRequest{Operator: address})
		if err != nil {
			return err
		}
		f.earnings[address] = res.Earnings.LifetimeUusdc
	}
	return nil
}

// observeAll also reads the settled epochs first to last, and asks hosts and gateways for their own books.
func (w *World) observeAll(ctx context.Context, baseline *facts, first, last uint64) (*facts, error) {
	f, err := w.observe(ctx)
	if err != nil {
		return nil, err
	}
	at := chain.AtHeight(ctx, f.height)
	for e := first; e <= last; e++ {
		if err := w.readEpoch(at, f, e); err != nil {
			return nil, fmt.Errorf("read epoch %d: %w", e, err)
		}
	}
	if err := w.readForfeits(at, f, baseline, last); err != nil {
		return nil, err
	}
	if err := w.readLogs(ctx, f); err != nil {
		return nil, err
	}
	if err := w.readBooks(ctx, f); err != nil {
		return nil, err
	}
	if err := w.readClaims(ctx, f, first, last); err != nil {
		return nil, err
	}
	return f, w.readRejected(ctx, f)
}

// readEpoch reads a settled epoch if it holds receipts.
func (w *World) readEpoch(ctx context.Context, f *facts, e uint64) error {
	state, err := w.chain.Receipts.Epoch(ctx, &receiptstypes.QueryEpochRequest{Epoch: e})
	if err != nil {
		return err
	}
	if state.State.Receipts == 0 {
		return nil
	}
	settlement, err := w.chain.Rewards.Epoch(ctx, &rewardstypes.QueryEpochRequest{Epoch: e})
	if err != nil {
		return err
	}
	rows, err := w.chain.Rewards.Rows(ctx, &rewardstypes.QueryRowsRequest{Epoch: e, Pagination: &query.PageRequest{Limit: pageLimit}})
	if err != nil {
		return err
	}
	out := epochFacts{state: state.State, settlement: settlement.Settlement, explained: make(map[string]*rewardstypes.QueryExplainResponse)}
	for _, row := range rows.Rows {
		res, err := w.chain.Rewards.Explain(ctx, &rewardstypes.QueryExplainRequest{Epoch: e, Operator: row.Operator})
		if err != nil {
			return err
		}
		out.explained[row.Operator] = res
	}
	f.settled = append(f.settled, out)
	return nil
}

// readForfeits adds up what settlements after the baseline gave to insurance.
func (w *World) readForfeits(ctx context.Context, f, baseline *facts, last uint64) error {
	status, err := w.chain.Rewards.Status(ctx, &rewardstypes.QueryStatusRequest{})
	if err != nil {
		return err
	}
	for e := range status.NextEpoch {
		res, err := w.chain.Rewards.Epoch(ctx, &rewardstypes.QueryEpochRequest{Epoch: e})
		if err != nil {
			if e < last && baseline.height > epochBlocks { // an old epoch whose row was pruned
				continue
			}
			return fmt.Errorf("read the settlement of epoch %d: %w", e, err)
		}
		if s := res.Settlement; s.SettledHeight > baseline.height {
			f.forfeits += s.InsuranceUusdc + s.IneligibleUusdc
		}
	}
	return nil
}

// currentEpoch asks the chain which epoch runs.
func (w *World) currentEpoch(ctx context.Context) (uint64, error) {
	res, err := w.chain.Operators.CurrentEpoch(ctx, &operatorstypes.QueryCurrentEpochRequest{})
	if err != nil {
		return 0, fmt.Errorf("read the current epoch: %w", err)
	}
	return res.Grid.Epoch, nil
}
