// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"context"
	"errors"
	"time"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdkmath "cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/x/anchors/types"
)

// forever is the jail's end for a tombstoned validator: the last second of the year 9999, as x/evidence has it.
var forever = time.Unix(253_402_300_799, 0).UTC()

// Statement is an anchor that somebody signed.
type Statement struct {
	Anchor    anchor.Anchor
	Signature [65]byte
}

// SubmitEvidence punishes the validator whose key made the signatures, and returns it: it is slashed and tombstoned.
//
// A fault is a statement that the chain never made, or two different ones of one nonce. What the chain did state under the nonce is
// remembered for the unbonding time; a nonce from before that needs two statements, and one that is still to come needs one.
// Errors: ErrBadSignature, ErrNoKey, ErrNoFault, ErrTooOld, ErrNotSlashable, ErrNoOrigin.
func (k *Keeper) SubmitEvidence(ctx context.Context, submitter string, first Statement, second *Statement) (string, error) {
	signer, err := k.statementSigner(ctx, first)
	if err != nil {
		return "", err
	}
	if second != nil {
		other, err := k.statementSigner(ctx, *second)
		if err != nil {
			return "", err
		}
		if other != signer {
			return "", errorsmod.Wrapf(types.ErrBadSignature, "signed by %x and %x", signer, other)
		}
		if second.Anchor.Nonce != first.Anchor.Nonce || second.Anchor == first.Anchor {
			return "", types.ErrNoFault
		}
	}
	validator, key, err := k.owner(ctx, signer[:])
	if err != nil {
		return "", err
	}
	if err := k.checkAccountable(ctx, &key); err != nil {
		return "", err
	}
	since, power, err := k.infraction(ctx, first.Anchor, signer, second != nil)
	if err != nil {
		return "", err
	}
	if err := k.punish(ctx, validator, since, power); err != nil {
		return "", err
	}
	return key.Validator, sdk.UnwrapSDKContext(ctx).EventManager().EmitTypedEvent(&types.EventAnchorFault{
		Validator: key.Validator, Address: signer[:], Nonce: first.Anchor.Nonce, Double: second != nil, Submitter: submitter,
	})
}

func (k *Keeper) statementSigner(ctx context.Context, s Statement) ([20]byte, error) {
	origin, err := k.Origin(ctx)
	if err != nil {
		return [20]byte{}, err
	}
	sdk.UnwrapSDKContext(ctx).GasMeter().ConsumeGas(signatureGas, "signature of an anchor")
	signer, err := k.recoverSigner(anchor.NewDomain(origin).Digest(s.Anchor), s.Signature)
	if err != nil {
		return signer, errorsmod.Wrap(types.ErrBadSignature, err.Error())
	}
	return signer, nil
}

// checkAccountable refuses a key that was replaced longer ago than the unbonding time.
func (k *Keeper) checkAccountable(ctx context.Context, key *types.AnchorKey) error {
	if key.ReplacedTime == 0 {
		return nil
	}
	unbonding, err := k.unbondingSeconds(ctx)
	if err != nil {
		return err
	}
	if _, now := clock(ctx); now > key.ReplacedTime+unbonding {
		return errorsmod.Wrapf(types.ErrTooOld, "key %x was replaced at %d", key.Address, key.ReplacedTime)
	}
	return nil
}

// infraction checks that the statement is a fault, and returns since when stake is liable for it and the power that the signer had
// then, 0 when that is not known.
func (k *Keeper) infraction(ctx context.Context, statement anchor.Anchor, signer [20]byte, double bool) (since, power uint64, err error) {
	head, err := k.anchorHead(ctx)
	if err != nil {
		return 0, 0, err
	}
	height, _ := clock(ctx)
	newest := head.Nonce
	made, err := k.made.Get(ctx, statement.Nonce)
	switch {
	case err == nil:
		hash := statement.StructHash()
		if !double && bytes.Equal(made.StructHash, hash[:]) {
			return 0, 0, types.ErrNoFault
		}
		height, newest = made.Height, statement.Nonce
	case !errors.Is(err, collections.ErrNotFound):
		return 0, 0, err
	case statement.Nonce <= head.Nonce && !double:
		return 0, 0, errorsmod.Wrapf(types.ErrTooOld, "nonce %d is no longer remembered", statement.Nonce)
	}
	since, power, named, err := k.lastNamed(ctx, signer, newest)
	if err != nil || named {
		return since, power, err
	}
	return height, 0, nil
}

// lastNamed returns the height at which the newest anchor up to that nonce was made that names the signer as a member of the next
// set, and its power there; named is false when none is remembered.
//
// Nothing tells when a statement was signed. But a contract believes a signer because of such an anchor, and at its height the stake
// was still bonded: whatever was withdrawn since then stands for the statement. Without this a signer would withdraw first, lie under
// a nonce that is still to come, and have nothing left to slash.
func (k *Keeper) lastNamed(ctx context.Context, signer [20]byte, newest uint64) (since, power uint64, named bool, err error) {
	var looked []byte // consecutive anchors mostly name the same set
	var member anchor.Member
	down := new(collections.Range[uint64]).EndInclusive(newest).Descending()
	err = k.made.Walk(ctx, down, func(_ uint64, made types.MadeAnchor) (bool, error) {
		if bytes.Equal(made.NextValset, looked) {
			return false, nil
		}
		looked = made.NextValset
		set, err := k.Valset(ctx, made.NextValset)
		if err != nil {
			return true, err
		}
		i := set.Index(signer)
		if i < 0 {
			return false, nil
		}
		member, since, named = set[i], made.Height, true
		return true, nil
	})
	return since, member.Power, named, err
}

// punish slashes the stake that was liable since that height, jails and tombstones the validator.
func (k *Keeper) punish(ctx context.Context, validator sdk.ValAddress, since, power uint64) error {
	v, err := k.staking.GetValidator(ctx, validator)
	if err != nil {
		return errorsmod.Wrap(types.ErrNotSlashable, err.Error())
	}
	address, err := v.GetConsAddr()
	if err != nil {
		return err
	}
	if v.IsUnbonded() || k.slashing.IsTombstoned(ctx, address) {
		return errorsmod.Wrap(types.ErrNotSlashable, v.GetOperator())
	}
	params, err := k.Params(ctx)
	if err != nil {
		return err
	}
	atLeast := sdk.TokensToConsensusPower(v.GetTokens(), k.staking.PowerReduction(ctx))
	fraction := sdkmath.LegacyNewDecWithPrec(int64(params.SlashBps), 4)                                    //nolint:gosec // at most 10,000
	liable := max(int64(since)-sdk.ValidatorUpdateDelay, 0)                                                //nolint:gosec // a height
	err = k.slashing.SlashWithInfractionReason(ctx, address, fraction, max(atLeast, int64(power)), liable, //nolint:gosec // checked in the set
		stakingtypes.Infraction_INFRACTION_DOUBLE_SIGN)
	if err != nil {
		return err
	}
	if !v.IsJailed() {
		if err := k.slashing.Jail(ctx, address); err != nil {
			return err
		}
	}
	if err := k.slashing.JailUntil(ctx, address, forever); err != nil {
		return err
	}
	return k.slashing.Tombstone(ctx, address)
}

func (k *Keeper) unbondingSeconds(ctx context.Context) (uint64, error) {
	unbonding, err := k.staking.UnbondingTime(ctx)
	return uint64(max(0, unbonding/time.Second)), err //nolint:gosec // not negative
}
