// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/u128"
	"github.com/gpucoord/gpucoord/x/royalties/types"
)

// ledger holds the new totals of one group until all are known to fit. Its lists are short (payees of at most six assets)
// and searched in order, so that what is written has an order too.
type ledger struct {
	k        *Keeper
	accruals []payeeAccrual
	earnings []*types.AssetEarnings
}

type payeeAccrual struct {
	key     []byte // address
	accrual *types.Accrual
}

// credit adds an entry to its payee and its asset and returns what the payee may claim then. Error: ErrOverflow.
func (l *ledger) credit(ctx context.Context, e entry) (uint64, error) {
	accrual, err := l.accrual(ctx, e.payee)
	if err != nil {
		return 0, err
	}
	earnings, err := l.earning(ctx, e.assetID)
	if err != nil {
		return 0, err
	}
	claimable, fits := u128.Add(accrual.ClaimableUusdc, e.amount)
	lifetime, lifetimeFits := u128.Add(accrual.LifetimeUusdc, e.amount)
	earned, earnedFits := u128.Add(earnings.LifetimeUusdc, e.amount)
	if !fits || !lifetimeFits || !earnedFits {
		return 0, errorsmod.Wrapf(types.ErrOverflow, "payee %s, asset %X", e.payee, e.assetID)
	}
	accrual.ClaimableUusdc, accrual.LifetimeUusdc, earnings.LifetimeUusdc = claimable, lifetime, earned
	return claimable, nil
}

// accrual returns the payee's totals, from the store when they are first used.
func (l *ledger) accrual(ctx context.Context, payee string) (*types.Accrual, error) {
	key, err := l.k.address(payee)
	if err != nil {
		return nil, err
	}
	for _, a := range l.accruals {
		if bytes.Equal(a.key, key) {
			return a.accrual, nil
		}
	}
	accrual, err := l.k.accruals.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) {
		accrual, err = types.Accrual{Payee: payee}, nil
	}
	if err != nil {
		return nil, err
	}
	l.accruals = append(l.accruals, payeeAccrual{key: key, accrual: &accrual})
	return &accrual, nil
}

// earning returns the asset's total, from the store when it is first used.
func (l *ledger) earning(ctx context.Context, assetID []byte) (*types.AssetEarnings, error) {
	for _, e := range l.earnings {
		if bytes.Equal(e.AssetId, assetID) {
			return e, nil
		}
	}
	earnings, err := l.k.earnings.Get(ctx, assetID)
	if errors.Is(err, collections.ErrNotFound) {
		earnings, err = types.AssetEarnings{AssetId: assetID}, nil
	}
	if err != nil {
		return nil, err
	}
	l.earnings = append(l.earnings, &earnings)
	return &earnings, nil
}

// write stores all totals.
func (l *ledger) write(ctx context.Context) error {
	for _, a := range l.accruals {
		if err := l.k.accruals.Set(ctx, a.key, *a.accrual); err != nil {
			return err
		}
	}
	for _, e := range l.earnings {
		if err := l.k.earnings.Set(ctx, e.AssetId, *e); err != nil {
			return err
		}
	}
	return nil
}
