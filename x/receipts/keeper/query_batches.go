// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/gpucoord/gpucoord/x/receipts/types"
)

func (q queryServer) Batch(ctx context.Context, req *types.QueryBatchRequest) (*types.QueryBatchResponse, error) {
	b, err := q.k.batch(ctx, req.GetBatchId())
	if err != nil {
		return nil, err
	}
	state, err := q.k.epochState(ctx, b.Epoch)
	if err != nil {
		return nil, err
	}
	return &types.QueryBatchResponse{Batch: b, Seed: state.Seed}, nil
}

func (q queryServer) Demands(ctx context.Context, req *types.QueryDemandsRequest) (*types.QueryDemandsResponse, error) {
	if id := req.GetBatchId(); id != 0 {
		demands, err := q.k.demandsOf(ctx, id) // at most four
		if err != nil {
			return nil, err
		}
		return &types.QueryDemandsResponse{Demands: demands}, nil
	}
	demands, page, err := query.CollectionPaginate(ctx, q.k.demands, bounded(req.GetPagination()),
		func(_ uint64, d types.Demand) (types.Demand, error) { return d, nil })
	if err != nil {
		return nil, err
	}
	return &types.QueryDemandsResponse{Demands: demands, Pagination: page}, nil
}

func (q queryServer) Failures(ctx context.Context, req *types.QueryFailuresRequest) (*types.QueryFailuresResponse, error) {
	failures, page, err := query.CollectionPaginate(ctx, q.k.failures, bounded(req.GetPagination()),
		func(_ epochTriple, f types.Failures) (types.Failures, error) { return f, nil },
		func(o *query.CollectionsPaginateOptions[epochTriple]) {
			prefix := collections.TriplePrefix[uint64, []byte, []byte](req.GetEpoch())
			o.Prefix = &prefix
		})
	if err != nil {
		return nil, err
	}
	return &types.QueryFailuresResponse{Failures: failures, Pagination: page}, nil
}

func (q queryServer) Batches(ctx context.Context, req *types.QueryBatchesRequest) (*types.QueryBatchesResponse, error) {
	page := bounded(req.GetPagination())
	get := func(key collections.Pair[uint64, uint64], _ collections.NoValue) (types.Batch, error) {
		return q.k.batches.Get(ctx, key.K2())
	}
	var resp types.QueryBatchesResponse
	var err error
	switch {
	case req.GetByEpoch() && req.GetOperator() != "":
		return nil, errorsmod.Wrap(types.ErrInvalidRequest, "epoch and operator are both set: choose one")
	case req.GetByEpoch():
		resp.Batches, resp.Pagination, err = query.CollectionPaginate(ctx, q.k.batches.Indexes.epoch, page, get,
			query.WithCollectionPaginationPairPrefix[uint64, uint64](req.GetEpoch()))
	case req.GetOperator() != "":
		var operator []byte
		if operator, err = q.k.parseParty("operator", req.GetOperator()); err != nil {
			return nil, err
		}
		resp.Batches, resp.Pagination, err = query.CollectionPaginate(ctx, q.k.batches.Indexes.operator, page,
			func(key collections.Pair[[]byte, uint64], _ collections.NoValue) (types.Batch, error) {
				return q.k.batches.Get(ctx, key.K2())
			},
			query.WithCollectionPaginationPairPrefix[[]byte, uint64](operator))
	default:
		resp.Batches, resp.Pagination, err = query.CollectionPaginate(ctx, q.k.batches, page,
			func(_ uint64, b types.Batch) (types.Batch, error) { return b, nil })
	}
	if err != nil {
		return nil, err
	}
	return &resp, nil
}

func (q queryServer) Epoch(ctx context.Context, req *types.QueryEpochRequest) (*types.QueryEpochResponse, error) {
	state, err := q.k.epochState(ctx, req.GetEpoch())
	if err != nil {
		return nil, err
	}
	return &types.QueryEpochResponse{State: state}, nil
}

func (q queryServer) Usage(ctx context.Context, req *types.QueryUsageRequest) (*types.QueryUsageResponse, error) {
	operator, err := q.k.parseParty("operator", req.GetOperator())
	if err != nil {
		return nil, err
	}
	prefix := collections.TripleSuperPrefix[uint64, []byte, []byte](req.GetEpoch(), operator)
	usages, page, err := query.CollectionPaginate(ctx, q.k.usages, bounded(req.GetPagination()),
		func(_ epochTriple, u types.Usage) (types.Usage, error) { return u, nil },
		func(o *query.CollectionsPaginateOptions[epochTriple]) { o.Prefix = &prefix })
	if err != nil {
		return nil, err
	}
	return &types.QueryUsageResponse{Usages: usages, Pagination: page}, nil
}

func (q queryServer) OpenClaims(ctx context.Context, req *types.QueryOpenClaimsRequest) (*types.QueryOpenClaimsResponse, error) {
	operator, err := q.k.parseParty("operator", req.GetOperator())
	if err != nil {
		return nil, err
	}
	open, err := q.k.openClaims.Get(ctx, operator)
	if errors.Is(err, collections.ErrNotFound) {
		open, err = types.OpenClaims{Operator: req.GetOperator()}, nil
	}
	if err != nil {
		return nil, err
	}
	cover, err := q.k.operators.Cover(ctx, operator)
	if err != nil {
		return nil, err
	}
	params, err := q.k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	most := cover / params.BondClaimMultiple
	return &types.QueryOpenClaimsResponse{
		OpenClaims: open, CoverUusdc: cover, ClaimableUusdc: most - min(most, open.AmountUusdc),
	}, nil
}

func (q queryServer) Earnings(ctx context.Context, req *types.QueryEarningsRequest) (*types.QueryEarningsResponse, error) {
	operator, err := q.k.parseParty("operator", req.GetOperator())
	if err != nil {
		return nil, err
	}
	earnings, err := q.k.earningsOf(ctx, operator)
	if err != nil {
		return nil, err
	}
	return &types.QueryEarningsResponse{Earnings: earnings}, nil
}
