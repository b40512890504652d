// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/panel"
	"github.com/gpucoord/gpucoord/domain/u128"
	"github.com/gpucoord/gpucoord/x/operators/types"
)

// The probers that can be drawn stand in slots 1 to n without gaps. A binary indexed tree over the slots keeps the running sums of their
// bonds: node i holds the sum of the slots i − (i & −i) + 1 to i. A change costs 13 nodes, a look-up 13, however many probers there are.

// place stores a prober, in a slot if it can be drawn and in none otherwise. before is the bond that the index knows for its slot.
//
// Errors: ErrTooManyProbers, ErrBondOverflow.
func (k *Keeper) place(ctx context.Context, addr []byte, p *types.Prober, before, least uint64) error {
	drawable := p.Status == types.ProberStatus_PROBER_STATUS_ACTIVE && p.BondUltai > 0 && p.BondUltai >= least
	switch {
	case p.Slot == 0 && drawable:
		last, err := k.lastSlot(ctx)
		if err != nil {
			return err
		}
		if last == types.MaxProbers {
			return errorsmod.Wrapf(types.ErrTooManyProbers, "%d can be drawn", last)
		}
		p.Slot = last + 1
		if err := k.proberSlots.Set(ctx, p.Slot, addr); err != nil {
			return err
		}
		if err := k.reweigh(ctx, p.Slot, 0, p.BondUltai); err != nil {
			return err
		}
	case p.Slot != 0 && drawable:
		if err := k.reweigh(ctx, p.Slot, before, p.BondUltai); err != nil {
			return err
		}
	case p.Slot != 0:
		if err := k.vacate(ctx, p.Slot, before); err != nil {
			return err
		}
		p.Slot = 0
	}
	return k.probers.Set(ctx, addr, *p)
}

// vacate empties a slot and moves the prober of the last one into it.
func (k *Keeper) vacate(ctx context.Context, slot uint32, bond uint64) error {
	if err := k.reweigh(ctx, slot, bond, 0); err != nil {
		return err
	}
	last, err := k.lastSlot(ctx)
	if err != nil {
		return err
	}
	if last != slot {
		addr, err := k.proberSlots.Get(ctx, last)
		if err != nil {
			return err
		}
		p, err := k.Prober(ctx, addr)
		if err != nil {
			return err
		}
		if err := k.reweigh(ctx, last, p.BondUltai, 0); err != nil {
			return err
		}
		if err := k.reweigh(ctx, slot, 0, p.BondUltai); err != nil {
			return err
		}
		p.Slot = slot
		if err := k.probers.Set(ctx, addr, p); err != nil {
			return err
		}
		if err := k.proberSlots.Set(ctx, slot, addr); err != nil {
			return err
		}
	}
	return k.proberSlots.Remove(ctx, last)
}

// lastSlot is how many slots are taken.
func (k *Keeper) lastSlot(ctx context.Context) (uint32, error) {
	var last uint32
	err := k.proberSlots.Walk(ctx, new(collections.Range[uint32]).Descending(), func(slot uint32, _ []byte) (bool, error) {
		last = slot
		return true, nil
	})
	return last, err
}

// reweigh replaces the bond of a slot in the running sums. Errors: ErrBondOverflow.
func (k *Keeper) reweigh(ctx context.Context, slot uint32, before, after uint64) error {
	for i := slot; i <= types.MaxProbers; i += i & -i {
		sum, err := k.bondSum(ctx, i)
		if err != nil {
			return err
		}
		if sum < before {
			return errorsmod.Wrapf(types.ErrInvariant, "node %d of probers' bonds holds %d, less than %d", i, sum, before)
		}
		sum, fits := u128.Add(sum-before, after)
		if !fits {
			return errorsmod.Wrap(types.ErrBondOverflow, "sum of probers' bonds")
		}
		if sum == 0 {
			err = k.proberSums.Remove(ctx, i)
		} else {
			err = k.proberSums.Set(ctx, i, sum)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bondSum is a node of the tree; one that is not stored is 0. The last node is the sum of all.
func (k *Keeper) bondSum(ctx context.Context, node uint32) (uint64, error) {
	sum, err := k.proberSums.Get(ctx, node)
	if errors.Is(err, collections.ErrNotFound) {
		return 0, nil
	}
	return sum, err
}

// findProber implements panel.Find over the slots; an Index is a slot minus 1.
func (k *Keeper) findProber(ctx context.Context, at uint64) (panel.Seat, error) {
	before, first := uint32(0), uint64(0)
	for step := uint32(types.MaxProbers); step > 0; step /= 2 {
		if before+step > types.MaxProbers {
			continue
		}
		sum, err := k.bondSum(ctx, before+step)
		if err != nil {
			return panel.Seat{}, err
		}
		if sum <= at-first {
			before, first = before+step, first+sum
		}
	}
	addr, err := k.proberSlots.Get(ctx, before+1)
	if err != nil {
		return panel.Seat{}, err
	}
	p, err := k.Prober(ctx, addr)
	if err != nil {
		return panel.Seat{}, err
	}
	return panel.Seat{Index: int(before), First: first, Bond: p.BondUltai}, nil
}
