// SPDX-License-Identifier: Apache-2.0

package deterrence

import (
	"errors"
	"fmt"

	"github.com/gpucoord/gpucoord/domain/epoch"
	"github.com/gpucoord/gpucoord/domain/u128"
)

const (
	// MinBeaconBlocks is the least length of a beacon: of one block its proposer would know the seed before he publishes it.
	MinBeaconBlocks = 2

	// beaconOdds is 1 over the least chance that the last block of a beacon is not the cheating proposer's.
	beaconOdds = MinBeaconBlocks
	// priceFall is how far the bond price may fall between a claim and its slash: by half in each of two epochs.
	priceFall = 4
	// reporterBps is the part of a slash that its reporter may get, who may be the offender under another name.
	reporterBps = 2_000
	// fraudFactor times the claim is what proven fraud costs, as far as the bond reaches.
	fraudFactor = 20
)

// Errors of the deterrence of fraud.
var (
	// ErrInflationPays means that claiming more than was served would pay on average.
	ErrInflationPays = errors.New("inflated batches pay: raise bond_claim_multiple")
	// ErrShortBeacon means that one proposer would make the seed alone.
	ErrShortBeacon = errors.New("one proposer makes the seed: set beacon_blocks to at least 2")
	// ErrBondLeaves means that a bond could be gone before the fraud it stands for is found.
	ErrBondLeaves = errors.New("a bond leaves before its work is final: raise unbonding_blocks")
)

// CheckInflation checks that a batch of value A loses money on average when any fraction f of its value is inflated, though
// one proposer of the beacon cheats:
//
//	gain    at most f·A                         all of the inflated part: shares, own royalties, what comes back of the take
//	caught  with chance at least f / 2          one draw by value; the last of 2 or more beacon blocks is his with 1/2
//	loss    at least A·multiple / 4 · 4/5       the bond price fell by half twice, and he is his own reporter
//
// so bond_claim_multiple·(10000 − 2000) > 2·4·10000 suffices for every f. Error: ErrInflationPays.
func CheckInflation(bondClaimMultiple uint64) error {
	if kept, ok := u128.MulDiv(bondClaimMultiple, bpsWhole-reporterBps, 1); ok && kept <= beaconOdds*priceFall*bpsWhole {
		return fmt.Errorf("%w: need bond_claim_multiple·(%d − %d) > %d·%d·%d, have %d·%d = %d", ErrInflationPays,
			bpsWhole, reporterBps, beaconOdds, priceFall, bpsWhole, bondClaimMultiple, bpsWhole-reporterBps, kept)
	}
	return nil
}

// GrindingBound is the most, in micro-USD, that one who picks the better of two seeds can expect to gain from a batch of the
// given amount. An inflated part f is found by one draw with chance f, by both seeds with f²; so he expects at most
// (f − L·f²)·amount, with the loss L = min(20, multiple / 4), which is greatest at f = 1 / (2·L).
//
// Rounding: up. The amount at most, also for a multiple of 0.
func GrindingBound(amount, bondClaimMultiple uint64) uint64 {
	return u128.PartCeil(amount, 1, max(1, min(fraudFactor*priceFall, bondClaimMultiple)))
}

// CheckBeacon checks beacon_blocks >= 2. Error: ErrShortBeacon.
func CheckBeacon(beaconBlocks uint64) error {
	if beaconBlocks < MinBeaconBlocks {
		return fmt.Errorf("%w: beacon_blocks %d < %d", ErrShortBeacon, beaconBlocks, MinBeaconBlocks)
	}
	return nil
}

// CheckUnbonding checks unbonding_blocks >= 2·(epoch + submit + beacon + open + challenge + response).
//
// Errors: those of [epoch.Schedule.Windows], ErrBondLeaves.
func CheckUnbonding(s epoch.Schedule, unbondingBlocks uint64) error {
	windows, err := s.Windows(0)
	if err != nil {
		return err
	}
	if unbondingBlocks < windows.MinUnbonding {
		return fmt.Errorf("%w: unbonding_blocks %d < 2 * (epoch %d + submit %d + beacon %d + open %d + challenge %d + response %d) = %d",
			ErrBondLeaves, unbondingBlocks, s.EpochBlocks, s.SubmitBlocks, s.BeaconBlocks, s.OpenBlocks, s.ChallengeBlocks,
			s.ResponseBlocks, windows.MinUnbonding)
	}
	return nil
}
