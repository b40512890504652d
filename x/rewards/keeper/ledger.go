// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/u128"
	"github.com/gpucoord/gpucoord/x/rewards/types"
)

// Sponsor takes amount uusdc from an account to top up rewards, now or later, and emits EventSponsored.
// Errors: ErrInvalidAmount, ErrOverflow, and those of the bank.
func (k *Keeper) Sponsor(ctx context.Context, sponsor []byte, amount uint64) error {
	if amount == 0 {
		return types.ErrInvalidAmount
	}
	text, err := k.bech32(sponsor)
	if err != nil {
		return err
	}
	held, err := k.sponsors.Get(ctx)
	if err != nil {
		return err
	}
	sum, fits := u128.Add(held, amount)
	if !fits {
		return errorsmod.Wrapf(types.ErrOverflow, "sponsors hold %d", held)
	}
	if err := k.bank.SendCoinsFromAccountToModule(ctx, sponsor, types.ModuleName, coins(amount)); err != nil {
		return err
	}
	if err := k.sponsors.Set(ctx, sum); err != nil {
		return err
	}
	return emit(ctx, &types.EventSponsored{Sponsor: text, AmountUusdc: amount, SponsorsUusdc: sum})
}

// Claim pays an operator all its rewards and emits EventRewardsClaimed. Errors: ErrBelowMinClaim, and those of the bank.
func (k *Keeper) Claim(ctx context.Context, operator []byte) (uint64, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return 0, err
	}
	reward, err := k.reward(ctx, operator)
	if err != nil {
		return 0, err
	}
	amount := reward.ClaimableUusdc
	if amount == 0 || amount < params.MinClaimUusdc {
		return 0, errorsmod.Wrapf(types.ErrBelowMinClaim, "%d uusdc, least is %d", amount, params.MinClaimUusdc)
	}
	reward.ClaimableUusdc = 0
	if err := k.rewards.Set(ctx, operator, reward); err != nil {
		return 0, err
	}
	if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, operator, coins(amount)); err != nil {
		return 0, err
	}
	return amount, emit(ctx, &types.EventRewardsClaimed{Operator: reward.Operator, AmountUusdc: amount})
}

// reward returns what an operator may claim, zeros when nothing was ever awarded.
func (k *Keeper) reward(ctx context.Context, operator []byte) (types.Reward, error) {
	reward, err := k.rewards.Get(ctx, operator)
	if !errors.Is(err, collections.ErrNotFound) {
		return reward, err
	}
	text, err := k.bech32(operator)
	return types.Reward{Operator: text}, err
}

// pointsOf returns an operator's points as stored, zeros when it never had any.
func (k *Keeper) pointsOf(ctx context.Context, operator []byte) (types.Points, error) {
	points, err := k.points.Get(ctx, operator)
	if !errors.Is(err, collections.ErrNotFound) {
		return points, err
	}
	text, err := k.bech32(operator)
	return types.Points{Operator: text}, err
}
