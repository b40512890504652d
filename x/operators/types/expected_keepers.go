// SPDX-License-Identifier: Apache-2.0

package types

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// BankKeeper moves bond money.
type BankKeeper interface {
	// SendCoinsFromAccountToModule moves coins of an account to a module account.
	SendCoinsFromAccountToModule(ctx context.Context, sender sdk.AccAddress, recipientModule string, amt sdk.Coins) error
	// SendCoinsFromModuleToAccount moves coins of a module account to an account.
	SendCoinsFromModuleToAccount(ctx context.Context, senderModule string, recipient sdk.AccAddress, amt sdk.Coins) error
	// SendCoinsFromModuleToModule moves coins between module accounts.
	SendCoinsFromModuleToModule(ctx context.Context, senderModule, recipientModule string, amt sdk.Coins) error
	// GetBalance returns what an account holds of a denom.
	GetBalance(ctx context.Context, addr sdk.AccAddress, denom string) sdk.Coin
}

// Slashable is a module that holds money for operators which an offence may cost, such as vesting rewards.
type Slashable interface {
	// SlashVesting moves at most ultai of what is held for the operator into the account of this module, and says how much it moved.
	SlashVesting(ctx context.Context, operator []byte, ultai uint64) (taken uint64, err error)
}
