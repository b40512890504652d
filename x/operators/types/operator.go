// SPDX-License-Identifier: Apache-2.0

package types

import (
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/text"
)

const (
	maxMonikerBytes = 64
	maxRegionBytes  = 32
	maxTierBytes    = 16
	maxPPM          = 1_000_000
)

// Capacity is what an operator's hosts have committed.
type Capacity struct {
	MilliVCU        uint64 // verified compute in thousandths of a VCU; simulated devices count nothing
	TokensPerSecond uint64 // sum of the devices' class throughputs, as declared
	GPUs            uint64 // number of devices
	Simulated       uint64 // devices that are declared as simulated
}

// Description is what an operator says about itself.
type Description struct {
	Moniker string // 1 to 64 bytes
	Region  string // at most 32 bytes
	Tier    string // at most 16 bytes
}

// Validate checks lengths and that the texts are valid UTF-8 without hidden characters.
//
// Errors: ErrInvalidRequest.
func (d Description) Validate() error {
	if d.Moniker == "" {
		return errorsmod.Wrap(ErrInvalidRequest, "moniker is empty")
	}
	if err := checkText("moniker", d.Moniker, maxMonikerBytes); err != nil {
		return err
	}
	if err := checkText("region", d.Region, maxRegionBytes); err != nil {
		return err
	}
	return checkText("tier", d.Tier, maxTierBytes)
}

// checkText refuses texts that are too long, are no UTF-8, or could garble a terminal.
func checkText(field, value string, maxBytes int) error {
	if len(value) > maxBytes {
		return errorsmod.Wrapf(ErrInvalidRequest, "%s has %d bytes, at most %d", field, len(value), maxBytes)
	}
	if !text.Plain(value) {
		return errorsmod.Wrapf(ErrInvalidRequest, "%s is not valid UTF-8 or has control or invisible characters", field)
	}
	return nil
}
