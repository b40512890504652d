// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"

	gogotypes "github.com/cosmos/gogoproto/types"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/x/anchors/types"
)

// bonded is what the consensus set means for anchors.
type bonded struct {
	// set has the most powerful bonded validators with an anchor key; it may be empty.
	set anchor.Valset
	// keyed is the power of set, total that of all bonded validators.
	keyed, total uint64
}

// usable reports whether set may sign for the chain: it is one the contract takes, and holds more than two thirds of the power.
func (b *bonded) usable() bool {
	return b.set.Validate() == nil && b.total <= anchor.MaxTotalPower && 3*b.keyed > 2*b.total
}

// bondedSet reads the bonded validators of this moment. In EndBlock after x/staking they are those of the block's own changes.
func (k *Keeper) bondedSet(ctx context.Context, maxMembers uint64) (bonded, error) {
	var b bonded
	iterator, err := k.staking.LastValidatorsIterator(ctx)
	if err != nil {
		return b, err
	}
	defer iterator.Close()
	for ; iterator.Valid(); iterator.Next() {
		var power gogotypes.Int64Value
		if err := power.Unmarshal(iterator.Value()); err != nil {
			return b, errorsmod.Wrap(types.ErrInvariant, err.Error())
		}
		key := iterator.Key()
		if len(key) < 3 || power.Value <= 0 { // prefix, length, operator
			continue
		}
		b.total += uint64(power.Value)
		address, err := k.currentKeys.Get(ctx, key[2:])
		if errors.Is(err, collections.ErrNotFound) {
			continue
		}
		if err != nil {
			return b, err
		}
		b.set = append(b.set, anchor.Member{Address: [20]byte(address), Power: uint64(power.Value)})
	}
	if uint64(len(b.set)) > maxMembers {
		b.set.Sort()
		slices.SortStableFunc(b.set, func(a, b anchor.Member) int { return cmp.Compare(b.Power, a.Power) })
		b.set = b.set[:maxMembers]
	}
	b.set.Sort()
	b.keyed = b.set.Total()
	return b, nil
}

// difference returns the power that moved from one set to the other, what left and what came included, and whether the members are
// others. Both are in ascending order of address.
func difference(before, now anchor.Valset) (moved uint64, others bool) {
	for len(before) > 0 || len(now) > 0 {
		order := -1
		switch {
		case len(before) == 0:
			order = 1
		case len(now) > 0:
			order = bytes.Compare(before[0].Address[:], now[0].Address[:])
		}
		switch {
		case order < 0:
			moved, others, before = moved+before[0].Power, true, before[1:]
		case order > 0:
			moved, others, now = moved+now[0].Power, true, now[1:]
		default:
			moved += max(before[0].Power, now[0].Power) - min(before[0].Power, now[0].Power)
			before, now = before[1:], now[1:]
		}
	}
	return moved, others
}

// part is bps of total, rounded up and at least 1; total is at most (2^63 - 1) / 8.
func part(total, bps uint64) uint64 {
	whole, rest := total/10_000, total%10_000
	return max(1, whole*bps+(rest*bps+9_999)/10_000)
}

// Valset returns a set by its hash. Errors: ErrNoValset.
func (k *Keeper) Valset(ctx context.Context, hash []byte) (anchor.Valset, error) {
	stored, err := k.valsets.Get(ctx, hash)
	if errors.Is(err, collections.ErrNotFound) {
		return nil, errorsmod.Wrapf(types.ErrNoValset, "%x", hash)
	}
	if err != nil {
		return nil, err
	}
	return stored.Domain()
}

// useValset stores a set, if it is new, and that nonce needs it.
func (k *Keeper) useValset(ctx context.Context, hash [32]byte, set anchor.Valset, nonce uint64) error {
	has, err := k.valsets.Has(ctx, hash[:])
	if err != nil {
		return err
	}
	if !has {
		if err := k.valsets.Set(ctx, hash[:], types.ValsetOf(set)); err != nil {
			return err
		}
	}
	return k.valsetUse.Set(ctx, hash[:], nonce)
}

// forgetValset removes a set that nothing after nonce needs.
func (k *Keeper) forgetValset(ctx context.Context, hash []byte, nonce uint64) error {
	last, err := k.valsetUse.Get(ctx, hash)
	if errors.Is(err, collections.ErrNotFound) {
		return nil
	}
	if err != nil || last > nonce {
		return err
	}
	if err := k.valsetUse.Remove(ctx, hash); err != nil {
		return err
	}
	return k.valsets.Remove(ctx, hash)
}

// power is a validator's power in the consensus now, 0 when it is not bonded.
func (k *Keeper) power(ctx context.Context, validator sdk.ValAddress) (uint64, error) {
	power, err := k.staking.GetLastValidatorPower(ctx, validator)
	return uint64(max(0, power)), err //nolint:gosec // not negative
}
