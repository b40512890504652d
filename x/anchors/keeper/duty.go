// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"
	"math/bits"
	"time"

	"cosmossdk.io/collections"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/x/anchors/types"
)

// charge counts for every member of an attested anchor's set whether it has signed, and jails those that missed too many. It is
// called when the time for late signatures is over. Members that are not bonded any more owe nothing.
func (k *Keeper) charge(ctx context.Context, open *types.OpenAnchor, params *types.Params) error {
	set, err := k.Valset(ctx, open.SignersHash)
	if err != nil {
		return err
	}
	for i := range set {
		validator, _, err := k.owner(ctx, set[i].Address[:])
		if err != nil {
			return err
		}
		power, err := k.power(ctx, validator)
		if err != nil {
			return err
		}
		signed, err := k.HasSigned(ctx, i)
		if err != nil {
			return err
		}
		if power == 0 {
			continue
		}
		missed, err := k.count(ctx, validator, signed, params.SignedWindow)
		if err != nil {
			return err
		}
		if missed > params.SignedWindow-params.MinSigned {
			// One that can not be jailed must not keep the others' counts from being written.
			k.guarded(ctx, "jail", func(ctx context.Context) error { return k.jail(ctx, validator, missed, params.JailSeconds) })
		}
	}
	return nil
}

// count moves a validator's window on by one anchor and returns how many of it were missed.
func (k *Keeper) count(ctx context.Context, validator sdk.ValAddress, signed bool, window uint64) (uint64, error) {
	before, err := k.missed.Get(ctx, validator)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return 0, err
	}
	after := before << 1 & (1<<window - 1)
	if !signed {
		after |= 1
	}
	missed := uint64(bits.OnesCount64(after)) //nolint:gosec // not negative
	if after == before {
		return missed, nil
	}
	if after == 0 {
		return 0, k.missed.Remove(ctx, validator)
	}
	return missed, k.missed.Set(ctx, validator, after)
}

// jail takes a validator that missed too many anchors out of the set. It starts with a clean window when it comes back.
func (k *Keeper) jail(ctx context.Context, validator sdk.ValAddress, missed, seconds uint64) error {
	v, err := k.staking.GetValidator(ctx, validator)
	if err != nil {
		return err
	}
	if v.IsJailed() || !v.IsBonded() {
		return nil
	}
	address, err := v.GetConsAddr()
	if err != nil {
		return err
	}
	if err := k.missed.Remove(ctx, validator); err != nil {
		return err
	}
	if err := k.slashing.Jail(ctx, address); err != nil {
		return err
	}
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	until := sdkCtx.BlockTime().Add(time.Duration(seconds) * time.Second) //nolint:gosec // bounded by the parameters
	if err := k.slashing.JailUntil(ctx, address, until); err != nil {
		return err
	}
	return sdkCtx.EventManager().EmitTypedEvent(&types.EventValidatorMissedAnchors{
		Validator: v.GetOperator(), Missed: missed, JailedUntil: uint64(until.Unix()), //nolint:gosec // not negative
	})
}

// Missed returns how many anchors of the window a validator has not signed.
func (k *Keeper) Missed(ctx context.Context, validator []byte) (uint64, error) {
	window, err := k.missed.Get(ctx, validator)
	if errors.Is(err, collections.ErrNotFound) {
		return 0, nil
	}
	return uint64(bits.OnesCount64(window)), err //nolint:gosec // not negative
}
