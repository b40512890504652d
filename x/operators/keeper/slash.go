// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"cmp"
	"context"
	"slices"

	"github.com/gpucoord/gpucoord/domain/split"
	"github.com/gpucoord/gpucoord/domain/u128"
	"github.com/gpucoord/gpucoord/x/operators/types"
)

const offenceReceiptFraud = "receipt_fraud"

// SlashFraud slashes an operator for receipt fraud worth claimUusdc: 20 times the claim, at least 20 % of bond and unbonding
// money together, at most all of it. The bond pays first, then the unbonding entries, soonest to mature first; all of it goes
// to insurance. New work is refused for jail_fraud_blocks; a jail is never shortened, and one that still runs is extended (Operator.Jail).
//
// Returns the sum taken, in ultai; 0 where nothing is left. Errors: ErrUnknownOperator, ErrInvariant.
func (k *Keeper) SlashFraud(ctx context.Context, operator []byte, claimUusdc uint64, evidence string) (uint64, error) {
	op, err := k.Operator(ctx, operator)
	if err != nil {
		return 0, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return 0, err
	}
	slashable, ok := u128.Add(op.BondUltai, op.UnbondingUltai)
	if !ok {
		return 0, types.ErrInvariant.Wrapf("bond %d + unbonding %d", op.BondUltai, op.UnbondingUltai)
	}
	slash, err := split.SlashFraud(claimUusdc, params.BondPriceUusdc, slashable)
	if err != nil {
		return 0, err
	}
	fromBond := min(slash, op.BondUltai)
	reduced, err := k.slashUnbondings(ctx, operator, &op, slash-fromBond)
	if err != nil {
		return 0, err
	}
	op.BondUltai -= fromBond
	op.SlashedUltai = addSaturating(op.SlashedUltai, slash)
	op.Jail(height(ctx), height(ctx)+params.JailFraudBlocks)
	if err := k.operators.Set(ctx, operator, op); err != nil {
		return 0, err
	}
	if slash > 0 {
		if err := k.bank.SendCoinsFromModuleToModule(ctx, types.ModuleName, types.InsuranceAccount, ultai(slash)); err != nil {
			return 0, err
		}
	}
	return slash, emit(ctx, &types.EventSlashed{
		Operator: op.Address, Offence: offenceReceiptFraud, Evidence: evidence,
		SlashUltai: slash, InsuranceUltai: slash,
		BondUltai: op.BondUltai, UnbondingUltai: op.UnbondingUltai,
		JailedFrom: op.JailedFrom, JailedUntil: op.JailedUntil, Entries: reduced,
	})
}

// slashUnbondings takes amount ultai from the operator's entries and returns those that were reduced, as they are after it.
// It keeps op's sum and count in step; the caller stores op.
func (k *Keeper) slashUnbondings(ctx context.Context, operator []byte, op *types.Operator, amount uint64) ([]types.Unbonding, error) {
	if amount == 0 {
		return nil, nil
	}
	entries, err := k.unbondingsOf(ctx, operator)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b types.Unbonding) int {
		return cmp.Or(cmp.Compare(a.MatureHeight, b.MatureHeight), cmp.Compare(a.Id, b.Id))
	})
	var reduced []types.Unbonding
	for _, entry := range entries {
		if amount == 0 {
			break
		}
		part := min(amount, entry.AmountUltai)
		amount -= part
		entry.AmountUltai -= part
		op.UnbondingUltai -= part
		reduced = append(reduced, entry)
		if entry.AmountUltai > 0 {
			err = k.unbondings.Set(ctx, entry.Id, entry)
		} else {
			op.Unbondings--
			err = k.unbondings.Remove(ctx, entry.Id)
		}
		if err != nil {
			return nil, err
		}
	}
	if amount > 0 {
		return nil, types.ErrInvariant.Wrapf("%d ultai of unbonding entries are missing", amount)
	}
	return reduced, nil
}

// addSaturating sums a statistic, which must not stop a slash once it is full.
func addSaturating(a, b uint64) uint64 {
	sum, ok := u128.Add(a, b)
	if !ok {
		return 1<<64 - 1
	}
	return sum
}
