// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/x/royalties/types"
)

// CommitAsset stores a commit of owner at this height and emits EventAssetCommitted. An expired commit with the same hash
// is replaced. Errors: ErrCommitExists, ErrInvalidAddress.
func (k *Keeper) CommitAsset(ctx context.Context, owner [types.OwnerSize]byte, hash []byte) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	key := collections.Join(hash, owner[:])
	old, err := k.commits.Get(ctx, key)
	switch {
	case err == nil && !expired(old, params, height(ctx)):
		return errorsmod.Wrapf(types.ErrCommitExists, "made at height %d", old.Height)
	case err != nil && !errors.Is(err, collections.ErrNotFound):
		return err
	}
	name, err := k.bech32(owner[:])
	if err != nil {
		return err
	}
	commit := types.Commit{Hash: hash, Owner: name, Height: height(ctx)}
	if err := k.commits.Set(ctx, key, commit); err != nil {
		return err
	}
	return emit(ctx, &types.EventAssetCommitted{Commit: commit})
}

// takeCommit removes the commit that a reveal opens and returns its hash. Errors: ErrUnknownCommit, ErrTooEarly,
// ErrCommitExpired.
func (k *Keeper) takeCommit(
	ctx context.Context, owner [types.OwnerSize]byte, assetID, salt [types.HashSize]byte,
) ([types.HashSize]byte, error) {
	hash := types.CommitHash(owner, assetID, salt)
	params, err := k.params.Get(ctx)
	if err != nil {
		return hash, err
	}
	key := collections.Join(hash[:], owner[:])
	commit, err := k.commits.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) {
		return hash, errorsmod.Wrapf(types.ErrUnknownCommit, "hash %X", hash)
	}
	if err != nil {
		return hash, err
	}
	if from := commit.Height + params.RevealBlocks; height(ctx) < from {
		return hash, errorsmod.Wrapf(types.ErrTooEarly, "reveal from height %d", from)
	}
	if expired(commit, params, height(ctx)) {
		return hash, errorsmod.Wrapf(types.ErrCommitExpired, "committed at height %d", commit.Height)
	}
	return hash, k.commits.Remove(ctx, key)
}

// removeExpiredCommits removes the oldest commits that cannot be revealed in the next block, at most
// Params.MaxCommitsPerBlock, in the order of height, hash and owner, and emits EventCommitExpired for each. What is left over
// is removed by later blocks; it can no longer be revealed all the same.
func (k *Keeper) removeExpiredCommits(ctx context.Context) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	next := height(ctx) + 1
	if next <= params.CommitExpiryBlocks {
		return nil
	}
	// A commit of height c expires in the block c + CommitExpiryBlocks + 1.
	end := next - params.CommitExpiryBlocks
	var due []commitKey
	err = k.commits.Indexes.byHeight.Walk(ctx, collections.NewPrefixUntilPairRange[uint64, commitKey](end-1),
		func(_ uint64, key commitKey) (bool, error) {
			due = append(due, key)
			return len(due) >= int(params.MaxCommitsPerBlock), nil
		})
	if err != nil {
		return err
	}
	for _, key := range due {
		if err := k.removeExpired(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) removeExpired(ctx context.Context, key commitKey) error {
	commit, err := k.commits.Get(ctx, key)
	if err != nil {
		return err
	}
	if err := k.commits.Remove(ctx, key); err != nil {
		return err
	}
	return emit(ctx, &types.EventCommitExpired{Commit: commit})
}

// expired reports whether a commit may no longer be revealed at height.
func expired(commit types.Commit, params types.Params, height uint64) bool {
	return height > commit.Height+params.CommitExpiryBlocks
}
