// SPDX-License-Identifier: Apache-2.0

package types

import (
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/deterrence"
)

// Bounds of the parameters.
const (
	// WholeBps is the whole in basis points.
	WholeBps = 10_000
	// RoyaltyCapBps is what royalties may take of an amount besides the take.
	RoyaltyCapBps = 3_000
	// MinBondClaimMultiple is the least Params.BondClaimMultiple: fraud costs 20 times its claim, and the bond must hold that for all
	// open claims at once.
	MinBondClaimMultiple = 20
	// MaxBondClaimMultiple bounds Params.BondClaimMultiple, so that the cover of a batch stays a sensible number.
	MaxBondClaimMultiple = 10_000
	// MaxGroupReceipts is the most receipts of one group. A tree of one leaf over and over costs nothing to build at any size, so without
	// a bound a claim of no value could fill the 64-bit sums that all batches add to.
	MaxGroupReceipts = 1<<32 - 1
	// MaxGroups bounds Params.MaxGroups.
	MaxGroups = 256
	// MaxPerBlock bounds all work that one block does on a queue.
	MaxPerBlock = 1_000
	// MaxThaws bounds Params.MaxThaws.
	MaxThaws = 64
	// MaxGatewayKeys bounds Params.MaxGatewayKeys.
	MaxGatewayKeys = 64
	// MinRetentionEpochs is the least Params.UsageRetentionEpochs: scores look back over 7 epochs.
	MinRetentionEpochs = 8
	// MaxRetentionEpochs bounds Params.UsageRetentionEpochs.
	MaxRetentionEpochs = 1_000
	// MaxBlocks bounds all waiting times, about two years of 6 s blocks.
	MaxBlocks = 10_000_000
	// MaxKeyNoticeSeconds bounds Params.KeyNoticeSeconds. More than 60 keeps the settler of a job as it was when the job was served: a host
	// takes issuedAt up to 30 s ahead of its clock, which may be 30 s ahead of the chain's. Only a network whose gateways are all the
	// operator's own may have less.
	MaxKeyNoticeSeconds = 3_600
)

// DefaultParams returns the parameters of a local network.
func DefaultParams() Params {
	return Params{
		TakeBps:              1_000,
		PoolBps:              6_000,
		ProbersBps:           500,
		AlephBps:             1_500,
		InsuranceBps:         2_000,
		MinJobAmountUusdc:    1,
		SampleUnitUusdc:      1_000_000,
		BondClaimMultiple:    MinBondClaimMultiple,
		MaxGroups:            MaxGroups,
		MaxFinalisePerBlock:  100,
		StuckReturnBlocks:    100,
		ThawBlocks:           200,
		MaxThaws:             16,
		MaxThawsPerBlock:     100,
		DefaultLimitDivisor:  8,
		MinGatewayBondUusdc:  1_000_000,
		MaxGatewayKeys:       16,
		SettleDeadlineBlocks: 50,
		UsageRetentionEpochs: 16,
		MaxPrunePerBlock:     100,
		KeyNoticeSeconds:     90,
	}
}

// Validate checks every bound that needs nothing but the parameters. Error: ErrInvalidParams.
func (p *Params) Validate() error {
	for _, check := range [...]func() error{p.checkRates, p.checkDeterrence, p.checkCounts, p.checkTimes} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// checkRates checks that take and royalties leave something, that the parts of the take are the take, and that it cannot all come back
// to one who owns every stake and prober. What x/rewards pays back besides is checked there.
func (p *Params) checkRates() error {
	for _, bps := range [...]uint64{p.TakeBps, p.PoolBps, p.ProbersBps, p.AlephBps, p.InsuranceBps} {
		if bps > WholeBps {
			return errorsmod.Wrapf(ErrInvalidParams, "a rate is %d bps, most is %d", bps, WholeBps)
		}
	}
	if p.TakeBps+RoyaltyCapBps > WholeBps {
		return errorsmod.Wrapf(ErrInvalidParams, "take_bps is %d, with royalties of %d more than %d", p.TakeBps, RoyaltyCapBps, WholeBps)
	}
	if sum := p.PoolBps + p.ProbersBps + p.AlephBps + p.InsuranceBps; sum != WholeBps {
		return errorsmod.Wrapf(ErrInvalidParams, "the parts of the take add up to %d bps, must be %d", sum, WholeBps)
	}
	if err := deterrence.CheckTake(p.TakeBps); err != nil {
		return errorsmod.Wrap(ErrInvalidParams, err.Error())
	}
	if err := deterrence.CheckPayback(0, p.ProbersBps, p.AlephBps); err != nil {
		return errorsmod.Wrap(ErrInvalidParams, err.Error())
	}
	return nil
}

// checkDeterrence checks that a batch loses money on average when any fraction of its value is inflated, though one beacon proposer
// cheats: see deterrence.CheckInflation.
func (p *Params) checkDeterrence() error {
	if p.BondClaimMultiple > MaxBondClaimMultiple {
		return errorsmod.Wrapf(ErrInvalidParams, "bond_claim_multiple is %d, most is %d", p.BondClaimMultiple, MaxBondClaimMultiple)
	}
	if err := deterrence.CheckInflation(p.BondClaimMultiple); err != nil {
		return errorsmod.Wrap(ErrInvalidParams, err.Error())
	}
	if p.BondClaimMultiple < MinBondClaimMultiple {
		return errorsmod.Wrapf(ErrInvalidParams, "bond_claim_multiple is %d, least is %d, which fraud costs", p.BondClaimMultiple, MinBondClaimMultiple)
	}
	return nil
}

// checkCounts checks all bounds of how many.
func (p *Params) checkCounts() error {
	for _, b := range [...]struct {
		name               string
		value, least, most uint64
	}{
		{"sample_unit_uusdc", p.SampleUnitUusdc, 1, 1 << 62},
		{"max_groups", uint64(p.MaxGroups), 1, MaxGroups},
		{"max_finalise_per_block", uint64(p.MaxFinalisePerBlock), 1, MaxPerBlock},
		{"max_thaws", uint64(p.MaxThaws), 1, MaxThaws},
		{"max_thaws_per_block", uint64(p.MaxThawsPerBlock), 1, MaxPerBlock},
		{"default_limit_divisor", p.DefaultLimitDivisor, 1, 1 << 62},
		{"max_gateway_keys", uint64(p.MaxGatewayKeys), 1, MaxGatewayKeys},
		{"usage_retention_epochs", p.UsageRetentionEpochs, MinRetentionEpochs, MaxRetentionEpochs},
		{"max_prune_per_block", uint64(p.MaxPrunePerBlock), 1, MaxPerBlock},
		{"key_notice_seconds", p.KeyNoticeSeconds, 0, MaxKeyNoticeSeconds},
	} {
		if b.value < b.least || b.value > b.most {
			return errorsmod.Wrapf(ErrInvalidParams, "%s is %d, must be %d to %d", b.name, b.value, b.least, b.most)
		}
	}
	return nil
}

// checkTimes checks all waiting times. That thaw_blocks outlives an epoch's windows is checked where the schedule is known.
func (p *Params) checkTimes() error {
	for _, b := range [...]struct {
		name   string
		blocks uint64
	}{
		{"stuck_return_blocks", p.StuckReturnBlocks},
		{"thaw_blocks", p.ThawBlocks},
		{"settle_deadline_blocks", p.SettleDeadlineBlocks},
	} {
		if b.blocks < 1 || b.blocks > MaxBlocks {
			return errorsmod.Wrapf(ErrInvalidParams, "%s is %d, must be 1 to %d", b.name, b.blocks, MaxBlocks)
		}
	}
	return nil
}
