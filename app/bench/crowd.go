// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/sha256"
	"encoding/binary"

	sdkmath "cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"github.com/gpucoord/gpucoord/app"
	"github.com/gpucoord/gpucoord/app/apptest"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
)

// crowdBond is the bond of each operator of the crowd, in ultai.
const crowdBond = 1_000_000_000

// crowdAddress is the account of the operator of that number.
func crowdAddress(number int) sdk.AccAddress {
	hash := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("operator of the crowd"), uint64(number)))
	return hash[:20]
}

// addCrowd puts n bonded operators into the genesis of x/operators, and their bonds into its account.
func addCrowd(a *app.App, state app.GenesisState, n int) error {
	cdc := a.Encoding().Codec
	err := apptest.Edit(cdc, state, operatorstypes.ModuleName, &operatorstypes.GenesisState{}, func(g *operatorstypes.GenesisState) error {
		for i := range n {
			address := crowdAddress(i).String()
			g.Operators = append(g.Operators, operatorstypes.Operator{
				Address: address, Controller: address, Moniker: "crowd", BondUltai: crowdBond, RegisteredHeight: 1,
				Status: operatorstypes.OperatorStatus_OPERATOR_STATUS_ACTIVE, ReputationPpm: 500_000,
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	bonds := sdk.NewCoin(operatorstypes.BondDenom, sdkmath.NewInt(crowdBond).MulRaw(int64(n)))
	return fund(a, state, operatorstypes.ModuleName, bonds)
}

// fund gives a module's account coins, which the supply then has too.
func fund(a *app.App, state app.GenesisState, module string, coin sdk.Coin) error {
	cdc := a.Encoding().Codec
	return apptest.Edit(cdc, state, banktypes.ModuleName, &banktypes.GenesisState{}, func(g *banktypes.GenesisState) error {
		g.Balances = append(g.Balances, banktypes.Balance{
			Address: authtypes.NewModuleAddress(module).String(), Coins: sdk.NewCoins(coin),
		})
		g.Supply = g.Supply.Add(coin)
		return nil
	})
}
