// SPDX-License-Identifier: Apache-2.0

package jobbook

import (
	"math"
	"slices"
)

// openReceipt is a receipt that waits for its payer's countersignature.
type openReceipt struct {
	jobID      [32]byte
	payer      [20]byte
	epoch, seq uint64
}

// epochAmount is what a settler used in one epoch, in micro-USD.
type epochAmount struct{ epoch, amount uint64 }

// settler is one settler's exposure.
type settler struct {
	running    int
	runningMax uint64 // sum of the running jobs' max amounts
	open       []openReceipt
	// unclaimed is what receipts cost that the chain does not know yet, countersigned or not: the settler's escrow still shows that money.
	unclaimed []epochAmount
}

func (s *settler) tooManyOpen() *TooManyOpenError {
	e := &TooManyOpenError{Running: s.running, Uncountersigned: make([][32]byte, len(s.open))}
	for i, o := range s.open {
		e.Uncountersigned[i] = o.jobID
	}
	return e
}

func (s *settler) owe(epoch, amount uint64) {
	if amount == 0 {
		return
	}
	for i := range s.unclaimed {
		if s.unclaimed[i].epoch == epoch {
			s.unclaimed[i].amount = saturatingAdd(s.unclaimed[i].amount, amount)
			return
		}
	}
	s.unclaimed = append(s.unclaimed, epochAmount{epoch, amount})
}

func (s *settler) unclaimedSum() (sum uint64) {
	for _, u := range s.unclaimed {
		sum = saturatingAdd(sum, u.amount)
	}
	return sum
}

// saturatingAdd stops at the largest value: a log of another host's prices must not wrap a sum around.
func saturatingAdd(a, b uint64) uint64 {
	if a > math.MaxUint64-b {
		return math.MaxUint64
	}
	return a + b
}

// settle forgets what was used up to an epoch.
func (s *settler) settle(through uint64) {
	s.unclaimed = slices.DeleteFunc(s.unclaimed, func(u epochAmount) bool { return u.epoch <= through })
}

// epochs knows which sequence numbers belong to which epoch: the two ascend together.
type epochs struct {
	newest  uint64
	first   map[uint64]uint64 // by epoch, the lowest sequence number seen in it
	claimed uint64            // the epoch up to which the chain knows this host's receipts, 0 for none
}

func (e *epochs) add(epoch, seq uint64) {
	if e.first == nil {
		e.first = make(map[uint64]uint64)
	}
	if low, ok := e.first[epoch]; !ok || seq < low {
		e.first[epoch] = seq
	}
}

// forget drops epochs that are too old to be claimed.
func (e *epochs) forget(before uint64) {
	for epoch := range e.first {
		if epoch < before {
			delete(e.first, epoch)
		}
	}
}

// advance notes the chain's watermark and reports whether further epochs are claimed by it. A batch holds all of an epoch that can be
// claimed, and what lies below the watermark can never be, so a number of an epoch settles that epoch and those before.
func (e *epochs) advance(watermark uint64) bool {
	before := e.claimed
	for epoch, first := range e.first {
		if first <= watermark {
			e.claimed = max(e.claimed, epoch)
		}
	}
	return e.claimed > before
}
