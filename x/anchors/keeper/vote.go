// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"
	"slices"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/x/anchors/types"
)

// SetOrigin remembers the chain's origin id. It is called once, when the chain starts.
func (k *Keeper) SetOrigin(ctx context.Context, origin [32]byte) error {
	return k.origin.Set(ctx, origin[:])
}

// Origin returns the chain's origin id. Errors: ErrNoOrigin.
func (k *Keeper) Origin(ctx context.Context) ([32]byte, error) {
	origin, err := k.origin.Get(ctx)
	if errors.Is(err, collections.ErrNotFound) {
		return [32]byte{}, types.ErrNoOrigin
	}
	if err != nil {
		return [32]byte{}, err
	}
	if len(origin) != 32 {
		return [32]byte{}, errorsmod.Wrapf(types.ErrInvariant, "origin has %d bytes", len(origin))
	}
	return [32]byte(origin), nil
}

// Ballot returns the open anchor, or nil when there is none.
func (k *Keeper) Ballot(ctx context.Context) (*types.Ballot, error) {
	open, err := k.open.Get(ctx)
	if errors.Is(err, collections.ErrNotFound) {
		return nil, nil //nolint:nilnil // there is none
	}
	if err != nil {
		return nil, err
	}
	statement, err := open.Anchor.Domain()
	if err != nil {
		return nil, err
	}
	origin, err := k.Origin(ctx)
	if err != nil {
		return nil, err
	}
	signers, err := k.Valset(ctx, open.SignersHash)
	if err != nil {
		return nil, err
	}
	return &types.Ballot{
		Origin: origin, Anchor: statement, Digest: anchor.NewDomain(origin).Digest(statement), Signers: signers, Attested: open.Attested,
	}, nil
}

// HasSigned reports whether a member's signature of the open anchor is in state.
func (k *Keeper) HasSigned(ctx context.Context, member int) (bool, error) {
	return k.openSignatures.Has(ctx, uint32(member)) //nolint:gosec // below 256
}

// VerifySignature returns the position in the signers' set of the member that signed the open anchor.
//
// Which validator brings the signature does not matter: it counts for the member whose key made it. So a change of a consensus
// key, which the state and the consensus engine see at different heights, can make no honest vote invalid.
// Errors: ErrBadSignature.
func (k *Keeper) VerifySignature(ballot *types.Ballot, signature []byte) (int, error) {
	if len(signature) != types.SignatureSize {
		return 0, errorsmod.Wrapf(types.ErrBadSignature, "%d bytes", len(signature))
	}
	signer, err := k.recoverSigner(ballot.Digest, anchor.Signature(signature))
	if err != nil {
		return 0, errorsmod.Wrap(types.ErrBadSignature, err.Error())
	}
	member := ballot.Signers.Index(signer)
	if member < 0 {
		return 0, errorsmod.Wrapf(types.ErrBadSignature, "%x is not a member", signer)
	}
	return member, nil
}

// Envelope returns what a proposer puts first into a block of which at most maxBytes are left: the signatures among candidates
// that are good and new. It is nil when there are none.
func (k *Keeper) Envelope(ctx context.Context, candidates [][]byte, maxBytes int64) ([]byte, error) {
	ballot, err := k.Ballot(ctx)
	if err != nil || ballot == nil {
		return nil, err
	}
	var fresh [anchor.MaxMembers][]byte
	for _, signature := range candidates {
		member, err := k.VerifySignature(ballot, signature)
		if err != nil || fresh[member] != nil {
			continue // what is wrong or double is left out
		}
		signed, err := k.HasSigned(ctx, member)
		if err != nil {
			return nil, err
		}
		if !signed {
			fresh[member] = signature
		}
	}
	envelope := types.Envelope{Nonce: ballot.Anchor.Nonce}
	for member, room := 0, types.EnvelopeRoom(maxBytes); member < len(fresh) && len(envelope.Signatures) < room; member++ {
		if fresh[member] != nil {
			envelope.Signatures = append(envelope.Signatures, anchor.Signed{Member: member, Signature: anchor.Signature(fresh[member])})
		}
	}
	if len(envelope.Signatures) == 0 {
		return nil, nil
	}
	return envelope.Bytes(), nil
}

// CheckEnvelope checks what a proposer put first into a block: form, nonce, and that every signature is good and new.
//
// Errors: ErrBadEnvelope, ErrBadSignature.
func (k *Keeper) CheckEnvelope(ctx context.Context, raw []byte) (types.Envelope, error) {
	envelope, err := types.ParseEnvelope(raw)
	if err != nil {
		return envelope, err
	}
	ballot, err := k.Ballot(ctx)
	if err != nil {
		return envelope, err
	}
	if ballot == nil || ballot.Anchor.Nonce != envelope.Nonce {
		return envelope, errorsmod.Wrapf(types.ErrBadEnvelope, "nonce %d is not open", envelope.Nonce)
	}
	for i := range envelope.Signatures {
		s := &envelope.Signatures[i]
		member, err := k.VerifySignature(ballot, s.Signature[:])
		if err != nil {
			return envelope, err
		}
		if member != s.Member {
			return envelope, errorsmod.Wrapf(types.ErrBadSignature, "of member %d, said to be of %d", member, s.Member)
		}
		signed, err := k.HasSigned(ctx, member)
		if err != nil {
			return envelope, err
		}
		if signed {
			return envelope, errorsmod.Wrapf(types.ErrBadEnvelope, "member %d has signed before", member)
		}
	}
	return envelope, nil
}

// Collect stores the signatures of an envelope. What is wrong with it changes nothing: no block fails for it.
func (k *Keeper) Collect(ctx context.Context, raw []byte) {
	k.guarded(ctx, "collect", func(ctx context.Context) error {
		envelope, err := k.CheckEnvelope(ctx, raw)
		if err != nil {
			return err
		}
		for i := range envelope.Signatures {
			s := &envelope.Signatures[i]
			if err := k.openSignatures.Set(ctx, uint32(s.Member), slices.Clone(s.Signature[:])); err != nil { //nolint:gosec // below 256
				return err
			}
		}
		return nil
	})
}

// signatures returns those of the open anchor, by member.
func (k *Keeper) signatures(ctx context.Context) ([]types.AnchorSignature, error) {
	var signatures []types.AnchorSignature
	err := k.openSignatures.Walk(ctx, nil, func(member uint32, signature []byte) (bool, error) {
		signatures = append(signatures, types.AnchorSignature{Member: member, Signature: signature})
		return false, nil
	})
	return signatures, err
}
