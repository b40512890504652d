// SPDX-License-Identifier: Apache-2.0

package types

import (
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/deterrence"
	"github.com/gpucoord/gpucoord/domain/epoch"
)

const (
	maxBlocks          = 100_000_000 // about 19 years of 6 s blocks; keeps every sum of heights far from 64 bits
	maxUnbondingsLimit = 64
	maxPaidPerBlock    = 1_000
	maxHostsLimit      = 256
	maxClasses         = 64
	maxClassName       = 32
	maxVCUPPM          = 1_000_000_000
	maxTokensPerSecond = 1_000_000_000
	maxMemoryMiB       = 1 << 30
	maxLatencyMs       = 3_600_000
	maxBlockTimeMs     = 3_600_000
	// minBondPrice keeps +10 % at least one unit: below it a price could fall but never rise again.
	minBondPrice  = 10
	maxCeilingBps = 1_000_000
	wholeBps      = 10_000
	ladderLevels  = 5
	maxSeconds    = 100_000_000 // about 3 years
	maxDeadlines  = 1_000
)

// DefaultParams returns parameters of a local network: epochs of 20 blocks, 6 s each.
func DefaultParams() Params {
	return Params{
		Schedule: &Schedule{
			EpochBlocks: 20, SubmitBlocks: 8, BeaconBlocks: 16, OpenBlocks: 10, ChallengeBlocks: 10, ResponseBlocks: 10, GenesisHeight: 1,
		},
		MinBondUltai:          1_000_000, // one token
		UnbondingBlocks:       200,       // at least 2 * (20 + 8 + 16 + 10 + 10 + 10) = 148
		MaxUnbondings:         16,
		MaxUnbondingsPerBlock: 100,
		BondPriceUusdc:        100_000, // 0.10 USD a token
		MaxHosts:              64,
		MaxGpus:               16,
		GpuClasses:            defaultClasses(),
		LadderBps:             []uint64{0, 0, 8_000, 9_000, 10_000},
		EvidenceFullBlocks:    3_600,  // 6 h
		EvidenceZeroBlocks:    14_400, // 24 h
		CapacityNonceBlocks:   100,    // 10 min from probe to inclusion
		TokenCeilingBps:       20_000, // twice the class throughput: prompt tokens are cheaper than output tokens
		BlockTimeMs:           6_000,
		JailFraudBlocks:       201_600, // 14 d
		InitialReputationPpm:  500_000, // neither trusted nor suspect
		EvmChainId:            8_453,   // Base, where customers pay by x402

		JailDoubleClaimBlocks: 432_000, // 30 d
		JailRefusalBlocks:     14_400,  // 1 d
		EscalationBlocks:      432_000, // 30 d
		BreakerBps:            2_000,   // a fault of the chain or of one customer must not cost the whole market
		DeferredReturnBlocks:  140,     // before any bond of its time can have left

		ReportBondUltai:      1_000_000, // one token: what a wrong reporter pays the accused
		ReportBlocks:         100,       // 10 min from promise to proof
		MaxDeadlinesPerBlock: 100,

		MinVerifierBondUltai:        10_000_000,
		VerdictQuorum:               2,
		MaxAttestationSeconds:       2_592_000, // 30 d
		AttestationChallengeSeconds: 604_800,   // 7 d

		MinProberBondUltai: 10_000_000,
		ProbeCommitBlocks:  4,
		ProbeRevealBlocks:  8,
		MaxMediansPerBlock: 512,
		CopyRows:           16,
		ProberFineBps:      100,
		ProbePriceUusdc:    1_000, // 0.001 USD for a host in an epoch
	}
}

// defaultClasses counts one H100 as one VCU; memory is what the driver reports, throughput that of an 8B model in large batches.
func defaultClasses() []*GPUClass {
	return []*GPUClass{
		{Name: "b200-180g", VcuPpm: 2_200_000, MemoryMib: 183_359, TokensPerSecond: 22_000, SlaTtftMs: 1_000},
		{Name: "h200-141g", VcuPpm: 1_300_000, MemoryMib: 143_771, TokensPerSecond: 12_000, SlaTtftMs: 1_000},
		{Name: "h100-80g", VcuPpm: 1_000_000, MemoryMib: 81_559, TokensPerSecond: 10_000, SlaTtftMs: 1_000},
		{Name: "a100-80g", VcuPpm: 500_000, MemoryMib: 81_920, TokensPerSecond: 5_000, SlaTtftMs: 1_500},
		{Name: "a100-40g", VcuPpm: 420_000, MemoryMib: 40_960, TokensPerSecond: 4_200, SlaTtftMs: 1_500},
		{Name: "l40s-48g", VcuPpm: 330_000, MemoryMib: 46_068, TokensPerSecond: 3_300, SlaTtftMs: 2_000},
		{Name: "rtx-4090-24g", VcuPpm: 300_000, MemoryMib: 24_564, TokensPerSecond: 3_000, SlaTtftMs: 2_000},
	}
}

// Domain returns the schedule as the pure functions of domain/epoch take it. A nil schedule is the zero schedule, which is invalid.
func (s *Schedule) Domain() epoch.Schedule {
	if s == nil {
		return epoch.Schedule{}
	}
	return epoch.Schedule{
		EpochBlocks: s.EpochBlocks, SubmitBlocks: s.SubmitBlocks, BeaconBlocks: s.BeaconBlocks, OpenBlocks: s.OpenBlocks,
		ChallengeBlocks: s.ChallengeBlocks, ResponseBlocks: s.ResponseBlocks, GenesisHeight: s.GenesisHeight,
	}
}

// Class returns the class of that name, and whether there is one.
func (p *Params) Class(name string) (GPUClass, bool) {
	for _, c := range p.GpuClasses {
		if c.Name == name {
			return *c, true
		}
	}
	return GPUClass{}, false
}

// Validate checks every bound, and that no bond can leave before the work it stands for is final.
//
// Errors: ErrInvalidParams.
func (p *Params) Validate() error {
	if err := p.validateSchedule(); err != nil {
		return err
	}
	if err := p.validateClasses(); err != nil {
		return err
	}
	bounds := []struct {
		name            string
		value, min, max uint64
	}{
		{"max_unbondings", uint64(p.MaxUnbondings), 1, maxUnbondingsLimit},
		{"max_unbondings_per_block", uint64(p.MaxUnbondingsPerBlock), 1, maxPaidPerBlock},
		{"bond_price_uusdc", p.BondPriceUusdc, minBondPrice, maxPrice},
		{"max_hosts", uint64(p.MaxHosts), 1, maxHostsLimit},
		{"max_gpus", uint64(p.MaxGpus), 1, gpuCountCeiling},
		{"evidence_full_blocks", p.EvidenceFullBlocks, 0, maxBlocks},
		{"evidence_zero_blocks", p.EvidenceZeroBlocks, p.EvidenceFullBlocks + 1, maxBlocks},
		{"capacity_nonce_blocks", p.CapacityNonceBlocks, 1, BlockHashRing},
		{"token_ceiling_bps", p.TokenCeilingBps, wholeBps, maxCeilingBps},
		{"block_time_ms", p.BlockTimeMs, 1, maxBlockTimeMs},
		{"jail_fraud_blocks", p.JailFraudBlocks, 0, maxBlocks},
		{"initial_reputation_ppm", p.InitialReputationPpm, 0, maxPPM},
		{"evm_chain_id", p.EvmChainId, 1, 1<<63 - 1},
		{"jail_double_claim_blocks", p.JailDoubleClaimBlocks, 0, maxBlocks},
		{"jail_refusal_blocks", p.JailRefusalBlocks, 0, maxBlocks},
		{"escalation_blocks", p.EscalationBlocks, 1, maxBlocks},
		{"breaker_bps", p.BreakerBps, 0, wholeBps},
		{"deferred_return_blocks", p.DeferredReturnBlocks, 1, maxBlocks},
		{"report_bond_ultai", p.ReportBondUltai, 1, 1<<63 - 1},
		{"report_blocks", p.ReportBlocks, 2, maxBlocks},
		{"max_deadlines_per_block", uint64(p.MaxDeadlinesPerBlock), 1, maxDeadlines},
		{"min_verifier_bond_ultai", p.MinVerifierBondUltai, 1, 1<<63 - 1},
		{"verdict_quorum", uint64(p.VerdictQuorum), 1, MaxVerdicts},
		{"max_attestation_seconds", p.MaxAttestationSeconds, 1, maxSeconds},
		{"attestation_challenge_seconds", p.AttestationChallengeSeconds, 1, maxSeconds},
		{"min_prober_bond_ultai", p.MinProberBondUltai, 1, 1<<63 - 1},
		{"probe_commit_blocks", p.ProbeCommitBlocks, 1, maxBlocks},
		{"probe_reveal_blocks", p.ProbeRevealBlocks, 1, maxBlocks},
		{"max_medians_per_block", uint64(p.MaxMediansPerBlock), 1, MaxPanelHosts},
		{"copy_rows", uint64(p.CopyRows), 0, MaxProbeRows},
		{"prober_fine_bps", p.ProberFineBps, 0, wholeBps},
		{"probe_price_uusdc", p.ProbePriceUusdc, 0, maxProbePrice},
	}
	for _, b := range bounds {
		if b.value < b.min || b.value > b.max {
			return errorsmod.Wrapf(ErrInvalidParams, "%s is %d, want %d to %d", b.name, b.value, b.min, b.max)
		}
	}
	if err := p.validateProbers(); err != nil {
		return err
	}
	return p.validateRoots()
}

func (p *Params) validateRoots() error {
	seen, count := make(map[string]bool), make(map[string]int)
	for i, root := range p.AttestationRoots {
		if _, err := FormatByName(root.Format); err != nil {
			return errorsmod.Wrapf(ErrInvalidParams, "attestation root %d: %s", i, err)
		}
		key := root.Format + "/" + string(root.Key)
		count[root.Format]++
		if len(root.Key) != AddressLength || seen[key] || count[root.Format] > MaxRoots {
			return errorsmod.Wrapf(ErrInvalidParams, "attestation root %d: the key has not %d bytes or is listed twice, or %q has more than %d",
				i, AddressLength, root.Format, MaxRoots)
		}
		seen[key] = true
	}
	return nil
}

func (p *Params) validateSchedule() error {
	if p.Schedule == nil {
		return errorsmod.Wrap(ErrInvalidParams, "schedule is missing")
	}
	s := p.Schedule.Domain()
	lengths := []uint64{s.EpochBlocks, s.SubmitBlocks, s.BeaconBlocks, s.OpenBlocks, s.ChallengeBlocks, s.ResponseBlocks, s.GenesisHeight}
	for i, length := range lengths {
		if length < 1 || length > maxBlocks {
			return errorsmod.Wrapf(ErrInvalidParams, "schedule member %d is %d, want 1 to %d", i+1, length, maxBlocks)
		}
	}
	if err := deterrence.CheckBeacon(s.BeaconBlocks); err != nil {
		return errorsmod.Wrap(ErrInvalidParams, err.Error())
	}
	if err := deterrence.CheckUnbonding(s, p.UnbondingBlocks); err != nil {
		return errorsmod.Wrap(ErrInvalidParams, err.Error())
	}
	if p.UnbondingBlocks > 100*maxBlocks {
		return errorsmod.Wrapf(ErrInvalidParams, "unbonding_blocks is %d, at most %d", p.UnbondingBlocks, uint64(100*maxBlocks))
	}
	return nil
}

func (p *Params) validateClasses() error {
	if n := len(p.GpuClasses); n < 1 || n > maxClasses {
		return errorsmod.Wrapf(ErrInvalidParams, "%d gpu_classes, want 1 to %d", n, maxClasses)
	}
	names := make(map[string]bool, len(p.GpuClasses))
	for i, c := range p.GpuClasses {
		if c == nil {
			return errorsmod.Wrapf(ErrInvalidParams, "gpu class %d is missing", i)
		}
		if err := c.validate(); err != nil {
			return err
		}
		if names[c.Name] {
			return errorsmod.Wrapf(ErrInvalidParams, "gpu class %q is listed twice", c.Name)
		}
		names[c.Name] = true
	}
	if len(p.LadderBps) != ladderLevels {
		return errorsmod.Wrapf(ErrInvalidParams, "ladder_bps has %d values, want %d", len(p.LadderBps), ladderLevels)
	}
	for i, bps := range p.LadderBps {
		if bps > wholeBps || (i > 0 && bps < p.LadderBps[i-1]) {
			return errorsmod.Wrapf(ErrInvalidParams, "ladder_bps[%d] is %d: it is above %d or falls", i, bps, wholeBps)
		}
	}
	if err := deterrence.CheckLadder(p.LadderBps); err != nil {
		return errorsmod.Wrap(ErrInvalidParams, err.Error())
	}
	return nil
}

func (c *GPUClass) validate() error {
	if err := checkClassName(c.Name); err != nil {
		return err
	}
	if c.VcuPpm < 1 || c.VcuPpm > maxVCUPPM || c.MemoryMib < 1 || c.MemoryMib > maxMemoryMiB ||
		c.TokensPerSecond < 1 || c.TokensPerSecond > maxTokensPerSecond || c.SlaTtftMs < 1 || c.SlaTtftMs > maxLatencyMs {
		return errorsmod.Wrapf(ErrInvalidParams, "gpu class %q: vcu_ppm, memory_mib, tokens_per_second or sla_ttft_ms is 0 or too large", c.Name)
	}
	return nil
}

func checkClassName(name string) error {
	if name == "" || len(name) > maxClassName {
		return errorsmod.Wrapf(ErrInvalidParams, "gpu class name has %d bytes, want 1 to %d", len(name), maxClassName)
	}
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return errorsmod.Wrapf(ErrInvalidParams, "gpu class name %q has other characters than a-z, 0-9 and dash", name)
		}
	}
	return nil
}
