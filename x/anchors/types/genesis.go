// SPDX-License-Identifier: Apache-2.0

package types

import errorsmod "cosmossdk.io/errors"

// DefaultGenesis returns an empty log with default parameters.
func DefaultGenesis() *GenesisState { return &GenesisState{Params: DefaultParams()} }

// Validate checks the parameters, and the log against its leaves. Errors: ErrInvalidParams, ErrInvalidGenesis.
func (gs *GenesisState) Validate() error {
	if err := gs.Params.Validate(); err != nil {
		return err
	}
	if err := CheckLog(&gs.Log, gs.Leaves); err != nil {
		return errorsmod.Wrap(ErrInvalidGenesis, err.Error())
	}
	return nil
}
