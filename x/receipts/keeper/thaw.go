// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/u128"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// Withdraw moves available escrow to the thaw queue, from where it is paid out after thaw_blocks unless a claim locks it before.
//
// Errors: ErrUnknownSettler, ErrNotAvailable, ErrTooManyThaws.
func (k *Keeper) Withdraw(ctx context.Context, settler []byte, amount uint64) (types.Thaw, error) {
	s, err := k.settler(ctx, settler)
	if err != nil {
		return types.Thaw{}, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return types.Thaw{}, err
	}
	switch {
	case amount > s.AvailableUusdc:
		return types.Thaw{}, errorsmod.Wrapf(types.ErrNotAvailable, "%duusdc of %d", amount, s.AvailableUusdc)
	case s.Thaws >= params.MaxThaws:
		return types.Thaw{}, errorsmod.Wrapf(types.ErrTooManyThaws, "%d, most is %d", s.Thaws, params.MaxThaws)
	}
	mature, ok := u128.Add(height(ctx), params.ThawBlocks)
	if !ok {
		return types.Thaw{}, errorsmod.Wrap(types.ErrOverflow, "height at which it matures")
	}
	id, err := k.nextThaw.Next(ctx)
	if err != nil {
		return types.Thaw{}, err
	}
	thaw := types.Thaw{Id: id, Settler: s.Address, AmountUusdc: amount, MatureHeight: mature}
	s.AvailableUusdc -= amount
	s.ThawingUusdc += amount // the escrow's sum stays
	s.Thaws++
	if err := k.thaws.Set(ctx, id, thaw); err != nil {
		return types.Thaw{}, err
	}
	if err := k.settlers.Set(ctx, settler, s); err != nil {
		return types.Thaw{}, err
	}
	return thaw, emit(ctx, &types.EventWithdrawalStarted{
		Thaw: thaw, AvailableUusdc: s.AvailableUusdc, ThawingUusdc: s.ThawingUusdc,
	})
}

// takeThawing takes from a settler's thawing entries, newest first, at most max_thaws of them. The caller stores s.
func (k *Keeper) takeThawing(ctx context.Context, s *types.Settler, settler []byte, amount uint64) error {
	if amount == 0 {
		return nil
	}
	if err := takeFrom(&s.ThawingUusdc, amount); err != nil {
		return err
	}
	iter, err := k.thaws.Indexes.settler.Iterate(ctx, collections.NewPrefixedPairRange[[]byte, uint64](settler).Descending())
	if err != nil {
		return err
	}
	ids, err := iter.PrimaryKeys() // closes the iterator
	if err != nil {
		return err
	}
	for _, id := range ids {
		if amount == 0 {
			break
		}
		thaw, err := k.thaws.Get(ctx, id)
		if err != nil {
			return err
		}
		part := min(amount, thaw.AmountUusdc)
		amount -= part
		thaw.AmountUusdc -= part
		if err := emit(ctx, &types.EventWithdrawalLocked{Thaw: thaw, LockedUusdc: part}); err != nil {
			return err
		}
		if thaw.AmountUusdc > 0 {
			err = k.thaws.Set(ctx, id, thaw)
		} else {
			err = k.removeThaw(ctx, s, id)
		}
		if err != nil {
			return err
		}
	}
	if amount > 0 {
		return errorsmod.Wrapf(types.ErrInvariant, "%duusdc of %s thaw without an entry", amount, s.Address)
	}
	return nil
}

// removeThaw forgets an entry; the caller stores s.
func (k *Keeper) removeThaw(ctx context.Context, s *types.Settler, id uint64) error {
	if s.Thaws == 0 {
		return errorsmod.Wrapf(types.ErrInvariant, "%s has a thawing entry and counts none", s.Address)
	}
	s.Thaws--
	return k.thaws.Remove(ctx, id)
}

// payThaws pays out entries that have matured, at most max_thaws_per_block. One that the bank refuses waits for thaw_blocks more, so
// that it cannot hold up the others.
func (k *Keeper) payThaws(ctx context.Context, params *types.Params) error {
	due, err := k.dueIDs(ctx, k.thaws.Indexes.mature, params.MaxThawsPerBlock)
	if err != nil {
		return err
	}
	for _, id := range due {
		cached, write := sdk.UnwrapSDKContext(ctx).CacheContext()
		err := k.payThaw(cached, id)
		if err == nil {
			write()
			continue
		}
		k.logger(ctx).Error("withdrawal is postponed", "thaw_id", id, "err", err)
		if err := k.postponeThaw(ctx, id, params.ThawBlocks); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) payThaw(ctx context.Context, id uint64) error {
	thaw, err := k.thaws.Get(ctx, id)
	if err != nil {
		return err
	}
	if thaw.Gateway != "" {
		return k.payBond(ctx, &thaw)
	}
	settler, err := k.parseParty("settler", thaw.Settler)
	if err != nil {
		return err
	}
	s, err := k.settler(ctx, settler)
	if err != nil {
		return err
	}
	if err := takeFrom(&s.ThawingUusdc, thaw.AmountUusdc); err != nil {
		return err
	}
	if err := k.removeThaw(ctx, &s, id); err != nil {
		return err
	}
	if err := k.settlers.Set(ctx, settler, s); err != nil {
		return err
	}
	if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, settler, coins(thaw.AmountUusdc)); err != nil {
		return err
	}
	return emit(ctx, &types.EventWithdrawalPaid{Thaw: thaw, ThawingUusdc: s.ThawingUusdc})
}

func (k *Keeper) postponeThaw(ctx context.Context, id, blocks uint64) error {
	thaw, err := k.thaws.Get(ctx, id)
	if err != nil {
		return err
	}
	thaw.MatureHeight = height(ctx) + blocks
	return k.thaws.Set(ctx, id, thaw)
}
