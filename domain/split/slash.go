// SPDX-License-Identifier: Apache-2.0

package split

import (
	"math"

	"github.com/gpucoord/gpucoord/domain/u128"
)

const (
	// tokenUnits is the number of micro-units in one bond token, the unit of a bond price.
	tokenUnits = 1_000_000
	// fraudFactor times the claimed value is the least slash of a proven fraud.
	fraudFactor = 20
	// fraudFloorBps of the bond is slashed for a proven fraud however small the claim.
	fraudFloorBps = 2_000
	// reporterBps of a slash is the most that its reporter gets.
	reporterBps = 2_000
	// reporterBondFactor times the reporter's bond is the most that the reporter gets.
	reporterBondFactor = 5
)

// Cover returns the value in micro-USD of bond micro-units at bondPrice micro-USD per token, rounded down.
//
// Errors: ErrBadPrice (0), ErrOverflow.
func Cover(bond, bondPrice uint64) (uint64, error) {
	if bondPrice == 0 {
		return 0, ErrBadPrice
	}
	value, ok := u128.MulDiv(bond, bondPrice, tokenUnits)
	if !ok {
		return 0, ErrOverflow
	}
	return value, nil
}

// SlashValue returns the slash, in bond micro-units, for an offence of value micro-USD: its price in bond tokens,
// rounded up, at most the bond. Errors: ErrBadPrice (0).
func SlashValue(value, bondPrice, bond uint64) (uint64, error) {
	if bondPrice == 0 {
		return 0, ErrBadPrice
	}
	return min(bond, tokensUp(value, tokenUnits, bondPrice)), nil
}

// SlashFraud returns the slash, in bond micro-units, for a proven fraud that claimed claim micro-USD: 20 times the claim,
// at least 20 % of the bond, both rounded up, at most the bond. Errors: ErrBadPrice (0).
func SlashFraud(claim, bondPrice, bond uint64) (uint64, error) {
	if bondPrice == 0 {
		return 0, ErrBadPrice
	}
	byClaim := tokensUp(claim, fraudFactor*tokenUnits, bondPrice)
	return min(bond, max(byClaim, u128.PartCeil(bond, fraudFloorBps, bpsWhole))), nil
}

// SlashBps returns bps of the bond, rounded up. Errors: ErrBadBps (above 10,000).
func SlashBps(bond, bps uint64) (uint64, error) {
	if bps > bpsWhole {
		return 0, ErrBadBps
	}
	return u128.PartCeil(bond, bps, bpsWhole), nil
}

// tokensUp returns ceil(value·factor / bondPrice), or the largest number where that does not fit: a bond always does, so
// it is the smaller of the two either way.
func tokensUp(value, factor, bondPrice uint64) uint64 {
	tokens, ok := u128.MulDivCeil(value, factor, bondPrice)
	if !ok {
		return math.MaxUint64
	}
	return tokens
}

// SlashIn is a slash that is to be divided.
type SlashIn struct {
	Slash        uint64 // bond micro-units taken from the offender
	VictimLoss   uint64 // proven loss of the victim, micro-USD
	BondPrice    uint64 // micro-USD per bond token
	ReporterBond uint64 // bond micro-units that the reporter put up
	VictimOwn    bool   // the victim belongs to the offender's controller
	ReporterOwn  bool   // the reporter belongs to the offender's controller
}

// SlashParts is a divided slash, in bond micro-units; the parts add up to the slash.
type SlashParts struct{ Victim, Reporter, Insurance uint64 }

// SplitSlash divides a slash: first the victim's loss, then the reporter (at most 20 % of the slash, 5 times his bond,
// and what is left), the rest to insurance. The offender's controller gets nothing by either way.
//
// Rounding: victim and reporter down. Errors: ErrBadPrice (0).
func SplitSlash(in SlashIn) (SlashParts, error) {
	if in.BondPrice == 0 {
		return SlashParts{}, ErrBadPrice
	}
	var parts SlashParts
	if !in.VictimOwn {
		parts.Victim = in.Slash
		if loss, ok := u128.MulDiv(in.VictimLoss, tokenUnits, in.BondPrice); ok {
			parts.Victim = min(in.Slash, loss)
		}
	}
	left := in.Slash - parts.Victim
	if !in.ReporterOwn {
		parts.Reporter = min(u128.Part(in.Slash, reporterBps, bpsWhole), left)
		if byBond, ok := u128.MulDiv(in.ReporterBond, reporterBondFactor, 1); ok {
			parts.Reporter = min(parts.Reporter, byBond)
		}
	}
	parts.Insurance = left - parts.Reporter
	return parts, nil
}
