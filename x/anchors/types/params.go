// SPDX-License-Identifier: Apache-2.0

package types

import errorsmod "cosmossdk.io/errors"

const (
	minRetention     = 1_024
	maxRetention     = 1 << 32
	defaultRetention = 65_536 // weeks of batches of a small network; archives keep the rest
)

// DefaultParams returns the parameters of a new chain.
func DefaultParams() Params { return Params{RetentionLeaves: defaultRetention} }

// Validate checks the bounds. Errors: ErrInvalidParams.
func (p *Params) Validate() error {
	if p.RetentionLeaves < minRetention || p.RetentionLeaves > maxRetention {
		return errorsmod.Wrapf(ErrInvalidParams, "retention_leaves is %d, want %d to %d", p.RetentionLeaves, minRetention, uint64(maxRetention))
	}
	return nil
}
