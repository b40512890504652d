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

// account is a settler and what one operator has locked there. The groups of a batch that one settler pays change it together, and
// it is stored once.
type account struct {
	addr, operator []byte
	settler        types.Settler
	lock           types.OperatorLock
}

// account adds the operator's lock to a settler that was read.
func (k *Keeper) account(ctx context.Context, s types.Settler, settler, operator []byte) (*account, error) {
	lock, err := k.lockOf(ctx, &s, settler, operator)
	return &account{addr: settler, operator: operator, settler: s, lock: lock}, err
}

// storeAccount stores the settler and the lock, which ends at 0.
func (k *Keeper) storeAccount(ctx context.Context, a *account) error {
	if err := k.settlers.Set(ctx, a.addr, a.settler); err != nil {
		return err
	}
	key := collections.Join(a.addr, a.operator)
	if a.lock.LockedUusdc == 0 {
		return k.locks.Remove(ctx, key)
	}
	return k.locks.Set(ctx, key, a.lock)
}

// lockable returns what could still be locked at a settler for an operator: within the limit, and not locked yet.
func (k *Keeper) lockable(ctx context.Context, a *account) (uint64, error) {
	limit, _, err := k.limitOf(ctx, &a.settler, a.addr, a.operator)
	if err != nil {
		return 0, err
	}
	free, err := escrow(&a.settler)
	if err != nil {
		return 0, err
	}
	return min(free-a.settler.LockedUusdc, limit-min(limit, a.lock.LockedUusdc)), nil
}

// lock locks escrow that is lockable: available money first, then thawing money, newest entry first.
func (k *Keeper) lock(ctx context.Context, a *account, amount uint64) error {
	fromAvailable := min(amount, a.settler.AvailableUusdc)
	a.settler.AvailableUusdc -= fromAvailable
	if err := k.takeThawing(ctx, &a.settler, a.addr, amount-fromAvailable); err != nil {
		return err
	}
	a.settler.LockedUusdc += amount // the escrow's sum fits, and its sum does not change
	a.lock.LockedUusdc += amount    // at most a.settler.LockedUusdc
	return k.storeAccount(ctx, a)
}

// unlock ends a lock and stores that. A refund makes it available, also what thawed before it was locked; else the caller moves its
// coins. Error: ErrInvariant (it is not locked).
func (k *Keeper) unlock(ctx context.Context, a *account, amount uint64, refund bool) error {
	if err := takeFrom(&a.settler.LockedUusdc, amount); err != nil {
		return err
	}
	if err := takeFrom(&a.lock.LockedUusdc, amount); err != nil {
		return err
	}
	if refund {
		a.settler.AvailableUusdc += amount // the escrow's sum stays
	}
	return k.storeAccount(ctx, a)
}

// refund returns locks of an operator to what is available at their settler.
func (k *Keeper) refund(ctx context.Context, settler, operator []byte, amount uint64) error {
	if amount == 0 {
		return nil
	}
	s, err := k.settler(ctx, settler)
	if err != nil {
		return err
	}
	a, err := k.account(ctx, s, settler, operator)
	if err != nil {
		return err
	}
	return k.unlock(ctx, a, amount, true)
}
