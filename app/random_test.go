// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/gpucoord/gpucoord/app/apptest"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	rewardskeeper "github.com/gpucoord/gpucoord/x/rewards/keeper"
	rewardstypes "github.com/gpucoord/gpucoord/x/rewards/types"
)

// walkBlocks is long enough for four epochs to be submitted, drawn, opened, finalised and settled.
const walkBlocks = 220

// A random run through all modules keeps every coin and every invariant, block by block.
func TestRandomRunConservesMoney(t *testing.T) {
	w := newWalk(t, 1)
	w.check()
	for range walkBlocks {
		w.step()
		w.check()
	}
	t.Logf("done %v\nfailed %v", w.done, w.failed)
	ctx := w.Context()
	insurance := authtypes.NewModuleAddress(operatorstypes.InsuranceAccount)
	require.True(t, w.App.Bank.GetBalance(ctx, insurance, operatorstypes.BondDenom).IsPositive(), "no batch was slashed")
	status, err := rewardskeeper.NewQueryServer(w.App.Rewards).Status(ctx, &rewardstypes.QueryStatusRequest{})
	require.NoError(t, err)
	require.Greater(t, status.NextEpoch, uint64(4), "epochs were not settled")
	for _, name := range []string{
		"/gpucoord.receipts.v1.MsgSubmitBatch", "/gpucoord.receipts.v1.MsgOpenSamples", "/gpucoord.receipts.v1.MsgClaimEarnings",
		"/gpucoord.receipts.v1.MsgFundGroup", "/gpucoord.rewards.v1.MsgClaim", "/gpucoord.royalties.v1.MsgClaim", "/gpucoord.operators.v1.MsgSubmitCapacity",
		"/gpucoord.operators.v1.MsgUnbond", "/cosmos.bank.v1beta1.MsgSend", "/cosmos.gov.v1.MsgVote",
	} {
		require.NotZero(t, w.done[name], "the walk never succeeded with %s", name)
	}
	for _, name := range []string{
		"/gpucoord.receipts.v1.MsgSubmitBatch", "/gpucoord.receipts.v1.MsgOpenSamples", "/cosmos.bank.v1beta1.MsgSend",
	} {
		require.NotZero(t, w.failed[name], "the walk never failed with %s", name)
	}
}

// The same blocks give the same app hashes, on a node that answers queries and checks transactions as on one that does not.
func TestSameBlocksSameHash(t *testing.T) {
	w := newWalk(t, 2)
	for range 60 {
		w.step()
	}
	busy := newWalk(t, 2)
	for i, txs := range w.blocks {
		for _, tx := range txs {
			_, err := busy.App.CheckTx(&abci.RequestCheckTx{Tx: tx})
			require.NoError(t, err)
		}
		ask(t, busy)
		response, err := busy.Block(txs...)
		require.NoError(t, err)
		require.Equal(t, w.hashes[i], response.AppHash, "block %d of the walk", i)
	}
}

func ask(t *testing.T, w *walk) {
	t.Helper()
	for _, path := range []string{
		"/gpucoord.operators.v1.Query/Operators", "/gpucoord.receipts.v1.Query/Batches", "/gpucoord.royalties.v1.Query/Assets",
		"/gpucoord.rewards.v1.Query/Status", "/gpucoord.anchors.v1.Query/Log", "/cosmos.bank.v1beta1.Query/TotalSupply",
	} {
		response, err := w.App.Query(t.Context(), &abci.RequestQuery{Path: path})
		require.NoError(t, err)
		require.Zero(t, response.Code, "%s: %s", path, response.Log)
	}
	_, err := w.App.Export(false, nil)
	require.NoError(t, err)
}

// A state exported in the middle of a random run, imported and exported again gives the same bytes, and the imported
// chain goes on.
func TestExportImportExport(t *testing.T) {
	w := newWalk(t, 3)
	for _, blocks := range []int{13, 20, 41, 29} { // into different windows of an epoch
		for range blocks {
			w.step()
		}
		first, err := w.App.Export(false, nil)
		require.NoError(t, err)
		require.EqualValues(t, w.Height()+1, first.Height)

		second, err := apptest.Reexport(first)
		require.NoError(t, err)
		require.Equal(t, string(first.AppState), string(second), "height %d", w.Height())

		next, err := w.Continue(first.AppState)
		require.NoError(t, err)
		for range 70 {
			_, err := next.Block()
			require.NoError(t, err)
			require.NoError(t, next.App.CheckInvariants(next.Context()))
		}
	}
}
