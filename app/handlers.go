// SPDX-License-Identifier: Apache-2.0

package app

import (
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

func (a *App) setHandlers() error {
	a.SetInitChainer(a.initChain)
	a.SetPreBlocker(a.preBlock)
	a.SetBeginBlocker(a.moduleManager.BeginBlock)
	a.SetEndBlocker(a.moduleManager.EndBlock)
	a.SetAnteHandler(newAnteHandler(a))
	a.SetProcessProposal(a.processProposal)
	return nil
}

func (a *App) initChain(ctx sdk.Context, req *abci.RequestInitChain) (*abci.ResponseInitChain, error) {
	// Upgrades migrate from the versions the chain started with.
	if err := a.Upgrade.SetModuleVersionMap(ctx, a.moduleManager.GetVersionMap()); err != nil {
		return nil, fmt.Errorf("record module versions: %w", err)
	}
	return a.ImportState(ctx, req.AppStateBytes)
}

func (a *App) preBlock(ctx sdk.Context, _ *abci.RequestFinalizeBlock) (*sdk.ResponsePreBlock, error) {
	return a.moduleManager.PreBlock(ctx)
}
