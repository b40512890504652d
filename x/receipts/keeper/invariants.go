// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdkmath "cosmossdk.io/math"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// CheckInvariants walks the whole state, so it is for tests, genesis and queries, never for a block. It checks that the state is a
// valid genesis (which recomputes every sum of locks, claims, thaws and keys), that the module account holds exactly what the state
// owes, that every open batch is queued exactly once, and that usage rows are counted and have their spends. Error: ErrInvariant.
func (k *Keeper) CheckInvariants(ctx context.Context) error {
	g, err := k.ExportGenesis(ctx)
	if err != nil {
		return err
	}
	if err := g.Validate(); err != nil {
		return errorsmod.Wrap(types.ErrInvariant, err.Error())
	}
	if err := k.checkBalance(ctx, g); err != nil {
		return err
	}
	if err := k.checkQueue(ctx, g); err != nil {
		return err
	}
	return k.checkUsage(ctx, g)
}

// checkBalance compares the module account with escrow, bonds and earnings.
func (k *Keeper) checkBalance(ctx context.Context, g *types.GenesisState) error {
	owed := sdkmath.ZeroInt()
	for i := range g.Settlers {
		sum, err := escrow(&g.Settlers[i])
		if err != nil {
			return err
		}
		owed = owed.Add(sdkmath.NewIntFromUint64(sum))
	}
	for i := range g.Gateways {
		owed = owed.Add(sdkmath.NewIntFromUint64(g.Gateways[i].BondUusdc)).Add(sdkmath.NewIntFromUint64(g.Gateways[i].UnbondingUusdc))
	}
	for _, e := range g.Earnings {
		owed = owed.Add(sdkmath.NewIntFromUint64(e.ClaimableUusdc))
	}
	held := k.bank.GetBalance(ctx, authtypes.NewModuleAddress(types.ModuleName), types.SettlementDenom).Amount
	if !held.Equal(owed) {
		return errorsmod.Wrapf(types.ErrInvariant, "the module account holds %s%s and owes %s", held, types.SettlementDenom, owed)
	}
	return nil
}

// checkQueue checks the queue entry by entry.
func (k *Keeper) checkQueue(ctx context.Context, g *types.GenesisState) error {
	queued := map[uint64]uint64{}
	err := k.batches.Indexes.due.Walk(ctx, nil, func(due, id uint64) (bool, error) {
		if _, twice := queued[id]; twice {
			return true, errorsmod.Wrapf(types.ErrInvariant, "batch %d is queued twice", id)
		}
		queued[id] = due
		return false, nil
	})
	if err != nil {
		return err
	}
	for i := range g.Batches {
		b := &g.Batches[i]
		if due, found := queued[b.Id]; !found || due != b.DueHeight || b.Open() != (due > 0) {
			return errorsmod.Wrapf(types.ErrInvariant, "batch %d is %s, due at %d and queued at %d", b.Id, b.Status, b.DueHeight, due)
		}
	}
	if len(queued) != len(g.Batches) {
		return errorsmod.Wrapf(types.ErrInvariant, "%d batches are queued, there are %d", len(queued), len(g.Batches))
	}
	return nil
}

// checkUsage checks that every row has its spends, which pruning removes after it, and the number of rows of every epoch but the one
// that may be half pruned.
func (k *Keeper) checkUsage(ctx context.Context, g *types.GenesisState) error {
	rows := map[uint64]uint64{}
	for i := range g.Usages {
		u := &g.Usages[i]
		rows[u.Epoch]++
		settler, err := k.parseParty("settler", u.Settler)
		if err != nil {
			return err
		}
		total, err := k.spends.Get(ctx, collections.Join3(u.Epoch, settler, []byte{}))
		if err != nil && !errors.Is(err, collections.ErrNotFound) {
			return err
		}
		if total.AmountUusdc < u.AmountUusdc {
			return errorsmod.Wrapf(types.ErrInvariant, "%s spent %d in epoch %d, %d of it on %s",
				u.Settler, total.AmountUusdc, u.Epoch, u.AmountUusdc, u.Operator)
		}
	}
	for i := range g.Epochs {
		e := g.Epochs[i].Epoch
		if e == g.PrunedEpoch && g.Epochs[i].Closed {
			continue
		}
		counted := uint64(0)
		err := k.usageRows.Walk(ctx, collections.NewPrefixedPairRange[uint64, []byte](e), func(_ epochPair, n uint32) (bool, error) {
			counted += uint64(n)
			if n == 0 || n > types.MaxUsageRows {
				return true, errorsmod.Wrapf(types.ErrInvariant, "epoch %d counts %d usage rows of one operator", e, n)
			}
			return false, nil
		})
		if err != nil {
			return err
		}
		if counted != rows[e] {
			return errorsmod.Wrapf(types.ErrInvariant, "epoch %d counts %d usage rows, has %d", e, counted, rows[e])
		}
	}
	return nil
}

// PoolsFrom returns the sum of the epoch pools of epoch e and all later ones, in uusdc: what the rewards account got of them. It walks
// those epochs and is for invariants only. Error: ErrOverflow.
func (k *Keeper) PoolsFrom(ctx context.Context, e uint64) (uint64, error) {
	sum := uint64(0)
	err := k.epochs.Walk(ctx, new(collections.Range[uint64]).StartInclusive(e), func(_ uint64, state types.EpochState) (bool, error) {
		return false, addTo(&sum, state.PoolUusdc)
	})
	return sum, err
}
