// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"

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

// RegisterAnchorKey implements types.MsgServer.
func (m msgServer) RegisterAnchorKey(ctx context.Context, msg *types.MsgRegisterAnchorKey) (*types.MsgRegisterAnchorKeyResponse, error) {
	if err := msg.ValidateBasic(); err != nil {
		return nil, err
	}
	validator, err := m.k.validatorCodec.StringToBytes(msg.Validator)
	if err != nil {
		return nil, errorsmod.Wrapf(types.ErrInvalidMessage, "validator %q: %s", msg.Validator, err)
	}
	if err := m.k.RegisterKey(ctx, validator, [20]byte(msg.Address), [65]byte(msg.Proof)); err != nil {
		return nil, err
	}
	return &types.MsgRegisterAnchorKeyResponse{}, nil
}

// SubmitAnchorEvidence implements types.MsgServer.
func (m msgServer) SubmitAnchorEvidence(ctx context.Context, msg *types.MsgSubmitAnchorEvidence) (*types.MsgSubmitAnchorEvidenceResponse, error) {
	if err := msg.ValidateBasic(); err != nil {
		return nil, err
	}
	anchor, err := msg.First.Domain()
	if err != nil {
		return nil, err
	}
	first := Statement{Anchor: anchor, Signature: [65]byte(msg.FirstSignature)}
	var second *Statement
	if msg.Second != nil {
		if anchor, err = msg.Second.Domain(); err != nil {
			return nil, err
		}
		second = &Statement{Anchor: anchor, Signature: [65]byte(msg.SecondSignature)}
	}
	validator, err := m.k.SubmitEvidence(ctx, msg.Submitter, first, second)
	if err != nil {
		return nil, err
	}
	return &types.MsgSubmitAnchorEvidenceResponse{Validator: validator}, nil
}
