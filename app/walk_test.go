// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"math/rand/v2"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"

	"github.com/gpucoord/gpucoord/app"
	"github.com/gpucoord/gpucoord/app/apptest"
	"github.com/gpucoord/gpucoord/domain/epoch"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptskeeper "github.com/gpucoord/gpucoord/x/receipts/keeper"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

// move is one transaction of a walk, and what to do with its result. No sender means that there is nothing to do.
type move struct {
	from *apptest.Account
	msgs []sdk.Msg
	done func(*abci.ExecTxResult)
}

// submitted is a batch that the chain has accepted.
type submitted struct {
	*apptest.Claim

	id       uint64
	withheld bool // its samples are never opened
}

// walk drives a market with random transactions, good and bad, of every module. One seed gives one walk.
type walk struct {
	*apptest.Market

	t         *testing.T
	rng       *rand.Rand
	schedule  epoch.Schedule
	served    map[*apptest.Host]map[uint64][]apptest.Served
	claims    []submitted
	proposals uint64

	blocks [][][]byte
	hashes [][]byte
	done   map[string]int // successful messages by type
	failed map[string]int // failed messages by type
}

func newWalk(t *testing.T, seed uint64) *walk {
	t.Helper()
	market, err := apptest.NewMarket(apptest.MarketOptions{
		Operators: 3, HostsPerOperator: 2, Gateways: 2, Adapters: 2, BondUltai: 1_000_000_000_000, EscrowUusdc: 1_000_000,
		Genesis: apptest.Options{Patch: walkGenesis, Fee: sdk.NewCoins(sdk.NewInt64Coin(app.BondDenom, 1_000))},
	})
	require.NoError(t, err)
	schedule, err := market.App.Operators.Schedule(market.Context())
	require.NoError(t, err)
	w := &walk{
		Market: market, t: t, rng: rand.New(rand.NewPCG(seed, 0)), schedule: schedule,
		served: make(map[*apptest.Host]map[uint64][]apptest.Served), done: make(map[string]int), failed: make(map[string]int),
	}
	for _, host := range w.Hosts {
		w.served[host] = make(map[uint64][]apptest.Served)
	}
	return w
}

// walkGenesis makes the author the arbiter of assets, jails for a bit more than an epoch, and lets proposals pass within ten blocks.
func walkGenesis(a *app.App, state app.GenesisState) error {
	cdc := a.Encoding().Codec
	err := apptest.Edit(cdc, state, royaltiestypes.ModuleName, &royaltiestypes.GenesisState{}, func(g *royaltiestypes.GenesisState) error {
		g.Params.Arbiter = apptest.NewAccount("author").String()
		return nil
	})
	if err != nil {
		return err
	}
	err = apptest.Edit(cdc, state, operatorstypes.ModuleName, &operatorstypes.GenesisState{}, func(g *operatorstypes.GenesisState) error {
		g.Params.JailFraudBlocks = 30
		return nil
	})
	if err != nil {
		return err
	}
	return apptest.Edit(cdc, state, govtypes.ModuleName, &govv1.GenesisState{}, func(g *govv1.GenesisState) error {
		short, shorter := time.Minute, 30*time.Second
		g.Params.VotingPeriod, g.Params.ExpeditedVotingPeriod = &short, &shorter
		return nil
	})
}

// step serves some jobs and runs one block of random transactions.
func (w *walk) step() {
	w.t.Helper()
	w.serve()
	var txs [][]byte
	var moves []move
	for range w.rng.IntN(5) {
		m := w.next()
		if m.from == nil {
			continue
		}
		tx, err := w.Sign(m.from, m.msgs...)
		require.NoError(w.t, err)
		txs, moves = append(txs, tx), append(moves, m)
	}
	response, err := w.Block(txs...)
	require.NoError(w.t, err)
	w.blocks, w.hashes = append(w.blocks, txs), append(w.hashes, response.AppHash)
	for i, result := range response.TxResults {
		count := w.done
		if result.Code != 0 {
			require.NotContains(w.t, result.Log, "recovered", "a transaction panicked")
			count = w.failed
		}
		count[sdk.MsgTypeURL(moves[i].msgs[0])]++
		if moves[i].done != nil {
			moves[i].done(result)
		}
	}
}

// check asserts that the modules' invariants hold and that no coin came or went.
func (w *walk) check() {
	w.t.Helper()
	ctx := w.Context()
	require.NoError(w.t, w.App.CheckInvariants(ctx), "height %d", w.Height())
	for _, coin := range w.Supply {
		require.Equal(w.t, coin, w.App.Bank.GetSupply(ctx, coin.Denom), "height %d", w.Height())
	}
}

// next picks a move; what keeps the chain busy comes up more often.
func (w *walk) next() move {
	moves := []struct {
		weight int
		make   func() move
	}{
		{30, w.submitBatch},
		{40, w.openSamples},
		{6, w.claimMoney},
		{10, w.moveEscrow},
		{8, w.fundGroup},
		{4, w.moveBond},
		{4, w.manageHost},
		{4, w.manageAssets},
		{2, w.register},
		{3, w.govern},
		{3, w.send},
		{3, w.stake},
		{2, w.grant},
	}
	total := 0
	for _, m := range moves {
		total += m.weight
	}
	at := w.rng.IntN(total)
	for _, m := range moves {
		if at -= m.weight; at < 0 {
			return m.make()
		}
	}
	return move{}
}

// pick returns a random element.
func pick[T any](w *walk, from []T) T { return from[w.rng.IntN(len(from))] }

// oneIn is true once in n times.
func (w *walk) oneIn(n int) bool { return w.rng.IntN(n) == 0 }

// amount is between 1 and most, small ones as likely as large ones.
func (w *walk) amount(most uint64) uint64 { return 1 + w.rng.Uint64N(1+w.rng.Uint64N(most)) }

func (w *walk) epoch() uint64 {
	e, err := w.schedule.Of(w.Height())
	require.NoError(w.t, err)
	return e
}

func (w *walk) batch(id uint64) *receiptstypes.QueryBatchResponse {
	response, err := receiptskeeper.NewQueryServer(w.App.Receipts).Batch(w.Context(), &receiptstypes.QueryBatchRequest{BatchId: id})
	require.NoError(w.t, err)
	return response
}

// response decodes the answer to a transaction's first message.
func (w *walk) response(result *abci.ExecTxResult, into proto.Message) {
	var data sdk.TxMsgData
	require.NoError(w.t, proto.Unmarshal(result.Data, &data))
	require.NotEmpty(w.t, data.MsgResponses)
	require.NoError(w.t, proto.Unmarshal(data.MsgResponses[0].Value, into))
}
