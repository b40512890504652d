// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// Deferred implements types.QueryServer.
func (q queryServer) Deferred(ctx context.Context, req *types.QueryDeferredRequest) (*types.QueryDeferredResponse, error) {
	list, page, err := query.CollectionPaginate(ctx, q.k.deferred, page(req.GetPagination()),
		func(_ uint64, d types.DeferredPunishment) (types.DeferredPunishment, error) { return d, nil })
	if err != nil {
		return nil, err
	}
	resp := &types.QueryDeferredResponse{Deferred: list, Pagination: page}
	breaker, err := q.k.breaker.Get(ctx)
	if err == nil {
		resp.Breaker = &breaker
	} else if !errors.Is(err, collections.ErrNotFound) {
		return nil, err
	}
	return resp, nil
}

// Report implements types.QueryServer.
func (q queryServer) Report(ctx context.Context, req *types.QueryReportRequest) (*types.QueryReportResponse, error) {
	report, err := q.k.Report(ctx, req.GetReportId())
	if err != nil {
		return nil, err
	}
	return &types.QueryReportResponse{Report: report}, nil
}

// Reports implements types.QueryServer.
func (q queryServer) Reports(ctx context.Context, req *types.QueryReportsRequest) (*types.QueryReportsResponse, error) {
	list, page, err := query.CollectionPaginate(ctx, q.k.reports, page(req.GetPagination()),
		func(_ uint64, r types.Report) (types.Report, error) { return r, nil })
	if err != nil {
		return nil, err
	}
	return &types.QueryReportsResponse{Reports: list, Pagination: page}, nil
}

// Verifiers implements types.QueryServer.
func (q queryServer) Verifiers(ctx context.Context, req *types.QueryVerifiersRequest) (*types.QueryVerifiersResponse, error) {
	list, page, err := query.CollectionPaginate(ctx, q.k.verifiers, page(req.GetPagination()),
		func(_ []byte, v types.Verifier) (types.Verifier, error) { return v, nil })
	if err != nil {
		return nil, err
	}
	return &types.QueryVerifiersResponse{Verifiers: list, Pagination: page}, nil
}

// Attestation implements types.QueryServer.
func (q queryServer) Attestation(ctx context.Context, req *types.QueryAttestationRequest) (*types.QueryAttestationResponse, error) {
	var ref [types.HashLength]byte
	if err := parseHex(ref[:], "ref", req.GetRef()); err != nil {
		return nil, err
	}
	a, err := q.k.Attestation(ctx, ref)
	if err != nil {
		return nil, err
	}
	return &types.QueryAttestationResponse{Attestation: a}, nil
}

// Attestations implements types.QueryServer.
func (q queryServer) Attestations(ctx context.Context, req *types.QueryAttestationsRequest) (*types.QueryAttestationsResponse, error) {
	if req.GetHostId() == "" {
		list, page, err := query.CollectionPaginate(ctx, q.k.attestations, page(req.GetPagination()),
			func(_ []byte, a types.Attestation) (types.Attestation, error) { return withoutBytes(a), nil })
		if err != nil {
			return nil, err
		}
		return &types.QueryAttestationsResponse{Attestations: list, Pagination: page}, nil
	}
	var host [types.HashLength]byte
	if err := parseHex(host[:], "host_id", req.GetHostId()); err != nil {
		return nil, err
	}
	list, page, err := query.CollectionPaginate(ctx, q.k.attestations.Indexes.host, page(req.GetPagination()),
		func(key collections.Pair[[]byte, []byte], _ collections.NoValue) (types.Attestation, error) {
			a, err := q.k.attestations.Get(ctx, key.K2())
			return withoutBytes(a), err
		},
		query.WithCollectionPaginationPairPrefix[[]byte, []byte](host[:]))
	if err != nil {
		return nil, err
	}
	return &types.QueryAttestationsResponse{Attestations: list, Pagination: page}, nil
}

// withoutBytes leaves out what would make a page of attestations too long.
func withoutBytes(a types.Attestation) types.Attestation {
	a.Evidence, a.Roots = nil, nil
	return a
}

// Claims implements types.QueryServer.
func (q queryServer) Claims(ctx context.Context, req *types.QueryClaimsRequest) (*types.QueryClaimsResponse, error) {
	var host [types.HashLength]byte
	if err := parseHex(host[:], "host_id", req.GetHostId()); err != nil {
		return nil, err
	}
	claims, err := q.k.Claims(ctx, host)
	if err != nil {
		return nil, err
	}
	return &types.QueryClaimsResponse{Claims: claims}, nil
}

// Claims returns the claims of a host that hold now, at most four: for each the attestation that raises it longest.
//
// Errors: ErrUnknownHost.
func (k *Keeper) Claims(ctx context.Context, hostID [32]byte) ([]types.ClaimStanding, error) {
	if _, err := k.Host(ctx, hostID); err != nil {
		return nil, err
	}
	refs, err := k.attestationsOf(ctx, hostID[:])
	if err != nil {
		return nil, err
	}
	var claims []types.ClaimStanding
	for bit := uint32(1); bit <= types.AllClaims; bit <<= 1 {
		best := types.ClaimStanding{Claim: bit}
		for _, ref := range refs {
			a, err := k.attestations.Get(ctx, ref)
			if err != nil {
				return nil, err
			}
			if a.State != types.AttestationState_ATTESTATION_STATE_ACCEPTED || a.AcceptedClaims&bit == 0 ||
				a.StandingAt(blockTime(ctx)) != types.AttestationInForce || a.NotAfter <= best.NotAfter {
				continue
			}
			best = types.ClaimStanding{Claim: bit, Ref: a.Ref, Format: a.Format, NotAfter: a.NotAfter}
			for i := range a.Verdicts {
				if a.Verdicts[i].Claims&bit != 0 {
					best.Verifiers = append(best.Verifiers, a.Verdicts[i].Verifier)
				}
			}
		}
		if best.Ref != nil {
			claims = append(claims, best)
		}
	}
	return claims, nil
}
