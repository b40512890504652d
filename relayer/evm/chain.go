// SPDX-License-Identifier: Apache-2.0

package evm

import (
	"context"
	"fmt"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/relayer/sigcheck"
)

// Chain is what a gpucoord node says about anchors. Nothing of it is believed before it is verified.
type Chain interface {
	// Origin is the chain's origin id.
	Origin(ctx context.Context) ([32]byte, error)
	// Latest is the newest attested anchor. Errors: ErrNoAnchor.
	Latest(ctx context.Context) (Attested, error)
	// At is the attested anchor with this nonce. Errors: ErrNoAnchor.
	At(ctx context.Context, nonce uint64) (Attested, error)
	// Next is the newest anchor above nonce that a contract which holds this set can take. Errors: ErrNoAnchor.
	Next(ctx context.Context, valset [32]byte, nonce uint64) (Attested, error)
	// Valset returns a set by its hash. Errors: ErrNoAnchor when the chain has no such set.
	Valset(ctx context.Context, hash [32]byte) (anchor.Valset, error)
	// Consistency proves that the log of size from, above 0, is a prefix of the one of size to.
	Consistency(ctx context.Context, from, to uint64) ([][32]byte, error)
	// Newest is the chain's newest block and the log at its end.
	Newest(ctx context.Context) (Newest, error)
}

// Newest is how far the chain is, whether or not an anchor says so yet.
type Newest struct {
	// Height is the block's, Time is in Unix seconds.
	Height, Time uint64
	TreeSize     uint64
	Root         [32]byte
}

// Attested is an anchor with the signatures of more than two thirds.
type Attested struct {
	Anchor anchor.Anchor
	// Signers is the hash of the set that signed.
	Signers    [32]byte
	Signatures []anchor.Signed
}

// proven is an anchor in the form the contract takes, checked as the contract will check it.
type proven struct {
	anchor  anchor.Anchor
	members anchor.Valset
	bitmap  anchor.Bitmap
	sigs    []anchor.Signature
}

// prove fetches the set that signed and picks the fewest signatures that are enough.
//
// Errors: ErrBadAnchor, those of the node.
func prove(ctx context.Context, chain Chain, domain anchor.Domain, a Attested) (proven, error) {
	members, err := chain.Valset(ctx, a.Signers)
	if err != nil {
		return proven{}, fmt.Errorf("fetch the set %x: %w", a.Signers, err)
	}
	if err := members.Validate(); err != nil {
		return proven{}, fmt.Errorf("%w: %w", ErrBadAnchor, err)
	}
	if members.Hash() != a.Signers {
		return proven{}, fmt.Errorf("%w: %w", ErrBadAnchor, anchor.ErrWrongSet)
	}
	for _, s := range a.Signatures {
		if s.Member < 0 || s.Member >= len(members) {
			return proven{}, fmt.Errorf("%w: %w", ErrBadAnchor, anchor.ErrNotMember)
		}
	}
	bitmap, sigs, err := members.Quorum(a.Signatures)
	if err != nil {
		return proven{}, fmt.Errorf("%w: nonce %d: %w", ErrBadAnchor, a.Anchor.Nonce, err)
	}
	if err := members.Verify(domain.Digest(a.Anchor), bitmap, sigs, sigcheck.Recover); err != nil {
		return proven{}, fmt.Errorf("%w: nonce %d: %w", ErrBadAnchor, a.Anchor.Nonce, err)
	}
	return proven{anchor: a.Anchor, members: members, bitmap: bitmap, sigs: sigs}, nil
}

// growth returns the proof that a's log continues the one the contract holds; none is needed from size 0 or to the same size.
//
// Errors: ErrBadAnchor, those of the node.
func growth(ctx context.Context, chain Chain, held State, a anchor.Anchor) ([][32]byte, error) {
	if held.TreeSize == 0 {
		return nil, nil
	}
	var path [][32]byte
	if a.TreeSize > held.TreeSize {
		var err error
		if path, err = chain.Consistency(ctx, held.TreeSize, a.TreeSize); err != nil {
			return nil, fmt.Errorf("fetch the proof from %d to %d: %w", held.TreeSize, a.TreeSize, err)
		}
	}
	if err := log.VerifyConsistency(held.Root, a.Root, held.TreeSize, a.TreeSize, path); err != nil {
		return nil, fmt.Errorf("%w: nonce %d: %w", ErrBadAnchor, a.Nonce, err)
	}
	return path, nil
}
