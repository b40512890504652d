// SPDX-License-Identifier: Apache-2.0

package types

import "math"

// JailedForGood is the JailedUntil of a jail without end, which every tombstoned operator is in.
const JailedForGood = math.MaxUint64

// Jail refuses new work from height from until height until, where it is allowed again. A jail that begins before another has ended, or
// as it ends, extends that one: it keeps its beginning and the later of both ends. Otherwise the new one takes the place of the last.
// A jail of no blocks changes nothing.
func (op *Operator) Jail(from, until uint64) {
	if until <= from {
		return
	}
	if op.JailedUntil == 0 || from > op.JailedUntil {
		op.JailedFrom, op.JailedUntil = from, until
		return
	}
	op.JailedUntil = max(op.JailedUntil, until)
}

// JailedDuring reports whether all blocks from height first to height last, both included, lie in the running or last jail. Work of
// such a time was taken against the jail; work of any longer time may have been served before or after it.
func (op *Operator) JailedDuring(first, last uint64) bool {
	return op.JailedUntil > 0 && first >= op.JailedFrom && last < op.JailedUntil
}

// validJail reports whether the jail can have come about by Jail, and is without end for a tombstoned operator.
func (op *Operator) validJail() bool {
	if op.Status == OperatorStatus_OPERATOR_STATUS_TOMBSTONED && op.JailedUntil != JailedForGood {
		return false
	}
	return op.JailedUntil == 0 && op.JailedFrom == 0 || op.JailedFrom > 0 && op.JailedFrom < op.JailedUntil
}
