// SPDX-License-Identifier: Apache-2.0

package types

import (
	"bytes"

	errorsmod "cosmossdk.io/errors"
)

// DefaultGenesis returns an empty log with default parameters and no anchor keys.
func DefaultGenesis() *GenesisState { return &GenesisState{Params: DefaultParams()} }

// Validate checks the parameters, the log against its leaves, and the anchor keys. Errors: ErrInvalidParams, ErrInvalidGenesis.
func (gs *GenesisState) Validate() error {
	if err := gs.Params.Validate(); err != nil {
		return err
	}
	if err := CheckLog(&gs.Log, &gs.Pruned, gs.Leaves); err != nil {
		return errorsmod.Wrap(ErrInvalidGenesis, err.Error())
	}
	return CheckKeys(gs.Keys)
}

// CheckKeys checks anchor keys: in strictly ascending order of address, and at most one current key for a validator.
//
// Errors: ErrInvalidGenesis.
func CheckKeys(keys []AnchorKey) error {
	current := make(map[string]bool)
	for i := range keys {
		key := &keys[i]
		if len(key.Address) != 20 || [20]byte(key.Address) == [20]byte{} || key.Validator == "" {
			return errorsmod.Wrapf(ErrInvalidGenesis, "key %d: validator %q, address of %d bytes", i, key.Validator, len(key.Address))
		}
		if i > 0 && bytes.Compare(keys[i-1].Address, key.Address) >= 0 {
			return errorsmod.Wrapf(ErrInvalidGenesis, "key %d is not above the one before", i)
		}
		if key.ReplacedTime != 0 {
			continue
		}
		if current[key.Validator] {
			return errorsmod.Wrapf(ErrInvalidGenesis, "%s has two current keys", key.Validator)
		}
		current[key.Validator] = true
	}
	return nil
}
