// SPDX-License-Identifier: Apache-2.0

package score_test

import (
	"errors"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/score"
)

func hhiProps(t *rapid.T) {
	spends := rapid.SliceOfN(amounts(), 0, 12).Draw(t, "spends")
	total := sumOf(spends)
	got, err := score.HHI(spends)
	switch {
	case !total.IsUint64():
		if !errors.Is(err, score.ErrSumOverflow) {
			t.Fatalf("spends of %v: got error %v", total, err)
		}
		return
	case err != nil:
		t.Fatalf("hhi: %v", err)
	case total.Sign() == 0:
		if got != million {
			t.Fatalf("nobody pays: got %d", got)
		}
		return
	}
	// The exact index, 10^6 · Σ (s / T)². Rounding up each share by 1 ppm adds at most 2 ppm + 10^-6 for each; and one more.
	exact := new(big.Rat)
	for _, s := range spends {
		share := new(big.Rat).SetFrac(bigOf(s), total)
		exact.Add(exact, share.Mul(share, share))
	}
	exact.Mul(exact, big.NewRat(million, 1))
	over := new(big.Rat).Sub(ratio([]uint64{got}), exact)
	if over.Sign() < 0 || over.Cmp(big.NewRat(4, 1)) > 0 || got > million {
		t.Fatalf("hhi of %v: got %d, want %v", spends, got, exact.FloatString(3))
	}
	slices.Reverse(spends)
	if other, err := score.HHI(spends); err != nil || other != got {
		t.Fatalf("in the other order: got %d (%v), want %d", other, err, got)
	}
}

func TestHHIProps(t *testing.T) { rapid.Check(t, hhiProps) }

func FuzzHHI(f *testing.F) {
	f.Add(make([]byte, 2048))
	f.Fuzz(rapid.MakeFuzz(hhiProps))
}

// Many shares that are each rounded up to 1 ppm cannot push the index above the whole.
func TestHHIStaysWithinTheWhole(t *testing.T) {
	spends := make([]uint64, 3*million)
	for i := range spends {
		spends[i] = 1
	}
	spends[0] = 1 << 63
	if got, err := score.HHI(spends); err != nil || got != million {
		t.Errorf("got %d (%v), want %d", got, err, million)
	}
}

var gateParams = score.GateParams{MinFees: 1000, MinPayers: 6}

// goodPeriod returns a period that just passes every test.
func goodPeriod() score.GatePeriod {
	return score.GatePeriod{
		Fees: 1000, Spends: []uint64{1, 1, 1, 1, 1, 1}, Refused: 5, Jobs: 100, Disputed: 19, Floors: 500, DemandDoc: true, LegalDoc: true,
	}
}

func TestGateTests(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*score.GatePeriod)
		want   []score.GateTest
	}{
		"good":                  {func(*score.GatePeriod) {}, nil},
		"fees":                  {func(p *score.GatePeriod) { p.Fees, p.Floors = 999, 0 }, []score.GateTest{score.GateFees}},
		"payers":                {func(p *score.GatePeriod) { p.Spends[0] = 0; p.Spends = append(p.Spends, 0) }, []score.GateTest{score.GatePayers, score.GateHHI}},
		"concentration":         {func(p *score.GatePeriod) { p.Spends[0] = 2 }, nil},
		"more concentration":    {func(p *score.GatePeriod) { p.Spends[0] = 3 }, []score.GateTest{score.GateHHI}},
		"too few refused":       {func(p *score.GatePeriod) { p.Refused = 4 }, []score.GateTest{score.GateDemand}},
		"no jobs":               {func(p *score.GatePeriod) { p.Jobs, p.Refused = 0, 0 }, []score.GateTest{score.GateDemand}},
		"used instead":          {func(p *score.GatePeriod) { p.Refused, p.MedianUtilisation = 0, 600_000 }, nil},
		"not quite used":        {func(p *score.GatePeriod) { p.Refused, p.MedianUtilisation = 0, 599_999 }, []score.GateTest{score.GateDemand}},
		"many refused":          {func(p *score.GatePeriod) { p.Refused, p.Jobs = 1<<63, 1<<63 }, nil},
		"disputed":              {func(p *score.GatePeriod) { p.Disputed = 20 }, []score.GateTest{score.GateDisputes}},
		"disputed, beyond 2^64": {func(p *score.GatePeriod) { p.Disputed = 1 << 63 }, []score.GateTest{score.GateDisputes}},
		"floors":                {func(p *score.GatePeriod) { p.Floors = 501 }, []score.GateTest{score.GateFloors}},
		"floors, odd fees":      {func(p *score.GatePeriod) { p.Fees, p.Floors = 1001, 501 }, []score.GateTest{score.GateFloors}},
		"no demand document":    {func(p *score.GatePeriod) { p.DemandDoc = false }, []score.GateTest{score.GateDocs}},
		"no legal document":     {func(p *score.GatePeriod) { p.LegalDoc = false }, []score.GateTest{score.GateDocs}},
	} {
		t.Run(name, func(t *testing.T) {
			period := goodPeriod()
			c.change(&period)
			out, err := score.Gate(gateParams, score.GateState{Good: 2}, period)
			if err != nil {
				t.Fatalf("gate: %v", err)
			}
			if !slices.Equal(out.Failed, c.want) {
				t.Errorf("failed %v, want %v", out.Failed, c.want)
			}
			want := score.GateState{}
			if len(c.want) == 0 {
				want.Good = 3
			}
			if out.State != want {
				t.Errorf("state %+v, want %+v", out.State, want)
			}
		})
	}
}

// gateProps: over any course of periods, the gate is open exactly after four good ones in a row.
func gateProps(t *rapid.T) {
	course := rapid.SliceOfN(rapid.Bool(), 0, 20).Draw(t, "course")
	var state score.GateState
	for i, good := range course {
		period := goodPeriod()
		period.LegalDoc = good
		out, err := score.Gate(gateParams, state, period)
		if err != nil {
			t.Fatalf("period %d: %v", i, err)
		}
		state = out.State
		lastBad := -1
		for j, was := range course[:i+1] {
			if !was {
				lastBad = j
			}
		}
		if wantGood := min(4, i-lastBad); state.Good != uint64(wantGood) || state.Open != (i-lastBad >= 4) {
			t.Fatalf("after %v: got %+v, want %d good", course[:i+1], state, wantGood)
		}
	}
}

func TestGateProps(t *testing.T) { rapid.Check(t, gateProps) }

func FuzzGate(f *testing.F) {
	f.Add(make([]byte, 1024))
	f.Fuzz(rapid.MakeFuzz(gateProps))
}

func TestGateErrorsInOrder(t *testing.T) {
	bad := goodPeriod()
	bad.MedianUtilisation, bad.Refused, bad.Spends = million+1, 101, []uint64{^uint64(0), 1}
	steps := []struct {
		want error
		mend func(*score.GateState, *score.GatePeriod)
	}{
		{score.ErrBadState, func(s *score.GateState, _ *score.GatePeriod) { s.Open = false }},
		{score.ErrBadPPM, func(_ *score.GateState, p *score.GatePeriod) { p.MedianUtilisation = million }},
		{score.ErrBadCount, func(_ *score.GateState, p *score.GatePeriod) { p.Refused = 100 }},
		{score.ErrSumOverflow, func(_ *score.GateState, p *score.GatePeriod) { p.Spends[0]-- }},
		{nil, func(*score.GateState, *score.GatePeriod) {}},
	}
	state := score.GateState{Open: true, Good: 3}
	for _, step := range steps {
		if _, err := score.Gate(gateParams, state, bad); !errors.Is(err, step.want) {
			t.Errorf("got %v, want %v", err, step.want)
		}
		step.mend(&state, &bad)
	}
}
