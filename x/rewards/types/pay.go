// SPDX-License-Identifier: Apache-2.0

package types

import (
	"encoding/binary"

	"github.com/gpucoord/gpucoord/domain/score"
	"github.com/gpucoord/gpucoord/domain/u128"
)

const (
	// ReputationLeafSize is the length of the leaf data of the reputation tree.
	ReputationLeafSize = 40

	reputationTag = "GCR1"
)

// Pay fills in the reward of a scored row with its shares and forfeits, once the epoch's pool, sponsors' money and usage
// are known. It adds up to the unit:
//
//	pool_share + sponsor_share = reward + quality_forfeit + cap_forfeit
//
// A share is pool (or sponsors) · u / U. What quality and cap take from the pool's share, and what the roundings of all
// shares leave of the pool, goes to insurance; of the sponsors' money it is carried to a later epoch.
// Rounding: down at each step. Errors: those of [score.RewardOf].
func (m *OperatorEpoch) Pay(s *EpochSettlement) error {
	reward, err := score.RewardOf(s.PoolUusdc, s.SponsorsUusdc, s.UsageUusdc, s.Params.PaybackCapBps,
		score.RewardIn{Usage: m.UsageUusdc, M: m.QualityPpm, Take: m.TakeUusdc})
	if err != nil {
		return err
	}
	m.CapUusdc = reward.Cap
	m.FromPoolUusdc, m.FromSponsorsUusdc = reward.FromPool, reward.FromSponsors
	m.RewardUusdc = reward.FromPool + reward.FromSponsors // at most the cap
	if s.UsageUusdc == 0 {
		return nil
	}
	m.PoolShareUusdc = u128.Part(s.PoolUusdc, m.UsageUusdc, s.UsageUusdc)
	m.SponsorShareUusdc = u128.Part(s.SponsorsUusdc, m.UsageUusdc, s.UsageUusdc)
	pool := u128.Part(m.PoolShareUusdc, m.QualityPpm, wholePPM)
	sponsors := u128.Part(m.SponsorShareUusdc, m.QualityPpm, wholePPM)
	// A settlement offers no more than fits 64 bits, so neither do these sums of parts of it.
	m.QualityForfeitUusdc = (m.PoolShareUusdc - pool) + (m.SponsorShareUusdc - sponsors)
	m.CapForfeitUusdc = (pool - m.FromPoolUusdc) + (sponsors - m.FromSponsorsUusdc)
	return nil
}

// EarnedPoints returns the points that a scored row earns before the controllers' cap. Errors: those of [score.Points].
func (m *OperatorEpoch) EarnedPoints() (uint64, error) {
	return score.Points(m.GatewayUsageUusdc, m.QualityPpm, m.TrustedMilliVcu, m.NeededMilliVcu)
}

// PointsRoom returns how many points of the epoch a controller may still get after those it has: at most
// points_cap_bps of all points of the epoch, before that cap. Rounding: down.
func (m *EpochSettlement) PointsRoom(has uint64) uint64 {
	most := u128.Part(m.Points, m.Params.PointsCapBps, wholeBps)
	return most - min(most, has)
}

// ReputationLeaf returns the leaf data of an operator whose reputation changed in an epoch:
// "GCR1" | epoch u64 | operator 20 | reputation u64, big-endian. The tree is that of the log (RFC 9162), by address.
func ReputationLeaf(epoch uint64, operator [AddressLength]byte, ppm uint64) []byte {
	b := make([]byte, 0, ReputationLeafSize)
	b = binary.BigEndian.AppendUint64(append(b, reputationTag...), epoch)
	return binary.BigEndian.AppendUint64(append(b, operator[:]...), ppm)
}
