// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	"github.com/gpucoord/gpucoord/x/rewards/types"
)

type msgServer struct{ k *Keeper }

// NewMsgServer returns the message service of k.
func NewMsgServer(k *Keeper) types.MsgServer {
	return msgServer{k: k}
}

func (m msgServer) Sponsor(ctx context.Context, msg *types.MsgSponsor) (*types.MsgSponsorResponse, error) {
	sponsor, err := m.k.address(msg.Sponsor)
	if err != nil {
		return nil, err
	}
	if err := m.k.Sponsor(ctx, sponsor, msg.AmountUusdc); err != nil {
		return nil, err
	}
	return &types.MsgSponsorResponse{}, nil
}

func (m msgServer) Claim(ctx context.Context, msg *types.MsgClaim) (*types.MsgClaimResponse, error) {
	operator, err := m.k.address(msg.Operator)
	if err != nil {
		return nil, err
	}
	amount, err := m.k.Claim(ctx, operator)
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
