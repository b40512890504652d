// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"
	sdkmath "cosmossdk.io/math"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/gpucoord/gpucoord/x/rewards/types"
)

// CheckInvariants walks the whole state, so it is for tests and queries, never for a block. It checks that the state is a
// valid genesis, whose rows add up to their settlements, and that the module account holds the sponsors' money, all
// claimable rewards and the epoch pools not yet divided: at least those it knows of itself, and exactly all of them if
// receipts can add up its own.
// Errors: those of GenesisState.Validate, ErrBrokenInvariant.
func (k *Keeper) CheckInvariants(ctx context.Context) error {
	g, err := k.ExportGenesis(ctx)
	if err != nil {
		return err
	}
	if err := g.Validate(); err != nil {
		return err
	}
	if err := k.checkCovered(ctx, g); err != nil {
		return err
	}
	ledger, offered := k.receipts.(types.PoolsKeeper)
	if !offered {
		return nil
	}
	pools, err := ledger.PoolsFrom(ctx, g.NextEpoch)
	if err != nil {
		return err
	}
	owed := owedToAccounts(g).Add(sdkmath.NewIntFromUint64(pools))
	if s, running := runningOf(g); running {
		owed = owed.Sub(sdkmath.NewIntFromUint64(s.FromPoolUusdc)) // owed to operators by now
	}
	if held := k.held(ctx); !held.Equal(owed) {
		return errorsmod.Wrapf(types.ErrBrokenInvariant, "the account holds %s%s and owes %s", held, types.SettlementDenom, owed)
	}
	return nil
}

// checkCovered checks that the module account covers what the state alone says that it owes. Error: ErrBrokenInvariant.
func (k *Keeper) checkCovered(ctx context.Context, g *types.GenesisState) error {
	owed := owedToAccounts(g)
	if s, running := runningOf(g); running {
		owed = owed.Add(sdkmath.NewIntFromUint64(s.CollectedUusdc - s.FromPoolUusdc))
	}
	if held := k.held(ctx); held.LT(owed) {
		return errorsmod.Wrapf(types.ErrBrokenInvariant, "the account holds %s%s and owes at least %s", held, types.SettlementDenom, owed)
	}
	return nil
}

// owedToAccounts is the sponsors' money and all claimable rewards.
func owedToAccounts(g *types.GenesisState) sdkmath.Int {
	owed := sdkmath.NewIntFromUint64(g.SponsorsUusdc)
	for _, r := range g.Rewards {
		owed = owed.Add(sdkmath.NewIntFromUint64(r.ClaimableUusdc))
	}
	return owed
}

// runningOf returns the settlement that runs; only the last one can.
func runningOf(g *types.GenesisState) (types.EpochSettlement, bool) {
	if len(g.Settlements) == 0 {
		return types.EpochSettlement{}, false
	}
	last := g.Settlements[len(g.Settlements)-1]
	return last, last.Phase != types.Phase_PHASE_DONE
}

// held is the module account's balance.
func (k *Keeper) held(ctx context.Context) sdkmath.Int {
	return k.bank.GetBalance(ctx, authtypes.NewModuleAddress(types.ModuleName), types.SettlementDenom).Amount
}
