// SPDX-License-Identifier: Apache-2.0

package types

import (
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/anchor"
)

// SignatureSize is the length in bytes of an anchor signature and of the proof of an anchor key.
const SignatureSize = 65

// Domain returns the anchor as domain/anchor hashes it. Errors: ErrInvalidMessage when a hash is not 32 bytes.
func (a *Anchor) Domain() (anchor.Anchor, error) {
	if len(a.Root) != 32 || len(a.NextValset) != 32 {
		return anchor.Anchor{}, errorsmod.Wrapf(ErrInvalidMessage, "root has %d bytes and next_valset %d, want 32", len(a.Root), len(a.NextValset))
	}
	return anchor.Anchor{
		Nonce: a.Nonce, Height: a.Height, Time: a.Time, TreeSize: a.TreeSize,
		Root: [32]byte(a.Root), NextValset: [32]byte(a.NextValset),
	}, nil
}

// AnchorOf returns an anchor as state and queries have it.
func AnchorOf(a anchor.Anchor) Anchor {
	return Anchor{Nonce: a.Nonce, Height: a.Height, Time: a.Time, TreeSize: a.TreeSize, Root: a.Root[:], NextValset: a.NextValset[:]}
}

// Domain returns the set as domain/anchor hashes it, and checks it. Errors: ErrInvalidMessage.
func (v *Valset) Domain() (anchor.Valset, error) {
	set := make(anchor.Valset, len(v.Members))
	for i := range v.Members {
		if len(v.Members[i].Address) != 20 {
			return nil, errorsmod.Wrapf(ErrInvalidMessage, "address of member %d has %d bytes, want 20", i, len(v.Members[i].Address))
		}
		set[i] = anchor.Member{Address: [20]byte(v.Members[i].Address), Power: v.Members[i].Power}
	}
	if err := set.Validate(); err != nil {
		return nil, errorsmod.Wrap(ErrInvalidMessage, err.Error())
	}
	return set, nil
}

// ValsetOf returns a set as state and queries have it.
func ValsetOf(set anchor.Valset) Valset {
	v := Valset{Members: make([]Member, len(set))}
	for i := range set {
		v.Members[i] = Member{Address: set[i].Address[:], Power: set[i].Power}
	}
	return v
}

// Signed returns the signatures as domain/anchor verifies and picks them. Errors: ErrInvalidMessage when one is not 65 bytes.
func (a *AttestedAnchor) Signed() ([]anchor.Signed, error) {
	signed := make([]anchor.Signed, len(a.Signatures))
	for i := range a.Signatures {
		if len(a.Signatures[i].Signature) != SignatureSize {
			return nil, errorsmod.Wrapf(ErrInvalidMessage, "signature %d has %d bytes", i, len(a.Signatures[i].Signature))
		}
		signed[i] = anchor.Signed{Member: int(a.Signatures[i].Member), Signature: anchor.Signature(a.Signatures[i].Signature)}
	}
	return signed, nil
}

// Ballot is the open anchor with all that a validator needs to sign it or to verify a signature.
type Ballot struct {
	// Origin is the chain's origin id.
	Origin [32]byte
	// Anchor is the statement.
	Anchor anchor.Anchor
	// Digest is what is signed.
	Digest [32]byte
	// Signers is the set that signs it.
	Signers anchor.Valset
	// Attested says that the quorum is reached and late signatures are still taken.
	Attested bool
}
