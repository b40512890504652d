// SPDX-License-Identifier: Apache-2.0

package app

import (
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"

	sdk "github.com/cosmos/cosmos-sdk/types"

	anchorstypes "github.com/gpucoord/gpucoord/x/anchors/types"
)

func (a *App) setHandlers() error {
	a.SetInitChainer(a.initChain)
	a.SetPreBlocker(a.preBlock)
	a.SetBeginBlocker(a.moduleManager.BeginBlock)
	a.SetEndBlocker(a.moduleManager.EndBlock)
	a.SetAnteHandler(newAnteHandler(a))
	a.SetPrepareProposal(a.newPrepareProposal())
	a.SetProcessProposal(a.processProposal)
	a.SetExtendVoteHandler(a.extendVote)
	a.SetVerifyVoteExtensionHandler(a.verifyVoteExtension)
	a.SetPrepareCheckStater(a.archiveLog)
	return nil
}

func (a *App) initChain(ctx sdk.Context, req *abci.RequestInitChain) (*abci.ResponseInitChain, error) {
	// Upgrades migrate from the versions the chain started with.
	if err := a.Upgrade.SetModuleVersionMap(ctx, a.moduleManager.GetVersionMap()); err != nil {
		return nil, fmt.Errorf("record module versions: %w", err)
	}
	origin, err := anchorstypes.OriginID(req.ChainId, req.Time, req.InitialHeight, req.AppStateBytes)
	if err != nil {
		return nil, fmt.Errorf("origin id: %w", err)
	}
	if err := a.Anchors.SetOrigin(ctx, origin); err != nil {
		return nil, fmt.Errorf("origin id: %w", err)
	}
	return a.ImportState(ctx, req.AppStateBytes)
}

func (a *App) preBlock(ctx sdk.Context, req *abci.RequestFinalizeBlock) (*sdk.ResponsePreBlock, error) {
	response, err := a.moduleManager.PreBlock(ctx)
	if err != nil {
		return nil, err
	}
	if len(req.Txs) > 0 && anchorstypes.IsEnvelope(req.Txs[0]) {
		a.Anchors.Collect(ctx, req.Txs[0])
	}
	return response, nil
}
