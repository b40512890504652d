// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/gpucoord/gpucoord/x/royalties/types"
)

func TestQueryRefusesBadInput(t *testing.T) {
	f := newFixture(t)
	upper := strings.ToUpper(hexID(assetID("m")))
	for name, c := range map[string]struct {
		id   string
		want codes.Code
	}{
		"empty":      {"", codes.InvalidArgument},
		"short":      {"ab", codes.InvalidArgument},
		"upper case": {upper, codes.InvalidArgument},
		"no hex":     {strings.Repeat("x", 64), codes.InvalidArgument},
		"unknown":    {hexID(assetID("m")), codes.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.query.Asset(f.ctx, &types.QueryAssetRequest{AssetId: c.id})
			require.Equal(t, c.want, status.Code(err))
			if c.want == codes.InvalidArgument {
				_, err = f.query.Terms(f.ctx, &types.QueryTermsRequest{AssetId: c.id})
				require.Equal(t, c.want, status.Code(err))
			}
		})
	}
	_, err := f.query.Accrual(f.ctx, &types.QueryAccrualRequest{Payee: "nobody"})
	require.Equal(t, codes.InvalidArgument, status.Code(err))
}

func TestQueryPages(t *testing.T) {
	f := emptyFixture(t)
	genesis := types.DefaultGenesis()
	var want []string
	for i := range 205 {
		payee := addr(fmt.Sprint("payee ", i))
		genesis.Accruals = append(genesis.Accruals, types.Accrual{Payee: payee})
		want = append(want, payee)
	}
	require.NoError(t, f.k.InitGenesis(f.ctx, genesis))

	first, err := f.query.Accruals(f.ctx, &types.QueryAccrualsRequest{Pagination: &query.PageRequest{Limit: 1_000, CountTotal: true}})
	require.NoError(t, err)
	require.Len(t, first.Accruals, 200)
	require.Zero(t, first.Pagination.Total)
	rest, err := f.query.Accruals(f.ctx, &types.QueryAccrualsRequest{Pagination: &query.PageRequest{Key: first.Pagination.NextKey}})
	require.NoError(t, err)
	require.Len(t, rest.Accruals, 5)
	require.Empty(t, rest.Pagination.NextKey)
	var got []string
	for _, a := range slices.Concat(first.Accruals, rest.Accruals) {
		got = append(got, a.Payee)
	}
	require.ElementsMatch(t, want, got)

	unlimited, err := f.query.Accruals(f.ctx, &types.QueryAccrualsRequest{})
	require.NoError(t, err)
	require.Len(t, unlimited.Accruals, 100)
}

func TestQueryTermsPagesInsideOneAsset(t *testing.T) {
	f := newFixture(t)
	f.register(t, base("m", 500))
	f.register(t, base("n", 500))
	for epoch := range uint64(3) {
		f.epochs.epoch = 10 + epoch
		f.updateTerms(t, "m", 600+epoch)
	}
	first, err := f.query.Terms(f.ctx, &types.QueryTermsRequest{AssetId: hexID(assetID("m")), Pagination: &query.PageRequest{Limit: 3}})
	require.NoError(t, err)
	require.Len(t, first.Terms, 3)
	rest, err := f.query.Terms(f.ctx, &types.QueryTermsRequest{
		AssetId:    hexID(assetID("m")),
		Pagination: &query.PageRequest{Limit: 3, Key: first.Pagination.NextKey},
	})
	require.NoError(t, err)
	require.Len(t, rest.Terms, 1)
	require.Equal(t, uint64(13), rest.Terms[0].FromEpoch)
}

func TestQueryAssets(t *testing.T) {
	f := withLineage(t)
	resp, err := f.query.Assets(f.ctx, &types.QueryAssetsRequest{})
	require.NoError(t, err)
	var ids []string
	for _, a := range resp.Assets {
		ids = append(ids, string(a.Id))
	}
	require.Len(t, ids, 6)
	require.True(t, slices.IsSorted(ids))
}
