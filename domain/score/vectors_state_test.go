// SPDX-License-Identifier: Apache-2.0

package score_test

import (
	"encoding/json"
	"testing"

	"github.com/gpucoord/gpucoord/domain/internal/economicstest"
	"github.com/gpucoord/gpucoord/domain/score"
)

func TestDecayTablesVectors(t *testing.T) {
	var tables map[uint64][]uint64
	if err := json.Unmarshal(economicstest.Lists(t)["decayTables"], &tables); err != nil {
		t.Fatalf("decode the tables: %v", err)
	}
	if len(tables) != 2 {
		t.Fatalf("got %d tables, want 2", len(tables))
	}
	for _, halfLife := range []uint64{score.HalfLifeReputation, score.HalfLifePoints} {
		if got := uint64(len(tables[halfLife])); got != halfLife {
			t.Fatalf("the table of half-life %d has %d values", halfLife, got)
		}
		for k, want := range tables[halfLife] {
			if got, err := score.Decay(decayOne, uint64(k), halfLife); err != nil || got != want {
				t.Errorf("half-life %d, %d epochs: got %d (%v), want %d", halfLife, k, got, err, want)
			}
		}
	}
}

func TestDecayVectors(t *testing.T) {
	type in struct{ Value, Elapsed, HalfLife uint64 }
	type out struct{ Value uint64 }
	economicstest.Walk(t, "decay", errorNames, func(v in) (out, error) {
		value, err := score.Decay(v.Value, v.Elapsed, v.HalfLife)
		return out{Value: value}, err
	})
}

type reputationOut struct{ Reputation uint64 }

func TestReputationVectors(t *testing.T) {
	type in struct{ Reputation, Elapsed, Q uint64 }
	economicstest.Walk(t, "reputation", errorNames, func(v in) (reputationOut, error) {
		r, err := score.Reputation(v.Reputation, v.Elapsed, v.Q)
		return reputationOut{Reputation: r}, err
	})
}

func TestFaultVectors(t *testing.T) {
	type in struct{ Reputation, Severity uint64 }
	economicstest.Walk(t, "fault", errorNames, func(v in) (reputationOut, error) {
		r, err := score.Fault(v.Reputation, v.Severity)
		return reputationOut{Reputation: r}, err
	})
}

func TestVestingVectors(t *testing.T) {
	economicstest.Walk(t, "vesting", errorNames, score.Vest)
}

func TestFloorVectors(t *testing.T) {
	type out struct{ Phi, Floor uint64 }
	economicstest.Walk(t, "floor", errorNames, func(v score.FloorIn) (out, error) {
		phi, floor, err := score.Floor(v)
		return out{Phi: phi, Floor: floor}, err
	})
}

func TestFloorBudgetVectors(t *testing.T) {
	type in struct {
		Budget uint64
		Wanted []uint64
	}
	type out struct {
		Paid []uint64
		Left uint64
	}
	economicstest.Walk(t, "floorBudget", errorNames, func(v in) (out, error) {
		paid, left, err := score.FloorBudget(v.Budget, v.Wanted)
		return out{Paid: paid, Left: left}, err
	})
}

func TestHHIVectors(t *testing.T) {
	type in struct{ Spends []uint64 }
	type out struct{ HHI uint64 }
	economicstest.Walk(t, "hhi", errorNames, func(v in) (out, error) {
		hhi, err := score.HHI(v.Spends)
		return out{HHI: hhi}, err
	})
}

func TestGateVectors(t *testing.T) {
	type in struct {
		score.GateParams
		score.GateState
		Periods []score.GatePeriod
	}
	type row struct {
		Open      bool
		Good, HHI uint64
		Failed    []string
	}
	type out struct{ Periods []row }
	economicstest.Walk(t, "gate", errorNames, func(v in) (out, error) {
		got, state := out{Periods: []row{}}, v.GateState
		for i := range v.Periods {
			o, err := score.Gate(v.GateParams, state, v.Periods[i])
			if err != nil {
				return out{}, err
			}
			state = o.State
			r := row{Open: state.Open, Good: state.Good, HHI: o.HHI, Failed: []string{}}
			for _, test := range o.Failed {
				r.Failed = append(r.Failed, test.String())
			}
			got.Periods = append(got.Periods, r)
		}
		return got, nil
	})
}
