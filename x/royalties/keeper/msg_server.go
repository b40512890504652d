// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	"github.com/gpucoord/gpucoord/x/royalties/types"
)

type msgServer struct{ k *Keeper }

// NewMsgServer returns the message service of k.
func NewMsgServer(k *Keeper) types.MsgServer {
	return msgServer{k: k}
}

func (m msgServer) CommitAsset(ctx context.Context, msg *types.MsgCommitAsset) (*types.MsgCommitAssetResponse, error) {
	owner, err := m.k.owner(msg.Owner)
	if err != nil {
		return nil, err
	}
	if err := m.k.CommitAsset(ctx, owner, msg.Hash); err != nil {
		return nil, err
	}
	return &types.MsgCommitAssetResponse{}, nil
}

func (m msgServer) RegisterAsset(ctx context.Context, msg *types.MsgRegisterAsset) (*types.MsgRegisterAssetResponse, error) {
	owner, err := m.k.owner(msg.Owner)
	if err != nil {
		return nil, err
	}
	if err := m.k.RegisterAsset(ctx, owner, msg); err != nil {
		return nil, err
	}
	return &types.MsgRegisterAssetResponse{}, nil
}

func (m msgServer) UpdateTerms(ctx context.Context, msg *types.MsgUpdateTerms) (*types.MsgUpdateTermsResponse, error) {
	owner, err := m.k.owner(msg.Owner)
	if err != nil {
		return nil, err
	}
	terms, err := m.k.UpdateTerms(ctx, owner, msg.AssetId, msg.RoyaltyBps, msg.Payees)
	if err != nil {
		return nil, err
	}
	return &types.MsgUpdateTermsResponse{Version: terms.Version, FromEpoch: terms.FromEpoch}, nil
}

func (m msgServer) ProposeAuthorProof(ctx context.Context, msg *types.MsgProposeAuthorProof) (*types.MsgProposeAuthorProofResponse, error) {
	owner, err := m.k.owner(msg.Owner)
	if err != nil {
		return nil, err
	}
	if err := m.k.ProposeAuthorProof(ctx, owner, msg.AssetId, msg.Uri, msg.Sha256); err != nil {
		return nil, err
	}
	return &types.MsgProposeAuthorProofResponse{}, nil
}

func (m msgServer) DecideAuthorProof(ctx context.Context, msg *types.MsgDecideAuthorProof) (*types.MsgDecideAuthorProofResponse, error) {
	if err := m.k.authoriseArbiter(ctx, msg.Arbiter); err != nil {
		return nil, err
	}
	if err := m.k.DecideAuthorProof(ctx, msg.AssetId, msg.Accept); err != nil {
		return nil, err
	}
	return &types.MsgDecideAuthorProofResponse{}, nil
}

func (m msgServer) TakeDown(ctx context.Context, msg *types.MsgTakeDown) (*types.MsgTakeDownResponse, error) {
	if err := m.k.authoriseArbiter(ctx, msg.Arbiter); err != nil {
		return nil, err
	}
	if err := m.k.TakeDown(ctx, msg.AssetId); err != nil {
		return nil, err
	}
	return &types.MsgTakeDownResponse{}, nil
}

func (m msgServer) Reassign(ctx context.Context, msg *types.MsgReassign) (*types.MsgReassignResponse, error) {
	if err := m.k.authoriseArbiter(ctx, msg.Arbiter); err != nil {
		return nil, err
	}
	owner, err := m.k.owner(msg.Owner)
	if err != nil {
		return nil, err
	}
	terms, err := m.k.Reassign(ctx, msg.AssetId, owner, msg.AllowCommercialUse)
	if err != nil {
		return nil, err
	}
	return &types.MsgReassignResponse{Version: terms.Version, FromEpoch: terms.FromEpoch}, nil
}

func (m msgServer) Claim(ctx context.Context, msg *types.MsgClaim) (*types.MsgClaimResponse, error) {
	payee, err := m.k.address(msg.Payee)
	if err != nil {
		return nil, err
	}
	amount, err := m.k.Claim(ctx, payee)
	if err != nil {
		return nil, err
	}
	return &types.MsgClaimResponse{AmountUusdc: amount}, nil
}

func (m msgServer) UpdateParams(ctx context.Context, msg *types.MsgUpdateParams) (*types.MsgUpdateParamsResponse, error) {
	if err := m.k.checkAuthority(ctx, msg.Authority); err != nil {
		return nil, err
	}
	if err := m.k.UpdateParams(ctx, msg.Authority, msg.Params); err != nil {
		return nil, err
	}
	return &types.MsgUpdateParamsResponse{}, nil
}
