// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/gpucoord/gpucoord/x/rewards/types"
)

// InitGenesis fills an empty store. The genesis of bank, which holds the module's money, and of receipts, whose parameters
// bound the payback cap, must have been read before.
// Errors: those of GenesisState.Validate and Params.ValidateWith, ErrInvalidAddress, ErrBrokenInvariant (money is missing).
func (k *Keeper) InitGenesis(ctx context.Context, g *types.GenesisState) error {
	if err := g.Validate(); err != nil {
		return err
	}
	if err := k.checkParams(ctx, g.Params); err != nil {
		return err
	}
	if err := k.initItems(ctx, g); err != nil {
		return err
	}
	if err := k.initEpochs(ctx, g); err != nil {
		return err
	}
	if err := k.initLedgers(ctx, g); err != nil {
		return err
	}
	return k.checkCovered(ctx, g)
}

func (k *Keeper) initItems(ctx context.Context, g *types.GenesisState) error {
	if err := k.params.Set(ctx, g.Params); err != nil {
		return err
	}
	if err := k.nextEpoch.Set(ctx, g.NextEpoch); err != nil {
		return err
	}
	if err := k.sponsors.Set(ctx, g.SponsorsUusdc); err != nil {
		return err
	}
	return k.prunedEpoch.Set(ctx, g.PrunedEpoch)
}

// initEpochs stores settlements, rows and the controllers' points.
func (k *Keeper) initEpochs(ctx context.Context, g *types.GenesisState) error {
	for _, s := range g.Settlements {
		if err := k.settlements.Set(ctx, s.Epoch, s); err != nil {
			return err
		}
	}
	for _, r := range g.Rows {
		operator, err := k.address(r.Operator)
		if err != nil {
			return err
		}
		if err := k.rows.Set(ctx, collections.Join(r.Epoch, operator), r); err != nil {
			return err
		}
	}
	for _, c := range g.ControllerPoints {
		if err := k.controllerPoints.Set(ctx, collections.Join(c.Epoch, c.Controller), c); err != nil {
			return err
		}
	}
	return nil
}

// initLedgers stores what operators hold.
func (k *Keeper) initLedgers(ctx context.Context, g *types.GenesisState) error {
	for _, p := range g.Points {
		if err := initOwned(ctx, k, k.points, p.Operator, p); err != nil {
			return err
		}
	}
	for _, c := range g.Confirmed {
		if err := initOwned(ctx, k, k.confirmed, c.Operator, c); err != nil {
			return err
		}
	}
	for _, r := range g.Rewards {
		if err := initOwned(ctx, k, k.rewards, r.Operator, r); err != nil {
			return err
		}
	}
	return nil
}

// initOwned stores an entry under its owner's address. Error: ErrInvalidAddress.
func initOwned[V any](ctx context.Context, k *Keeper, m collections.Map[[]byte, V], owner string, value V) error {
	addr, err := k.address(owner)
	if err != nil {
		return err
	}
	return m.Set(ctx, addr, value)
}

// ExportGenesis returns the whole state, every list in the order of its keys.
func (k *Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	g := new(types.GenesisState)
	var err error
	if g.Params, err = k.params.Get(ctx); err != nil {
		return nil, err
	}
	if g.NextEpoch, err = k.nextEpoch.Get(ctx); err != nil {
		return nil, err
	}
	if g.SponsorsUusdc, err = k.sponsors.Get(ctx); err != nil {
		return nil, err
	}
	if g.PrunedEpoch, err = k.prunedEpoch.Get(ctx); err != nil {
		return nil, err
	}
	if g.Settlements, err = values(ctx, k.settlements); err != nil {
		return nil, err
	}
	if g.Rows, err = values(ctx, k.rows); err != nil {
		return nil, err
	}
	if g.Points, err = values(ctx, k.points); err != nil {
		return nil, err
	}
	if g.Confirmed, err = values(ctx, k.confirmed); err != nil {
		return nil, err
	}
	if g.Rewards, err = values(ctx, k.rewards); err != nil {
		return nil, err
	}
	g.ControllerPoints, err = values(ctx, k.controllerPoints)
	return g, err
}

// values returns all values of a map in the order of its keys.
func values[K, V any](ctx context.Context, m collections.Map[K, V]) ([]V, error) {
	var list []V
	err := m.Walk(ctx, nil, func(_ K, v V) (bool, error) {
		list = append(list, v)
		return false, nil
	})
	return list, err
}
