// SPDX-License-Identifier: Apache-2.0

package score

import "github.com/gpucoord/gpucoord/domain/u128"

// spreadLimit is the number of controllers among which a settler must spread its spend evenly to count in full: a
// controller that gets more than 1/spreadLimit of it counts 1/(spreadLimit·share).
const spreadLimit = 5

// UsageEntry is the finalised work of one operator in one epoch for one settler in one class. Amounts are micro-units.
type UsageEntry struct {
	Settler         [20]byte // who paid take and royalties
	Class           Class
	Amount          uint64 // sum of the operator's groups
	Take            uint64 // sum of the takes as settled, each group rounded down
	TotalSpend      uint64 // of the settler, to all operators
	ControllerSpend uint64 // of the settler, to all operators of this operator's controller
	Accredited      bool   // the settler is an accredited gateway
	SameController  bool   // the settler belongs to the operator's controller
	Disputed        bool
	Unfunded        bool // the settler's escrow did not pay
}

// UsageParams are the rates of eligible usage.
type UsageParams struct {
	TakeBps         uint64 // rate at which take was settled
	DirectWeightBps uint64 // weight of direct work
	UnaccreditedBps uint64 // weight of settlers that are not accredited
}

// EntryResult says what one entry counts. Both amounts are 0 unless Reason is [ReasonCounted].
type EntryResult struct {
	Reason  Reason
	Counted uint64 // eligible usage, at most what the take was paid on
	Take    uint64 // take on exactly the counted usage, at most the entry's take
}

// UsageResult is the eligible usage of one operator in one epoch.
type UsageResult struct {
	Usage        uint64        // sum of the counted
	GatewayUsage uint64        // the same without class direct: for all but the epoch reward
	Take         uint64        // sum of the counted takes: what caps the epoch reward
	Entries      []EntryResult // one per entry, in the same order
}

// Usage returns how much of the entries of one operator is eligible.
//
// An entry counts by its own fields alone, so no settler's work changes what another's counts.
// Rounding: down at each step.
// Errors: ErrBadBps; then for each entry ErrBadClass, ErrDuplicateEntry, and for a counted one ErrBadTake (take above the
// rate) and unless direct ErrBadSpend; then ErrSumOverflow.
func Usage(p UsageParams, entries []UsageEntry) (UsageResult, error) {
	if p.TakeBps > bpsWhole || p.DirectWeightBps > bpsWhole || p.UnaccreditedBps > bpsWhole {
		return UsageResult{}, ErrBadBps
	}
	if err := p.checkEntries(entries); err != nil {
		return UsageResult{}, err
	}
	result := UsageResult{Entries: make([]EntryResult, len(entries))}
	for i := range entries {
		e := &entries[i]
		r := EntryResult{Reason: e.reason()}
		if r.Reason == ReasonCounted {
			r.Counted = p.counted(e)
			r.Take = u128.Part(r.Counted, p.TakeBps, bpsWhole)
		}
		result.Entries[i] = r

		var ok bool
		if result.Usage, ok = u128.Add(result.Usage, r.Counted); !ok {
			return UsageResult{}, ErrSumOverflow
		}
		result.Take += r.Take // at most the usage, which fits
		if e.Class != ClassDirect {
			result.GatewayUsage += r.Counted
		}
	}
	return result, nil
}

func (p UsageParams) checkEntries(entries []UsageEntry) error {
	type key struct {
		settler [20]byte
		class   Class
	}
	seen := make(map[key]struct{}, len(entries))
	for i := range entries {
		e := &entries[i]
		if !e.Class.valid() {
			return ErrBadClass
		}
		k := key{settler: e.Settler, class: e.Class}
		if _, twice := seen[k]; twice {
			return ErrDuplicateEntry
		}
		seen[k] = struct{}{}
		if e.reason() != ReasonCounted {
			continue
		}
		if e.Take > u128.Part(e.Amount, p.TakeBps, bpsWhole) {
			return ErrBadTake
		}
		if e.Class != ClassDirect && (e.Amount > e.ControllerSpend || e.ControllerSpend > e.TotalSpend) {
			return ErrBadSpend
		}
	}
	return nil
}

func (e *UsageEntry) reason() Reason {
	switch {
	case e.Unfunded:
		return ReasonUnfunded
	case e.Disputed:
		return ReasonDisputed
	case e.Class == ClassTrial:
		return ReasonTrial
	case e.SameController && e.Class != ClassDirect:
		return ReasonSameController
	default:
		return ReasonCounted
	}
}

// counted returns the eligible usage of a checked entry that counts.
func (p UsageParams) counted(e *UsageEntry) uint64 {
	paid := e.Amount
	if p.TakeBps > 0 {
		// Take is at most its rate of Amount, so this is at most Amount and fits.
		paid, _ = u128.MulDiv(e.Take, bpsWhole, p.TakeBps)
	}
	if e.Class == ClassDirect {
		return u128.Part(paid, p.DirectWeightBps, bpsWhole)
	}
	x := paid
	if e.ControllerSpend > e.TotalSpend/spreadLimit {
		// paid·total / (5·spend), with the 5 divided out first because 5·spend may not fit; nested divisions that round
		// down give the same as one. Total is below 5·spend, so the result is below paid.
		fifth, _ := u128.Mul(paid, e.TotalSpend).Quo(spreadLimit)
		quotient, _ := fifth.Quo(e.ControllerSpend)
		x = quotient.Lo
	}
	if !e.Accredited {
		x = u128.Part(x, p.UnaccreditedBps, bpsWhole)
	}
	return x
}
