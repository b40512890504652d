// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// retryBlocks is how long an entry that could not be paid waits, so that it does not hold the head of the queue.
const retryBlocks = 100

// payMature pays mature entries in the order of (mature height, id), each in its own cached context. One that fails waits.
func (k *Keeper) payMature(ctx context.Context) error {
	ids, err := k.matureIDs(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := k.tryUnbonding(ctx, id); err != nil {
			k.logger(ctx).Error("unbonding not paid", "unbonding_id", id, "err", err)
			if err := k.postpone(ctx, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// tryUnbonding pays one entry, or leaves no trace. A panic on the way is a failure too: one account must not halt the chain.
func (k *Keeper) tryUnbonding(ctx context.Context, id uint64) (err error) {
	cached, write := sdk.UnwrapSDKContext(ctx).CacheContext()
	defer func() {
		if r := recover(); r != nil {
			err = errorsmod.Wrapf(types.ErrPanicked, "%v", r)
		}
	}()
	if err := k.payUnbonding(cached, id); err != nil {
		return err
	}
	write()
	return nil
}

// matureIDs lists the entries to pay in this block.
func (k *Keeper) matureIDs(ctx context.Context) ([]uint64, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	var ids []uint64
	err = k.unbondings.Indexes.mature.Walk(ctx, nil, func(mature, id uint64) (bool, error) {
		if mature > height(ctx) || len(ids) >= int(params.MaxUnbondingsPerBlock) {
			return true, nil
		}
		ids = append(ids, id)
		return false, nil
	})
	return ids, err
}

func (k *Keeper) payUnbonding(ctx context.Context, id uint64) error {
	entry, err := k.unbondings.Get(ctx, id)
	if err != nil {
		return err
	}
	addr, err := k.parseOperator(entry.Operator)
	if err != nil {
		return err
	}
	op, err := k.Operator(ctx, addr)
	if err != nil {
		return err
	}
	if op.UnbondingUltai < entry.AmountUltai || op.Unbondings == 0 {
		return errorsmod.Wrapf(types.ErrInvariant, "entry %d of %d ultai is not in the operator's sum", id, entry.AmountUltai)
	}
	if err := k.unbondings.Remove(ctx, id); err != nil {
		return err
	}
	op.UnbondingUltai -= entry.AmountUltai
	op.Unbondings--
	if err := k.operators.Set(ctx, addr, op); err != nil {
		return err
	}
	if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, addr, ultai(entry.AmountUltai)); err != nil {
		return err
	}
	return emit(ctx, &types.EventUnbondingPaid{Unbonding: entry, UnbondingUltai: op.UnbondingUltai})
}

func (k *Keeper) postpone(ctx context.Context, id uint64) error {
	entry, err := k.unbondings.Get(ctx, id)
	if err != nil {
		return err
	}
	entry.MatureHeight = height(ctx) + retryBlocks
	if err := k.unbondings.Set(ctx, id, entry); err != nil {
		return err
	}
	return emit(ctx, &types.EventUnbondingPostponed{Unbonding: entry})
}

// unbondingsOf returns an operator's entries by id; they are at most max_unbondings at the time they were made, 64 ever.
func (k *Keeper) unbondingsOf(ctx context.Context, operator []byte) ([]types.Unbonding, error) {
	var ids []uint64
	err := k.unbondings.Indexes.operator.Walk(ctx, collections.NewPrefixedPairRange[[]byte, uint64](operator),
		func(_ []byte, id uint64) (bool, error) {
			ids = append(ids, id)
			return false, nil
		})
	if err != nil {
		return nil, err
	}
	entries := make([]types.Unbonding, 0, len(ids))
	for _, id := range ids {
		entry, err := k.unbondings.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
	return entries, nil
}
