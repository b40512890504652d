// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/types/query"

	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

func ids(batches []types.Batch) []uint64 {
	list := make([]uint64, len(batches))
	for i := range batches {
		list[i] = batches[i].Id
	}
	return list
}

func TestBatchQueries(t *testing.T) {
	f := busyFixture(t)
	for name, tc := range map[string]struct {
		req  types.QueryBatchesRequest
		want []uint64
	}{
		"all":      {types.QueryBatchesRequest{}, []uint64{1, 2, 3, 4, 5}},
		"epoch":    {types.QueryBatchesRequest{ByEpoch: true, Epoch: 1}, []uint64{4, 5}},
		"operator": {types.QueryBatchesRequest{Operator: addr("op")}, []uint64{1, 2, 3}},
		"page":     {types.QueryBatchesRequest{Operator: addr("op"), Pagination: &query.PageRequest{Limit: 1, Offset: 1}}, []uint64{2}},
		"none":     {types.QueryBatchesRequest{ByEpoch: true, Epoch: 7}, []uint64{}},
	} {
		resp, err := f.query.Batches(f.ctx, &tc.req)
		require.NoError(t, err, name)
		require.Equal(t, tc.want, ids(resp.Batches), name)
	}
	_, err := f.query.Batches(f.ctx, &types.QueryBatchesRequest{ByEpoch: true, Operator: addr("op")})
	require.ErrorIs(t, err, types.ErrInvalidRequest)
	resp, err := f.query.Batch(f.ctx, &types.QueryBatchRequest{BatchId: 4})
	require.NoError(t, err)
	require.Empty(t, resp.Seed)
	resp, err = f.query.Batch(f.ctx, &types.QueryBatchRequest{BatchId: 1})
	require.NoError(t, err)
	require.Equal(t, f.epoch(0).Seed, resp.Seed)
}

func TestListQueries(t *testing.T) {
	f := busyFixture(t)
	settlers, err := f.query.Settlers(f.ctx, &types.QuerySettlersRequest{Pagination: &query.PageRequest{Limit: 2, CountTotal: true}})
	require.NoError(t, err)
	require.Len(t, settlers.Settlers, 2)
	require.Zero(t, settlers.Pagination.Total)
	rest, err := f.query.Settlers(f.ctx, &types.QuerySettlersRequest{Pagination: &query.PageRequest{Key: settlers.Pagination.NextKey}})
	require.NoError(t, err)
	accredited := map[string]bool{}
	for _, s := range append(settlers.Settlers, rest.Settlers...) {
		accredited[s.Address] = s.Accredited
	}
	require.Equal(t, map[string]bool{addr("set"): true, addr("paying"): true, addr("op"): false}, accredited)

	gateways, err := f.query.Gateways(f.ctx, &types.QueryGatewaysRequest{})
	require.NoError(t, err)
	require.Len(t, gateways.Gateways, 1)

	usage, err := f.query.Usage(f.ctx, &types.QueryUsageRequest{Epoch: 0, Operator: addr("op")})
	require.NoError(t, err)
	require.Len(t, usage.Usages, 2)
	empty, err := f.query.Usage(f.ctx, &types.QueryUsageRequest{Epoch: 0, Operator: addr("op2")})
	require.NoError(t, err)
	require.Empty(t, empty.Usages)

	earnings, err := f.query.Earnings(f.ctx, &types.QueryEarningsRequest{Operator: addr("op")})
	require.NoError(t, err)
	require.Equal(t, types.Earnings{Operator: addr("op"), ClaimableUusdc: 450, LifetimeUusdc: 450}, earnings.Earnings)
	nothing, err := f.query.Earnings(f.ctx, &types.QueryEarningsRequest{Operator: addr("op2")})
	require.NoError(t, err)
	require.Equal(t, types.Earnings{Operator: addr("op2")}, nothing.Earnings)

	pools, err := f.k.PoolsFrom(f.ctx, 0)
	require.NoError(t, err)
	require.Equal(t, f.held("rewards"), pools)
	pools, err = f.k.PoolsFrom(f.ctx, 1)
	require.NoError(t, err)
	require.Zero(t, pools)
}

// Every query of a text refuses one that it cannot read, and a nil request is no crash.
func TestQueriesRefuseGarbage(t *testing.T) {
	f := newFixture(t)
	_, err := f.query.Settler(f.ctx, nil)
	require.ErrorIs(t, err, types.ErrInvalidAddress)
	_, err = f.query.Settler(f.ctx, &types.QuerySettlerRequest{Address: addr("nobody")})
	require.ErrorIs(t, err, types.ErrUnknownSettler)
	_, err = f.query.Gateway(f.ctx, &types.QueryGatewayRequest{Address: addr("nobody")})
	require.ErrorIs(t, err, types.ErrUnknownGateway)
	_, err = f.query.Limit(f.ctx, &types.QueryLimitRequest{Settler: addr("set"), Operator: "x"})
	require.ErrorIs(t, err, types.ErrInvalidAddress)
	for _, key := range []string{"", "zz", "00", hexOf(raw("a")) + "00", "AB" + hexOf(raw("a"))[2:]} {
		_, err = f.query.Watermarks(f.ctx, &types.QueryWatermarksRequest{HostKey: key})
		require.ErrorIs(t, err, types.ErrInvalidRequest)
	}
	_, err = f.query.Batch(f.ctx, &types.QueryBatchRequest{})
	require.ErrorIs(t, err, types.ErrUnknownBatch)
	_, err = f.query.Epoch(f.ctx, &types.QueryEpochRequest{Epoch: 9})
	require.ErrorIs(t, err, types.ErrUnknownEpoch)
	_, err = f.k.UsageEntries(f.ctx, 0, raw("nobody"))
	require.ErrorIs(t, err, operatorstypes.ErrUnknownOperator)
}
