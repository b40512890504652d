// SPDX-License-Identifier: Apache-2.0

package types

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/cosmos/cosmos-sdk/types/bech32"
)

// maxKindBytes is the longest name of what is counted as strikes.
const maxKindBytes = 32

// dueKey is a deadline's key in a check.
func dueKey(kind DeadlineKind, id []byte) string { return fmt.Sprintf("%s/%x", kind, id) }

func (c *genesisCheck) readEvidence() error {
	seen := make(map[string]bool)
	for i := range c.gs.UsedEvidence {
		e := &c.gs.UsedEvidence[i]
		if err := unique(seen, "evidence", fmt.Sprintf("%x", e.Id)); err != nil {
			return err
		}
		if err := checkID("evidence id", e.Id); err != nil {
			return err
		}
		if c.operators[e.Operator] == nil || e.Height == 0 {
			return fmt.Errorf("evidence %x: operator %q is not listed, or the height is 0", e.Id, e.Operator)
		}
		if _, err := OffenceRowOf(OffenceKind(e.Offence)); err != nil {
			return fmt.Errorf("evidence %x: %w", e.Id, err)
		}
		c.due[dueKey(DeadlineKind_DEADLINE_KIND_EVIDENCE, e.Id)] = true
	}
	for i := range c.gs.Strikes {
		s := &c.gs.Strikes[i]
		if err := unique(seen, "strikes", s.Operator+"/"+s.Kind); err != nil {
			return err
		}
		if c.operators[s.Operator] == nil || s.Kind == "" || len(s.Kind) > maxKindBytes ||
			len(s.Heights) == 0 || len(s.Heights) > MaxStrikes || !slices.IsSorted(s.Heights) {
			return fmt.Errorf("strikes %q of %q: operator is not listed, the kind is empty or long, or heights are none, too many or fall",
				s.Kind, s.Operator)
		}
	}
	return nil
}

func (c *genesisCheck) readDeferred() error {
	seen := make(map[string]bool)
	for i := range c.gs.DeferredPunishments {
		d := &c.gs.DeferredPunishments[i]
		if err := unique(seen, "deferred punishment", fmt.Sprintf("%d", d.Id)); err != nil {
			return err
		}
		if d.Id >= c.gs.NextDeferredId || c.operators[d.Offence.Operator] == nil {
			return fmt.Errorf("deferred punishment %d: the id is not below %d, or operator %q is not listed", d.Id, c.gs.NextDeferredId, d.Offence.Operator)
		}
		if n := len(d.Offence.EvidenceId); n != 0 && n != HashLength {
			return fmt.Errorf("deferred punishment %d: evidence_id has %d bytes", d.Id, n)
		}
		if _, err := OffenceRowOf(OffenceKind(d.Offence.Offence)); err != nil {
			return fmt.Errorf("deferred punishment %d: %w", d.Id, err)
		}
		c.due[dueKey(DeadlineKind_DEADLINE_KIND_DEFERRED, NumberID(d.Id))] = true
	}
	if b := c.gs.Breaker; b != nil && (b.BondedUltai.IsNil() || b.HitUltai.IsNil() || b.BondedUltai.IsNegative() || b.HitUltai.IsNegative()) {
		return fmt.Errorf("breaker of epoch %d: a sum is missing or negative", b.Epoch)
	}
	return nil
}

func (c *genesisCheck) readReports() error {
	seen := make(map[string]bool)
	for i := range c.gs.Reports {
		r := &c.gs.Reports[i]
		if err := unique(seen, "report", fmt.Sprintf("%d", r.Id)); err != nil {
			return err
		}
		if r.Id == 0 || r.Id > c.gs.LastReportId || r.Reporter == "" || r.BondUltai == 0 {
			return fmt.Errorf("report %d: the id is 0 or above %d, the reporter empty or the bond 0", r.Id, c.gs.LastReportId)
		}
		if n := len(r.Commitment); n != 0 && n != HashLength {
			return fmt.Errorf("report %d: commitment has %d bytes", r.Id, n)
		}
		switch r.State {
		case ReportState_REPORT_STATE_COMMITTED:
			if len(r.Commitment) == 0 {
				return fmt.Errorf("report %d waits for its reveal without a commitment", r.Id)
			}
			c.due[dueKey(DeadlineKind_DEADLINE_KIND_REPORT, NumberID(r.Id))] = true
		case ReportState_REPORT_STATE_REVEALED:
		default:
			return fmt.Errorf("report %d has state %d", r.Id, r.State)
		}
	}
	return nil
}

func (c *genesisCheck) readVerifiers() error {
	seen := make(map[string]bool)
	for i := range c.gs.Verifiers {
		v := &c.gs.Verifiers[i]
		if err := unique(seen, "verifier", v.Address); err != nil {
			return err
		}
		_, account, err := bech32.DecodeAndConvert(v.Address)
		if err != nil || len(account) != AddressLength {
			return fmt.Errorf("verifier %q is no account of %d bytes", v.Address, AddressLength)
		}
		if err := (Description{Moniker: v.Moniker}).Validate(); err != nil {
			return fmt.Errorf("verifier %q: %w", v.Address, err)
		}
		tombstoned, leaving := v.Status == VerifierStatus_VERIFIER_STATUS_TOMBSTONED, v.Status == VerifierStatus_VERIFIER_STATUS_LEAVING
		if !tombstoned && !leaving && v.Status != VerifierStatus_VERIFIER_STATUS_ACTIVE ||
			tombstoned != (v.BondUltai == 0) || leaving != (v.ReleaseAt != 0) {
			return fmt.Errorf("verifier %q is %s with %d ultai, to be released at %d", v.Address, v.Status, v.BondUltai, v.ReleaseAt)
		}
		if leaving {
			c.due[dueKey(DeadlineKind_DEADLINE_KIND_VERIFIER, account)] = true
		}
	}
	return nil
}

func (c *genesisCheck) readAttestations() error {
	seen := make(map[string]bool)
	for i := range c.gs.Attestations {
		a := &c.gs.Attestations[i]
		if err := unique(seen, "attestation", fmt.Sprintf("%x", a.Ref)); err != nil {
			return err
		}
		if err := a.validate(); err != nil {
			return fmt.Errorf("attestation %x: %w", a.Ref, err)
		}
		host := c.hosts[string(a.HostId)]
		if host == nil || host.host.Operator != a.Operator {
			return fmt.Errorf("attestation %x: host %x is not listed, or is not of operator %q", a.Ref, a.HostId, a.Operator)
		}
		if host.proofs++; host.proofs > MaxHostAttestations {
			return fmt.Errorf("host %x has more than %d attestations", a.HostId, MaxHostAttestations)
		}
		c.due[dueKey(DeadlineKind_DEADLINE_KIND_ATTESTATION, a.Ref)] = true
	}
	return nil
}

func (a *Attestation) validate() error {
	if ref := sha256.Sum256(a.Evidence); !bytes.Equal(ref[:], a.Ref) || len(a.Evidence) == 0 || len(a.Evidence) > MaxEvidenceBytes {
		return fmt.Errorf("the reference is not that of its %d bytes of evidence", len(a.Evidence))
	}
	if _, err := FormatByName(a.Format); err != nil {
		return err
	}
	if a.Claims == 0 || a.Claims > AllClaims || a.AcceptedClaims&^a.Claims != 0 || a.NotBefore > a.NotAfter || a.NotAfter > 1<<62 {
		return fmt.Errorf("claims %d, accepted %d, from %d to %d", a.Claims, a.AcceptedClaims, a.NotBefore, a.NotAfter)
	}
	accepted := a.AcceptedClaims != 0
	switch a.State {
	case AttestationState_ATTESTATION_STATE_PENDING:
		if accepted {
			return fmt.Errorf("it waits for verdicts and has accepted claims")
		}
	case AttestationState_ATTESTATION_STATE_EXPIRED:
	case AttestationState_ATTESTATION_STATE_ACCEPTED, AttestationState_ATTESTATION_STATE_FORGED:
		if !accepted {
			return fmt.Errorf("it is %s without accepted claims", a.State)
		}
	default:
		return fmt.Errorf("it has state %d", a.State)
	}
	if slices.ContainsFunc(a.Roots, func(root []byte) bool { return len(root) != AddressLength }) || len(a.Roots) > MaxRoots {
		return fmt.Errorf("%d roots, at most %d of %d bytes", len(a.Roots), MaxRoots, AddressLength)
	}
	signed := make(map[string]bool)
	for i := range a.Verdicts {
		v := &a.Verdicts[i]
		if err := unique(signed, "verdict of", v.Verifier); err != nil {
			return err
		}
		if v.Claims&^a.Claims != 0 || len(a.Verdicts) > MaxVerdicts {
			return fmt.Errorf("a verdict for claims %d, or more than %d verdicts", v.Claims, MaxVerdicts)
		}
	}
	return nil
}

// readDeadlines checks that exactly the deadlines are listed that the entries call for. Each entry was read before.
func (c *genesisCheck) readDeadlines() error {
	seen := make(map[string]bool)
	for i := range c.gs.Deadlines {
		key := dueKey(c.gs.Deadlines[i].Kind, c.gs.Deadlines[i].Id)
		if err := unique(seen, "deadline", key); err != nil {
			return err
		}
		if !c.due[key] {
			return fmt.Errorf("deadline %s: nothing that is listed ends by it", key)
		}
	}
	if len(seen) != len(c.due) {
		return fmt.Errorf("%d deadlines, the entries call for %d", len(seen), len(c.due))
	}
	return nil
}
