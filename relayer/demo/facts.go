// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/cosmos/cosmos-sdk/types/query"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host/receiptlog"
	"github.com/gpucoord/gpucoord/host/wire"
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
	return f, w.readBooks(ctx, f)
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
	for e := uint64(0); e < status.NextEpoch; e++ {
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

// readLogs reads every host's receipt log through its admin interface, as its relayer does.
func (w *World) readLogs(ctx context.Context, f *facts) error {
	f.logs = make(map[string][]receipt.Record)
	for i, o := range operators {
		token, err := w.home.token(hostOf(o.name) + "-token")
		if err != nil {
			return err
		}
		records, err := readLog(ctx, w.domain, w.state.Ports.url("host-admin", i), token)
		if err != nil {
			return fmt.Errorf("log of %s: %w", hostOf(o.name), err)
		}
		f.logs[w.state.Accounts[o.name].Address] = records
	}
	return nil
}

// readLog reads a receipt log to its end and joins receipts with their countersignatures.
func readLog(ctx context.Context, domain receipt.Domain, adminURL, token string) ([]receipt.Record, error) {
	var (
		records []receipt.Record
		places  = make(map[[32]byte]int)
	)
	for offset := int64(0); ; {
		frames, next, err := fetchLog(ctx, fmt.Sprintf("%s/internal/v1/log?offset=%d&limit=1000", adminURL, offset), token)
		if err != nil {
			return nil, err
		}
		for len(frames) > 0 {
			frame, rest, err := receiptlog.Next(frames)
			if err != nil {
				return nil, err
			}
			frames = rest
			switch frame.Kind {
			case receiptlog.KindReceipt:
				record, err := receipt.Decode(frame.Payload)
				if err != nil {
					return nil, err
				}
				places[record.JobID(domain)] = len(records)
				records = append(records, record)
			case receiptlog.KindFinal:
				place, known := places[[32]byte(frame.Payload[:32])]
				if !known {
					return nil, fmt.Errorf("a countersignature without its receipt before offset %d", next)
				}
				records[place].SigFinal, records[place].Countersigned = [65]byte(frame.Payload[32:]), true
			case receiptlog.KindOpen, receiptlog.KindReserve, receiptlog.KindHeader: // the host's own
			}
		}
		if next == offset {
			return records, nil
		}
		offset = next
	}
}

func fetchLog(ctx context.Context, url, token string) (frames []byte, next int64, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, 0, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, 0, err
	}
	defer response.Body.Close() //nolint:errcheck // read to its end below
	if response.StatusCode != http.StatusOK {
		return nil, 0, refusalOf(response)
	}
	if frames, err = io.ReadAll(response.Body); err != nil {
		return nil, 0, err
	}
	next, err = strconv.ParseInt(response.Header.Get(wire.HeaderNextOffset), 10, 64)
	return frames, next, err
}

// currentEpoch asks the chain which epoch runs.
func (w *World) currentEpoch(ctx context.Context) (uint64, error) {
	res, err := w.chain.Operators.CurrentEpoch(ctx, &operatorstypes.QueryCurrentEpochRequest{})
	if err != nil {
		return 0, fmt.Errorf("read the current epoch: %w", err)
	}
	return res.Grid.Epoch, nil
}
