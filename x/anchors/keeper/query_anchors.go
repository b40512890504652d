// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"encoding/hex"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/x/anchors/types"
)

// Inclusion implements types.QueryServer.
func (q queryServer) Inclusion(ctx context.Context, req *types.QueryInclusionRequest) (*types.QueryInclusionResponse, error) {
	return q.k.Inclusion(ctx, req.GetIndex(), req.GetTreeSize())
}

// Consistency implements types.QueryServer.
func (q queryServer) Consistency(ctx context.Context, req *types.QueryConsistencyRequest) (*types.QueryConsistencyResponse, error) {
	return q.k.Consistency(ctx, req.GetFrom(), req.GetTo())
}

// Origin implements types.QueryServer.
func (q queryServer) Origin(ctx context.Context, _ *types.QueryOriginRequest) (*types.QueryOriginResponse, error) {
	origin, err := q.k.Origin(ctx)
	if err != nil {
		return nil, err
	}
	domain := anchor.NewDomain(origin)
	return &types.QueryOriginResponse{Origin: origin[:], DomainSeparator: domain[:]}, nil
}

// Anchor implements types.QueryServer.
func (q queryServer) Anchor(ctx context.Context, req *types.QueryAnchorRequest) (*types.QueryAnchorResponse, error) {
	found, err := q.k.Attested(ctx, req.GetNonce())
	if err != nil {
		return nil, err
	}
	return &types.QueryAnchorResponse{Anchor: found}, nil
}

// LatestAnchor implements types.QueryServer.
func (q queryServer) LatestAnchor(ctx context.Context, _ *types.QueryLatestAnchorRequest) (*types.QueryLatestAnchorResponse, error) {
	head, err := q.k.anchorHead(ctx)
	if err != nil {
		return nil, err
	}
	found, err := q.k.Attested(ctx, head.AttestedNonce)
	if err != nil {
		return nil, err
	}
	return &types.QueryLatestAnchorResponse{Anchor: found}, nil
}

// Anchors implements types.QueryServer.
func (q queryServer) Anchors(ctx context.Context, req *types.QueryAnchorsRequest) (*types.QueryAnchorsResponse, error) {
	anchors, page, err := query.CollectionPaginate(ctx, q.k.attested, page(req.GetPagination()),
		func(_ uint64, a types.AttestedAnchor) (types.AttestedAnchor, error) { return a, nil })
	if err != nil {
		return nil, err
	}
	return &types.QueryAnchorsResponse{Anchors: anchors, Pagination: page}, nil
}

// Pending implements types.QueryServer.
func (q queryServer) Pending(ctx context.Context, _ *types.QueryPendingRequest) (*types.QueryPendingResponse, error) {
	params, err := q.k.Params(ctx)
	if err != nil {
		return nil, err
	}
	now, err := q.k.bondedSet(ctx, params.MaxMembers)
	if err != nil {
		return nil, err
	}
	head, err := q.k.anchorHead(ctx)
	if err != nil {
		return nil, err
	}
	resp := &types.QueryPendingResponse{KeyedPower: now.keyed, BondedPower: now.total, Era: head.Era, SignersHash: head.SignersHash}
	if _, err := q.k.Origin(ctx); err != nil {
		resp.Reason = err.Error()
		return resp, nil //nolint:nilerr // that is the answer
	}
	open, found, err := q.k.openAnchor(ctx)
	if err != nil {
		return nil, err
	}
	if found && !open.Attested {
		return resp, q.describe(ctx, &open, resp)
	}
	next, reason, err := q.k.due(ctx, &params)
	if err != nil {
		return nil, err
	}
	if resp.Reason = reason; next != nil {
		resp.Reason, resp.SignersHash, resp.Era = "due in the next block", next.signersHash[:], next.era
	}
	return resp, nil
}

// describe adds the open anchor to the answer.
func (q queryServer) describe(ctx context.Context, open *types.OpenAnchor, resp *types.QueryPendingResponse) error {
	set, err := q.k.Valset(ctx, open.SignersHash)
	if err != nil {
		return err
	}
	signatures, err := q.k.signatures(ctx)
	if err != nil {
		return err
	}
	resp.Anchor, resp.SignersHash, resp.Era, resp.TotalPower = &open.Anchor, open.SignersHash, open.Era, set.Total()
	for i := range signatures {
		resp.Members = append(resp.Members, signatures[i].Member)
		resp.SignedPower += set[signatures[i].Member].Power
	}
	return nil
}

// Valset implements types.QueryServer.
func (q queryServer) Valset(ctx context.Context, req *types.QueryValsetRequest) (*types.QueryValsetResponse, error) {
	hash, err := parseHash(req.GetHash())
	if err != nil {
		return nil, err
	}
	set, err := q.k.Valset(ctx, hash)
	if err != nil {
		return nil, err
	}
	return &types.QueryValsetResponse{Valset: types.ValsetOf(set)}, nil
}

// NextSubmittable implements types.QueryServer.
func (q queryServer) NextSubmittable(
	ctx context.Context, req *types.QueryNextSubmittableRequest,
) (*types.QueryNextSubmittableResponse, error) {
	hash, err := parseHash(req.GetValset())
	if err != nil {
		return nil, err
	}
	found, err := q.k.NextSubmittable(ctx, hash, req.GetNonce())
	if err != nil {
		return nil, err
	}
	set, err := q.k.Valset(ctx, hash)
	if err != nil {
		return nil, err
	}
	return &types.QueryNextSubmittableResponse{Anchor: found, Signers: types.ValsetOf(set)}, nil
}

// AnchorKey implements types.QueryServer.
func (q queryServer) AnchorKey(ctx context.Context, req *types.QueryAnchorKeyRequest) (*types.QueryAnchorKeyResponse, error) {
	validator, err := q.k.validatorCodec.StringToBytes(req.GetValidator())
	if err != nil {
		return nil, errorsmod.Wrapf(types.ErrInvalidRequest, "validator %q: %s", req.GetValidator(), err)
	}
	key, err := q.k.Key(ctx, validator)
	if err != nil {
		return nil, err
	}
	missed, err := q.k.Missed(ctx, validator)
	if err != nil {
		return nil, err
	}
	return &types.QueryAnchorKeyResponse{Key: key, Missed: missed}, nil
}

// AnchorKeys implements types.QueryServer.
func (q queryServer) AnchorKeys(ctx context.Context, req *types.QueryAnchorKeysRequest) (*types.QueryAnchorKeysResponse, error) {
	keys, page, err := query.CollectionPaginate(ctx, q.k.keys, page(req.GetPagination()),
		func(_ []byte, key types.AnchorKey) (types.AnchorKey, error) { return key, nil })
	if err != nil {
		return nil, err
	}
	return &types.QueryAnchorKeysResponse{Keys: keys, Pagination: page}, nil
}

// Attested returns an attested anchor. Errors: ErrNoAnchor.
func (k *Keeper) Attested(ctx context.Context, nonce uint64) (types.AttestedAnchor, error) {
	found, err := k.attested.Get(ctx, nonce)
	if errors.Is(err, collections.ErrNotFound) {
		return found, errorsmod.Wrapf(types.ErrNoAnchor, "nonce %d", nonce)
	}
	return found, err
}

// NextSubmittable returns the newest attested anchor above nonce that the set of that hash has signed. A contract that holds the set
// can take it: it may skip the anchors between, for the log is cumulative.
//
// Errors: ErrNoAnchor.
func (k *Keeper) NextSubmittable(ctx context.Context, valset []byte, nonce uint64) (types.AttestedAnchor, error) {
	newest := collections.NewPrefixedPairRange[[]byte, uint64](valset).StartExclusive(nonce).Descending()
	iterator, err := k.attested.Indexes.Signers.Iterate(ctx, newest)
	if err != nil {
		return types.AttestedAnchor{}, err
	}
	defer iterator.Close()
	if !iterator.Valid() {
		return types.AttestedAnchor{}, errorsmod.Wrapf(types.ErrNoAnchor, "none above nonce %d is signed by %x", nonce, valset)
	}
	found, err := iterator.PrimaryKey()
	if err != nil {
		return types.AttestedAnchor{}, err
	}
	return k.Attested(ctx, found)
}

func parseHash(text string) ([]byte, error) {
	hash, err := hex.DecodeString(text)
	if err != nil || len(hash) != 32 || hex.EncodeToString(hash) != text {
		return nil, errorsmod.Wrapf(types.ErrInvalidRequest, "hash %q is not 64 lower-case hex digits", text)
	}
	return hash, nil
}
