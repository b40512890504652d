// SPDX-License-Identifier: Apache-2.0

package score

import "github.com/gpucoord/gpucoord/domain/u128"

// RewardIn is what one operator brings into the division of an epoch's reward.
type RewardIn struct {
	Usage uint64 // eligible usage, micro-units
	M     uint64 // quality, ppm
	Take  uint64 // take on exactly that usage, micro-units
}

// Reward is the epoch reward of one operator, in micro-units. FromPool + FromSponsors is at most Cap.
type Reward struct{ Cap, FromPool, FromSponsors uint64 }

// RewardOf returns the reward of one operator from the epoch's pool and the sponsors' money, by its part of totalUsage,
// which is the sum over all operators. The pool pays first, the sponsors up to the cap of paybackCapBps of the take.
//
// Quality scales the operator's own part only; so what it forfeits, or the cap cuts, goes to no other operator, and
// 10,000 · reward <= paybackCapBps · take always holds. All 0 if totalUsage is 0.
// Rounding: down at each step. Errors: ErrBadBps, ErrBadPPM, ErrBadUsage (usage above totalUsage).
func RewardOf(pool, sponsors, totalUsage, paybackCapBps uint64, in RewardIn) (Reward, error) {
	if paybackCapBps > bpsWhole {
		return Reward{}, ErrBadBps
	}
	if in.M > ppm {
		return Reward{}, ErrBadPPM
	}
	if in.Usage > totalUsage {
		return Reward{}, ErrBadUsage
	}
	return rewardOf(pool, sponsors, totalUsage, paybackCapBps, in), nil
}

// rewardOf is [RewardOf] on checked values.
func rewardOf(pool, sponsors, totalUsage, paybackCapBps uint64, in RewardIn) Reward {
	r := Reward{Cap: u128.Part(in.Take, paybackCapBps, bpsWhole)}
	if totalUsage == 0 {
		return r
	}
	r.FromPool = min(r.Cap, u128.Part(u128.Part(pool, in.Usage, totalUsage), in.M, ppm))
	r.FromSponsors = min(r.Cap-r.FromPool, u128.Part(u128.Part(sponsors, in.Usage, totalUsage), in.M, ppm))
	return r
}

// EpochRewards divides an epoch's pool and the sponsors' money among all operators, as [RewardOf] does for each.
//
// Shape: one reward per operator, in the same order; rewards + insurance + carried = pool + sponsors. What is left of the
// pool is insurance, what is left of the sponsors' money is carried to a later epoch.
// Errors: ErrBadBps, ErrBadPPM (any quality), ErrSumOverflow (usage, or pool and sponsors together).
func EpochRewards(pool, sponsors, paybackCapBps uint64, ops []RewardIn) (rewards []Reward, insurance, carried uint64, err error) {
	if paybackCapBps > bpsWhole {
		return nil, 0, 0, ErrBadBps
	}
	total, fits := uint64(0), true
	for _, op := range ops {
		if op.M > ppm {
			return nil, 0, 0, ErrBadPPM
		}
		sum, ok := u128.Add(total, op.Usage)
		total, fits = sum, fits && ok
	}
	if _, ok := u128.Add(pool, sponsors); !ok || !fits {
		return nil, 0, 0, ErrSumOverflow
	}
	rewards = make([]Reward, len(ops))
	insurance, carried = pool, sponsors
	for i, op := range ops {
		rewards[i] = rewardOf(pool, sponsors, total, paybackCapBps, op)
		insurance -= rewards[i].FromPool
		carried -= rewards[i].FromSponsors
	}
	return rewards, insurance, carried, nil
}
