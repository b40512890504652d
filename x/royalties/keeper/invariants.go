// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"
	sdkmath "cosmossdk.io/math"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/gpucoord/gpucoord/x/royalties/types"
)

// CheckInvariants walks the whole state, so it is for tests and queries, never for a block. It checks that the state is a
// valid genesis, that the module account holds exactly what payees may claim, and that every commit is indexed once.
//
// Errors: those of GenesisState.Validate, ErrInvariant.
func (k *Keeper) CheckInvariants(ctx context.Context) error {
	g, err := k.ExportGenesis(ctx)
	if err != nil {
		return err
	}
	if err := g.Validate(); err != nil {
		return err
	}
	if err := k.checkBalance(ctx, g); err != nil {
		return err
	}
	indexed := 0
	err = k.commits.Indexes.byHeight.Walk(ctx, nil, func(height uint64, key commitKey) (bool, error) {
		indexed++
		commit, err := k.commits.Get(ctx, key)
		if err == nil && commit.Height != height {
			err = errorsmod.Wrapf(types.ErrInvariant, "commit %X of height %d is indexed at %d", commit.Hash, commit.Height, height)
		}
		return false, err
	})
	if err == nil && indexed != len(g.Commits) {
		err = errorsmod.Wrapf(types.ErrInvariant, "%d commits, %d of them indexed", len(g.Commits), indexed)
	}
	return err
}

// checkBalance compares the module account with what payees may claim. Error: ErrInvariant.
func (k *Keeper) checkBalance(ctx context.Context, g *types.GenesisState) error {
	owed := sdkmath.ZeroInt()
	for _, a := range g.Accruals {
		owed = owed.Add(sdkmath.NewIntFromUint64(a.ClaimableUusdc))
	}
	held := k.bank.GetBalance(ctx, authtypes.NewModuleAddress(types.ModuleName), types.SettlementDenom).Amount
	if !held.Equal(owed) {
		return errorsmod.Wrapf(types.ErrInvariant, "the account holds %s%s and owes %s", held, types.SettlementDenom, owed)
	}
	return nil
}
