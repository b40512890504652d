// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/x/operators/types"
)

const bothClaims = types.ClaimPrivacy | types.ClaimModelIdentity

// attested is alice with a host, two verifiers, and a root key that governance trusts; block 10 runs.
func attested(t *testing.T) (*fixture, []byte) {
	t.Helper()
	f := newFixture(t)
	f.operator(t, "alice", 10_000_000)
	host := f.host(t, "alice", "a")
	root := receipt.KeyAddress(key("root"))
	f.params(t, func(p *types.Params) {
		p.AttestationRoots = []types.AttestationRoot{{Format: "statement/v1", Key: root[:]}}
		p.MaxAttestationSeconds, p.AttestationChallengeSeconds = 1_000, 300
	})
	for _, name := range []string{"vera", "viktor"} {
		_, err := f.msgs.RegisterVerifier(f.ctx, &types.MsgRegisterVerifier{Verifier: addr(name), Moniker: name, BondUltai: 10_000_000})
		require.NoError(t, err)
	}
	f.begin(t, 10)
	return f, host
}

// now is the block's time.
func (f *fixture) now() uint64 { return uint64(f.ctx.BlockTime().Unix()) } //nolint:gosec // after 1970

// proof is a statement about alice's first host that holds for 600 seconds from now, changed as the caller likes and signed by a key.
func (f *fixture) proof(t *testing.T, signer string, scheme byte, change func(*types.Statement)) *types.MsgSubmitAttestation {
	t.Helper()
	domain, err := f.k.ReceiptDomain(f.ctx)
	require.NoError(t, err)
	id := types.HostID([20]byte(raw("alice")), 0)
	s := types.Statement{EvidenceBinding: types.EvidenceBinding{
		ChainSalt: domain.Salt(), HostKey: f.hostKeyOf(t, "alice"), NonceHeight: 10, BlockHash: blockHash(10),
		Claims: bothClaims, NotBefore: f.now(), NotAfter: f.now() + 600,
	}, Subject: [32]byte(hash32("image"))}
	if change != nil {
		change(&s)
	}
	signed := s.AppendSigned(nil)
	signature := receipt.Sign(key(signer), types.StatementDigest(signed, scheme))
	return &types.MsgSubmitAttestation{
		Sender: addr("alice"), HostId: id[:], Format: "statement/v1", Evidence: append(append(signed, scheme), signature[:]...),
		Claims: s.Claims, NotBefore: s.NotBefore, NotAfter: s.NotAfter,
	}
}

// accepted publishes evidence and has it found proven by each verifier.
func (f *fixture) accepted(t *testing.T, msg *types.MsgSubmitAttestation, verifiers ...string) []byte {
	t.Helper()
	resp, err := f.msgs.SubmitAttestation(f.ctx, msg)
	require.NoError(t, err)
	for _, name := range verifiers {
		_, err := f.msgs.SignVerdict(f.ctx, &types.MsgSignVerdict{Verifier: addr(name), Ref: resp.Ref, Claims: msg.Claims})
		require.NoError(t, err)
	}
	return resp.Ref
}

// standing is what the attestation was worth at a time.
func (f *fixture) standing(t *testing.T, ref []byte, at uint64) types.AttestationStanding {
	t.Helper()
	status, err := f.k.AttestationAt(f.ctx, [32]byte(ref), at)
	require.NoError(t, err)
	return status.Standing
}

func (f *fixture) claims(t *testing.T, host []byte) []types.ClaimStanding {
	t.Helper()
	resp, err := f.query.Claims(f.ctx, &types.QueryClaimsRequest{HostId: hex.EncodeToString(host)})
	require.NoError(t, err)
	return resp.Claims
}

func TestVerdictsRaiseClaims(t *testing.T) {
	f, host := attested(t)
	msg := f.proof(t, "root", types.StatementRaw, nil)
	f.clearEvents()
	resp, err := f.msgs.SubmitAttestation(f.ctx, msg)
	require.NoError(t, err)
	want := sha256.Sum256(msg.Evidence)
	require.Equal(t, want[:], resp.Ref)
	f.events(t, &types.EventAttestationSubmitted{
		Ref: resp.Ref, HostId: host, Operator: addr("alice"), Format: "statement/v1", Claims: bothClaims, NotBefore: msg.NotBefore, NotAfter: msg.NotAfter,
	})
	require.Equal(t, types.AttestationPending, f.standing(t, resp.Ref, f.now()))

	verdict, err := f.msgs.SignVerdict(f.ctx, &types.MsgSignVerdict{Verifier: addr("vera"), Ref: resp.Ref, Claims: bothClaims})
	require.NoError(t, err)
	require.Zero(t, verdict.AcceptedClaims, "one of two")
	require.Empty(t, f.claims(t, host))
	verdict, err = f.msgs.SignVerdict(f.ctx, &types.MsgSignVerdict{Verifier: addr("viktor"), Ref: resp.Ref, Claims: types.ClaimPrivacy})
	require.NoError(t, err)
	require.Equal(t, types.ClaimPrivacy, verdict.AcceptedClaims, "each claim has its own quorum")
	require.Equal(t, []types.ClaimStanding{{
		Claim: types.ClaimPrivacy, Ref: resp.Ref, Format: "statement/v1", Verifiers: []string{addr("vera"), addr("viktor")}, NotAfter: msg.NotAfter,
	}}, f.claims(t, host))

	require.Equal(t, types.AttestationInForce, f.standing(t, resp.Ref, msg.NotAfter))
	require.Equal(t, types.AttestationStale, f.standing(t, resp.Ref, msg.NotAfter+1))
	require.Equal(t, types.AttestationEarly, f.standing(t, resp.Ref, msg.NotBefore-1))
	require.Equal(t, types.AttestationMissing, f.standing(t, hash32("none"), f.now()))
	f.end(t)
}

// Evidence that cannot be true is refused and costs nothing.
func TestBadEvidenceIsRefused(t *testing.T) {
	f, _ := attested(t)
	for name, attempt := range map[string]struct {
		want   error
		change func(*types.Statement)
		spoil  func(*types.MsgSubmitAttestation)
	}{
		"another chain":         {want: types.ErrBadEvidence, change: func(s *types.Statement) { s.ChainSalt[0]++ }},
		"another host key":      {want: types.ErrBadEvidence, change: func(s *types.Statement) { s.HostKey[0]++ }},
		"another block":         {want: types.ErrBadEvidence, change: func(s *types.Statement) { s.BlockHash[0]++ }},
		"a block to come":       {want: types.ErrBadEvidence, change: func(s *types.Statement) { s.NonceHeight = 11 }},
		"fewer claims":          {want: types.ErrBadEvidence, spoil: func(m *types.MsgSubmitAttestation) { m.Claims |= types.ClaimCorrectness }},
		"shorter validity":      {want: types.ErrBadEvidence, spoil: func(m *types.MsgSubmitAttestation) { m.NotAfter++ }},
		"later validity":        {want: types.ErrBadEvidence, spoil: func(m *types.MsgSubmitAttestation) { m.NotBefore-- }},
		"too long":              {want: types.ErrBadExpiry, change: func(s *types.Statement) { s.NotAfter += 1_000 }},
		"over":                  {want: types.ErrBadExpiry, change: func(s *types.Statement) { s.NotBefore, s.NotAfter = 1, f.now() }},
		"cut":                   {want: types.ErrBadEvidence, spoil: func(m *types.MsgSubmitAttestation) { m.Evidence = m.Evidence[:210] }},
		"stretched":             {want: types.ErrBadEvidence, spoil: func(m *types.MsgSubmitAttestation) { m.Evidence = append(m.Evidence, 0) }},
		"another tag":           {want: types.ErrBadEvidence, spoil: func(m *types.MsgSubmitAttestation) { m.Evidence[0]++ }},
		"another scheme":        {want: types.ErrBadEvidence, spoil: func(m *types.MsgSubmitAttestation) { m.Evidence[145] = 2 }},
		"another format":        {want: types.ErrUnknownFormat, spoil: func(m *types.MsgSubmitAttestation) { m.Format = "sev-snp/v1" }},
		"another operator":      {want: types.ErrUnauthorized, spoil: func(m *types.MsgSubmitAttestation) { m.Sender = addr("bob") }},
		"a host that is nobody": {want: types.ErrUnknownHost, spoil: func(m *types.MsgSubmitAttestation) { m.HostId = hash32("none") }},
	} {
		t.Run(name, func(t *testing.T) {
			msg := f.proof(t, "root", types.StatementRaw, attempt.change)
			if attempt.spoil != nil {
				attempt.spoil(msg)
			}
			f.refused(t, attempt.want, handle(msg, f.msgs.SubmitAttestation))
		})
	}
	msg := f.proof(t, "root", types.StatementRaw, nil)
	f.accepted(t, msg)
	f.refused(t, types.ErrAttestationExists, handle(msg, f.msgs.SubmitAttestation))
	for i := range types.MaxHostAttestations - 1 {
		f.accepted(t, f.proof(t, "root", types.StatementRaw, func(s *types.Statement) { s.Subject[0] = byte(i) }))
	}
	f.refused(t, types.ErrTooManyEvidence, handle(f.proof(t, "root", types.StatementEIP191, nil), f.msgs.SubmitAttestation))
	f.end(t)
}

func TestVerdictRefusals(t *testing.T) {
	f, _ := attested(t)
	ref := f.accepted(t, f.proof(t, "root", types.StatementRaw, nil), "vera")
	_, err := f.msgs.RegisterVerifier(f.ctx, &types.MsgRegisterVerifier{Verifier: addr("alice"), Moniker: "self", BondUltai: 10_000_000})
	require.NoError(t, err)
	sign := func(verifier string, ref []byte, claims uint32) func(context.Context) error {
		return handle(&types.MsgSignVerdict{Verifier: addr(verifier), Ref: ref, Claims: claims}, f.msgs.SignVerdict)
	}
	f.refused(t, types.ErrUnknownVerifier, sign("bob", ref, bothClaims))
	f.refused(t, types.ErrUnknownEvidence, sign("viktor", hash32("none"), bothClaims))
	f.refused(t, types.ErrBadVerdict, sign("vera", ref, bothClaims))               // twice
	f.refused(t, types.ErrBadVerdict, sign("viktor", ref, types.ClaimCorrectness)) // not claimed
	f.refused(t, types.ErrInvalidRequest, sign("viktor", ref, types.AllClaims+1))  // no claim
	f.refused(t, types.ErrBadVerdict, sign("alice", ref, bothClaims))              // the operator's own
	_, err = f.msgs.LeaveVerifiers(f.ctx, &types.MsgLeaveVerifiers{Verifier: addr("viktor")})
	require.NoError(t, err)
	f.refused(t, types.ErrVerifierStatus, sign("viktor", ref, bothClaims))
	f.refused(t, types.ErrVerifierStatus, func(ctx context.Context) error {
		_, err := f.msgs.RegisterVerifier(ctx, &types.MsgRegisterVerifier{Verifier: addr("viktor"), Moniker: "x", BondUltai: 1})
		return err
	})
	f.params(t, func(p *types.Params) { p.MinVerifierBondUltai = 10_000_001 })
	f.refused(t, types.ErrVerifierStatus, sign("vera", ref, bothClaims))
	f.end(t)
}

// challenge commits to a reference in this block and reveals it in the next.
func (f *fixture) challenge(t *testing.T, reporter string, ref []byte) *types.MsgChallengeAttestation {
	t.Helper()
	resp, err := f.msgs.CommitReport(f.ctx, &types.MsgCommitReport{Reporter: addr(reporter), Commitment: f.commitment(t, reporter, string(ref))})
	require.NoError(t, err)
	f.end(t)
	f.begin(t, f.ctx.BlockHeight()+1)
	return &types.MsgChallengeAttestation{Reporter: addr(reporter), ReportId: resp.ReportId, Salt: salt[:], Ref: ref}
}

func TestForgedAttestation(t *testing.T) {
	f, host := attested(t)
	ref := f.accepted(t, f.proof(t, "impostor", types.StatementRaw, nil), "vera", "viktor")
	require.Len(t, f.claims(t, host), 2)
	msg := f.challenge(t, "carol", ref)
	resp, err := f.msgs.ChallengeAttestation(f.ctx, msg)
	require.NoError(t, err)
	require.Equal(t, &types.MsgChallengeAttestationResponse{Forged: true, ReporterUltai: 2_000_000}, resp)
	require.EqualValues(t, purse+2_000_000, f.bank.balances[string(raw("carol"))], "with the report's bond")
	require.EqualValues(t, 8_000_000+20_000_000, f.bank.of(types.InsuranceAccount), "of the operator and both verifiers")
	require.Zero(t, f.bank.of(types.ModuleName))
	require.Equal(t, types.OperatorStatus_OPERATOR_STATUS_TOMBSTONED, f.get(t, "alice").Status)
	for _, name := range []string{"vera", "viktor"} {
		v, err := f.k.Verifier(f.ctx, raw(name))
		require.NoError(t, err)
		require.Equal(t, types.VerifierStatus_VERIFIER_STATUS_TOMBSTONED, v.Status)
	}
	require.Empty(t, f.claims(t, host))
	require.Equal(t, types.AttestationForged, f.standing(t, ref, f.now()))
	f.end(t)

	second := f.challenge(t, "carol", ref)
	f.refused(t, types.ErrNotAccepted, handle(second, f.msgs.ChallengeAttestation))
}

// A verifier that leaves after a false verdict still pays; one that refused does not.
func TestForgedAttestationReachesWhoLeft(t *testing.T) {
	f, _ := attested(t)
	_, err := f.msgs.RegisterVerifier(f.ctx, &types.MsgRegisterVerifier{Verifier: addr("erin"), Moniker: "erin", BondUltai: 10_000_000})
	require.NoError(t, err)
	ref := f.accepted(t, f.proof(t, "impostor", types.StatementRaw, nil), "vera", "viktor")
	_, err = f.msgs.SignVerdict(f.ctx, &types.MsgSignVerdict{Verifier: addr("erin"), Ref: ref})
	require.NoError(t, err)
	_, err = f.msgs.LeaveVerifiers(f.ctx, &types.MsgLeaveVerifiers{Verifier: addr("vera")})
	require.NoError(t, err)
	_, err = f.msgs.ChallengeAttestation(f.ctx, f.challenge(t, "carol", ref))
	require.NoError(t, err)
	vera, err := f.k.Verifier(f.ctx, raw("vera"))
	require.NoError(t, err)
	require.EqualValues(t, 10_000_000, vera.SlashedUltai)
	erin, err := f.k.Verifier(f.ctx, raw("erin"))
	require.NoError(t, err)
	require.EqualValues(t, 10_000_000, erin.BondUltai)
	f.end(t)
}

// A challenge of sound evidence costs the reporter his bond, whichever way the evidence was signed.
func TestSoundAttestationStands(t *testing.T) {
	for _, scheme := range []byte{types.StatementRaw, types.StatementEIP191} {
		f, host := attested(t)
		ref := f.accepted(t, f.proof(t, "root", scheme, nil), "vera", "viktor")
		// Roots that change later make no forgery of what was signed before.
		f.params(t, func(p *types.Params) { p.AttestationRoots = nil })
		resp, err := f.msgs.ChallengeAttestation(f.ctx, f.challenge(t, "carol", ref))
		require.NoError(t, err)
		require.False(t, resp.Forged)
		require.EqualValues(t, purse-1_000_000, f.bank.balances[string(raw("carol"))])
		require.EqualValues(t, purse-10_000_000+1_000_000, f.bank.balances[string(raw("alice"))])
		require.Len(t, f.claims(t, host), 2)
		f.end(t)
	}
}

func TestPendingAttestationIsNoForgery(t *testing.T) {
	f, _ := attested(t)
	ref := f.accepted(t, f.proof(t, "impostor", types.StatementRaw, nil), "vera")
	f.refused(t, types.ErrNotAccepted, handle(f.challenge(t, "carol", ref), f.msgs.ChallengeAttestation))
}

func TestStaleAttestationIsDemoted(t *testing.T) {
	f, host := attested(t)
	ref := f.accepted(t, f.proof(t, "root", types.StatementRaw, nil), "vera", "viktor")
	f.clearEvents()
	require.NoError(t, f.k.DemoteAttestation(f.ctx, [32]byte(ref)))
	f.events(t, &types.EventClaimsDemoted{Ref: ref, HostId: host, Claims: bothClaims, Reason: "stale"})
	require.Empty(t, f.claims(t, host))
	require.NoError(t, f.k.DemoteAttestation(f.ctx, [32]byte(hash32("none"))))
	f.end(t)
}
