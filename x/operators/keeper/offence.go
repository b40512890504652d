// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/split"
	"github.com/gpucoord/gpucoord/x/operators/types"
)

// Punish punishes an operator by the row of the table of offences that the offence names. Bond pays first, then unbonding entries, then
// vesting rewards. The victim gets his proven loss, the reporter his part, insurance the rest; nobody of the offender's controller gets
// anything. A part that its receiver cannot take goes to insurance too. A jail is never shortened, and one that still runs is extended.
//
// Where the breaker holds the offence back, nothing but that is stored, the evidence counts as used, and Deferred is true.
// Errors: ErrUnknownOffence, ErrUnknownOperator, ErrEvidenceUsed, ErrInvariant.
func (k *Keeper) Punish(ctx context.Context, o types.Offence) (types.Punishment, error) {
	row, err := types.OffenceRowOf(o.Kind)
	if err != nil {
		return types.Punishment{}, err
	}
	op, err := k.Operator(ctx, o.Operator)
	if err != nil {
		return types.Punishment{}, err
	}
	if err := k.useEvidence(ctx, &op, &o); err != nil {
		return types.Punishment{}, err
	}
	if !row.Cryptographic {
		held, err := k.holdBack(ctx, &op, &o)
		if err != nil || held {
			return types.Punishment{Deferred: held}, err
		}
	}
	return k.punish(ctx, row, o)
}

// punish takes the money, jails, and bars where the row says so.
func (k *Keeper) punish(ctx context.Context, row types.OffenceRow, o types.Offence) (types.Punishment, error) {
	var none types.Punishment
	op, err := k.Operator(ctx, o.Operator)
	if err != nil {
		return none, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return none, err
	}
	nth, err := k.Strike(ctx, o.Operator, string(o.Kind))
	if err != nil {
		return none, err
	}
	step := row.Step(nth)
	amount, err := wanted(&row, step, o.ClaimUusdc, op.BondUltai+op.UnbondingUltai, &params)
	if err != nil {
		return none, err
	}
	took, err := k.take(ctx, o.Operator, &op, amount)
	if err != nil {
		return none, err
	}
	if step.Jail != nil {
		op.Jail(height(ctx), height(ctx)+step.Jail(&params))
	}
	if row.Tombstone {
		if err := k.tombstone(ctx, o.Operator, &op); err != nil {
			return none, err
		}
	}
	if err := k.operators.Set(ctx, o.Operator, op); err != nil {
		return none, err
	}
	parts, err := k.paySlash(ctx, &op, &o, took.sum, params.BondPriceUusdc)
	if err != nil {
		return none, err
	}
	return parts, emit(ctx, &types.EventSlashed{
		Operator: op.Address, Offence: string(o.Kind), Evidence: o.Evidence,
		SlashUltai: took.sum, VestingUltai: took.vesting,
		VictimUltai: parts.VictimUltai, ReporterUltai: parts.ReporterUltai, InsuranceUltai: parts.InsuranceUltai,
		BondUltai: op.BondUltai, UnbondingUltai: op.UnbondingUltai, Entries: took.entries,
		JailedFrom: op.JailedFrom, JailedUntil: op.JailedUntil, Nth: nth, Tombstoned: row.Tombstone,
	})
}

// paySlash divides what was taken and pays it out of the module account.
func (k *Keeper) paySlash(ctx context.Context, op *types.Operator, o *types.Offence, sum, price uint64) (types.Punishment, error) {
	var none types.Punishment
	victimOwn, err := k.isOwn(ctx, op, o.Operator, o.Victim)
	if err != nil {
		return none, err
	}
	reporterOwn, err := k.isOwn(ctx, op, o.Operator, o.Reporter)
	if err != nil {
		return none, err
	}
	parts, err := split.SplitSlash(split.SlashIn{
		Slash: sum, VictimLoss: o.VictimLossUusdc, BondPrice: price, ReporterBond: o.ReporterBondUltai,
		VictimOwn: victimOwn, ReporterOwn: reporterOwn,
	})
	if err != nil {
		return none, err
	}
	p := types.Punishment{SlashUltai: sum}
	if p.VictimUltai, err = k.payOut(ctx, o.Victim, parts.Victim); err != nil {
		return none, err
	}
	if p.ReporterUltai, err = k.payOut(ctx, o.Reporter, parts.Reporter); err != nil {
		return none, err
	}
	p.InsuranceUltai = sum - p.VictimUltai - p.ReporterUltai
	return p, k.toInsurance(ctx, p.InsuranceUltai)
}

// payOut pays ultai of the module account to an account and returns what it got: nothing where bank refuses, so that no receiver can
// stop what pays him.
func (k *Keeper) payOut(ctx context.Context, to []byte, amount uint64) (uint64, error) {
	if amount == 0 || len(to) == 0 {
		return 0, nil
	}
	cached, write := sdk.UnwrapSDKContext(ctx).CacheContext()
	if err := k.bank.SendCoinsFromModuleToAccount(cached, types.ModuleName, to, ultai(amount)); err != nil {
		k.logger(ctx).Error("payment goes to insurance", "err", err)
		return 0, nil
	}
	write()
	return amount, nil
}

func (k *Keeper) toInsurance(ctx context.Context, amount uint64) error {
	if amount == 0 {
		return nil
	}
	return k.bank.SendCoinsFromModuleToModule(ctx, types.ModuleName, types.InsuranceAccount, ultai(amount))
}

// isOwn reports whether an account belongs to the offender's controller: it is the offender, its controller, one of its relayers, or
// an operator of the same controller. Nobody, an empty account, gets nothing either.
func (k *Keeper) isOwn(ctx context.Context, op *types.Operator, operator, account []byte) (bool, error) {
	if len(account) == 0 || bytes.Equal(account, operator) {
		return true, nil
	}
	text, err := k.addressCodec.BytesToString(account)
	if err != nil {
		return false, errorsmod.Wrap(types.ErrInvalidAddress, err.Error())
	}
	if text == op.Controller {
		return true, nil
	}
	relayer, err := k.grants.Has(ctx, collections.Join(operator, account))
	if err != nil || relayer {
		return relayer, err
	}
	other, err := k.operators.Get(ctx, account)
	if errors.Is(err, collections.ErrNotFound) {
		return false, nil
	}
	return other.Controller == op.Controller, err
}
