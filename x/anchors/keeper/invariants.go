// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/x/anchors/types"
)

// CheckInvariants walks the state: the log against its kept leaves, the subtrees kept for proofs, the anchor keys, and the anchors
// with their sets and signatures. It is for tests and never runs in a block.
//
// Errors: ErrInvariant, ErrBadLeaf, ErrInvalidGenesis.
func (k *Keeper) CheckInvariants(ctx context.Context) error {
	gs, err := k.ExportGenesis(ctx)
	if err != nil {
		return err
	}
	if err := types.CheckLog(&gs.Log, &gs.Pruned, gs.Leaves); err != nil {
		return err
	}
	if err := types.CheckKeys(gs.Keys); err != nil {
		return err
	}
	for _, check := range []func(context.Context, *types.GenesisState) error{k.checkNodes, k.checkKeys, k.checkAnchors, k.checkOpen} {
		if err := check(ctx, gs); err != nil {
			return err
		}
	}
	return nil
}

// checkNodes recomputes every subtree that state should hold, and counts what it holds.
func (k *Keeper) checkNodes(ctx context.Context, gs *types.GenesisState) error {
	r, err := gs.Pruned.Range()
	if err != nil {
		return err
	}
	want := uint64(len(r.Hashes))
	for i := range gs.Leaves {
		hash, index, left := log.LeafHash(gs.Leaves[i].Data), gs.Leaves[i].Index, r.Hashes
		if err := r.Append(hash); err != nil {
			return err
		}
		for level := uint16(1); index&1 == 1; level++ {
			index >>= 1
			hash = types.Pair(left[len(left)-int(level)], hash)
			stored, err := k.nodes.Get(ctx, collections.Join(level, index))
			if err != nil || !bytes.Equal(stored, hash[:]) {
				return errorsmod.Wrapf(types.ErrInvariant, "subtree %d of level %d: %x, want %x (%v)", index, level, stored, hash, err)
			}
			want++
		}
	}
	var have uint64
	err = k.nodes.Walk(ctx, nil, func(collections.Pair[uint16, uint64], []byte) (bool, error) {
		have++
		return false, nil
	})
	if err == nil && have != want {
		return errorsmod.Wrapf(types.ErrInvariant, "%d subtrees are kept, want %d", have, want)
	}
	return err
}

// checkKeys checks that the current keys are those that were not replaced.
func (k *Keeper) checkKeys(ctx context.Context, gs *types.GenesisState) error {
	current := 0
	for i := range gs.Keys {
		if gs.Keys[i].ReplacedTime == 0 {
			current++
		}
	}
	return k.currentKeys.Walk(ctx, nil, func(validator, address []byte) (bool, error) {
		owner, key, err := k.owner(ctx, address)
		if err != nil {
			return true, err
		}
		if current--; !bytes.Equal(owner, validator) || key.ReplacedTime != 0 || current < 0 {
			return true, errorsmod.Wrapf(types.ErrInvariant, "current key %x of %x", address, validator)
		}
		return false, nil
	})
}

// checkAnchors checks every attested anchor: that the chain made it, that its sets are there, and its quorum.
func (k *Keeper) checkAnchors(ctx context.Context, _ *types.GenesisState) error {
	origin, err := k.Origin(ctx)
	if errors.Is(err, types.ErrNoOrigin) {
		return nil
	}
	if err != nil {
		return err
	}
	domain := anchor.NewDomain(origin)
	return k.attested.Walk(ctx, nil, func(nonce uint64, a types.AttestedAnchor) (bool, error) {
		statement, err := a.Anchor.Domain()
		if err != nil {
			return true, err
		}
		made, err := k.made.Get(ctx, nonce)
		if err != nil {
			return true, err
		}
		if hash := statement.StructHash(); statement.Nonce != nonce || !bytes.Equal(made.StructHash, hash[:]) {
			return true, errorsmod.Wrapf(types.ErrInvariant, "anchor %d is not what the chain stated", nonce)
		}
		if _, err := k.Valset(ctx, a.Anchor.NextValset); err != nil {
			return true, err
		}
		set, err := k.Valset(ctx, a.SignersHash)
		if err != nil {
			return true, err
		}
		return false, k.checkQuorum(domain.Digest(statement), set, &a)
	})
}

func (k *Keeper) checkQuorum(digest [32]byte, set anchor.Valset, a *types.AttestedAnchor) error {
	signed, err := a.Signed()
	if err != nil {
		return err
	}
	bitmap, signatures, err := set.Quorum(signed)
	if err != nil {
		return err
	}
	return set.Verify(digest, bitmap, signatures, k.recoverSigner)
}

// checkOpen checks the open anchor's signatures; without an open anchor there are none.
func (k *Keeper) checkOpen(ctx context.Context, _ *types.GenesisState) error {
	ballot, err := k.Ballot(ctx)
	if err != nil {
		return err
	}
	return k.openSignatures.Walk(ctx, nil, func(member uint32, signature []byte) (bool, error) {
		if ballot == nil {
			return true, errorsmod.Wrapf(types.ErrInvariant, "member %d signed no open anchor", member)
		}
		signer, err := k.VerifySignature(ballot, signature)
		if err == nil && signer != int(member) {
			err = errorsmod.Wrapf(types.ErrInvariant, "signature of member %d is by %d", member, signer)
		}
		return err != nil, err
	})
}
