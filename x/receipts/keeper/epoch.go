// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"crypto/sha256"
	"errors"
	"math"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/epoch"
	"github.com/gpucoord/gpucoord/domain/u128"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// startEpoch pins the parameters of the running epoch in its first block. "Not stored yet" rather than "height is the first": a
// chain may begin above the genesis height of its schedule.
func (k *Keeper) startEpoch(ctx context.Context) error {
	e, err := k.currentEpoch(ctx)
	if errors.Is(err, epoch.ErrBeforeGenesis) {
		return nil
	}
	if err != nil {
		return err
	}
	started, err := k.epochs.Has(ctx, e)
	if err != nil || started {
		return err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	return k.epochs.Set(ctx, e, types.EpochState{Epoch: e, Params: params})
}

// currentEpoch returns the epoch of the present block. Error: epoch.ErrBeforeGenesis.
func (k *Keeper) currentEpoch(ctx context.Context) (uint64, error) {
	schedule, err := k.operators.Schedule(ctx)
	if err != nil {
		return 0, err
	}
	return schedule.Of(height(ctx))
}

// epochState returns what is known of an epoch. Error: ErrUnknownEpoch.
func (k *Keeper) epochState(ctx context.Context, e uint64) (types.EpochState, error) {
	state, err := k.epochs.Get(ctx, e)
	if errors.Is(err, collections.ErrNotFound) {
		return types.EpochState{}, errorsmod.Wrapf(types.ErrUnknownEpoch, "epoch %d", e)
	}
	return state, err
}

// drawSeed stores the seed of the newest epoch whose beacon blocks are over, if it has none yet: so in the last beacon block, or in a
// later one if that was missed. Without the hash of a beacon block there is no seed, and the epoch's batches are returned unharmed.
func (k *Keeper) drawSeed(ctx context.Context) error {
	schedule, err := k.operators.Schedule(ctx)
	if err != nil {
		return err
	}
	e, found := newestBeacon(schedule, height(ctx))
	if !found {
		return nil
	}
	state, err := k.epochs.Get(ctx, e)
	if errors.Is(err, collections.ErrNotFound) {
		return nil
	}
	if err != nil || len(state.Seed) > 0 {
		return err
	}
	windows, err := schedule.Windows(e)
	if err != nil {
		return err
	}
	state.Seed, err = k.hashBlocks(ctx, windows.Beacon)
	if errors.Is(err, operatorstypes.ErrNoBlockHash) {
		k.logger(ctx).Error("no seed", "epoch", e, "err", err)
		return nil
	}
	if err != nil {
		return err
	}
	if err := k.epochs.Set(ctx, e, state); err != nil {
		return err
	}
	return emit(ctx, &types.EventSeedDrawn{Epoch: e, Seed: state.Seed})
}

// newestBeacon returns the newest epoch whose last beacon block is at most the one at h.
func newestBeacon(s epoch.Schedule, h uint64) (uint64, bool) {
	wait, ok := u128.Add(s.SubmitBlocks, s.BeaconBlocks)
	if !ok || h == math.MaxUint64 || h+1 < wait {
		return 0, false
	}
	after, err := s.Of(h + 1 - wait) // all epochs before this one are over
	if err != nil || after == 0 {
		return 0, false
	}
	return after - 1, true
}

// hashBlocks returns SHA-256 over the hashes of a range of blocks.
func (k *Keeper) hashBlocks(ctx context.Context, w epoch.Window) ([]byte, error) {
	h := sha256.New()
	for at := w.First; at <= w.Last; at++ {
		hash, err := k.operators.BlockHash(ctx, at)
		if err != nil {
			return nil, err
		}
		h.Write(hash[:])
	}
	return h.Sum(nil), nil
}

// EpochReady reports whether an epoch may be closed: its submit window is over, and it has no open batch or its deadline has passed.
//
// Errors: ErrUnknownEpoch.
func (k *Keeper) EpochReady(ctx context.Context, e uint64) (bool, error) {
	state, err := k.epochState(ctx, e)
	if err != nil {
		return false, err
	}
	windows, err := k.windows(ctx, e)
	if err != nil {
		return false, err
	}
	at := height(ctx)
	if at <= windows.Submit.Last {
		return false, nil
	}
	deadline, ok := u128.Add(windows.FinaliseLatest, state.Params.SettleDeadlineBlocks)
	return state.OpenBatches == 0 || ok && at >= deadline, nil
}

// CloseEpoch freezes an epoch's usage, spends and sums and returns them. Batches that settle later pay money and credit no usage.
//
// Errors: ErrUnknownEpoch, ErrEpochClosed, ErrEpochNotReady.
func (k *Keeper) CloseEpoch(ctx context.Context, e uint64) (types.EpochState, error) {
	ready, err := k.EpochReady(ctx, e)
	if err != nil {
		return types.EpochState{}, err
	}
	state, err := k.epochState(ctx, e)
	switch {
	case err != nil:
		return types.EpochState{}, err
	case state.Closed:
		return types.EpochState{}, errorsmod.Wrapf(types.ErrEpochClosed, "epoch %d", e)
	case !ready:
		return types.EpochState{}, errorsmod.Wrapf(types.ErrEpochNotReady, "epoch %d has %d open batches", e, state.OpenBatches)
	}
	state.Closed = true
	if err := k.epochs.Set(ctx, e, state); err != nil {
		return types.EpochState{}, err
	}
	return state, emit(ctx, &types.EventEpochClosed{State: state})
}

// windows returns the windows of an epoch. Error: ErrUnknownEpoch for one beyond all heights.
func (k *Keeper) windows(ctx context.Context, e uint64) (epoch.Windows, error) {
	schedule, err := k.operators.Schedule(ctx)
	if err != nil {
		return epoch.Windows{}, err
	}
	windows, err := schedule.Windows(e)
	if err != nil {
		return epoch.Windows{}, errorsmod.Wrapf(types.ErrUnknownEpoch, "epoch %d: %s", e, err)
	}
	return windows, nil
}
