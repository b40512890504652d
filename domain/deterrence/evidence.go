// SPDX-License-Identifier: Apache-2.0

package deterrence

import (
	"errors"
	"fmt"
)

// minFailureShareDivisor bounds one gateway to a third of an operator's failures.
const minFailureShareDivisor = 3

// Errors of evidence about operators.
var (
	// ErrDeclaredCounts means that capacity counts on its owner's word.
	ErrDeclaredCounts = errors.New("declared capacity counts: set the first value of ladder_bps to 0")
	// ErrSlander means that one gateway would be more than a third of an operator's failures.
	ErrSlander = errors.New("one gateway decides an operator's failures: set the divisor of its share to at least 3")
	// ErrMinorityQuorum means that a minority of a panel could conclude something by itself.
	ErrMinorityQuorum = errors.New("a minority of the panel is a quorum: raise the quorum above half of the seats")
)

// CheckLadder checks ladder_bps[0] = 0: capacity at level 0 rests on its owner's word. Error: ErrDeclaredCounts.
func CheckLadder(ladderBps []uint64) error {
	if len(ladderBps) > 0 && ladderBps[0] > 0 {
		return fmt.Errorf("%w: ladder_bps[0] %d > 0", ErrDeclaredCounts, ladderBps[0])
	}
	return nil
}

// CheckFailureShare checks that the divisor of a gateway's share in an operator's failures is at least 3, so that one gateway
// adds at most half of what others saw. Error: ErrSlander.
func CheckFailureShare(divisor uint64) error {
	if divisor < minFailureShareDivisor {
		return fmt.Errorf("%w: divisor %d < %d", ErrSlander, divisor, minFailureShareDivisor)
	}
	return nil
}

// CheckQuorum checks seats / 2 < quorum <= seats. Error: ErrMinorityQuorum.
func CheckQuorum(seats, quorum uint64) error {
	if quorum > seats || quorum <= seats/2 {
		return fmt.Errorf("%w: need %d / 2 < quorum <= %d, have quorum %d", ErrMinorityQuorum, seats, seats, quorum)
	}
	return nil
}
