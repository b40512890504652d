// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	sdkmath "cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/gpucoord/gpucoord/app/apptest"
	"github.com/gpucoord/gpucoord/domain/epoch"
	"github.com/gpucoord/gpucoord/domain/receipt"
	receiptskeeper "github.com/gpucoord/gpucoord/x/receipts/keeper"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	rewardstypes "github.com/gpucoord/gpucoord/x/rewards/types"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

// One batch, from serving to the last claim, pays everyone what the default rates say. It has two groups of four jobs of
// 1 USD: one that a gateway pays, one that the operator has collected itself. Of each 4,000,000: take 10 %, royalty 5 % of
// the adapter and 2 % of the base, which nobody has proved to own and which therefore goes to the adapter's author.
func TestOneBatchPaysEveryone(t *testing.T) {
	m, err := apptest.NewMarket(apptest.MarketOptions{
		Operators: 2, HostsPerOperator: 1, Gateways: 1, Adapters: 1, BondUltai: 1_000_000_000_000, EscrowUusdc: 1_000_000_000,
	})
	require.NoError(t, err)
	require.NoError(t, m.App.CheckInvariants(m.Context()))
	operator := m.Operators[0]
	windows := submitAndOpen(t, m)
	require.NoError(t, m.Until(windows.FinaliseLatest+100))
	require.NoError(t, m.App.CheckInvariants(m.Context()))
	batch, err := receiptskeeper.NewQueryServer(m.App.Receipts).Batch(m.Context(), &receiptstypes.QueryBatchRequest{BatchId: 1})
	require.NoError(t, err)
	require.Equal(t, receiptstypes.BatchStatus_BATCH_STATUS_FINALISED, batch.Batch.Status, batch.Batch.Reason)

	const take = 2 * 400_000
	require.EqualValues(t, take*5/100, held(m, "probers_pool"))
	require.EqualValues(t, take*15/100, held(m, "aleph_pool"))
	require.EqualValues(t, 2*280_000, paid(t, m, m.Author, &royaltiestypes.MsgClaim{Payee: m.Author.String()}))
	require.EqualValues(t, 4_000_000-400_000-280_000, paid(t, m, operator, &receiptstypes.MsgClaimEarnings{Operator: operator.String()}))

	reward := paid(t, m, operator, &rewardstypes.MsgClaim{Operator: operator.String()})
	require.Positive(t, reward)
	require.LessOrEqual(t, reward, int64(take*75/100), "the reward is capped by the take on its usage")
	require.Equal(t, int64(take*20/100+take*60/100)-reward, held(m, "insurance"), "what the pool does not pay goes to insurance")
	require.Zero(t, held(m, "rewards"))
	require.Zero(t, held(m, "royalties"))
	require.NoError(t, m.App.CheckInvariants(m.Context()))
}

// submitAndOpen serves eight jobs in the next epoch, submits them and opens the samples.
func submitAndOpen(t *testing.T, m *apptest.Market) epoch.Windows {
	t.Helper()
	schedule, err := m.App.Operators.Schedule(m.Context())
	require.NoError(t, err)
	now, err := schedule.Of(m.Height())
	require.NoError(t, err)
	windows, err := schedule.Windows(now + 1)
	require.NoError(t, err)
	first, err := schedule.First(now + 1)
	require.NoError(t, err)
	require.NoError(t, m.Until(first))

	var served []apptest.Served
	for i := range 8 {
		payer := m.Payers[i%2] // the gateway, or the first operator's customer
		record := m.Serve(m.Hosts[0], payer, now+1, apptest.Job{
			Model: m.Model, Adapter: m.Adapters[0], Outcome: receipt.OutcomeOK, Amount: 1_000_000, PromptTokens: 100, OutputTokens: 200,
		})
		served = append(served, apptest.Served{Record: record, Settler: payer.Settler})
	}
	claim, err := m.Claim(m.Hosts[0], now+1, served)
	require.NoError(t, err)
	require.NoError(t, m.Until(windows.Submit.First-1))
	require.NoError(t, m.Must(m.Operators[0], claim.Msg))
	require.NoError(t, m.Until(windows.Open.First-1))
	batch, err := receiptskeeper.NewQueryServer(m.App.Receipts).Batch(m.Context(), &receiptstypes.QueryBatchRequest{BatchId: 1})
	require.NoError(t, err)
	open, err := claim.Open([32]byte(batch.Seed), 1, batch.Batch.Samples)
	require.NoError(t, err)
	require.NoError(t, m.Must(m.Operators[0], open))
	return windows
}

// held is what a module's account has, in uusdc.
func held(m *apptest.Market, module string) int64 {
	return uusdc(m, authtypes.NewModuleAddress(module)).Int64()
}

func uusdc(m *apptest.Market, account sdk.AccAddress) sdkmath.Int {
	return m.App.Bank.GetBalance(m.Context(), account, receiptstypes.SettlementDenom).Amount
}

// paid is what a message brings its sender, in uusdc.
func paid(t *testing.T, m *apptest.Market, account *apptest.Account, msg sdk.Msg) int64 {
	t.Helper()
	before := uusdc(m, account.Address)
	require.NoError(t, m.Must(account, msg))
	return uusdc(m, account.Address).Sub(before).Int64()
}
