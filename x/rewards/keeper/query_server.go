// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/gpucoord/gpucoord/domain/score"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/rewards/types"
)

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

func (q queryServer) Epoch(ctx context.Context, req *types.QueryEpochRequest) (*types.QueryEpochResponse, error) {
	s, err := q.k.settlement(ctx, req.GetEpoch())
	if err != nil {
		return nil, queryError(err)
	}
	return &types.QueryEpochResponse{Settlement: s}, nil
}

func (q queryServer) Status(ctx context.Context, _ *types.QueryStatusRequest) (*types.QueryStatusResponse, error) {
	s, running, err := q.k.running(ctx)
	if err != nil {
		return nil, queryError(err)
	}
	sponsors, err := q.k.sponsors.Get(ctx)
	if err != nil {
		return nil, queryError(err)
	}
	resp := &types.QueryStatusResponse{NextEpoch: s.Epoch, SponsorsUusdc: sponsors}
	if running {
		resp.Running = &s
	}
	return resp, nil
}

func (q queryServer) Explain(ctx context.Context, req *types.QueryExplainRequest) (*types.QueryExplainResponse, error) {
	operator, err := q.k.address(req.GetOperator())
	if err != nil {
		return nil, queryError(err)
	}
	s, err := q.k.settlement(ctx, req.GetEpoch())
	if err != nil {
		return nil, queryError(err)
	}
	row, err := q.k.rows.Get(ctx, collections.Join(req.GetEpoch(), operator))
	if errors.Is(err, collections.ErrNotFound) {
		err = errorsmod.Wrapf(types.ErrUnknownRow, "%s in epoch %d", req.GetOperator(), req.GetEpoch())
	}
	if err != nil {
		return nil, queryError(err)
	}
	return &types.QueryExplainResponse{Row: row, Settlement: s, Text: row.Explain(&s)}, nil
}

func (q queryServer) Rows(ctx context.Context, req *types.QueryRowsRequest) (*types.QueryRowsResponse, error) {
	rows, page, err := query.CollectionPaginate(ctx, q.k.rows, bounded(req.GetPagination()),
		func(_ rowKey, row types.OperatorEpoch) (types.OperatorEpoch, error) {
			row.Entries = nil
			return row, nil
		}, query.WithCollectionPaginationPairPrefix[uint64, []byte](req.GetEpoch()))
	if err != nil {
		return nil, queryError(err)
	}
	return &types.QueryRowsResponse{Rows: rows, Pagination: page}, nil
}

func (q queryServer) Reward(ctx context.Context, req *types.QueryRewardRequest) (*types.QueryRewardResponse, error) {
	operator, err := q.k.address(req.GetOperator())
	if err != nil {
		return nil, queryError(err)
	}
	reward, err := q.k.reward(ctx, operator)
	if err != nil {
		return nil, queryError(err)
	}
	return &types.QueryRewardResponse{Reward: reward}, nil
}

func (q queryServer) Points(ctx context.Context, req *types.QueryPointsRequest) (*types.QueryPointsResponse, error) {
	operator, err := q.k.address(req.GetOperator())
	if err != nil {
		return nil, queryError(err)
	}
	points, err := q.k.pointsOf(ctx, operator)
	if err != nil {
		return nil, queryError(err)
	}
	current, err := q.k.operators.CurrentEpoch(ctx)
	if err != nil {
		return nil, queryError(err)
	}
	now, err := score.Decay(points.Value, max(current, points.Epoch)-points.Epoch, score.HalfLifePoints)
	if err != nil {
		return nil, queryError(err)
	}
	return &types.QueryPointsResponse{Points: points, Now: now}, nil
}

// Standing decays the reputation to the newest settled epoch, not to the present one, which no settlement can have
// reached: an operator that works in every epoch has lost nothing.
func (q queryServer) Standing(ctx context.Context, req *types.QueryStandingRequest) (*types.QueryStandingResponse, error) {
	operator, err := q.k.address(req.GetOperator())
	if err != nil {
		return nil, queryError(err)
	}
	op, err := q.k.operators.Operator(ctx, operator)
	if err != nil {
		return nil, queryError(err)
	}
	next, err := q.k.nextEpoch.Get(ctx)
	if err != nil {
		return nil, queryError(err)
	}
	idle := next - min(next, op.ReputationEpoch+1)
	resp := new(types.QueryStandingResponse)
	if resp.ReputationPpm, err = score.Decay(op.ReputationPpm, idle, score.HalfLifeReputation); err != nil {
		return nil, queryError(err)
	}
	confirmed, err := q.k.confirmed.Get(ctx, operator)
	switch {
	case err == nil:
		resp.Ucs, resp.Epoch, resp.Scored = confirmed.Ucs, confirmed.Epoch, true
	case !errors.Is(err, collections.ErrNotFound):
		return nil, queryError(err)
	}
	return resp, nil
}

// settlement returns the settlement of an epoch. Error: ErrUnknownEpoch.
func (k *Keeper) settlement(ctx context.Context, epoch uint64) (types.EpochSettlement, error) {
	s, err := k.settlements.Get(ctx, epoch)
	if errors.Is(err, collections.ErrNotFound) {
		err = errorsmod.Wrapf(types.ErrUnknownEpoch, "epoch %d", epoch)
	}
	return s, err
}

// bounded limits the page, and never counts all entries, which would walk them all.
func bounded(page *query.PageRequest) *query.PageRequest {
	p := query.PageRequest{Limit: query.DefaultLimit}
	if page != nil {
		p = *page
	}
	p.CountTotal = false
	if p.Limit == 0 {
		p.Limit = query.DefaultLimit
	}
	p.Limit = min(p.Limit, types.MaxPageLimit)
	return &p
}

// queryError gives err the status code that a client can act on.
func queryError(err error) error {
	switch {
	case errors.Is(err, types.ErrUnknownEpoch), errors.Is(err, types.ErrUnknownRow), errors.Is(err, operatorstypes.ErrUnknownOperator):
		return status.Error(codes.NotFound, err.Error())
	case errors.Is(err, types.ErrInvalidAddress):
		return status.Error(codes.InvalidArgument, err.Error())
	default:
		return status.Error(codes.Internal, err.Error())
	}
}
