// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"cosmossdk.io/collections"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/gpucoord/gpucoord/x/royalties/types"
)

// maxPage is the most entries of one page.
const maxPage = 200

type queryServer struct{ k *Keeper }

// NewQueryServer returns the query service of k.
func NewQueryServer(k *Keeper) types.QueryServer {
	return queryServer{k: k}
}

func (q queryServer) Params(ctx context.Context, _ *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	params, err := q.k.params.Get(ctx)
	if err != nil {
		return nil, queryError(err)
	}
	return &types.QueryParamsResponse{Params: params}, nil
}

func (q queryServer) Asset(ctx context.Context, req *types.QueryAssetRequest) (*types.QueryAssetResponse, error) {
	id, err := assetID(req.GetAssetId())
	if err != nil {
		return nil, err
	}
	asset, err := q.k.asset(ctx, id)
	if err != nil {
		return nil, queryError(err)
	}
	terms, err := newest(ctx, q.k.terms, collections.NewPrefixedPairRange[[]byte, uint64](id).Descending())
	if err != nil {
		return nil, queryError(err)
	}
	earnings, err := q.k.earnings.Get(ctx, id)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return nil, queryError(err)
	}
	resp := &types.QueryAssetResponse{Asset: asset, Terms: terms, LifetimeUusdc: earnings.LifetimeUusdc}
	proof, err := q.k.proofs.Get(ctx, id)
	switch {
	case err == nil:
		resp.AuthorProof = &proof
	case !errors.Is(err, collections.ErrNotFound):
		return nil, queryError(err)
	}
	return resp, nil
}

func (q queryServer) Assets(ctx context.Context, req *types.QueryAssetsRequest) (*types.QueryAssetsResponse, error) {
	assets, page, err := query.CollectionPaginate(ctx, q.k.assets, bounded(req.GetPagination()),
		func(_ []byte, a types.Asset) (types.Asset, error) { return a, nil })
	if err != nil {
		return nil, queryError(err)
	}
	return &types.QueryAssetsResponse{Assets: assets, Pagination: page}, nil
}

func (q queryServer) Terms(ctx context.Context, req *types.QueryTermsRequest) (*types.QueryTermsResponse, error) {
	id, err := assetID(req.GetAssetId())
	if err != nil {
		return nil, err
	}
	terms, page, err := query.CollectionPaginate(ctx, q.k.terms, bounded(req.GetPagination()),
		func(_ collections.Pair[[]byte, uint64], t types.Terms) (types.Terms, error) { return t, nil },
		query.WithCollectionPaginationPairPrefix[[]byte, uint64](id))
	if err != nil {
		return nil, queryError(err)
	}
	return &types.QueryTermsResponse{Terms: terms, Pagination: page}, nil
}

func (q queryServer) Accrual(ctx context.Context, req *types.QueryAccrualRequest) (*types.QueryAccrualResponse, error) {
	payee, err := q.k.address(req.GetPayee())
	if err != nil {
		return nil, queryError(err)
	}
	accrual, err := q.k.accruals.Get(ctx, payee)
	if errors.Is(err, collections.ErrNotFound) {
		accrual, err = types.Accrual{Payee: req.GetPayee()}, nil
	}
	if err != nil {
		return nil, queryError(err)
	}
	return &types.QueryAccrualResponse{Accrual: accrual}, nil
}

func (q queryServer) Accruals(ctx context.Context, req *types.QueryAccrualsRequest) (*types.QueryAccrualsResponse, error) {
	accruals, page, err := query.CollectionPaginate(ctx, q.k.accruals, bounded(req.GetPagination()),
		func(_ []byte, a types.Accrual) (types.Accrual, error) { return a, nil })
	if err != nil {
		return nil, queryError(err)
	}
	return &types.QueryAccrualsResponse{Accruals: accruals, Pagination: page}, nil
}

// assetID reads an id in lower-case hex.
func assetID(text string) ([]byte, error) {
	id, err := hex.DecodeString(text)
	if err != nil || len(id) != types.HashSize || text != strings.ToLower(text) {
		return nil, status.Errorf(codes.InvalidArgument, "asset_id %q: want 64 characters of lower-case hex", text)
	}
	return id, nil
}

// bounded limits the page, and never counts all entries, which would walk them all.
func bounded(page *query.PageRequest) *query.PageRequest {
	if page == nil {
		return &query.PageRequest{Limit: query.DefaultLimit}
	}
	p := *page
	p.CountTotal = false
	if p.Limit == 0 {
		p.Limit = query.DefaultLimit
	}
	p.Limit = min(p.Limit, maxPage)
	return &p
}

// queryError gives err the status code that a client can act on.
func queryError(err error) error {
	switch {
	case errors.Is(err, types.ErrUnknownAsset):
		return status.Error(codes.NotFound, err.Error())
	case errors.Is(err, types.ErrInvalidAddress):
		return status.Error(codes.InvalidArgument, err.Error())
	default:
		return status.Error(codes.Internal, err.Error())
	}
}
