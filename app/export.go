// SPDX-License-Identifier: Apache-2.0

package app

import (
	"encoding/json"
	"errors"
	"fmt"

	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/staking"
)

// ErrZeroHeight tells why a state can not be moved to height zero.
var ErrZeroHeight = errors.New("deadlines in the state are heights: export without --for-zero-height and start at initial_height")

// Export writes the latest state as a genesis that a new chain continues at the next height.
//
// modules limits the export to the named ones; empty means all.
// Errors: ErrZeroHeight when forZeroHeight is set; an unknown module; a state that can not be read.
func (a *App) Export(forZeroHeight bool, modules []string) (servertypes.ExportedApp, error) {
	if forZeroHeight {
		return servertypes.ExportedApp{}, ErrZeroHeight
	}
	ctx := a.NewContext(true)
	state, err := a.ExportState(ctx, modules)
	if err != nil {
		return servertypes.ExportedApp{}, err
	}
	validators, err := staking.WriteValidators(ctx, a.Staking)
	if err != nil {
		return servertypes.ExportedApp{}, fmt.Errorf("export validators: %w", err)
	}
	return servertypes.ExportedApp{
		AppState:        state,
		Validators:      validators,
		Height:          a.LastBlockHeight() + 1,
		ConsensusParams: a.GetConsensusParams(ctx),
	}, nil
}

// ExportState writes the state that ctx sees, indented, modules in alphabetical order.
func (a *App) ExportState(ctx sdk.Context, modules []string) (json.RawMessage, error) {
	state, err := a.moduleManager.ExportGenesisForModules(ctx, a.encoding.Codec, modules)
	if err != nil {
		return nil, fmt.Errorf("export state: %w", err)
	}
	return json.MarshalIndent(state, "", "  ")
}
