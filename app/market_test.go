// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/app/apptest"
	"github.com/gpucoord/gpucoord/domain/receipt"
	receiptskeeper "github.com/gpucoord/gpucoord/x/receipts/keeper"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

func TestMarketOneEpoch(t *testing.T) {
	m, err := apptest.NewMarket(apptest.MarketOptions{
		Operators: 2, HostsPerOperator: 1, Gateways: 1, Adapters: 1, BondUltai: 1_000_000_000_000, EscrowUusdc: 1_000_000_000,
	})
	require.NoError(t, err)
	require.NoError(t, m.App.CheckInvariants(m.Context()))

	schedule, err := m.App.Operators.Schedule(m.Context())
	require.NoError(t, err)
	epoch, err := schedule.Of(m.Height() + 1)
	require.NoError(t, err)
	epoch++
	first, err := schedule.First(epoch)
	require.NoError(t, err)
	require.NoError(t, m.Until(first))

	var served []apptest.Served
	for i := range 8 {
		p := m.Payers[i%2] // the gateway and operator 0's customer
		record := m.Serve(m.Hosts[0], p, epoch, apptest.Job{
			Model: m.Model, Adapter: m.Adapters[0], Outcome: receipt.OutcomeOK, Amount: 1_000_000, PromptTokens: 100, OutputTokens: 200,
		})
		served = append(served, apptest.Served{Record: record, Settler: p.Settler})
	}
	claim, err := m.Claim(m.Hosts[0], epoch, served)
	require.NoError(t, err)
	windows, err := schedule.Windows(epoch)
	require.NoError(t, err)
	require.NoError(t, m.Until(windows.Submit.First-1))
	require.NoError(t, m.Must(m.Operators[0], claim.Msg))
	require.NoError(t, m.Until(windows.Open.First-1))

	query := receiptskeeper.NewQueryServer(m.App.Receipts)
	batch, err := query.Batch(m.Context(), &receiptstypes.QueryBatchRequest{BatchId: 1})
	require.NoError(t, err)
	open, err := claim.Open([32]byte(batch.Seed), 1, batch.Batch.Samples)
	require.NoError(t, err)
	require.NoError(t, m.Must(m.Operators[0], open))
	require.NoError(t, m.App.CheckInvariants(m.Context()))
	require.NoError(t, m.Until(windows.FinaliseLatest+100))
	require.NoError(t, m.App.CheckInvariants(m.Context()))
	batch, err = query.Batch(m.Context(), &receiptstypes.QueryBatchRequest{BatchId: 1})
	require.NoError(t, err)
	require.Equal(t, receiptstypes.BatchStatus_BATCH_STATUS_FINALISED, batch.Batch.Status, batch.Batch.Reason)
}
