// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// Probers implements types.QueryServer.
func (q queryServer) Probers(ctx context.Context, req *types.QueryProbersRequest) (*types.QueryProbersResponse, error) {
	list, page, err := query.CollectionPaginate(ctx, q.k.probers, page(req.GetPagination()),
		func(_ []byte, p types.Prober) (types.Prober, error) { return p, nil })
	if err != nil {
		return nil, err
	}
	return &types.QueryProbersResponse{Probers: list, Pagination: page}, nil
}

// Panel implements types.QueryServer.
func (q queryServer) Panel(ctx context.Context, req *types.QueryPanelRequest) (*types.QueryPanelResponse, error) {
	p, err := q.k.Panel(ctx, req.GetEpoch())
	if err != nil {
		return nil, err
	}
	return &types.QueryPanelResponse{Panel: p}, nil
}

// Availability implements types.QueryServer.
func (q queryServer) Availability(ctx context.Context, req *types.QueryAvailabilityRequest) (*types.QueryAvailabilityResponse, error) {
	operator, err := q.k.parseOperator(req.GetOperator())
	if err != nil {
		return nil, err
	}
	a, err := q.k.Availability(ctx, operator, req.GetEpoch())
	if err != nil {
		return nil, err
	}
	return &types.QueryAvailabilityResponse{
		UpPpm: a.UpPPM, AvPpm: a.AvPPM, P95TtftMs: a.P95TTFTMs, Conclusive: a.Conclusive, FromEpoch: a.FromEpoch, Unmeasured: a.Unmeasured,
	}, nil
}
