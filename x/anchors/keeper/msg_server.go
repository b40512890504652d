// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	"github.com/gpucoord/gpucoord/x/anchors/types"
)

type msgServer struct{ k *Keeper }

// NewMsgServer returns the module's transaction service.
func NewMsgServer(k *Keeper) types.MsgServer { return msgServer{k: k} }

// UpdateParams implements types.MsgServer.
func (m msgServer) UpdateParams(ctx context.Context, msg *types.MsgUpdateParams) (*types.MsgUpdateParamsResponse, error) {
	if err := m.k.checkAuthority(ctx, msg.Authority); err != nil {
		return nil, err
	}
	if err := m.k.UpdateParams(ctx, msg.Authority, msg.Params); err != nil {
		return nil, err
	}
	return &types.MsgUpdateParamsResponse{}, nil
}
