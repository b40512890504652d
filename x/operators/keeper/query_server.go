// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"encoding/hex"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

type queryServer struct{ k *Keeper }

// NewQueryServer returns the module's query service.
func NewQueryServer(k *Keeper) types.QueryServer { return queryServer{k: k} }

// Params implements types.QueryServer.
func (q queryServer) Params(ctx context.Context, _ *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	params, err := q.k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	return &types.QueryParamsResponse{Params: params}, nil
}

// Operator implements types.QueryServer.
func (q queryServer) Operator(ctx context.Context, req *types.QueryOperatorRequest) (*types.QueryOperatorResponse, error) {
	addr, err := q.k.parseOperator(req.GetAddress())
	if err != nil {
		return nil, err
	}
	op, err := q.k.Operator(ctx, addr)
	if err != nil {
		return nil, err
	}
	cover, err := q.k.Cover(ctx, addr)
	if err != nil {
		return nil, err
	}
	capacity, err := q.k.Capacity(ctx, addr)
	if err != nil {
		return nil, err
	}
	mayWork := true
	switch err := q.k.CheckMayWork(ctx, addr); {
	case errors.Is(err, types.ErrTombstoned), errors.Is(err, types.ErrBarred), errors.Is(err, types.ErrJailed), errors.Is(err, types.ErrBondTooLow):
		mayWork = false
	case err != nil:
		return nil, err
	}
	return &types.QueryOperatorResponse{
		Operator: op, CoverUusdc: cover, MayWork: mayWork,
		Capacity: types.OperatorCapacity{
			MilliVcu: capacity.MilliVCU, TokensPerSecond: capacity.TokensPerSecond, Gpus: capacity.GPUs, Simulated: capacity.Simulated,
		},
	}, nil
}

// Operators implements types.QueryServer.
func (q queryServer) Operators(ctx context.Context, req *types.QueryOperatorsRequest) (*types.QueryOperatorsResponse, error) {
	operators, page, err := query.CollectionPaginate(ctx, q.k.operators, page(req.GetPagination()),
		func(_ []byte, op types.Operator) (types.Operator, error) { return op, nil })
	if err != nil {
		return nil, err
	}
	return &types.QueryOperatorsResponse{Operators: operators, Pagination: page}, nil
}

// Host implements types.QueryServer.
func (q queryServer) Host(ctx context.Context, req *types.QueryHostRequest) (*types.QueryHostResponse, error) {
	var id [types.HashLength]byte
	if err := parseHex(id[:], "host_id", req.GetHostId()); err != nil {
		return nil, err
	}
	host, err := q.k.Host(ctx, id)
	if err != nil {
		return nil, err
	}
	key, err := q.k.hostKeys.Get(ctx, host.ReceiptKey)
	if err != nil {
		return nil, err
	}
	gpus, err := q.k.gpusOf(ctx, host.Id)
	if err != nil {
		return nil, err
	}
	ceiling, err := q.k.TokenCeiling(ctx, id)
	if err != nil {
		return nil, err
	}
	return &types.QueryHostResponse{Host: host, Key: key, Gpus: gpus, TokenCeiling: ceiling}, nil
}

// Hosts implements types.QueryServer.
func (q queryServer) Hosts(ctx context.Context, req *types.QueryHostsRequest) (*types.QueryHostsResponse, error) {
	if req.GetOperator() == "" {
		hosts, page, err := query.CollectionPaginate(ctx, q.k.hosts, page(req.GetPagination()),
			func(_ []byte, host types.Host) (types.Host, error) { return host, nil })
		if err != nil {
			return nil, err
		}
		return &types.QueryHostsResponse{Hosts: hosts, Pagination: page}, nil
	}
	operator, err := q.k.parseOperator(req.GetOperator())
	if err != nil {
		return nil, err
	}
	hosts, page, err := query.CollectionPaginate(ctx, q.k.hosts.Indexes.operator, page(req.GetPagination()),
		func(key collections.Pair[[]byte, []byte], _ collections.NoValue) (types.Host, error) {
			return q.k.hosts.Get(ctx, key.K2())
		},
		query.WithCollectionPaginationPairPrefix[[]byte, []byte](operator))
	if err != nil {
		return nil, err
	}
	return &types.QueryHostsResponse{Hosts: hosts, Pagination: page}, nil
}

// HostKey implements types.QueryServer.
func (q queryServer) HostKey(ctx context.Context, req *types.QueryHostKeyRequest) (*types.QueryHostKeyResponse, error) {
	var address [types.AddressLength]byte
	if err := parseHex(address[:], "address", req.GetAddress()); err != nil {
		return nil, err
	}
	key, err := q.k.HostKey(ctx, address)
	if err != nil {
		return nil, err
	}
	return &types.QueryHostKeyResponse{Key: key}, nil
}

// Unbondings implements types.QueryServer.
func (q queryServer) Unbondings(ctx context.Context, req *types.QueryUnbondingsRequest) (*types.QueryUnbondingsResponse, error) {
	operator, err := q.k.parseOperator(req.GetOperator())
	if err != nil {
		return nil, err
	}
	entries, err := q.k.unbondingsOf(ctx, operator)
	if err != nil {
		return nil, err
	}
	return &types.QueryUnbondingsResponse{Unbondings: entries}, nil
}

// RelayerGrants implements types.QueryServer.
func (q queryServer) RelayerGrants(ctx context.Context, req *types.QueryRelayerGrantsRequest) (*types.QueryRelayerGrantsResponse, error) {
	operator, err := q.k.parseOperator(req.GetOperator())
	if err != nil {
		return nil, err
	}
	grants, page, err := query.CollectionPaginate(ctx, q.k.grants, page(req.GetPagination()),
		func(_ grantKey, grant types.RelayerGrant) (types.RelayerGrant, error) { return grant, nil },
		query.WithCollectionPaginationPairPrefix[[]byte, []byte](operator))
	if err != nil {
		return nil, err
	}
	return &types.QueryRelayerGrantsResponse{Grants: grants, Pagination: page}, nil
}

// NodeLink implements types.QueryServer.
func (q queryServer) NodeLink(ctx context.Context, req *types.QueryNodeLinkRequest) (*types.QueryNodeLinkResponse, error) {
	var node [types.HashLength]byte
	if err := parseHex(node[:], "node_hash", req.GetNodeHash()); err != nil {
		return nil, err
	}
	var owner [types.AddressLength]byte
	if err := parseHex(owner[:], "owner", req.GetOwner()); err != nil {
		return nil, err
	}
	link, err := q.k.NodeLink(ctx, req.GetNodeHash(), owner)
	if err != nil {
		return nil, err
	}
	return &types.QueryNodeLinkResponse{Link: link}, nil
}

// NodeLinks implements types.QueryServer.
func (q queryServer) NodeLinks(ctx context.Context, req *types.QueryNodeLinksRequest) (*types.QueryNodeLinksResponse, error) {
	var of []func(*query.CollectionsPaginateOptions[linkKey])
	if hash := req.GetNodeHash(); hash != "" {
		of = append(of, query.WithCollectionPaginationPairPrefix[string, []byte](hash))
	}
	links, page, err := query.CollectionPaginate(ctx, q.k.nodeLinks, page(req.GetPagination()),
		func(_ linkKey, link types.NodeLink) (types.NodeLink, error) { return link, nil }, of...)
	if err != nil {
		return nil, err
	}
	return &types.QueryNodeLinksResponse{Links: links, Pagination: page}, nil
}

// BlockHash implements types.QueryServer.
func (q queryServer) BlockHash(ctx context.Context, req *types.QueryBlockHashRequest) (*types.QueryBlockHashResponse, error) {
	if req.GetHeight() == 0 {
		newest, err := q.k.newestBlockHash(ctx)
		if err != nil {
			return nil, err
		}
		return &types.QueryBlockHashResponse{BlockHash: newest}, nil
	}
	hash, err := q.k.BlockHash(ctx, req.GetHeight())
	if err != nil {
		return nil, err
	}
	return &types.QueryBlockHashResponse{BlockHash: types.BlockHash{Height: req.GetHeight(), Hash: hash[:]}}, nil
}

// Epoch implements types.QueryServer.
func (q queryServer) Epoch(ctx context.Context, req *types.QueryEpochRequest) (*types.QueryEpochResponse, error) {
	grid, err := q.k.EpochGrid(ctx, req.GetEpoch())
	if err != nil {
		return nil, err
	}
	return &types.QueryEpochResponse{Grid: grid}, nil
}

// CurrentEpoch implements types.QueryServer.
func (q queryServer) CurrentEpoch(ctx context.Context, _ *types.QueryCurrentEpochRequest) (*types.QueryCurrentEpochResponse, error) {
	e, err := q.k.CurrentEpoch(ctx)
	if err != nil {
		return nil, err
	}
	grid, err := q.k.EpochGrid(ctx, e)
	if err != nil {
		return nil, err
	}
	return &types.QueryCurrentEpochResponse{Grid: grid, Height: height(ctx)}, nil
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

// parseHex reads lower-case hex of exactly dst's length; one value has one spelling.
func parseHex(dst []byte, field, text string) error {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(dst) || hex.EncodeToString(b) != text {
		return errorsmod.Wrapf(types.ErrInvalidRequest, "%s is not lower-case hex of %d characters", field, 2*len(dst))
	}
	copy(dst, b)
	return nil
}
