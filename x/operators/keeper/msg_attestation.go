// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// ResolveDeferred implements types.MsgServer.
func (m msgServer) ResolveDeferred(ctx context.Context, msg *types.MsgResolveDeferred) (*types.MsgResolveDeferredResponse, error) {
	if err := m.k.checkAuthority(ctx, msg.Authority); err != nil {
		return nil, err
	}
	slash, err := m.k.ResolveDeferred(ctx, msg.Id, msg.Execute)
	if err != nil {
		return nil, err
	}
	return &types.MsgResolveDeferredResponse{SlashUltai: slash}, nil
}

// CommitReport implements types.MsgServer.
func (m msgServer) CommitReport(ctx context.Context, msg *types.MsgCommitReport) (*types.MsgCommitReportResponse, error) {
	reporter, err := m.k.parseAddress("reporter", msg.Reporter)
	if err != nil {
		return nil, err
	}
	report, err := m.k.CommitReport(ctx, reporter, msg.Commitment)
	if err != nil {
		return nil, err
	}
	return &types.MsgCommitReportResponse{ReportId: report.Id, ExpiresHeight: report.ExpiresHeight}, nil
}

// RegisterVerifier implements types.MsgServer.
func (m msgServer) RegisterVerifier(ctx context.Context, msg *types.MsgRegisterVerifier) (*types.MsgRegisterVerifierResponse, error) {
	verifier, err := m.k.parseAddress("verifier", msg.Verifier)
	if err != nil {
		return nil, err
	}
	bond, err := m.k.RegisterVerifier(ctx, verifier, msg.Moniker, msg.BondUltai)
	if err != nil {
		return nil, err
	}
	return &types.MsgRegisterVerifierResponse{BondUltai: bond}, nil
}

// LeaveVerifiers implements types.MsgServer.
func (m msgServer) LeaveVerifiers(ctx context.Context, msg *types.MsgLeaveVerifiers) (*types.MsgLeaveVerifiersResponse, error) {
	verifier, err := m.k.parseAddress("verifier", msg.Verifier)
	if err != nil {
		return nil, err
	}
	at, err := m.k.LeaveVerifiers(ctx, verifier)
	if err != nil {
		return nil, err
	}
	return &types.MsgLeaveVerifiersResponse{ReleaseAt: at}, nil
}

// SubmitAttestation implements types.MsgServer.
func (m msgServer) SubmitAttestation(ctx context.Context, msg *types.MsgSubmitAttestation) (*types.MsgSubmitAttestationResponse, error) {
	sender, err := m.k.parseAddress("sender", msg.Sender)
	if err != nil {
		return nil, err
	}
	id, err := hash32("host_id", msg.HostId)
	if err != nil {
		return nil, err
	}
	ref, err := m.k.SubmitAttestation(ctx, sender, id, NewAttestation{
		Format: msg.Format, Evidence: msg.Evidence, Claims: msg.Claims, NotBefore: msg.NotBefore, NotAfter: msg.NotAfter,
	})
	if err != nil {
		return nil, err
	}
	return &types.MsgSubmitAttestationResponse{Ref: ref[:]}, nil
}

// SignVerdict implements types.MsgServer.
func (m msgServer) SignVerdict(ctx context.Context, msg *types.MsgSignVerdict) (*types.MsgSignVerdictResponse, error) {
	verifier, err := m.k.parseAddress("verifier", msg.Verifier)
	if err != nil {
		return nil, err
	}
	ref, err := hash32("ref", msg.Ref)
	if err != nil {
		return nil, err
	}
	accepted, err := m.k.SignVerdict(ctx, verifier, ref, msg.Claims)
	if err != nil {
		return nil, err
	}
	return &types.MsgSignVerdictResponse{AcceptedClaims: accepted}, nil
}

// ChallengeAttestation implements types.MsgServer.
func (m msgServer) ChallengeAttestation(
	ctx context.Context, msg *types.MsgChallengeAttestation,
) (*types.MsgChallengeAttestationResponse, error) {
	reporter, err := m.k.parseAddress("reporter", msg.Reporter)
	if err != nil {
		return nil, err
	}
	ref, err := hash32("ref", msg.Ref)
	if err != nil {
		return nil, err
	}
	salt, err := hash32("salt", msg.Salt)
	if err != nil {
		return nil, err
	}
	forged, paid, err := m.k.ChallengeAttestation(ctx, reporter, msg.ReportId, salt, ref)
	if err != nil {
		return nil, err
	}
	return &types.MsgChallengeAttestationResponse{Forged: forged, ReporterUltai: paid}, nil
}
