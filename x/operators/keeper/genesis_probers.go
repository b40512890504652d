// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

func (k *Keeper) initProbers(ctx context.Context, gs *types.GenesisState) error {
	for _, p := range gs.Probers {
		addr, err := k.ownText(p.Address)
		if err != nil {
			return err
		}
		if err := k.probers.Set(ctx, addr, p); err != nil {
			return err
		}
		if p.Slot == 0 {
			continue
		}
		if err := k.proberSlots.Set(ctx, p.Slot, addr); err != nil {
			return err
		}
		if err := k.reweigh(ctx, p.Slot, 0, p.BondUltai); err != nil {
			return err
		}
	}
	for _, p := range gs.Panels {
		for i := range p.Seats {
			if _, err := k.ownText(p.Seats[i].Prober); err != nil {
				return err
			}
		}
		if err := k.panels.Set(ctx, p.Epoch, p); err != nil {
			return err
		}
	}
	for _, o := range gs.Observations {
		if err := k.observations.Set(ctx, collections.Join3(o.Epoch, o.Row.HostId, o.Seat), o); err != nil {
			return err
		}
	}
	for _, a := range gs.Availabilities {
		operator, err := k.parseOperator(a.Operator)
		if err != nil {
			return err
		}
		if err := k.availabilities.Set(ctx, collections.Join(a.Epoch, operator), a); err != nil {
			return err
		}
	}
	if gs.MeasuredFrom == 0 {
		return nil
	}
	return k.measuredFrom.Set(ctx, gs.MeasuredFrom)
}

func (k *Keeper) exportProbers(ctx context.Context, gs *types.GenesisState) (err error) {
	if gs.Probers, err = values(ctx, k.probers); err != nil {
		return err
	}
	if gs.Panels, err = values(ctx, k.panels); err != nil {
		return err
	}
	if gs.Observations, err = values(ctx, k.observations); err != nil {
		return err
	}
	if gs.Availabilities, err = values(ctx, k.availabilities); err != nil {
		return err
	}
	gs.MeasuredFrom, err = k.measuredFrom.Get(ctx)
	if errors.Is(err, collections.ErrNotFound) {
		return nil
	}
	return err
}

// checkProberIndex recounts slots and running sums from the probers.
func (k *Keeper) checkProberIndex(ctx context.Context, gs *types.GenesisState) error {
	sums, slots := make(map[uint32]uint64), 0
	for i := range gs.Probers {
		p := &gs.Probers[i]
		if p.Slot == 0 {
			continue
		}
		slots++
		addr, err := k.proberSlots.Get(ctx, p.Slot)
		if err != nil {
			return err
		}
		if text, err := k.addressCodec.BytesToString(addr); err != nil || text != p.Address {
			return errorsmod.Wrapf(types.ErrInvariant, "slot %d is not that of %s", p.Slot, p.Address)
		}
		for node := p.Slot; node <= types.MaxProbers; node += node & -node {
			sums[node] += p.BondUltai
		}
	}
	last, err := k.lastSlot(ctx)
	if err := indexed(err, "probers by slot", int(last), slots); err != nil {
		return err
	}
	listed := 0
	err = k.proberSums.Walk(ctx, nil, func(node uint32, sum uint64) (bool, error) {
		if listed++; sums[node] != sum {
			return true, errorsmod.Wrapf(types.ErrInvariant, "node %d of probers' bonds is %d, want %d", node, sum, sums[node])
		}
		return false, nil
	})
	return indexed(err, "sums of probers' bonds", listed, len(sums))
}
