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
	"github.com/gpucoord/gpucoord/x/internal/eventjson"
	"github.com/gpucoord/gpucoord/x/royalties/types"
)

// Accrue credits the royalties of a settled batch's groups to the payees and emits EventRoyaltiesAccrued with one share for each
// group, asset and payee that gets something. It moves no coins: the caller has paid the sum to the module account. A royalty of 0
// changes nothing, and where all are 0 there is no event.
//
// Errors, before anything is written: ErrBadAccrual (a waterfall is not of its pricing, or does not add up), ErrOverflow.
func (k *Keeper) Accrue(ctx context.Context, batchID uint64, dues []types.GroupDue) error {
	l := ledger{k: k}
	event := types.EventRoyaltiesAccrued{BatchId: batchID}
	for i := range dues {
		if err := l.creditGroup(ctx, &dues[i], &event); err != nil {
			return errorsmod.Wrapf(err, "group %d", dues[i].Group)
		}
	}
	if len(event.Groups) == 0 {
		return nil
	}
	if err := l.write(ctx); err != nil {
		return err
	}
	for _, a := range l.accruals {
		event.Payees = append(event.Payees, types.PayeeClaimable{Payee: a.accrual.Payee, ClaimableUusdc: a.accrual.ClaimableUusdc})
	}
	return emitAccrued(ctx, &event)
}

// creditGroup credits one group's royalty and adds it to the event.
func (l *ledger) creditGroup(ctx context.Context, due *types.GroupDue, event *types.EventRoyaltiesAccrued) error {
	entries, err := entriesOf(&due.Pricing, &due.Waterfall)
	if err != nil || due.Waterfall.Royalty == 0 {
		return err
	}
	total, fits := u128.Add(event.TotalUusdc, due.Waterfall.Royalty)
	if !fits {
		return errorsmod.Wrap(types.ErrOverflow, "the batch's royalty")
	}
	event.TotalUusdc = total
	group := types.GroupRoyalty{Group: due.Group, TotalUusdc: due.Waterfall.Royalty, Shares: make([]types.PayeeShare, len(entries))}
	for i, e := range entries {
		if err := l.credit(ctx, e); err != nil {
			return err
		}
		group.Shares[i] = types.PayeeShare{Payee: e.payee, AssetId: e.assetID, AmountUusdc: e.amount}
	}
	event.Groups = append(event.Groups, group)
	return nil
}

// emitAccrued emits the event of a settlement, which is a large part of its work.
func emitAccrued(ctx context.Context, event *types.EventRoyaltiesAccrued) error {
	e := eventjson.New(500 + 500*len(event.Groups))
	e.Uint64("batch_id", event.BatchId)
	e.Uint64("total_uusdc", event.TotalUusdc)
	e.List("groups", len(event.Groups), func(i int) {
		group := &event.Groups[i]
		e.Uint32("group", group.Group)
		e.Uint64("total_uusdc", group.TotalUusdc)
		e.List("shares", len(group.Shares), func(j int) {
			e.Plain("payee", group.Shares[j].Payee)
			e.Bytes("asset_id", group.Shares[j].AssetId)
			e.Uint64("amount_uusdc", group.Shares[j].AmountUusdc)
		})
	})
	e.List("payees", len(event.Payees), func(i int) {
		e.Plain("payee", event.Payees[i].Payee)
		e.Uint64("claimable_uusdc", event.Payees[i].ClaimableUusdc)
	})
	return e.Emit(ctx, &types.EventRoyaltiesAccrued{})
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
