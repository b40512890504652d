// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdkmath "cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/split"
	"github.com/gpucoord/gpucoord/domain/u128"
	"github.com/gpucoord/gpucoord/x/royalties/types"
)

// Accrue credits the royalty of one settled group to the payees and emits EventRoyaltiesAccrued with one share for each
// asset and payee that gets something. It moves no coins: the caller has paid w.Royalty to the module account. A royalty of
// 0 changes nothing and emits nothing.
//
// Errors, before anything is written: ErrBadAccrual (w is not of pricing, or does not add up), ErrOverflow.
func (k *Keeper) Accrue(ctx context.Context, batchID uint64, group uint32, pricing types.Pricing, w split.Waterfall) error {
	entries, err := entriesOf(&pricing, &w)
	if err != nil {
		return err
	}
	if w.Royalty == 0 {
		return nil
	}
	l := ledger{k: k}
	event := &types.EventRoyaltiesAccrued{BatchId: batchID, Group: group, TotalUusdc: w.Royalty}
	for _, e := range entries {
		claimable, err := l.credit(ctx, e)
		if err != nil {
			return err
		}
		event.Shares = append(event.Shares, types.PayeeShare{
			Payee:          e.payee,
			AssetId:        e.assetID,
			AmountUusdc:    e.amount,
			ClaimableUusdc: claimable,
		})
	}
	if err := l.write(ctx); err != nil {
		return err
	}
	return emit(ctx, event)
}

// Claim pays all that payee may claim from the module account and emits EventRoyaltiesClaimed.
// Errors: ErrBelowMinClaim, and what the bank returns; nothing is paid then.
func (k *Keeper) Claim(ctx context.Context, payee []byte) (uint64, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return 0, err
	}
	accrual, err := k.accruals.Get(ctx, payee)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return 0, err
	}
	amount := accrual.ClaimableUusdc
	if amount == 0 || amount < params.MinClaimUusdc {
		return 0, errorsmod.Wrapf(types.ErrBelowMinClaim, "%duusdc accrued, least is %d", amount, params.MinClaimUusdc)
	}
	accrual.ClaimableUusdc = 0
	if err := k.accruals.Set(ctx, payee, accrual); err != nil {
		return 0, err
	}
	coins := sdk.NewCoins(sdk.NewCoin(types.SettlementDenom, sdkmath.NewIntFromUint64(amount)))
	if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, payee, coins); err != nil {
		return 0, err
	}
	return amount, emit(ctx, &types.EventRoyaltiesClaimed{Payee: accrual.Payee, AmountUusdc: amount})
}

// entry is what one payee gets for one asset.
type entry struct {
	payee   string
	assetID []byte
	amount  uint64 // above 0
}

// entriesOf lists who gets what, in the order of the waterfall, and checks that the parts add up to the royalty.
// Error: ErrBadAccrual.
func entriesOf(pricing *types.Pricing, w *split.Waterfall) ([]entry, error) {
	if (pricing.Adapter == nil) != (w.Adapter == nil) || (pricing.Base == nil) != (w.Base == nil) || len(pricing.Parents) != len(w.Parents) {
		return nil, errorsmod.Wrap(types.ErrBadAccrual, "the waterfall has other assets")
	}
	b := entryBuilder{left: w.Royalty}
	if pricing.Adapter != nil {
		b.add(pricing.Adapter, w.Adapter)
	}
	if pricing.Base != nil {
		b.add(pricing.Base, w.Base)
	}
	for i := range pricing.Parents {
		b.add(&pricing.Parents[i], &w.Parents[i])
	}
	if b.err == nil && b.left != 0 {
		b.err = errorsmod.Wrapf(types.ErrBadAccrual, "%d of the royalty of %d are nobody's", b.left, w.Royalty)
	}
	return b.entries, b.err
}

// entryBuilder collects entries until the first error.
type entryBuilder struct {
	entries []entry
	left    uint64 // of the royalty
	err     error
}

func (b *entryBuilder) add(terms *types.AssetTerms, share *split.Share) {
	if b.err != nil {
		return
	}
	sum, ok := u128.Sum(share.Payees)
	switch {
	case len(share.Payees) != 0 && len(share.Payees) != len(terms.Payees):
		b.err = errorsmod.Wrapf(types.ErrBadAccrual, "asset %X has %d payees, its share %d", terms.ID, len(terms.Payees), len(share.Payees))
	case !ok || sum != share.Amount:
		b.err = errorsmod.Wrapf(types.ErrBadAccrual, "the payees of asset %X do not get its %d", terms.ID, share.Amount)
	case sum > b.left:
		b.err = errorsmod.Wrapf(types.ErrBadAccrual, "the shares are more than the royalty, by asset %X", terms.ID)
	}
	if b.err != nil {
		return
	}
	b.left -= sum
	for i, amount := range share.Payees {
		if amount > 0 {
			b.entries = append(b.entries, entry{payee: terms.Payees[i].Address, assetID: terms.ID[:], amount: amount})
		}
	}
}
