// SPDX-License-Identifier: Apache-2.0

package score

import "github.com/gpucoord/gpucoord/domain/u128"

const (
	// goodPeriods is the number of good periods in a row that opens the gate.
	goodPeriods = 4
	// maxHHI is the concentration, in ppm, from which on a period is bad.
	maxHHI = 200_000
	// fullUtilisation is the median utilisation, in ppm, from which on demand counts as above supply.
	fullUtilisation = 600_000
	// refusedParts: demand is above supply if at least one job in refusedParts was refused.
	refusedParts = 20
	// disputedParts: disputes stay below one part of the fees in disputedParts.
	disputedParts = 50
	// floorFeeParts: floors are at most one part of the fees in floorFeeParts.
	floorFeeParts = 2
)

// GateTest is one condition of a good period.
type GateTest uint8

// The conditions, in the order of [GateOut].Failed.
const (
	GateFees GateTest = iota + 1
	GatePayers
	GateHHI
	GateDemand
	GateDisputes
	GateFloors
	GateDocs
)

// String returns the name of the condition in documents and test vectors.
func (t GateTest) String() string {
	names := [...]string{"UNKNOWN", "FEES", "PAYERS", "HHI", "DEMAND", "DISPUTES", "FLOORS", "DOCS"}
	if int(t) >= len(names) {
		return names[0]
	}
	return names[t]
}

// GateParams are the thresholds of the demand gate.
type GateParams struct {
	MinFees   uint64 // micro-units of outside fees
	MinPayers uint64 // paying accredited settlers of no operator's controller
}

// GatePeriod is what happened in one period. Amounts are micro-units.
type GatePeriod struct {
	Fees              uint64   // outside fees
	Spends            []uint64 // one per accredited settler of no operator's controller
	Refused           uint64   // jobs refused for lack of capacity
	Jobs              uint64   // all jobs, with the refused ones
	MedianUtilisation uint64   // ppm
	Disputed          uint64   // disputed amount
	Floors            uint64   // floor payments
	DemandDoc         bool     // governance recorded the operator-demand document
	LegalDoc          bool     // governance recorded the legal review
}

// GateState is the state of the demand gate between periods; it starts as the zero value. Open exactly if Good is 4.
type GateState struct {
	Open bool
	Good uint64 // good periods in a row, counted to 4
}

// GateOut is the state after a period and why it is so.
type GateOut struct {
	State  GateState  // rules the next period
	HHI    uint64     // concentration of the spends, ppm
	Failed []GateTest // conditions that failed; none: a good period
}

// Gate returns the state of the demand gate after a period. Four good periods in a row open it, one bad period closes it.
//
// Errors: ErrBadState (more than 4 good periods, or open without 4), ErrBadPPM (utilisation), ErrBadCount (more jobs
// refused than asked for), ErrSumOverflow (spends).
func Gate(p GateParams, s GateState, period GatePeriod) (GateOut, error) {
	if s.Good > goodPeriods || s.Open != (s.Good == goodPeriods) {
		return GateOut{}, ErrBadState
	}
	if period.MedianUtilisation > ppm {
		return GateOut{}, ErrBadPPM
	}
	if period.Refused > period.Jobs {
		return GateOut{}, ErrBadCount
	}
	hhi, err := HHI(period.Spends)
	if err != nil {
		return GateOut{}, err
	}
	out := GateOut{HHI: hhi, Failed: failedTests(p, &period, hhi)}
	if len(out.Failed) == 0 {
		out.State.Good = min(goodPeriods, s.Good+1)
		out.State.Open = out.State.Good == goodPeriods
	}
	return out, nil
}

func failedTests(p GateParams, period *GatePeriod, hhi uint64) []GateTest {
	payers := uint64(0)
	for _, spend := range period.Spends {
		if spend > 0 {
			payers++
		}
	}
	refused := period.Jobs > 0 && u128.Mul(refusedParts, period.Refused).AtLeast(period.Jobs)
	passed := [...]bool{
		GateFees:     period.Fees >= p.MinFees,
		GatePayers:   payers >= p.MinPayers,
		GateHHI:      hhi < maxHHI,
		GateDemand:   refused || period.MedianUtilisation >= fullUtilisation,
		GateDisputes: !u128.Mul(disputedParts, period.Disputed).AtLeast(period.Fees),
		GateFloors:   period.Floors <= period.Fees/floorFeeParts,
		GateDocs:     period.DemandDoc && period.LegalDoc,
	}
	var failed []GateTest
	for test := GateFees; test <= GateDocs; test++ {
		if !passed[test] {
			failed = append(failed, test)
		}
	}
	return failed
}

// HHI returns the Herfindahl concentration index of spends in ppm: 1,000,000 for one payer or none.
//
// Rounding: up at each step, so against opening the gate. Errors: ErrSumOverflow.
func HHI(spends []uint64) (uint64, error) {
	total, ok := u128.Sum(spends)
	if !ok {
		return 0, ErrSumOverflow
	}
	if total == 0 {
		return ppm, nil
	}
	squares := uint64(0)
	for _, spend := range spends {
		share := u128.PartCeil(ppm, spend, total)
		squares += share * share
		if squares >= ppm*ppm {
			return ppm, nil // many roundings up: also keeps the sum far from 64 bits
		}
	}
	return (squares + ppm - 1) / ppm, nil
}
