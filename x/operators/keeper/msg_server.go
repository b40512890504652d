// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

type msgServer struct{ k *Keeper }

// NewMsgServer returns the module's transaction service.
func NewMsgServer(k *Keeper) types.MsgServer { return msgServer{k: k} }

// ConsentToOperator implements types.MsgServer.
func (m msgServer) ConsentToOperator(ctx context.Context, msg *types.MsgConsentToOperator) (*types.MsgConsentToOperatorResponse, error) {
	controller, err := m.k.parseAddress("controller", msg.Controller)
	if err != nil {
		return nil, err
	}
	operator, err := m.k.parseOperator(msg.Operator)
	if err != nil {
		return nil, err
	}
	if err := m.k.ConsentToOperator(ctx, controller, operator, msg.Consent); err != nil {
		return nil, err
	}
	return &types.MsgConsentToOperatorResponse{}, nil
}

// RegisterOperator implements types.MsgServer.
func (m msgServer) RegisterOperator(ctx context.Context, msg *types.MsgRegisterOperator) (*types.MsgRegisterOperatorResponse, error) {
	operator, err := m.k.parseOperator(msg.Operator)
	if err != nil {
		return nil, err
	}
	controller := operator
	if msg.Controller != "" {
		if controller, err = m.k.parseAddress("controller", msg.Controller); err != nil {
			return nil, err
		}
	}
	about := types.Description{Moniker: msg.Moniker, Region: msg.Region, Tier: msg.Tier}
	if err := m.k.RegisterOperator(ctx, operator, controller, about, msg.BondUltai); err != nil {
		return nil, err
	}
	return &types.MsgRegisterOperatorResponse{}, nil
}

// UpdateOperator implements types.MsgServer.
func (m msgServer) UpdateOperator(ctx context.Context, msg *types.MsgUpdateOperator) (*types.MsgUpdateOperatorResponse, error) {
	operator, err := m.k.parseOperator(msg.Operator)
	if err != nil {
		return nil, err
	}
	about := types.Description{Moniker: msg.Moniker, Region: msg.Region, Tier: msg.Tier}
	if err := m.k.UpdateOperator(ctx, operator, about); err != nil {
		return nil, err
	}
	return &types.MsgUpdateOperatorResponse{}, nil
}

// Bond implements types.MsgServer.
func (m msgServer) Bond(ctx context.Context, msg *types.MsgBond) (*types.MsgBondResponse, error) {
	operator, err := m.k.parseOperator(msg.Operator)
	if err != nil {
		return nil, err
	}
	bond, err := m.k.Bond(ctx, operator, msg.AmountUltai)
	if err != nil {
		return nil, err
	}
	return &types.MsgBondResponse{BondUltai: bond}, nil
}

// Unbond implements types.MsgServer.
func (m msgServer) Unbond(ctx context.Context, msg *types.MsgUnbond) (*types.MsgUnbondResponse, error) {
	operator, err := m.k.parseOperator(msg.Operator)
	if err != nil {
		return nil, err
	}
	entry, err := m.k.Unbond(ctx, operator, msg.AmountUltai)
	if err != nil {
		return nil, err
	}
	return &types.MsgUnbondResponse{UnbondingId: entry.Id, MatureHeight: entry.MatureHeight}, nil
}

// RegisterHost implements types.MsgServer.
func (m msgServer) RegisterHost(ctx context.Context, msg *types.MsgRegisterHost) (*types.MsgRegisterHostResponse, error) {
	operator, err := m.k.parseOperator(msg.Operator)
	if err != nil {
		return nil, err
	}
	key, err := keyRegistration(msg.PublicKey, msg.KeyProof, msg.KeyExpiresAt)
	if err != nil {
		return nil, err
	}
	id, err := m.k.RegisterHost(ctx, operator, key, msg.Offer())
	if err != nil {
		return nil, err
	}
	return &types.MsgRegisterHostResponse{HostId: id[:]}, nil
}

// UpdateHost implements types.MsgServer.
func (m msgServer) UpdateHost(ctx context.Context, msg *types.MsgUpdateHost) (*types.MsgUpdateHostResponse, error) {
	operator, err := m.k.parseOperator(msg.Operator)
	if err != nil {
		return nil, err
	}
	id, err := hash32("host_id", msg.HostId)
	if err != nil {
		return nil, err
	}
	if err := m.k.UpdateHost(ctx, operator, id, msg.Offer()); err != nil {
		return nil, err
	}
	return &types.MsgUpdateHostResponse{}, nil
}

// RegisterHostKey implements types.MsgServer.
func (m msgServer) RegisterHostKey(ctx context.Context, msg *types.MsgRegisterHostKey) (*types.MsgRegisterHostKeyResponse, error) {
	operator, err := m.k.parseOperator(msg.Operator)
	if err != nil {
		return nil, err
	}
	id, err := hash32("host_id", msg.HostId)
	if err != nil {
		return nil, err
	}
	key, err := keyRegistration(msg.PublicKey, msg.KeyProof, msg.KeyExpiresAt)
	if err != nil {
		return nil, err
	}
	address, err := m.k.RegisterHostKey(ctx, operator, id, key)
	if err != nil {
		return nil, err
	}
	return &types.MsgRegisterHostKeyResponse{Address: address[:]}, nil
}

// CommitGPUs implements types.MsgServer.
func (m msgServer) CommitGPUs(ctx context.Context, msg *types.MsgCommitGPUs) (*types.MsgCommitGPUsResponse, error) {
	sender, err := m.k.parseAddress("sender", msg.Sender)
	if err != nil {
		return nil, err
	}
	id, err := hash32("host_id", msg.HostId)
	if err != nil {
		return nil, err
	}
	if err := m.k.CommitGPUs(ctx, sender, id, msg.Gpus); err != nil {
		return nil, err
	}
	return &types.MsgCommitGPUsResponse{}, nil
}

// SubmitCapacity implements types.MsgServer.
func (m msgServer) SubmitCapacity(ctx context.Context, msg *types.MsgSubmitCapacity) (*types.MsgSubmitCapacityResponse, error) {
	sender, err := m.k.parseAddress("sender", msg.Sender)
	if err != nil {
		return nil, err
	}
	id, err := hash32("host_id", msg.HostId)
	if err != nil {
		return nil, err
	}
	signature, err := signature(msg.Signature)
	if err != nil {
		return nil, err
	}
	st := Statement{NonceHeight: msg.NonceHeight, Simulated: msg.Simulated, GPUs: msg.Gpus, Signature: signature}
	accepted, err := m.k.SubmitCapacity(ctx, sender, id, st)
	if err != nil {
		return nil, err
	}
	return &types.MsgSubmitCapacityResponse{Accepted: accepted}, nil
}

// AuthoriseRelayer implements types.MsgServer.
func (m msgServer) AuthoriseRelayer(ctx context.Context, msg *types.MsgAuthoriseRelayer) (*types.MsgAuthoriseRelayerResponse, error) {
	operator, err := m.k.parseOperator(msg.Operator)
	if err != nil {
		return nil, err
	}
	relayer, err := m.k.parseAddress("relayer", msg.Relayer)
	if err != nil {
		return nil, err
	}
	if err := m.k.AuthoriseRelayer(ctx, operator, relayer, msg.ExpiresHeight); err != nil {
		return nil, err
	}
	return &types.MsgAuthoriseRelayerResponse{}, nil
}

// RevokeRelayer implements types.MsgServer.
func (m msgServer) RevokeRelayer(ctx context.Context, msg *types.MsgRevokeRelayer) (*types.MsgRevokeRelayerResponse, error) {
	operator, err := m.k.parseOperator(msg.Operator)
	if err != nil {
		return nil, err
	}
	relayer, err := m.k.parseAddress("relayer", msg.Relayer)
	if err != nil {
		return nil, err
	}
	if err := m.k.RevokeRelayer(ctx, operator, relayer); err != nil {
		return nil, err
	}
	return &types.MsgRevokeRelayerResponse{}, nil
}

// LinkNode implements types.MsgServer.
func (m msgServer) LinkNode(ctx context.Context, msg *types.MsgLinkNode) (*types.MsgLinkNodeResponse, error) {
	operator, err := m.k.parseOperator(msg.Operator)
	if err != nil {
		return nil, err
	}
	if err := msg.ValidateBasic(); err != nil {
		return nil, err
	}
	proof := NodeProof{
		NodeHash: msg.NodeHash, Owner: [20]byte(msg.Owner), Nonce: msg.Nonce, Expiry: msg.Expiry, Signature: [65]byte(msg.Signature),
	}
	if err := m.k.LinkNode(ctx, operator, proof); err != nil {
		return nil, err
	}
	return &types.MsgLinkNodeResponse{}, nil
}

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

func hash32(field string, b []byte) ([32]byte, error) {
	if len(b) != types.HashLength {
		return [32]byte{}, errorsmod.Wrapf(types.ErrInvalidRequest, "%s has %d bytes, want %d", field, len(b), types.HashLength)
	}
	return [32]byte(b), nil
}

func signature(b []byte) ([65]byte, error) {
	if len(b) != 65 {
		return [65]byte{}, errorsmod.Wrapf(types.ErrInvalidRequest, "signature has %d bytes, want 65", len(b))
	}
	return [65]byte(b), nil
}

func keyRegistration(publicKey, proof []byte, expiresAt uint64) (KeyRegistration, error) {
	if len(publicKey) != 33 {
		return KeyRegistration{}, errorsmod.Wrapf(types.ErrInvalidRequest, "public_key has %d bytes, want 33", len(publicKey))
	}
	sig, err := signature(proof)
	if err != nil {
		return KeyRegistration{}, err
	}
	return KeyRegistration{PublicKey: [33]byte(publicKey), Proof: sig, ExpiresAt: expiresAt}, nil
}
