// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/gpucoord/gpucoord/domain/split"
	"github.com/gpucoord/gpucoord/domain/u128"
	"github.com/gpucoord/gpucoord/x/operators/types"
)

const (
	// fraudFactor times the claim is the least cost of a fraud, as split.SlashFraud has it.
	fraudFactor = 20
	everything  = math.MaxUint64
)

// taken is what a slash took and where from, in ultai.
type taken struct {
	sum, vesting uint64
	entries      []types.Unbonding // those that were reduced, as they are after it
}

// wanted returns what an offence costs, in ultai, where slashable is the operator's bond and unbonding money. It may be more than that:
// vesting rewards are asked for the rest.
func wanted(row *types.OffenceRow, step types.OffenceStep, claimUusdc, slashable uint64, params *types.Params) (uint64, error) {
	if step.SlashBps == wholeBps {
		return everything, nil
	}
	if !row.ByClaim {
		return split.SlashBps(slashable, step.SlashBps)
	}
	least, err := split.SlashFraud(claimUusdc, params.BondPriceUusdc, slashable)
	if err != nil {
		return 0, err
	}
	value, ok := u128.MulDiv(claimUusdc, fraudFactor, 1)
	if !ok {
		value = math.MaxUint64
	}
	byClaim, err := split.SlashValue(value, params.BondPriceUusdc, math.MaxUint64)
	return max(least, byClaim), err
}

// take takes at most amount ultai from an operator: from its bond, then its unbonding entries, soonest to mature first, then its vesting
// rewards. All of it is in the module account after it. The caller stores op.
func (k *Keeper) take(ctx context.Context, operator []byte, op *types.Operator, amount uint64) (taken, error) {
	slashable, ok := u128.Add(op.BondUltai, op.UnbondingUltai)
	if !ok {
		return taken{}, types.ErrInvariant.Wrapf("bond %d + unbonding %d", op.BondUltai, op.UnbondingUltai)
	}
	t := taken{sum: min(amount, slashable)}
	fromBond := min(t.sum, op.BondUltai)
	var err error
	if t.entries, err = k.slashUnbondings(ctx, operator, op, t.sum-fromBond); err != nil {
		return taken{}, err
	}
	op.BondUltai -= fromBond
	if err := k.moveBonded(ctx, 0, fromBond); err != nil {
		return taken{}, err
	}
	for _, source := range k.vesting {
		if t.sum == amount {
			break
		}
		part, err := source.SlashVesting(ctx, operator, amount-t.sum)
		if err != nil {
			return taken{}, err
		}
		if part > amount-t.sum {
			return taken{}, types.ErrInvariant.Wrapf("vesting gave %d ultai, asked were %d", part, amount-t.sum)
		}
		t.sum, t.vesting = t.sum+part, t.vesting+part
	}
	op.SlashedUltai = addSaturating(op.SlashedUltai, t.sum)
	return t, nil
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
		return math.MaxUint64
	}
	return sum
}
