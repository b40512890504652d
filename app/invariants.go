// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// ErrSupply means that the balances of all accounts do not add up to the supply that bank keeps.
var ErrSupply = errors.New("balances do not add up to the supply")

// CheckInvariants walks the whole state: every module's account holds exactly what its state owes, its counters and
// indexes agree with its entries, and all balances add up to the supply. It is for tests and never runs in a block.
//
// Errors: the first fault, with the module's name; ErrSupply.
func (a *App) CheckInvariants(ctx context.Context) error {
	modules := []struct {
		name  string
		check func(context.Context) error
	}{
		{"operators", a.Operators.CheckInvariants},
		{"royalties", a.Royalties.CheckInvariants},
		{"anchors", a.Anchors.CheckInvariants},
		{"receipts", a.Receipts.CheckInvariants},
		{"rewards", a.Rewards.CheckInvariants},
	}
	for _, m := range modules {
		if err := m.check(ctx); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return a.checkSupply(ctx)
}

func (a *App) checkSupply(ctx context.Context) error {
	held := sdk.NewCoins()
	a.Bank.IterateAllBalances(ctx, func(_ sdk.AccAddress, coin sdk.Coin) bool {
		held = held.Add(coin)
		return false
	})
	supply := sdk.NewCoins()
	a.Bank.IterateTotalSupply(ctx, func(coin sdk.Coin) bool {
		supply = supply.Add(coin)
		return false
	})
	if !held.Equal(supply) {
		return fmt.Errorf("%w: balances %s, supply %s", ErrSupply, held, supply)
	}
	return nil
}
