// SPDX-License-Identifier: Apache-2.0

package types

import "bytes"

// What two opened leaves of one batch can prove against it.
const (
	// RepeatedLeaf says that one job, or one number of the host key's sequence, is claimed at two places.
	RepeatedLeaf = "repeated leaf"
	// LeafOrder says that two leaves of one group do not stand in the order of their seqs.
	LeafOrder = "leaf out of order"
)

// Contradiction returns what two opened leaves of one batch prove against it, RepeatedLeaf or LeafOrder, or nothing: two draws of the
// same place agree, because both are under the group's root.
func (l *OpenedLeaf) Contradiction(other *OpenedLeaf) string {
	sameGroup := l.Group == other.Group
	switch {
	case sameGroup && l.Index == other.Index:
		return ""
	case l.Seq == other.Seq || bytes.Equal(l.JobId, other.JobId):
		return RepeatedLeaf
	case sameGroup && (l.Index < other.Index) != (l.Seq < other.Seq):
		return LeafOrder
	default:
		return ""
	}
}

// AwaitsSamples reports whether samples of the batch are still to be compared with those opened before: it is open and has not shown
// them all. Only then it has opened leaves.
func (b *Batch) AwaitsSamples() bool { return b.Open() && !b.AllOpened() }
