// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"

	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// earningsOf returns what an operator may claim; zeros where nothing ever accrued.
func (k *Keeper) earningsOf(ctx context.Context, operator []byte) (types.Earnings, error) {
	e, err := k.earnings.Get(ctx, operator)
	if !errors.Is(err, collections.ErrNotFound) {
		return e, err
	}
	text, err := k.bech32(operator)
	return types.Earnings{Operator: text}, err
}

// accrueEarnings credits operator shares, whose coins stay in the module account, and returns what the operator may claim now.
func (k *Keeper) accrueEarnings(ctx context.Context, operator []byte, amount uint64) (uint64, error) {
	e, err := k.earningsOf(ctx, operator)
	if err != nil || amount == 0 {
		return e.ClaimableUusdc, err
	}
	if err := addTo(&e.ClaimableUusdc, amount); err != nil {
		return 0, err
	}
	if err := addTo(&e.LifetimeUusdc, amount); err != nil {
		return 0, err
	}
	return e.ClaimableUusdc, k.earnings.Set(ctx, operator, e)
}

// ClaimEarnings pays an operator all its shares. Errors: ErrNothingToClaim, and what the bank returns; nothing is paid then.
func (k *Keeper) ClaimEarnings(ctx context.Context, operator []byte) (uint64, error) {
	e, err := k.earningsOf(ctx, operator)
	if err != nil {
		return 0, err
	}
	amount := e.ClaimableUusdc
	if amount == 0 {
		return 0, types.ErrNothingToClaim
	}
	e.ClaimableUusdc = 0
	if err := k.earnings.Set(ctx, operator, e); err != nil {
		return 0, err
	}
	if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, operator, coins(amount)); err != nil {
		return 0, err
	}
	return amount, emit(ctx, &types.EventEarningsClaimed{Operator: e.Operator, AmountUusdc: amount})
}
