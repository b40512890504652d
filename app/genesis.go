// SPDX-License-Identifier: Apache-2.0

package app

import (
	"encoding/json"
	"fmt"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmttypes "github.com/cometbft/cometbft/types"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// Consensus parameters of a new chain; governance may change them later.
const (
	// maxBlockBytes holds some 60 full receipt batches; a larger block would gossip slower than blocks are made.
	maxBlockBytes = 4 << 20
	// maxBlockGas is about 2 s of execution on two cores.
	maxBlockGas = 200_000_000
	// Evidence of a double sign stays valid as long as the stake that made it can be slashed: the unbonding time,
	// 21 days, in time and in blocks of 6 s.
	maxEvidenceAge       = 21 * 24 * time.Hour
	maxEvidenceAgeBlocks = int64(maxEvidenceAge / (6 * time.Second))
	maxEvidenceBytes     = 1 << 20
)

// GenesisState is the state of each module by its name.
type GenesisState map[string]json.RawMessage

// DefaultGenesis is the state a chain starts from when nobody asks for another.
func (a *App) DefaultGenesis() GenesisState {
	return GenesisState(a.basicManager.DefaultGenesis(a.encoding.Codec))
}

// ImportState fills an empty state that ctx sees from the app_state of a genesis and returns the first validators.
//
// Errors: no JSON object, or no validator. A module refuses its part by a panic, which ends the node's start.
func (a *App) ImportState(ctx sdk.Context, state json.RawMessage) (*abci.ResponseInitChain, error) {
	var genesis GenesisState
	if err := json.Unmarshal(state, &genesis); err != nil {
		return nil, fmt.Errorf("app_state of the genesis: %w", err)
	}
	return a.moduleManager.InitGenesis(ctx, a.encoding.Codec, genesis)
}

// DefaultConsensusParams are the consensus parameters of a new chain: vote extensions are on from the first height,
// because validators sign anchors in them.
func DefaultConsensusParams() *cmttypes.ConsensusParams {
	params := cmttypes.DefaultConsensusParams()
	params.Block.MaxBytes = maxBlockBytes
	params.Block.MaxGas = maxBlockGas
	params.Evidence.MaxAgeDuration = maxEvidenceAge
	params.Evidence.MaxAgeNumBlocks = maxEvidenceAgeBlocks
	params.Evidence.MaxBytes = maxEvidenceBytes
	params.ABCI.VoteExtensionsEnableHeight = 1
	return params
}
