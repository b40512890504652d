// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/u128"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// escrow returns all that a settler has here. Error: ErrOverflow.
func escrow(s *types.Settler) (uint64, error) {
	sum, ok := u128.Sum([]uint64{s.AvailableUusdc, s.LockedUusdc, s.ThawingUusdc})
	if !ok {
		return 0, errorsmod.Wrapf(types.ErrOverflow, "escrow of %s", s.Address)
	}
	return sum, nil
}

// limitOf returns the most that an operator may have locked at a settler, and whether that is the default: the escrow divided by
// default_limit_divisor, or all of it for an operator's own work, where the settler risks nothing by another.
func (k *Keeper) limitOf(ctx context.Context, s *types.Settler, settler, operator []byte) (limit uint64, isDefault bool, err error) {
	l, err := k.limits.Get(ctx, collections.Join(settler, operator))
	if err == nil {
		return l.LimitUusdc, false, nil
	}
	if !errors.Is(err, collections.ErrNotFound) {
		return 0, false, err
	}
	sum, err := escrow(s)
	if err != nil || bytes.Equal(settler, operator) {
		return sum, true, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return 0, false, err
	}
	return sum / params.DefaultLimitDivisor, true, nil
}

// lockOf returns what an operator has locked at a settler; an empty lock where there is none.
func (k *Keeper) lockOf(ctx context.Context, s *types.Settler, settler, operator []byte) (types.OperatorLock, error) {
	lock, err := k.locks.Get(ctx, collections.Join(settler, operator))
	if !errors.Is(err, collections.ErrNotFound) {
		return lock, err
	}
	op, err := k.bech32(operator)
	return types.OperatorLock{Settler: s.Address, Operator: op}, err
}

// lockable returns what could still be locked at a settler for an operator: within the limit, and not locked yet.
func (k *Keeper) lockable(ctx context.Context, s *types.Settler, settler, operator []byte) (uint64, error) {
	limit, _, err := k.limitOf(ctx, s, settler, operator)
	if err != nil {
		return 0, err
	}
	lock, err := k.lockOf(ctx, s, settler, operator)
	if err != nil {
		return 0, err
	}
	free, err := escrow(s)
	if err != nil {
		return 0, err
	}
	return min(free-s.LockedUusdc, limit-min(limit, lock.LockedUusdc)), nil
}

// lock locks escrow for an operator: available money first, then thawing money, newest entry first. It reports false and changes
// nothing when escrow or limit does not suffice.
func (k *Keeper) lock(ctx context.Context, settler, operator []byte, amount uint64) (bool, error) {
	s, err := k.settler(ctx, settler)
	if err != nil {
		return false, err
	}
	most, err := k.lockable(ctx, &s, settler, operator)
	if err != nil || amount > most {
		return false, err
	}
	if amount == 0 {
		return true, nil
	}
	fromAvailable := min(amount, s.AvailableUusdc)
	s.AvailableUusdc -= fromAvailable
	if err := k.takeThawing(ctx, &s, settler, amount-fromAvailable); err != nil {
		return false, err
	}
	s.LockedUusdc += amount // the escrow's sum fits, and its sum does not change
	if err := k.settlers.Set(ctx, settler, s); err != nil {
		return false, err
	}
	lock, err := k.lockOf(ctx, &s, settler, operator)
	if err != nil {
		return false, err
	}
	lock.LockedUusdc += amount // at most s.LockedUusdc
	return true, k.locks.Set(ctx, collections.Join(settler, operator), lock)
}

// refund returns a lock to what is available; money that thawed before it was locked has to be withdrawn again.
func (k *Keeper) refund(ctx context.Context, settler, operator []byte, amount uint64) error {
	return k.release(ctx, settler, operator, amount, func(s *types.Settler) { s.AvailableUusdc += amount }) // the sum stays
}

// spend takes a lock out of the escrow; the caller moves its coins.
func (k *Keeper) spend(ctx context.Context, settler, operator []byte, amount uint64) error {
	return k.release(ctx, settler, operator, amount, func(*types.Settler) {})
}

// release ends a lock and puts the money where it belongs next. Error: ErrInvariant (it is not locked).
func (k *Keeper) release(ctx context.Context, settler, operator []byte, amount uint64, place func(*types.Settler)) error {
	if amount == 0 {
		return nil
	}
	s, err := k.settler(ctx, settler)
	if err != nil {
		return err
	}
	lock, err := k.lockOf(ctx, &s, settler, operator)
	if err != nil {
		return err
	}
	if err := takeFrom(&s.LockedUusdc, amount); err != nil {
		return err
	}
	if err := takeFrom(&lock.LockedUusdc, amount); err != nil {
		return err
	}
	place(&s)
	if err := k.settlers.Set(ctx, settler, s); err != nil {
		return err
	}
	if lock.LockedUusdc == 0 {
		return k.locks.Remove(ctx, collections.Join(settler, operator))
	}
	return k.locks.Set(ctx, collections.Join(settler, operator), lock)
}
