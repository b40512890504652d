// SPDX-License-Identifier: Apache-2.0

package types

import (
	"context"
	"time"

	"cosmossdk.io/core/store"
	sdkmath "cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
)

// StakingKeeper knows the validators and their power.
type StakingKeeper interface {
	// LastValidatorsIterator walks the bonded validators by operator address; the caller closes it.
	LastValidatorsIterator(ctx context.Context) (store.Iterator, error)
	// GetLastValidatorPower is a validator's power in the consensus, 0 when it is not bonded.
	GetLastValidatorPower(ctx context.Context, operator sdk.ValAddress) (int64, error)
	// GetValidator is a validator, bonded or not.
	GetValidator(ctx context.Context, operator sdk.ValAddress) (stakingtypes.Validator, error)
	// UnbondingTime is how long stake can still be slashed after it is withdrawn.
	UnbondingTime(ctx context.Context) (time.Duration, error)
	// PowerReduction is how many tokens are one unit of power.
	PowerReduction(ctx context.Context) sdkmath.Int
}

// SlashingKeeper punishes validators by their consensus address.
type SlashingKeeper interface {
	// SlashWithInfractionReason burns a part of the stake that was bonded since distributionHeight.
	SlashWithInfractionReason(
		ctx context.Context, address sdk.ConsAddress, fraction sdkmath.LegacyDec, power, distributionHeight int64, reason stakingtypes.Infraction,
	) error
	// Jail takes a validator out of the set; it must not be jailed already.
	Jail(ctx context.Context, address sdk.ConsAddress) error
	// JailUntil says when the validator may come back.
	JailUntil(ctx context.Context, address sdk.ConsAddress, until time.Time) error
	// Tombstone says that it never may.
	Tombstone(ctx context.Context, address sdk.ConsAddress) error
	// IsTombstoned reports whether that was said before.
	IsTombstoned(ctx context.Context, address sdk.ConsAddress) bool
}
