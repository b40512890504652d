// SPDX-License-Identifier: Apache-2.0

package log

import "encoding/binary"

const (
	// BatchLeafSize is the length in bytes of a finalized batch's leaf data.
	BatchLeafSize = 121
	// EpochLeafSize is the length in bytes of an epoch statement's leaf data.
	EpochLeafSize = 110

	leafTag   = "GCF1"
	kindBatch = 1
	kindEpoch = 2
)

// BatchLeaf returns the leaf data of a finalized batch (kind 1). count and amount (micro-USD) are the sums over its groups, root its
// batch root.
func BatchLeaf(batchID uint64, operator [20]byte, hostID [32]byte, epoch, count, amount uint64, root [32]byte) []byte {
	b := make([]byte, 0, BatchLeafSize)
	b = append(append(b, leafTag...), kindBatch)
	b = binary.BigEndian.AppendUint64(b, batchID)
	b = append(b, operator[:]...)
	b = append(b, hostID[:]...)
	b = binary.BigEndian.AppendUint64(b, epoch)
	b = binary.BigEndian.AppendUint64(b, count)
	b = binary.BigEndian.AppendUint64(b, amount)
	return append(b, root[:]...)
}

// EpochLeaf returns the leaf data of an epoch statement (kind 2). gate is opaque to this format.
func EpochLeaf(epoch uint64, reputationRoot, registryRoot, royaltyRoot [32]byte, gate uint8) []byte {
	b := make([]byte, 0, EpochLeafSize)
	b = append(append(b, leafTag...), kindEpoch)
	b = binary.BigEndian.AppendUint64(b, epoch)
	b = append(b, reputationRoot[:]...)
	b = append(b, registryRoot[:]...)
	b = append(b, royaltyRoot[:]...)
	return append(b, gate)
}
