// SPDX-License-Identifier: Apache-2.0

package types

import (
	"math"

	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/domain/u128"
)

// Add adds a scored row to the epoch's sums. Error: ErrOverflow, and then nothing is added.
func (m *EpochSettlement) Add(row *OperatorEpoch) error {
	points, err := row.EarnedPoints()
	if err != nil {
		return err
	}
	usage, fits := u128.Add(m.UsageUusdc, row.UsageUusdc)
	if !fits {
		return errorsmod.Wrapf(ErrOverflow, "usage of epoch %d", m.Epoch)
	}
	m.UsageUusdc = usage
	// None of these is above the usage, neither of the row nor in sum.
	m.GatewayUsageUusdc += row.GatewayUsageUusdc
	m.TakeUusdc += row.TakeUusdc
	m.Points += points
	return nil
}

// Offer fixes what the second pass divides, once all operators are scored: the part of the collected pool that stands on
// eligible usage, and the sponsors' money, all of it unless pool and sponsors together would not fit 64 bits.
func (m *EpochSettlement) Offer(sponsors uint64) {
	// pool_bps is at most 10000, so this is at most the take.
	m.PoolUusdc = min(m.CollectedUusdc, u128.Part(m.TakeUusdc, m.PoolBps, wholeBps))
	m.IneligibleUusdc = m.CollectedUusdc - m.PoolUusdc
	m.SponsorsUusdc = min(sponsors, math.MaxUint64-m.PoolUusdc)
}

// AddPaid adds a paid row to the sums of rewards.
func (m *EpochSettlement) AddPaid(row *OperatorEpoch) {
	m.RewardsUusdc += row.RewardUusdc // no sum is above pool and sponsors, which fit together
	m.FromPoolUusdc += row.FromPoolUusdc
	m.FromSponsorsUusdc += row.FromSponsorsUusdc
}

// AppendReputation adds a leaf to the reputation tree. Errors: those of [log.Range.Append].
func (m *EpochSettlement) AppendReputation(leaf []byte) error {
	tree, err := m.reputationTree()
	if err != nil {
		return err
	}
	if err := tree.Append(log.LeafHash(leaf)); err != nil {
		return err
	}
	m.ReputationSize = tree.Size
	m.ReputationHashes = make([][]byte, len(tree.Hashes))
	for i := range tree.Hashes {
		m.ReputationHashes[i] = tree.Hashes[i][:]
	}
	return nil
}

// TreeRoot returns the root of the reputation tree so far; that of no leaves is SHA-256 of nothing. Error: ErrBrokenInvariant.
func (m *EpochSettlement) TreeRoot() ([32]byte, error) {
	tree, err := m.reputationTree()
	return tree.Root(), err
}

func (m *EpochSettlement) reputationTree() (log.Range, error) {
	tree := log.Range{Size: m.ReputationSize, Hashes: make([][32]byte, len(m.ReputationHashes))}
	for i, hash := range m.ReputationHashes {
		if len(hash) != len(tree.Hashes[i]) {
			return log.Range{}, errorsmod.Wrapf(ErrBrokenInvariant, "reputation hash %d of epoch %d has %d bytes", i, m.Epoch, len(hash))
		}
		tree.Hashes[i] = [32]byte(hash)
	}
	if err := tree.Validate(); err != nil {
		return log.Range{}, errorsmod.Wrapf(ErrBrokenInvariant, "reputation tree of epoch %d: %s", m.Epoch, err)
	}
	return tree, nil
}
