// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"github.com/gpucoord/gpucoord/app"
	"github.com/gpucoord/gpucoord/app/apptest"
)

func TestSendBetweenAccounts(t *testing.T) {
	alice := apptest.NewAccount("alice", sdk.NewInt64Coin(app.BondDenom, 1000), sdk.NewInt64Coin("uusdc", 5))
	bob := apptest.NewAccount("bob")
	chain, err := apptest.New(apptest.Options{Accounts: []*apptest.Account{alice, bob}, Fee: sdk.NewCoins(sdk.NewInt64Coin(app.BondDenom, 10))})
	require.NoError(t, err)

	require.NoError(t, chain.Must(alice, banktypes.NewMsgSend(alice.Address, bob.Address, sdk.NewCoins(sdk.NewInt64Coin("uusdc", 3)))))
	result, err := chain.Deliver(alice, banktypes.NewMsgSend(alice.Address, bob.Address, sdk.NewCoins(sdk.NewInt64Coin("uusdc", 3))))
	require.NoError(t, err)
	require.NotZero(t, result.Code, "alice has two left")
	require.NoError(t, chain.Must(alice, banktypes.NewMsgSend(alice.Address, bob.Address, sdk.NewCoins(sdk.NewInt64Coin("uusdc", 2)))))

	ctx := chain.Context()
	require.Equal(t, "970ualeph", chain.App.Bank.GetAllBalances(ctx, alice.Address).String())
	require.Equal(t, "5uusdc", chain.App.Bank.GetAllBalances(ctx, bob.Address).String())
	require.NoError(t, chain.App.CheckInvariants(ctx))
}
