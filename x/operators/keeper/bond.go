// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/split"
	"github.com/gpucoord/gpucoord/domain/u128"
	"github.com/gpucoord/gpucoord/x/operators/types"
)

// Bond moves amount ultai from the operator's account into its bond and returns the bond after it.
//
// Errors: ErrUnknownOperator, ErrTombstoned, ErrInvalidRequest (0), ErrBondOverflow, those of bank.
func (k *Keeper) Bond(ctx context.Context, operator []byte, amount uint64) (uint64, error) {
	op, err := k.liveOperator(ctx, operator)
	if err != nil {
		return 0, err
	}
	if amount == 0 {
		return 0, errorsmod.Wrap(types.ErrInvalidRequest, "amount_ultai is 0")
	}
	// Bond and unbonding together must fit, because a slash takes from their sum.
	if _, ok := u128.Sum([]uint64{op.BondUltai, op.UnbondingUltai, amount}); !ok {
		return 0, errorsmod.Wrapf(types.ErrBondOverflow, "%d + %d + %d ultai", op.BondUltai, op.UnbondingUltai, amount)
	}
	if err := k.bank.SendCoinsFromAccountToModule(ctx, operator, types.ModuleName, ultai(amount)); err != nil {
		return 0, err
	}
	op.BondUltai += amount
	if err := k.moveBonded(ctx, amount, 0); err != nil {
		return 0, err
	}
	if err := k.operators.Set(ctx, operator, op); err != nil {
		return 0, err
	}
	return op.BondUltai, emit(ctx, &types.EventBonded{Operator: op.Address, AmountUltai: amount, BondUltai: op.BondUltai})
}

// Unbond moves amount ultai of the bond into the unbonding queue, where it stays slashable until it matures.
//
// Errors: ErrUnknownOperator, ErrInvalidRequest (0), ErrBondTooLow, ErrTooManyUnbondings.
func (k *Keeper) Unbond(ctx context.Context, operator []byte, amount uint64) (types.Unbonding, error) {
	op, err := k.Operator(ctx, operator)
	if err != nil {
		return types.Unbonding{}, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return types.Unbonding{}, err
	}
	if amount == 0 {
		return types.Unbonding{}, errorsmod.Wrap(types.ErrInvalidRequest, "amount_ultai is 0")
	}
	if amount > op.BondUltai {
		return types.Unbonding{}, errorsmod.Wrapf(types.ErrBondTooLow, "bond %d, unbonding %d ultai", op.BondUltai, amount)
	}
	if op.Unbondings >= params.MaxUnbondings {
		return types.Unbonding{}, errorsmod.Wrapf(types.ErrTooManyUnbondings, "%d entries, at most %d", op.Unbondings, params.MaxUnbondings)
	}
	id, err := k.nextUnbonding.Next(ctx)
	if err != nil {
		return types.Unbonding{}, err
	}
	entry := types.Unbonding{Id: id, Operator: op.Address, AmountUltai: amount, MatureHeight: height(ctx) + params.UnbondingBlocks}
	if err := k.unbondings.Set(ctx, id, entry); err != nil {
		return types.Unbonding{}, err
	}
	if err := k.moveBonded(ctx, 0, amount); err != nil {
		return types.Unbonding{}, err
	}
	op.BondUltai -= amount
	op.UnbondingUltai += amount
	op.Unbondings++
	if err := k.operators.Set(ctx, operator, op); err != nil {
		return types.Unbonding{}, err
	}
	return entry, emit(ctx, &types.EventUnbondingStarted{Unbonding: entry, BondUltai: op.BondUltai, UnbondingUltai: op.UnbondingUltai})
}

// Cover returns what an operator's bond is worth in uusdc, rounded down; unbonding money is not counted. A worth above 64 bits
// is the largest number: too much bond must not stop an operator.
//
// Errors: ErrUnknownOperator.
func (k *Keeper) Cover(ctx context.Context, operator []byte) (uint64, error) {
	op, err := k.Operator(ctx, operator)
	if err != nil {
		return 0, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return 0, err
	}
	cover, err := split.Cover(op.BondUltai, params.BondPriceUusdc)
	if errors.Is(err, split.ErrOverflow) {
		return 1<<64 - 1, nil
	}
	return cover, err
}

// ultai returns bond money; nothing for 0, which bank does not take.
func ultai(amount uint64) sdk.Coins {
	return sdk.NewCoins(sdk.NewCoin(types.BondDenom, math.NewIntFromUint64(amount)))
}
