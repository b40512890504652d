// SPDX-License-Identifier: Apache-2.0

package types

import (
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/deterrence"
)

// Bounds of the parameters.
const (
	// MaxSuccessEpochs bounds Params.SuccessEpochs.
	MaxSuccessEpochs = 7
	// MaxOperatorsPerBlock bounds Params.MaxOperatorsPerBlock.
	MaxOperatorsPerBlock = 10_000
	// MinRetentionEpochs is the least Params.RetentionEpochs, so that an auditor has a week.
	MinRetentionEpochs = 8

	wholeBps = 10_000
	wholePPM = 1_000_000

	maxLatencyMs = 3_600_000
)

// DefaultParams returns the parameters of a new chain.
func DefaultParams() Params {
	return Params{
		PaybackCapBps:        7_500,
		DirectWeightBps:      5_000,
		UnaccreditedBps:      2_500,
		StandInUpPpm:         800_000,
		StandInAvPpm:         800_000,
		SuccessEpochs:        MaxSuccessEpochs,
		MaxOperatorsPerBlock: 200,
		TokensPerVcuSecond:   1_000,
		PointsCapBps:         500,
		RetentionEpochs:      64,
		MinClaimUusdc:        1,
		SlaP95TtftMs:         2_000,
	}
}

// Validate checks every bound in the message's comments that needs no other module. Error: ErrInvalidParams.
func (p *Params) Validate() error {
	for _, bound := range []struct {
		name             string
		value, low, high uint64
	}{
		{"payback_cap_bps", p.PaybackCapBps, 0, deterrence.MaxReturnBps},
		{"direct_weight_bps", p.DirectWeightBps, 0, wholeBps},
		{"unaccredited_bps", p.UnaccreditedBps, 0, wholeBps},
		{"stand_in_up_ppm", p.StandInUpPpm, 0, wholePPM},
		{"stand_in_av_ppm", p.StandInAvPpm, 0, wholePPM},
		{"success_epochs", uint64(p.SuccessEpochs), 1, MaxSuccessEpochs},
		{"max_operators_per_block", uint64(p.MaxOperatorsPerBlock), 1, MaxOperatorsPerBlock},
		{"tokens_per_vcu_second", p.TokensPerVcuSecond, 1, 1 << 40},
		{"points_cap_bps", p.PointsCapBps, 0, wholeBps},
		{"retention_epochs", p.RetentionEpochs, MinRetentionEpochs, 1 << 20},
		{"min_claim_uusdc", p.MinClaimUusdc, 1, 1 << 63},
		{"sla_p95_ttft_ms", p.SlaP95TtftMs, 1, maxLatencyMs},
	} {
		if bound.value < bound.low || bound.value > bound.high {
			return errorsmod.Wrapf(ErrInvalidParams, "%s is %d, must be %d to %d", bound.name, bound.value, bound.low, bound.high)
		}
	}
	return nil
}

// ValidateWith is [Params.Validate], and checks the payback cap together with the other parts of the take that may come
// back to one who buys from himself: the probers' and the ALEPH pool's, in bps of the take.
//
// Errors: ErrInvalidParams, ErrPaybackTooHigh.
func (p *Params) ValidateWith(probersBps, alephBps uint64) error {
	if err := p.Validate(); err != nil {
		return err
	}
	if err := deterrence.CheckPayback(p.PaybackCapBps, probersBps, alephBps); err != nil {
		return errorsmod.Wrap(ErrPaybackTooHigh, err.Error())
	}
	return nil
}

// PaybackRoom is the highest payback cap, in bps, beside the probers' and the ALEPH pool's parts of the take; 0 if they
// leave no room.
func PaybackRoom(probersBps, alephBps uint64) uint64 {
	return deterrence.PaybackRoom(probersBps, alephBps)
}
