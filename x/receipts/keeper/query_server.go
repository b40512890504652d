// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/gpucoord/gpucoord/x/receipts/types"
)

type queryServer struct{ k *Keeper }

// NewQueryServer returns the query service of k.
func NewQueryServer(k *Keeper) types.QueryServer { return queryServer{k: k} }

func (q queryServer) Params(ctx context.Context, _ *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	params, err := q.k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	return &types.QueryParamsResponse{Params: params}, nil
}

func (q queryServer) Settler(ctx context.Context, req *types.QuerySettlerRequest) (*types.QuerySettlerResponse, error) {
	addr, err := q.k.parseParty("settler", req.GetAddress())
	if err != nil {
		return nil, err
	}
	s, err := q.k.settler(ctx, addr)
	if err != nil {
		return nil, err
	}
	if s.Accredited, err = q.k.accredited(ctx, &s); err != nil {
		return nil, err
	}
	return &types.QuerySettlerResponse{Settler: s}, nil
}

func (q queryServer) Settlers(ctx context.Context, req *types.QuerySettlersRequest) (*types.QuerySettlersResponse, error) {
	settlers, page, err := query.CollectionPaginate(ctx, q.k.settlers, bounded(req.GetPagination()),
		func(_ []byte, s types.Settler) (types.Settler, error) {
			var err error
			s.Accredited, err = q.k.accredited(ctx, &s)
			return s, err
		})
	if err != nil {
		return nil, err
	}
	return &types.QuerySettlersResponse{Settlers: settlers, Pagination: page}, nil
}

func (q queryServer) Limit(ctx context.Context, req *types.QueryLimitRequest) (*types.QueryLimitResponse, error) {
	pair, err := q.k.partyPair(req.GetSettler(), req.GetOperator())
	if err != nil {
		return nil, err
	}
	settler, operator := pair.K1(), pair.K2()
	s, err := q.k.settler(ctx, settler)
	if err != nil {
		return nil, err
	}
	var resp types.QueryLimitResponse
	if resp.LimitUusdc, resp.IsDefault, err = q.k.limitOf(ctx, &s, settler, operator); err != nil {
		return nil, err
	}
	a, err := q.k.account(ctx, s, settler, operator)
	if err != nil {
		return nil, err
	}
	resp.LockedUusdc = a.lock.LockedUusdc
	if resp.LockableUusdc, err = q.k.lockable(ctx, a); err != nil {
		return nil, err
	}
	return &resp, nil
}

func (q queryServer) Gateway(ctx context.Context, req *types.QueryGatewayRequest) (*types.QueryGatewayResponse, error) {
	addr, err := q.k.parseParty("gateway", req.GetAddress())
	if err != nil {
		return nil, err
	}
	g, err := q.k.gateway(ctx, addr)
	if err != nil {
		return nil, err
	}
	keys, _, err := query.CollectionPaginate(ctx, q.k.gatewayKeys.Indexes.gateway, &query.PageRequest{Limit: types.MaxPageLimit},
		func(key bytesPair, _ collections.NoValue) (types.GatewayKey, error) {
			return q.k.gatewayKeys.Get(ctx, key.K2())
		},
		query.WithCollectionPaginationPairPrefix[[]byte, []byte](addr))
	if err != nil {
		return nil, err
	}
	return &types.QueryGatewayResponse{Gateway: g, Keys: keys}, nil
}

func (q queryServer) Gateways(ctx context.Context, req *types.QueryGatewaysRequest) (*types.QueryGatewaysResponse, error) {
	gateways, page, err := query.CollectionPaginate(ctx, q.k.gateways, bounded(req.GetPagination()),
		func(_ []byte, g types.Gateway) (types.Gateway, error) { return g, nil })
	if err != nil {
		return nil, err
	}
	return &types.QueryGatewaysResponse{Gateways: gateways, Pagination: page}, nil
}

func (q queryServer) Payer(ctx context.Context, req *types.QueryPayerRequest) (*types.QueryPayerResponse, error) {
	key, err := hexBytes("key", req.GetKey(), types.AddressLength)
	if err != nil {
		return nil, err
	}
	operator, err := q.k.parseParty("operator", req.GetOperator())
	if err != nil {
		return nil, err
	}
	at := req.GetIssuedAt()
	if at == 0 {
		at = blockTime(ctx)
	}
	settler, isGateway, err := q.k.settlerOf(ctx, [types.AddressLength]byte(key), at, operator)
	if err != nil {
		return nil, err
	}
	resp := &types.QueryPayerResponse{GatewayKey: isGateway}
	resp.Settler, err = q.k.settler(ctx, settler)
	if errors.Is(err, types.ErrUnknownSettler) && !isGateway {
		return resp, nil
	}
	if err != nil {
		return nil, err
	}
	if resp.Settler.Accredited, err = q.k.accredited(ctx, &resp.Settler); err != nil {
		return nil, err
	}
	a, err := q.k.account(ctx, resp.Settler, settler, operator)
	if err != nil {
		return nil, err
	}
	lockable, err := q.k.lockable(ctx, a)
	// Thawing money can be locked for jobs that are done. New jobs must not count on it: it may be paid out before their batch arrives.
	resp.LockableUusdc = min(lockable, resp.Settler.AvailableUusdc)
	return resp, err
}

func (q queryServer) Watermarks(ctx context.Context, req *types.QueryWatermarksRequest) (*types.QueryWatermarksResponse, error) {
	key, err := hexBytes("host_key", req.GetHostKey(), types.AddressLength)
	if err != nil {
		return nil, err
	}
	highest, err := q.k.watermarks.Get(ctx, collections.Join(key, []byte{}))
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return nil, err
	}
	marks, page, err := query.CollectionFilteredPaginate(ctx, q.k.watermarks, bounded(req.GetPagination()),
		func(_ bytesPair, w types.Watermark) (bool, error) { return w.Settler != "", nil },
		func(_ bytesPair, w types.Watermark) (types.Watermark, error) { return w, nil },
		query.WithCollectionPaginationPairPrefix[[]byte, []byte](key))
	if err != nil {
		return nil, err
	}
	return &types.QueryWatermarksResponse{Watermarks: marks, Highest: highest.Seq, Pagination: page}, nil
}

// hexBytes reads lower-case hex of a length in bytes. Error: ErrInvalidRequest.
func hexBytes(field, text string, length int) ([]byte, error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != length || text != strings.ToLower(text) {
		return nil, errorsmod.Wrapf(types.ErrInvalidRequest, "%s %q: want %d characters of lower-case hex", field, text, 2*length)
	}
	return b, nil
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
	p.Limit = min(p.Limit, types.MaxPageLimit)
	return &p
}
