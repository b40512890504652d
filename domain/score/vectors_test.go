// SPDX-License-Identifier: Apache-2.0

package score_test

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/gpucoord/gpucoord/domain/internal/economicstest"
	"github.com/gpucoord/gpucoord/domain/score"
)

var errorNames = map[string]error{
	"BAD_PPM":         score.ErrBadPPM,
	"BAD_BPS":         score.ErrBadBps,
	"SUM_OVERFLOW":    score.ErrSumOverflow,
	"OVERFLOW":        score.ErrOverflow,
	"BAD_COUNT":       score.ErrBadCount,
	"BAD_CLASS":       score.ErrBadClass,
	"DUPLICATE_ENTRY": score.ErrDuplicateEntry,
	"BAD_TAKE":        score.ErrBadTake,
	"BAD_SPEND":       score.ErrBadSpend,
	"BAD_WINDOW":      score.ErrBadWindow,
	"BAD_LEVEL":       score.ErrBadLevel,
	"BAD_HALF_LIFE":   score.ErrBadHalfLife,
	"BAD_EPOCH":       score.ErrBadEpoch,
	"BAD_CLAIMED":     score.ErrBadClaimed,
	"BAD_DAY":         score.ErrBadDay,
	"BAD_STATE":       score.ErrBadState,
}

// The lists of the file, each walked by the tests of the package named: a list that is added must be walked somewhere.
func TestNoOtherListsVectors(t *testing.T) {
	walked := strings.Fields(`note
		byWeight cover slashBps slashFraud slashSplit slashValue takeSplit waterfall
		epochBounds epochOf windows
		decay decayTables epochReward fault floor floorBudget gate hhi points quality reputation routing ucs usage vcu vesting wilson
		drawChecks draws sampleCount`)
	slices.Sort(walked)
	if got := slices.Sorted(maps.Keys(economicstest.Lists(t))); !slices.Equal(got, walked) {
		t.Errorf("the file has the lists\n%v, walked are\n%v", got, walked)
	}
}

func TestWilsonVectors(t *testing.T) {
	type in struct{ OK, Fail uint64 }
	type out struct{ S uint64 }
	economicstest.Walk(t, "wilson", errorNames, func(v in) (out, error) {
		s, err := score.Wilson(v.OK, v.Fail)
		return out{S: s}, err
	})
}

func TestQualityVectors(t *testing.T) {
	type in struct{ S, Up, Av uint64 }
	type out struct{ M uint64 }
	economicstest.Walk(t, "quality", errorNames, func(v in) (out, error) {
		m, err := score.Quality(v.S, v.Up, v.Av)
		return out{M: m}, err
	})
}

// vectorEntry is a usage entry as the file holds it.
type vectorEntry struct {
	Settler, Class                                 string
	Amount, Take, TotalSpend, ControllerSpend      uint64
	Accredited, SameController, Disputed, Unfunded bool
}

func (v *vectorEntry) entry() (score.UsageEntry, error) {
	e := score.UsageEntry{
		Amount: v.Amount, Take: v.Take, TotalSpend: v.TotalSpend, ControllerSpend: v.ControllerSpend,
		Accredited: v.Accredited, SameController: v.SameController, Disputed: v.Disputed, Unfunded: v.Unfunded,
	}
	settler, err := hex.DecodeString(v.Settler)
	if err != nil || len(settler) != len(e.Settler) {
		return e, fmt.Errorf("settler %q is no address: %w", v.Settler, err)
	}
	copy(e.Settler[:], settler)
	for class := score.ClassRouted; class <= score.ClassDirect; class++ {
		if class.String() == v.Class {
			e.Class = class
		}
	}
	return e, nil
}

func TestUsageVectors(t *testing.T) {
	type in struct {
		score.UsageParams
		Entries []vectorEntry
	}
	type row struct {
		Reason        string
		Counted, Take uint64
	}
	type out struct {
		Usage, GatewayUsage, Take uint64
		Entries                   []row
	}
	economicstest.Walk(t, "usage", errorNames, func(v in) (out, error) {
		entries := make([]score.UsageEntry, len(v.Entries))
		for i := range v.Entries {
			var err error
			if entries[i], err = v.Entries[i].entry(); err != nil {
				return out{}, err
			}
		}
		r, err := score.Usage(v.UsageParams, entries)
		got := out{Usage: r.Usage, GatewayUsage: r.GatewayUsage, Take: r.Take, Entries: []row{}}
		for _, e := range r.Entries {
			got.Entries = append(got.Entries, row{Reason: e.Reason.String(), Counted: e.Counted, Take: e.Take})
		}
		return got, err
	})
}

func TestEpochRewardVectors(t *testing.T) {
	type in struct {
		Pool, Sponsors, PaybackCapBps uint64
		Operators                     []score.RewardIn
	}
	type out struct {
		Operators          []score.Reward
		Insurance, Carried uint64
	}
	economicstest.Walk(t, "epochReward", errorNames, func(v in) (out, error) {
		rewards, insurance, carried, err := score.EpochRewards(v.Pool, v.Sponsors, v.PaybackCapBps, v.Operators)
		return out{Operators: rewards, Insurance: insurance, Carried: carried}, err
	})
}

func TestUCSVectors(t *testing.T) {
	economicstest.Walk(t, "ucs", errorNames, score.UCS)
}

func TestRoutingVectors(t *testing.T) {
	type in struct{ Hosts []score.RoutingIn }
	type out struct {
		Floor   uint64
		Weights []uint64
	}
	economicstest.Walk(t, "routing", errorNames, func(v in) (out, error) {
		floor, weights, err := score.Routing(v.Hosts)
		return out{Floor: floor, Weights: weights}, err
	})
}

func TestVCUVectors(t *testing.T) {
	type out struct{ VCU, Trusted uint64 }
	economicstest.Walk(t, "vcu", errorNames, func(v score.VCUIn) (out, error) {
		vcu, trusted, err := score.VCU(v)
		return out{VCU: vcu, Trusted: trusted}, err
	})
}

func TestPointsVectors(t *testing.T) {
	type in struct{ Usage, M, Trusted, Needed uint64 }
	type out struct{ Points uint64 }
	economicstest.Walk(t, "points", errorNames, func(v in) (out, error) {
		points, err := score.Points(v.Usage, v.M, v.Trusted, v.Needed)
		return out{Points: points}, err
	})
}
