// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/epoch"
	"github.com/gpucoord/gpucoord/x/operators/types"
)

// Schedule returns the epoch grid.
func (k *Keeper) Schedule(ctx context.Context) (epoch.Schedule, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return epoch.Schedule{}, err
	}
	return params.Schedule.Domain(), nil
}

// CurrentEpoch returns the epoch of the present block. Errors: ErrBeforeGenesis.
func (k *Keeper) CurrentEpoch(ctx context.Context) (uint64, error) {
	schedule, err := k.Schedule(ctx)
	if err != nil {
		return 0, err
	}
	e, err := schedule.Of(height(ctx))
	if err != nil {
		return 0, errorsmod.Wrapf(types.ErrBeforeGenesis, "height %d, genesis height %d", height(ctx), schedule.GenesisHeight)
	}
	return e, nil
}

// EpochStartTime returns the block time, in Unix seconds, of the first block of epoch e. It is found for the running epoch and
// the 127 before it.
func (k *Keeper) EpochStartTime(ctx context.Context, e uint64) (unix uint64, found bool, err error) {
	start, err := k.epochStarts.Get(ctx, e)
	if errors.Is(err, collections.ErrNotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	return start.Time, true, nil
}

// startEpoch stores the start of the running epoch in its first block, and forgets what becomes too old.
func (k *Keeper) startEpoch(ctx context.Context) error {
	e, err := k.CurrentEpoch(ctx)
	if errors.Is(err, types.ErrBeforeGenesis) {
		return nil
	}
	if err != nil {
		return err
	}
	// "Not stored yet" rather than "height is the first": a chain may begin above the genesis height of its schedule.
	started, err := k.epochStarts.Has(ctx, e)
	if err != nil || started {
		return err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	start := types.EpochStart{Epoch: e, Time: blockTime(ctx), BondPriceUusdc: params.BondPriceUusdc}
	if err := k.epochStarts.Set(ctx, e, start); err != nil {
		return err
	}
	if e >= types.EpochStartsKept {
		if err := forgetBelow(ctx, k.epochStarts, e-types.EpochStartsKept+1); err != nil {
			return err
		}
	}
	if err := emit(ctx, &types.EventEpochStarted{Start: start}); err != nil {
		return err
	}
	// An epoch without a panel is inconclusive; it must not stop the chain.
	if err := isolated(ctx, func(ctx context.Context) error { return k.drawPanel(ctx, e) }); err != nil {
		k.logger(ctx).Error("no panel drawn", "epoch", e, "err", err)
	}
	return nil
}

// EpochGrid returns the windows of epoch e and its start time, 0 where that is unknown.
//
// Errors: ErrBadEpoch when a window does not fit 64 bits.
func (k *Keeper) EpochGrid(ctx context.Context, e uint64) (types.EpochGrid, error) {
	schedule, err := k.Schedule(ctx)
	if err != nil {
		return types.EpochGrid{}, err
	}
	w, err := schedule.Windows(e)
	if err != nil {
		return types.EpochGrid{}, errorsmod.Wrapf(types.ErrBadEpoch, "epoch %d: %s", e, err)
	}
	first, err := schedule.First(e)
	if err != nil {
		return types.EpochGrid{}, errorsmod.Wrapf(types.ErrBadEpoch, "epoch %d: %s", e, err)
	}
	start, _, err := k.EpochStartTime(ctx, e)
	if err != nil {
		return types.EpochGrid{}, err
	}
	return types.EpochGrid{
		Epoch:          e,
		Blocks:         types.Window{First: first, Last: w.Submit.First - 1},
		Submit:         types.Window{First: w.Submit.First, Last: w.Submit.Last},
		Beacon:         types.Window{First: w.Beacon.First, Last: w.Beacon.Last},
		Open:           types.Window{First: w.Open.First, Last: w.Open.Last},
		Challenge:      types.Window{First: w.Challenge.First, Last: w.Challenge.Last},
		Response:       types.Window{First: w.Response.First, Last: w.Response.Last},
		FinaliseFrom:   w.FinaliseFrom,
		FinaliseLatest: w.FinaliseLatest,
		StartTime:      start,
	}, nil
}
