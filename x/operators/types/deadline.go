// SPDX-License-Identifier: Apache-2.0

package types

import "encoding/binary"

// Timed reports whether deadlines of the kind are Unix seconds; the others are heights.
func (k DeadlineKind) Timed() bool {
	return k == DeadlineKind_DEADLINE_KIND_ATTESTATION || k == DeadlineKind_DEADLINE_KIND_VERIFIER
}

// NumberID returns the deadline id of what has a number.
func NumberID(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
