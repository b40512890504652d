// SPDX-License-Identifier: Apache-2.0

package types

import (
	errorsmod "cosmossdk.io/errors"
)

// The four claims about a host. Each is its own ladder; together they are no badge.
const (
	ClaimPrivacy       uint32 = 1 << iota // the host runs in a trusted execution environment
	ClaimAttestable                       // customers can verify that themselves
	ClaimModelIdentity                    // the model is the one that is named
	ClaimCorrectness                      // outputs are those of the model

	// AllClaims are all four.
	AllClaims = ClaimPrivacy | ClaimAttestable | ClaimModelIdentity | ClaimCorrectness
)

const (
	// MaxEvidenceBytes is the longest evidence.
	MaxEvidenceBytes = 16_384
	// MaxVerdicts is the most verdicts on one attestation.
	MaxVerdicts = 16
	// MaxRoots is the most root keys of one format.
	MaxRoots = 16
	// MaxHostAttestations is the most attestations of one host whose evidence is in state.
	MaxHostAttestations = 8
)

// AttestationStanding says what an attestation was worth when a record was served.
type AttestationStanding uint8

// Standings of an attestation at a time.
const (
	AttestationMissing AttestationStanding = iota // no such attestation in state: never made, or forgotten
	AttestationPending                            // not accepted on verdicts
	AttestationEarly                              // before its not_before
	AttestationInForce                            // accepted and within its time
	AttestationStale                              // past its not_after
	AttestationForged                             // found forged
)

// AttestationStatus is what x/receipts asks about the attestation that a record names.
type AttestationStatus struct {
	Standing AttestationStanding
	HostID   [32]byte // the host it is about; zero when it is missing
	NotAfter uint64   // the last second at which it held
}

// StandingAt returns what the attestation was worth at a time, in Unix seconds.
func (a *Attestation) StandingAt(unix uint64) AttestationStanding {
	switch {
	case a.State == AttestationState_ATTESTATION_STATE_FORGED:
		return AttestationForged
	case unix > a.NotAfter:
		return AttestationStale
	case a.AcceptedClaims == 0:
		return AttestationPending
	case unix < a.NotBefore:
		return AttestationEarly
	}
	return AttestationInForce
}

// Found counts verdicts and returns the claims that at least quorum verifiers found proven.
func (a *Attestation) Found(quorum uint32) uint32 {
	var found uint32
	for bit := uint32(1); bit <= AllClaims; bit <<= 1 {
		var votes uint32
		for i := range a.Verdicts {
			if a.Verdicts[i].Claims&bit != 0 {
				votes++
			}
		}
		if votes >= quorum {
			found |= bit
		}
	}
	return found
}

// RootsOf returns the root keys of a format.
func (p *Params) RootsOf(format string) [][]byte {
	var roots [][]byte
	for i := range p.AttestationRoots {
		if p.AttestationRoots[i].Format == format {
			roots = append(roots, p.AttestationRoots[i].Key)
		}
	}
	return roots
}

// EvidenceBinding is what evidence says it was made for. Every format is bound in this way.
type EvidenceBinding struct {
	ChainSalt   [32]byte // receipt.Domain.Salt of the chain
	HostKey     [20]byte // the host's receipt key
	NonceHeight uint64   // a recent block
	BlockHash   [32]byte // and its hash
	Claims      uint32   // what the evidence is about
	NotBefore   uint64   // Unix seconds
	NotAfter    uint64   // Unix seconds
}

// Format reads one kind of evidence. Both methods are deterministic and touch nothing but their arguments.
type Format interface {
	// Name is how messages name the format.
	Name() string
	// Read checks the evidence's shape and returns what it was made for. It runs at submission and is cheap: no signature is verified.
	// Errors: ErrBadEvidence.
	Read(evidence []byte) (EvidenceBinding, error)
	// Verify verifies the evidence in full, against the format's root keys and with blockTime as the present. Verifiers answer for its
	// result, and a challenge runs it. Errors: ErrBadEvidence.
	Verify(evidence []byte, roots [][]byte, blockTime uint64) (claims uint32, notAfter uint64, err error)
}

// formats are the formats this chain reads. Vendors' own come with upgrades.
var formats = []Format{StatementV1{}}

// FormatByName returns a format. Errors: ErrUnknownFormat.
func FormatByName(name string) (Format, error) {
	for _, f := range formats {
		if f.Name() == name {
			return f, nil
		}
	}
	return nil, errorsmod.Wrapf(ErrUnknownFormat, "%q", name)
}
