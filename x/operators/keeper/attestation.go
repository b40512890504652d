// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// NewAttestation is evidence about a host as it is submitted.
type NewAttestation struct {
	Format              string
	Evidence            []byte
	Claims              uint32 // as bits
	NotBefore, NotAfter uint64 // Unix seconds
}

// Attestation returns an attestation by its reference, SHA-256 of its evidence. Errors: ErrUnknownEvidence.
func (k *Keeper) Attestation(ctx context.Context, ref [32]byte) (types.Attestation, error) {
	a, err := k.attestations.Get(ctx, ref[:])
	if errors.Is(err, collections.ErrNotFound) {
		return types.Attestation{}, errorsmod.Wrapf(types.ErrUnknownEvidence, "%x", ref)
	}
	return a, err
}

// AttestationAt returns what the attestation that a record names was worth when the record was served, in Unix seconds.
func (k *Keeper) AttestationAt(ctx context.Context, ref [32]byte, servedAt uint64) (types.AttestationStatus, error) {
	a, err := k.Attestation(ctx, ref)
	if errors.Is(err, types.ErrUnknownEvidence) {
		return types.AttestationStatus{Standing: types.AttestationMissing}, nil
	}
	if err != nil {
		return types.AttestationStatus{}, err
	}
	return types.AttestationStatus{Standing: a.StandingAt(servedAt), HostID: [32]byte(a.HostId), NotAfter: a.NotAfter}, nil
}

// SubmitAttestation publishes evidence about a host for verifiers to examine. It is refused, without penalty, where it cannot be read,
// was made for another chain, host key or block, or does not cover what is claimed. Returns the reference.
//
// Errors: ErrUnknownHost, ErrUnauthorized, ErrTombstoned, ErrBarred, ErrInvalidRequest, ErrUnknownFormat, ErrBadEvidence, ErrBadExpiry,
// ErrAttestationExists, ErrTooManyEvidence.
func (k *Keeper) SubmitAttestation(ctx context.Context, sender []byte, id [32]byte, n NewAttestation) ([32]byte, error) {
	var none [32]byte
	host, _, err := k.senderHost(ctx, sender, id)
	if err != nil {
		return none, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return none, err
	}
	if err := k.checkEvidence(ctx, host, n, &params); err != nil {
		return none, err
	}
	ref := sha256.Sum256(n.Evidence)
	if known, err := k.attestations.Has(ctx, ref[:]); err != nil || known {
		return none, errors.Join(err, errorsmod.Wrapf(types.ErrAttestationExists, "%x", ref))
	}
	refs, err := k.attestationsOf(ctx, id[:])
	if err != nil {
		return none, err
	}
	if len(refs) >= types.MaxHostAttestations {
		return none, errorsmod.Wrapf(types.ErrTooManyEvidence, "%d, at most %d", len(refs), types.MaxHostAttestations)
	}
	a := types.Attestation{
		Ref: ref[:], HostId: host.Id, Operator: host.Operator, Format: n.Format, Evidence: n.Evidence, Claims: n.Claims,
		NotBefore: n.NotBefore, NotAfter: n.NotAfter, SubmittedHeight: height(ctx), SubmittedAt: blockTime(ctx),
		Roots: params.RootsOf(n.Format), State: types.AttestationState_ATTESTATION_STATE_PENDING,
	}
	if err := k.attestations.Set(ctx, ref[:], a); err != nil {
		return none, err
	}
	if err := k.setDeadline(ctx, types.DeadlineKind_DEADLINE_KIND_ATTESTATION, ref[:], a.NotAfter+1); err != nil {
		return none, err
	}
	return ref, emit(ctx, &types.EventAttestationSubmitted{
		Ref: a.Ref, HostId: a.HostId, Operator: a.Operator, Format: a.Format, Claims: a.Claims, NotBefore: a.NotBefore, NotAfter: a.NotAfter,
	})
}

// checkEvidence checks what can be checked without verifying signatures.
func (k *Keeper) checkEvidence(ctx context.Context, host types.Host, n NewAttestation, params *types.Params) error {
	if len(n.Evidence) == 0 || len(n.Evidence) > types.MaxEvidenceBytes || n.Claims == 0 || n.Claims > types.AllClaims {
		return errorsmod.Wrapf(types.ErrInvalidRequest, "%d bytes of evidence, claims %d", len(n.Evidence), n.Claims)
	}
	format, err := types.FormatByName(n.Format)
	if err != nil {
		return err
	}
	made, err := format.Read(n.Evidence)
	if err != nil {
		return err
	}
	domain, err := k.ReceiptDomain(ctx)
	if err != nil {
		return err
	}
	if made.ChainSalt != domain.Salt() || made.HostKey != [20]byte(host.ReceiptKey) {
		return errorsmod.Wrap(types.ErrBadEvidence, "it is for another chain or host key")
	}
	now := height(ctx)
	hash, err := k.BlockHash(ctx, made.NonceHeight)
	if err != nil || hash != made.BlockHash || now-min(now, made.NonceHeight) > params.CapacityNonceBlocks {
		return errorsmod.Wrapf(types.ErrBadEvidence, "block hash %x at height %d is not the chain's, or more than %d blocks old",
			made.BlockHash, made.NonceHeight, params.CapacityNonceBlocks)
	}
	if n.Claims&^made.Claims != 0 || n.NotBefore < made.NotBefore || n.NotAfter > made.NotAfter {
		return errorsmod.Wrapf(types.ErrBadEvidence, "it covers claims %d from %d to %d", made.Claims, made.NotBefore, made.NotAfter)
	}
	if at := blockTime(ctx); n.NotBefore > n.NotAfter || n.NotAfter <= at || n.NotAfter-at > params.MaxAttestationSeconds {
		return errorsmod.Wrapf(types.ErrBadExpiry, "%d to %d at %d, at most %d seconds from now", n.NotBefore, n.NotAfter, at, params.MaxAttestationSeconds)
	}
	return nil
}

// SignVerdict records which claims of an attestation a verifier found proven, and answers for with its bond; 0 refuses them all. A claim
// that verdict_quorum verifiers found proven is accepted. Returns the accepted claims.
//
// Errors: ErrUnknownVerifier, ErrVerifierStatus, ErrUnknownEvidence, ErrBadVerdict.
func (k *Keeper) SignVerdict(ctx context.Context, verifier []byte, ref [32]byte, claims uint32) (uint32, error) {
	v, err := k.Verifier(ctx, verifier)
	if err != nil {
		return 0, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return 0, err
	}
	if v.Status != types.VerifierStatus_VERIFIER_STATUS_ACTIVE || v.BondUltai < params.MinVerifierBondUltai {
		return 0, errorsmod.Wrapf(types.ErrVerifierStatus, "%s has %d ultai, want %d", v.Status, v.BondUltai, params.MinVerifierBondUltai)
	}
	a, err := k.Attestation(ctx, ref)
	if err != nil {
		return 0, err
	}
	if err := k.checkVerdict(ctx, &v, &a, claims); err != nil {
		return 0, err
	}
	verdict := types.Verdict{Verifier: v.Address, Claims: claims, Height: height(ctx)}
	a.Verdicts = append(a.Verdicts, verdict)
	a.AcceptedClaims |= a.Found(params.VerdictQuorum) // a later, higher quorum takes nothing back
	if a.AcceptedClaims != 0 {
		a.State = types.AttestationState_ATTESTATION_STATE_ACCEPTED
	}
	if err := k.attestations.Set(ctx, a.Ref, a); err != nil {
		return 0, err
	}
	return a.AcceptedClaims, emit(ctx, &types.EventVerdictSigned{Ref: a.Ref, Verdict: verdict, AcceptedClaims: a.AcceptedClaims})
}

// checkVerdict checks that a verifier who is not the operator's own may still sign these claims.
func (k *Keeper) checkVerdict(ctx context.Context, v *types.Verifier, a *types.Attestation, claims uint32) error {
	open := a.State == types.AttestationState_ATTESTATION_STATE_PENDING || a.State == types.AttestationState_ATTESTATION_STATE_ACCEPTED
	signed := slices.ContainsFunc(a.Verdicts, func(old types.Verdict) bool { return old.Verifier == v.Address })
	if !open || blockTime(ctx) > a.NotAfter || signed || claims&^a.Claims != 0 || len(a.Verdicts) >= types.MaxVerdicts {
		return errorsmod.Wrapf(types.ErrBadVerdict, "claims %d of %d, %s until %d, %d verdicts", claims, a.Claims, a.State, a.NotAfter, len(a.Verdicts))
	}
	operator, err := k.parseOperator(a.Operator)
	if err != nil {
		return err
	}
	op, err := k.liveOperator(ctx, operator)
	if err != nil {
		return err
	}
	verifier, err := k.parseAddress("verifier", v.Address)
	if err != nil {
		return err
	}
	own, err := k.isOwn(ctx, &op, operator, verifier)
	if err != nil {
		return err
	}
	if own {
		return errorsmod.Wrap(types.ErrBadVerdict, "the verifier belongs to the operator's controller")
	}
	return nil
}

// attestationsOf returns the references of a host's attestations; at most MaxHostAttestations.
func (k *Keeper) attestationsOf(ctx context.Context, hostID []byte) ([][]byte, error) {
	var refs [][]byte
	err := k.attestations.Indexes.host.Walk(ctx, collections.NewPrefixedPairRange[[]byte, []byte](hostID), func(_, ref []byte) (bool, error) {
		refs = append(refs, ref)
		return false, nil
	})
	return refs, err
}

// DemoteAttestation has an attestation raise its claims no more, because a record named it past its expiry. One that does not exist or
// raises nothing is left alone.
func (k *Keeper) DemoteAttestation(ctx context.Context, ref [32]byte) error {
	known, err := k.attestations.Has(ctx, ref[:])
	if err != nil || !known {
		return err
	}
	return k.demote(ctx, ref[:], types.AttestationState_ATTESTATION_STATE_EXPIRED, "stale")
}

// demote ends what an accepted attestation raises. Its bytes stay until their deadline.
func (k *Keeper) demote(ctx context.Context, ref []byte, state types.AttestationState, reason string) error {
	a, err := k.attestations.Get(ctx, ref)
	if err != nil {
		return err
	}
	if a.State != types.AttestationState_ATTESTATION_STATE_ACCEPTED {
		return nil
	}
	a.State = state
	if err := k.attestations.Set(ctx, ref, a); err != nil {
		return err
	}
	return emit(ctx, &types.EventClaimsDemoted{Ref: ref, HostId: a.HostId, Claims: a.AcceptedClaims, Reason: reason})
}

// expireAttestation demotes an attestation whose time is over, and later forgets it when its challenge window is over too.
func (k *Keeper) expireAttestation(ctx context.Context, ref []byte) error {
	a, err := k.attestations.Get(ctx, ref)
	if err != nil {
		return err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	forget := a.NotAfter + params.AttestationChallengeSeconds + 1
	if blockTime(ctx) >= forget {
		if err := k.demote(ctx, ref, types.AttestationState_ATTESTATION_STATE_EXPIRED, "expired"); err != nil {
			return err
		}
		if err := k.attestations.Remove(ctx, ref); err != nil {
			return err
		}
		return emit(ctx, &types.EventAttestationForgotten{Ref: ref})
	}
	if err := k.demote(ctx, ref, types.AttestationState_ATTESTATION_STATE_EXPIRED, "expired"); err != nil {
		return err
	}
	return k.setDeadline(ctx, types.DeadlineKind_DEADLINE_KIND_ATTESTATION, ref, forget)
}
