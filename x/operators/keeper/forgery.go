// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"crypto/sha256"
	"fmt"

	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// ChallengeAttestation re-verifies the evidence of an attestation that was accepted on verdicts, with the root keys and the time of its
// submission, for a reporter who had committed to its reference. Evidence that fails is forged: the operator loses everything and is
// tombstoned, and so does each verifier that found a claim proven; the report's bond returns. Otherwise that bond goes to the operator.
//
// Returns whether it was forged and the reporter's part, in ultai.
// Errors: ErrUnknownEvidence, ErrNotAccepted, those of RevealReport and Punish.
func (k *Keeper) ChallengeAttestation(ctx context.Context, reporter []byte, reportID uint64, salt, ref [32]byte) (bool, uint64, error) {
	a, err := k.Attestation(ctx, ref)
	if err != nil {
		return false, 0, err
	}
	if a.AcceptedClaims == 0 || a.State == types.AttestationState_ATTESTATION_STATE_FORGED {
		return false, 0, errorsmod.Wrapf(types.ErrNotAccepted, "%x is %s", ref, a.State)
	}
	operator, err := k.parseOperator(a.Operator)
	if err != nil {
		return false, 0, err
	}
	bond, err := k.RevealReport(ctx, reportID, reporter, salt, sha256.Sum256(ref[:]))
	if err != nil {
		return false, 0, err
	}
	fault, err := faultOf(&a)
	if err != nil {
		return false, 0, err
	}
	if fault == nil {
		return false, 0, k.ForfeitReport(ctx, reportID, operator)
	}
	paid, err := k.punishForgery(ctx, &a, types.Offence{
		Kind: types.OffenceForgedAttestation, Operator: operator, Reporter: reporter, ReporterBondUltai: bond,
		EvidenceID: ref, Evidence: fmt.Sprintf("attestation %x: %s", ref, fault),
	})
	if err != nil {
		return false, 0, err
	}
	return true, paid, k.ReturnReport(ctx, reportID)
}

// faultOf says why accepted evidence does not hold, nil where it does. The second error is this chain's own.
func faultOf(a *types.Attestation) (fault, err error) {
	format, err := types.FormatByName(a.Format)
	if err != nil {
		return nil, err
	}
	claims, notAfter, fault := format.Verify(a.Evidence, a.Roots, a.SubmittedAt)
	if fault == nil && (a.AcceptedClaims&^claims != 0 || a.NotAfter > notAfter) {
		fault = errorsmod.Wrapf(types.ErrBadEvidence, "it proves claims %d until %d", claims, notAfter)
	}
	return fault, nil
}

// punishForgery marks the attestation and takes all bonds behind it. Returns the reporter's part.
func (k *Keeper) punishForgery(ctx context.Context, a *types.Attestation, o types.Offence) (uint64, error) {
	held := a.State
	a.State = types.AttestationState_ATTESTATION_STATE_FORGED
	if err := k.attestations.Set(ctx, a.Ref, *a); err != nil {
		return 0, err
	}
	if held == types.AttestationState_ATTESTATION_STATE_ACCEPTED {
		event := types.EventClaimsDemoted{Ref: a.Ref, HostId: a.HostId, Claims: a.AcceptedClaims, Reason: "forged"}
		if err := emit(ctx, &event); err != nil {
			return 0, err
		}
	}
	p, err := k.Punish(ctx, o)
	if err != nil {
		return 0, err
	}
	for i := range a.Verdicts {
		if a.Verdicts[i].Claims == 0 {
			continue
		}
		if err := k.slashVerifier(ctx, a.Verdicts[i].Verifier, a.Ref); err != nil {
			return 0, err
		}
	}
	return p.ReporterUltai, nil
}
