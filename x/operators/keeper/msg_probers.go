// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// RegisterProber implements types.MsgServer.
func (m msgServer) RegisterProber(ctx context.Context, msg *types.MsgRegisterProber) (*types.MsgRegisterProberResponse, error) {
	prober, err := m.k.parseAddress("prober", msg.Prober)
	if err != nil {
		return nil, err
	}
	bond, err := m.k.RegisterProber(ctx, prober, msg.Moniker, msg.BondUltai)
	if err != nil {
		return nil, err
	}
	return &types.MsgRegisterProberResponse{BondUltai: bond}, nil
}

// UnbondProber implements types.MsgServer.
func (m msgServer) UnbondProber(ctx context.Context, msg *types.MsgUnbondProber) (*types.MsgUnbondProberResponse, error) {
	prober, err := m.k.parseAddress("prober", msg.Prober)
	if err != nil {
		return nil, err
	}
	at, err := m.k.UnbondProber(ctx, prober)
	if err != nil {
		return nil, err
	}
	return &types.MsgUnbondProberResponse{ReleaseHeight: at}, nil
}

// CommitObservations implements types.MsgServer.
func (m msgServer) CommitObservations(
	ctx context.Context, msg *types.MsgCommitObservations,
) (*types.MsgCommitObservationsResponse, error) {
	prober, err := m.k.parseAddress("prober", msg.Prober)
	if err != nil {
		return nil, err
	}
	commitment, err := hash32("commitment", msg.Commitment)
	if err != nil {
		return nil, err
	}
	panel, err := m.k.CommitObservations(ctx, prober, msg.Epoch, commitment)
	if err != nil {
		return nil, err
	}
	return &types.MsgCommitObservationsResponse{RevealFrom: panel.CommitUntil + 1, RevealUntil: panel.RevealUntil}, nil
}

// RevealObservations implements types.MsgServer.
func (m msgServer) RevealObservations(
	ctx context.Context, msg *types.MsgRevealObservations,
) (*types.MsgRevealObservationsResponse, error) {
	prober, err := m.k.parseAddress("prober", msg.Prober)
	if err != nil {
		return nil, err
	}
	salt, err := hash32("salt", msg.Salt)
	if err != nil {
		return nil, err
	}
	copied, err := m.k.RevealObservations(ctx, prober, msg.Epoch, salt, msg.Rows)
	if err != nil {
		return nil, err
	}
	return &types.MsgRevealObservationsResponse{Copied: copied}, nil
}
