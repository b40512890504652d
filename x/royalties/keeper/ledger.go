// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/u128"
	"github.com/gpucoord/gpucoord/x/royalties/types"
)

// ledger holds the new totals of one batch until all are known to fit. Its lists keep the order of first use, in which they are
// written; its maps only find an entry of theirs.
type ledger struct {
	k        *Keeper
	accruals []payeeAccrual
	byPayee  map[string]int // bech32 -> position in accruals
	earnings []types.AssetEarnings
	byAsset  map[[types.HashSize]byte]int // asset id -> position in earnings
}

type payeeAccrual struct {
	key     []byte // address
	accrual types.Accrual
}

// credit adds an entry to its payee and its asset. Error: ErrOverflow.
func (l *ledger) credit(ctx context.Context, e entry) error {
	accrual, err := l.accrual(ctx, e.payee)
	if err != nil {
		return err
	}
	earnings, err := l.earning(ctx, e.assetID)
	if err != nil {
		return err
	}
	claimable, fits := u128.Add(accrual.ClaimableUusdc, e.amount)
	lifetime, lifetimeFits := u128.Add(accrual.LifetimeUusdc, e.amount)
	earned, earnedFits := u128.Add(earnings.LifetimeUusdc, e.amount)
	if !fits || !lifetimeFits || !earnedFits {
		return errorsmod.Wrapf(types.ErrOverflow, "payee %s, asset %X", e.payee, e.assetID)
	}
	accrual.ClaimableUusdc, accrual.LifetimeUusdc, earnings.LifetimeUusdc = claimable, lifetime, earned
	return nil
}

// accrual returns the payee's totals, from the store when they are first used. Payees in terms are written in one way only.
func (l *ledger) accrual(ctx context.Context, payee string) (*types.Accrual, error) {
	if i, found := l.byPayee[payee]; found {
		return &l.accruals[i].accrual, nil
	}
	key, err := l.k.address(payee)
	if err != nil {
		return nil, err
	}
	accrual, err := l.k.accruals.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) {
		accrual, err = types.Accrual{Payee: payee}, nil
	}
	if err != nil {
		return nil, err
	}
	if l.byPayee == nil {
		l.byPayee = map[string]int{}
	}
	l.byPayee[payee] = len(l.accruals)
	l.accruals = append(l.accruals, payeeAccrual{key: key, accrual: accrual})
	return &l.accruals[len(l.accruals)-1].accrual, nil
}

// earning returns the asset's total, from the store when it is first used.
func (l *ledger) earning(ctx context.Context, assetID []byte) (*types.AssetEarnings, error) {
	id := [types.HashSize]byte(assetID)
	if i, found := l.byAsset[id]; found {
		return &l.earnings[i], nil
	}
	earnings, err := l.k.earnings.Get(ctx, assetID)
	if errors.Is(err, collections.ErrNotFound) {
		earnings, err = types.AssetEarnings{AssetId: assetID}, nil
	}
	if err != nil {
		return nil, err
	}
	if l.byAsset == nil {
		l.byAsset = map[[types.HashSize]byte]int{}
	}
	l.byAsset[id] = len(l.earnings)
	l.earnings = append(l.earnings, earnings)
	return &l.earnings[len(l.earnings)-1], nil
}

// write stores all totals.
func (l *ledger) write(ctx context.Context) error {
	for _, a := range l.accruals {
		if err := l.k.accruals.Set(ctx, a.key, a.accrual); err != nil {
			return err
		}
	}
	for _, e := range l.earnings {
		if err := l.k.earnings.Set(ctx, e.AssetId, e); err != nil {
			return err
		}
	}
	return nil
}
