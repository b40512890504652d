// SPDX-License-Identifier: Apache-2.0

package types

import (
	errorsmod "cosmossdk.io/errors"
	sdkmath "cosmossdk.io/math"

	"github.com/gpucoord/gpucoord/domain/score"
	"github.com/gpucoord/gpucoord/domain/u128"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// Values of OperatorEpoch.availability_source.
const (
	// SourceStandIn: the parameters' stand-ins, until a panel of probers has concluded anything of anybody.
	SourceStandIn = "stand-in"
	// SourceMeasured: the epoch's own panel.
	SourceMeasured = "measured"
	// SourceCarried: the panel of availability_epoch, the last one that concluded something of the operator.
	SourceCarried = "carried"
	// SourceInconclusive: no panel of the last 7 epochs concluded anything of the operator, so both are 0.
	SourceInconclusive = "inconclusive"
)

// LedgerEntry is an entry of the usage ledger with its outcomes over the success window.
type LedgerEntry struct {
	receiptstypes.UsageEntry
	SettlerText string // the settler, bech32
	WindowOK    uint64 // successful jobs
	WindowFail  uint64 // failed jobs
}

// ScoreIn is all that the first pass computes an operator's row from.
type ScoreIn struct {
	Params          Params // pinned for the epoch
	TakeBps         uint64 // take of the epoch's work
	Entries         []LedgerEntry
	Capacity        operatorstypes.Capacity
	ConfirmedBefore uint64 // capacity that an earlier epoch confirmed, milli-VCU
	EpochSeconds    uint64 // nominal length of an epoch, at least 1
	Epoch           uint64 // the epoch, to tell a measured availability from a carried one
	Availability    operatorstypes.Availability
}

// Failure is an error of a pass with the At code that stands in for it in state.
type Failure struct {
	At  string
	Err error
}

// Error implements error.
func (f *Failure) Error() string { return f.At + ": " + f.Err.Error() }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// At gives err, unless it is nil, a code.
func At(code string, err error) error {
	if err == nil {
		return nil
	}
	return &Failure{At: code, Err: err}
}

// Score returns the factors of an operator's row: usage, success, quality, capacity and useful-capacity score. Who the row
// is about is left to the caller.
//
// S is the mean of the settlers' success bounds, weighted by what each counts, rounded down. Where nothing counts it is the
// bound over all outcomes together, but at most that of no outcomes, so that work which does not count buys no score.
// Tokens, which utilisation and needed capacity are made of, are those of entries that count and are not direct.
// Rounding: down. Errors: a [Failure] at AtUsage, AtScore or AtCapacity.
func Score(in ScoreIn) (OperatorEpoch, error) {
	usage, err := countEntries(in)
	if err != nil {
		return OperatorEpoch{}, At(AtUsage, err)
	}
	row := OperatorEpoch{
		UsageUusdc:        usage.Usage,
		GatewayUsageUusdc: usage.GatewayUsage,
		TakeUusdc:         usage.Take,
		Simulated:         in.Capacity.Simulated > 0,
	}
	row.setAvailability(in)
	if err := row.scoreEntries(in, usage); err != nil {
		return OperatorEpoch{}, At(AtScore, err)
	}
	if row.QualityPpm, err = score.Quality(row.SuccessPpm, row.UpPpm, row.AvPpm); err != nil {
		return OperatorEpoch{}, At(AtScore, err)
	}
	if err := row.scoreCapacity(in); err != nil {
		return OperatorEpoch{}, At(AtCapacity, err)
	}
	row.Reasons = scoreReasons(&row, in)
	return row, nil
}

// setAvailability fills in uptime, availability and latency, and where they come from.
func (m *OperatorEpoch) setAvailability(in ScoreIn) {
	a := in.Availability
	switch {
	case a.Conclusive:
		m.AvailabilitySource = SourceMeasured
		if a.FromEpoch != in.Epoch {
			m.AvailabilitySource = SourceCarried
		}
		m.UpPpm, m.AvPpm, m.P95TtftMs, m.AvailabilityEpoch = a.UpPPM, a.AvPPM, a.P95TTFTMs, a.FromEpoch
	case a.Unmeasured:
		m.AvailabilitySource = SourceStandIn
		m.UpPpm, m.AvPpm = in.Params.StandInUpPpm, in.Params.StandInAvPpm
	default:
		m.AvailabilitySource = SourceInconclusive
	}
}

// Availability returns what the row was scored with, so that an auditor can score it again.
func (m *OperatorEpoch) Availability() operatorstypes.Availability {
	a := operatorstypes.Availability{Unmeasured: m.AvailabilitySource == SourceStandIn}
	if m.AvailabilitySource == SourceMeasured || m.AvailabilitySource == SourceCarried {
		a = operatorstypes.Availability{
			UpPPM: m.UpPpm, AvPPM: m.AvPpm, P95TTFTMs: m.P95TtftMs, Conclusive: true, FromEpoch: m.AvailabilityEpoch,
		}
	}
	return a
}

// countEntries says what of the entries is eligible.
func countEntries(in ScoreIn) (score.UsageResult, error) {
	entries := make([]score.UsageEntry, len(in.Entries))
	for i := range in.Entries {
		e := &in.Entries[i]
		class, known := scoreClass(e.Class)
		if !known {
			return score.UsageResult{}, errorsmod.Wrapf(ErrBadEntry, "entry %d: class %d", i, e.Class)
		}
		entries[i] = score.UsageEntry{
			Settler:         e.Settler,
			Class:           class,
			Amount:          e.Amount,
			Take:            e.Take,
			TotalSpend:      e.TotalSpend,
			ControllerSpend: e.ControllerSpend,
			Accredited:      e.Accredited,
			SameController:  e.SameController,
		}
	}
	return score.Usage(score.UsageParams{
		TakeBps:         in.TakeBps,
		DirectWeightBps: in.Params.DirectWeightBps,
		UnaccreditedBps: in.Params.UnaccreditedBps,
	}, entries)
}

func scoreClass(class receiptstypes.Class) (score.Class, bool) {
	switch class {
	case receiptstypes.Class_CLASS_ROUTED:
		return score.ClassRouted, true
	case receiptstypes.Class_CLASS_PINNED:
		return score.ClassPinned, true
	case receiptstypes.Class_CLASS_TRIAL:
		return score.ClassTrial, true
	case receiptstypes.Class_CLASS_DIRECT:
		return score.ClassDirect, true
	default:
		return 0, false
	}
}

// scoreEntries fills in the entries' rows, the tokens and S.
func (m *OperatorEpoch) scoreEntries(in ScoreIn, usage score.UsageResult) error {
	weighted := sdkmath.ZeroUint() // counted usage times success: does not fit 64 bits
	var allOK, allFail uint64
	for i := range in.Entries {
		e, counted := &in.Entries[i], usage.Entries[i]
		bound, err := score.Wilson(e.WindowOK, e.WindowFail)
		if err != nil {
			return err
		}
		allOK, allFail = allOK+e.WindowOK, allFail+e.WindowFail // Wilson has refused counts above 2^40
		weighted = weighted.Add(sdkmath.NewUint(counted.Counted).Mul(sdkmath.NewUint(bound)))
		class, _ := scoreClass(e.Class)
		if counted.Reason == score.ReasonCounted && class != score.ClassDirect {
			var fits bool
			if m.Tokens, fits = u128.Add(m.Tokens, e.Tokens); !fits {
				return ErrOverflow
			}
		}
		m.Entries = append(m.Entries, entryRow(e, class, counted, bound))
	}
	if m.UsageUusdc > 0 {
		m.SuccessPpm = weighted.Quo(sdkmath.NewUint(m.UsageUusdc)).Uint64()
		return nil
	}
	return m.scoreUncounted(allOK, allFail)
}

// scoreUncounted sets S where nothing counts: failures lower it, successes do not raise it.
func (m *OperatorEpoch) scoreUncounted(ok, fail uint64) error {
	bound, err := score.Wilson(ok, fail)
	if err != nil {
		return err
	}
	none, err := score.Wilson(0, 0)
	if err != nil {
		return err
	}
	m.SuccessPpm = min(bound, none)
	return nil
}

func entryRow(e *LedgerEntry, class score.Class, counted score.EntryResult, bound uint64) EntryRow {
	return EntryRow{
		Settler:              e.SettlerText,
		Class:                class.String(),
		AmountUusdc:          e.Amount,
		TakeUusdc:            e.Take,
		TotalSpendUusdc:      e.TotalSpend,
		ControllerSpendUusdc: e.ControllerSpend,
		Accredited:           e.Accredited,
		Reason:               counted.Reason.String(),
		CountedUusdc:         counted.Counted,
		CountedTakeUusdc:     counted.Take,
		Ok:                   e.WindowOK,
		Fail:                 e.WindowFail,
		SuccessPpm:           bound,
	}
}

// scoreCapacity fills in capacity, what of it is trusted and needed, and the useful-capacity score.
func (m *OperatorEpoch) scoreCapacity(in ScoreIn) error {
	m.MilliVcu = in.Capacity.MilliVCU
	m.TrustedMilliVcu = min(in.Capacity.MilliVCU, in.ConfirmedBefore)
	var fits bool
	if m.CapacityTokens, fits = u128.MulDiv(in.Capacity.TokensPerSecond, in.EpochSeconds, 1); !fits {
		return ErrOverflow
	}
	perVCU, fits := u128.MulDiv(in.Params.TokensPerVcuSecond, in.EpochSeconds, 1)
	if !fits {
		return ErrOverflow
	}
	if m.NeededMilliVcu, fits = u128.MulDiv(m.Tokens, 1_000, perVCU); !fits {
		return ErrOverflow
	}
	out, err := score.UCS(score.UCSIn{
		Trusted: m.TrustedMilliVcu, S: m.SuccessPpm, Tokens: m.Tokens, Capacity: m.CapacityTokens,
		SLAMs: in.Params.SlaP95TtftMs, P95Ms: m.P95TtftMs,
	})
	if err != nil {
		return err
	}
	m.UtilisationPpm, m.LatencyPpm, m.Ucs = out.Utilisation, out.Latency, out.UCS
	return nil
}

func scoreReasons(row *OperatorEpoch, in ScoreIn) []string {
	var reasons []string
	for _, r := range []struct {
		holds bool
		code  string
	}{
		{row.UsageUusdc == 0, ReasonNoUsage},
		{row.AvailabilitySource == SourceStandIn, ReasonStandIn},
		{row.AvailabilitySource == SourceCarried, ReasonCarried},
		{row.AvailabilitySource == SourceInconclusive, ReasonInconclusive},
		{row.Simulated, ReasonSimulated},
		{in.Capacity.GPUs > 0 && row.MilliVcu == 0, ReasonUnproved},
		{row.TrustedMilliVcu < row.MilliVcu, ReasonUnconfirmed},
		{row.P95TtftMs == 0, ReasonLatencyUnknown},
	} {
		if r.holds {
			reasons = append(reasons, r.code)
		}
	}
	return reasons
}
