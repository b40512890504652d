// SPDX-License-Identifier: Apache-2.0

package app

import (
	abci "github.com/cometbft/cometbft/abci/types"
	cmttypes "github.com/cometbft/cometbft/types"

	"github.com/cosmos/cosmos-sdk/baseapp"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

// newPrepareProposal returns the SDK's own choice of transactions behind the anchor signatures that the last votes brought.
//
// Nothing of anchoring may cost a proposal: without good signatures, or when anything goes wrong with them, the block is as it would
// be without. The handler is made here, once the options have set the mempool.
func (a *App) newPrepareProposal() sdk.PrepareProposalHandler {
	choose := baseapp.NewDefaultProposalHandler(a.Mempool(), a.BaseApp).PrepareProposalHandler()
	return func(ctx sdk.Context, req *abci.RequestPrepareProposal) (*abci.ResponsePrepareProposal, error) {
		envelope := a.anchorEnvelope(ctx, req)
		if envelope == nil {
			return choose(ctx, req)
		}
		rest := *req
		rest.MaxTxBytes -= cmttypes.ComputeProtoSizeForTxs([]cmttypes.Tx{envelope})
		response, err := choose(ctx, &rest)
		if err != nil {
			return nil, err
		}
		response.Txs = append([][]byte{envelope}, response.Txs...)
		return response, nil
	}
}

// processProposal refuses a block whose anchor signatures are not as they must be, or that declares more gas than the consensus
// parameters allow.
//
// A block without anchor signatures is as good as one with them. The limit must stand here: the block gas meter is off, because
// parallel executors can not keep one, and the SDK's own handler accepts every block while the mempool is CometBFT's. A transaction
// that does not decode is no reason to refuse: it fails alone, at the price of its bytes.
func (a *App) processProposal(ctx sdk.Context, req *abci.RequestProcessProposal) (*abci.ResponseProcessProposal, error) {
	limit := int64(-1)
	if block := ctx.ConsensusParams().Block; block != nil {
		limit = block.MaxGas
	}
	if a.checkAnchorEnvelope(ctx, req.Txs) && (limit < 0 || a.declaredGas(req.Txs, uint64(limit)) <= uint64(limit)) {
		return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_ACCEPT}, nil
	}
	return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_REJECT}, nil
}

// declaredGas sums the gas limits of txs; it stops adding at the first sum above limit, so that it can not overflow.
func (a *App) declaredGas(txs [][]byte, limit uint64) uint64 {
	var total uint64
	for _, raw := range txs {
		tx, err := a.encoding.TxConfig.TxDecoder()(raw)
		if err != nil {
			continue
		}
		fee, ok := tx.(sdk.FeeTx)
		if !ok {
			continue
		}
		if gas := fee.GetGas(); gas > limit-total {
			return limit + 1
		} else {
			total += gas
		}
	}
	return total
}
