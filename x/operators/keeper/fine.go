// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	"github.com/gpucoord/gpucoord/domain/split"
	"github.com/gpucoord/gpucoord/x/operators/types"
)

// Fine takes what uusdc are worth at the bond's price, rounded up, from an operator's bond, then its unbonding entries, then its vesting
// rewards, at most all of them. All of it goes to insurance; nothing else follows. It is for what another module finds wrong and what is
// no row of the table of offences; kind names it in the event.
//
// Returns the sum taken, in ultai. Errors: ErrUnknownOperator, ErrInvariant.
func (k *Keeper) Fine(ctx context.Context, operator []byte, kind string, uusdc uint64, evidence string) (uint64, error) {
	op, err := k.Operator(ctx, operator)
	if err != nil {
		return 0, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return 0, err
	}
	amount, err := split.SlashValue(uusdc, params.BondPriceUusdc, everything)
	if err != nil {
		return 0, err
	}
	took, err := k.take(ctx, operator, &op, amount)
	if err != nil {
		return 0, err
	}
	if err := k.operators.Set(ctx, operator, op); err != nil {
		return 0, err
	}
	if err := k.toInsurance(ctx, took.sum); err != nil {
		return 0, err
	}
	return took.sum, emit(ctx, &types.EventSlashed{
		Operator: op.Address, Offence: kind, Evidence: evidence,
		SlashUltai: took.sum, VestingUltai: took.vesting, InsuranceUltai: took.sum,
		BondUltai: op.BondUltai, UnbondingUltai: op.UnbondingUltai, Entries: took.entries,
		JailedFrom: op.JailedFrom, JailedUntil: op.JailedUntil,
	})
}
