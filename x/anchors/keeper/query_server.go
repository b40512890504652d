// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/gpucoord/gpucoord/x/anchors/types"
)

type queryServer struct{ k *Keeper }

// NewQueryServer returns the module's query service.
func NewQueryServer(k *Keeper) types.QueryServer { return queryServer{k: k} }

// Params implements types.QueryServer.
func (q queryServer) Params(ctx context.Context, _ *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	params, err := q.k.Params(ctx)
	if err != nil {
		return nil, err
	}
	return &types.QueryParamsResponse{Params: params}, nil
}

// Log implements types.QueryServer.
func (q queryServer) Log(ctx context.Context, _ *types.QueryLogRequest) (*types.QueryLogResponse, error) {
	size, root, err := q.k.Head(ctx)
	if err != nil {
		return nil, err
	}
	first, err := q.k.firstKept(ctx, size)
	if err != nil {
		return nil, err
	}
	return &types.QueryLogResponse{Size_: size, Root: root[:], FirstKept: first}, nil
}

// Leaf implements types.QueryServer.
func (q queryServer) Leaf(ctx context.Context, req *types.QueryLeafRequest) (*types.QueryLeafResponse, error) {
	leaf, err := q.k.Leaf(ctx, req.GetIndex())
	if err != nil {
		return nil, err
	}
	return &types.QueryLeafResponse{Leaf: leaf}, nil
}

// Leaves implements types.QueryServer.
func (q queryServer) Leaves(ctx context.Context, req *types.QueryLeavesRequest) (*types.QueryLeavesResponse, error) {
	leaves, page, err := query.CollectionPaginate(ctx, q.k.leaves, page(req.GetPagination()),
		func(_ uint64, leaf types.Leaf) (types.Leaf, error) { return leaf, nil })
	if err != nil {
		return nil, err
	}
	return &types.QueryLeavesResponse{Leaves: leaves, Pagination: page}, nil
}

// page bounds a page request: at most MaxPageLimit entries, and no count of the total, which would walk the whole state.
func page(req *query.PageRequest) *query.PageRequest {
	if req == nil {
		return &query.PageRequest{Limit: types.MaxPageLimit}
	}
	bounded := *req
	bounded.CountTotal = false
	if bounded.Limit == 0 || bounded.Limit > types.MaxPageLimit {
		bounded.Limit = types.MaxPageLimit
	}
	return &bounded
}
