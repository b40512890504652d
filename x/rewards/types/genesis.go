// SPDX-License-Identifier: Apache-2.0

package types

import (
	errorsmod "cosmossdk.io/errors"
)

// DefaultGenesis returns the state of a new chain, whose first epoch to settle is 0.
func DefaultGenesis() *GenesisState {
	return &GenesisState{Params: DefaultParams()}
}

// Validate checks every entry by itself, that no key occurs twice, that no reference dangles, and that rows add up to
// their settlement. Addresses are only checked to be there; InitGenesis reads them.
// Errors: ErrInvalidParams, ErrInvalidGenesis, ErrBrokenInvariant.
func (g *GenesisState) Validate() error {
	if err := g.Params.Validate(); err != nil {
		return err
	}
	if g.PrunedEpoch > g.NextEpoch {
		return errorsmod.Wrapf(ErrInvalidGenesis, "pruned_epoch %d is after next_epoch %d", g.PrunedEpoch, g.NextEpoch)
	}
	settlements, err := g.validateSettlements()
	if err != nil {
		return err
	}
	if err := g.validateRows(settlements); err != nil {
		return err
	}
	if err := g.validateControllers(settlements); err != nil {
		return err
	}
	return g.validateLedgers()
}

// settlementIndex finds settlements by epoch; it is never walked, so its order does not matter.
type settlementIndex map[uint64]*EpochSettlement

// validateSettlements checks the settlements one by one, that they ascend, and that at most the next epoch's runs.
func (g *GenesisState) validateSettlements() (settlementIndex, error) {
	index := make(settlementIndex, len(g.Settlements))
	for i := range g.Settlements {
		s := &g.Settlements[i]
		if i > 0 && s.Epoch <= g.Settlements[i-1].Epoch {
			return nil, errorsmod.Wrapf(ErrInvalidGenesis, "settlement of epoch %d is not after the one before", s.Epoch)
		}
		if done := s.Phase == Phase_PHASE_DONE; done != (s.Epoch < g.NextEpoch) || s.Epoch > g.NextEpoch {
			return nil, errorsmod.Wrapf(ErrInvalidGenesis, "settlement of epoch %d is in %s, next epoch is %d", s.Epoch, s.Phase, g.NextEpoch)
		}
		if err := s.Validate(); err != nil {
			return nil, err
		}
		index[s.Epoch] = s
	}
	return index, nil
}

// Validate checks that a settlement does not contradict itself. Errors: ErrInvalidParams, ErrInvalidGenesis, ErrBrokenInvariant.
func (m *EpochSettlement) Validate() error {
	if err := m.Params.Validate(); err != nil {
		return err
	}
	if _, err := m.TreeRoot(); err != nil {
		return err
	}
	var problem string
	done := m.Phase == Phase_PHASE_DONE
	switch {
	case m.Phase < Phase_PHASE_SCORE || m.Phase > Phase_PHASE_DONE:
		problem = "it is in no phase"
	case m.TakeBps > wholeBps || m.PoolBps > wholeBps:
		problem = "a rate is above 10000 bps"
	case m.Phase != Phase_PHASE_SCORE && (m.PoolUusdc > m.CollectedUusdc || m.IneligibleUusdc != m.CollectedUusdc-m.PoolUusdc):
		problem = "pool and ineligible do not add up to what was collected"
	case m.FromPoolUusdc > m.PoolUusdc || m.FromSponsorsUusdc > m.SponsorsUusdc:
		problem = "more is awarded than was offered"
	case m.RewardsUusdc != m.FromPoolUusdc+m.FromSponsorsUusdc:
		problem = "rewards do not add up"
	case done && m.InsuranceUusdc != m.PoolUusdc-m.FromPoolUusdc:
		problem = "insurance is not what is left of the pool"
	case done && m.CarriedUusdc != m.SponsorsUusdc-m.FromSponsorsUusdc:
		problem = "carried is not what is left of the sponsors' money"
	case done != (m.LogIndex > 0) || done != (len(m.ReputationRoot) > 0):
		problem = "it has a statement in the log exactly when it is done"
	default:
		return nil
	}
	return errorsmod.Wrapf(ErrInvalidGenesis, "settlement of epoch %d: %s", m.Epoch, problem)
}

// rowSums are the sums over an epoch's rows.
type rowSums struct{ rows, usage, gateway, take, rewards, fromPool uint64 }

// validateRows checks the rows one by one, and that those of an epoch that is not pruned add up to its settlement.
func (g *GenesisState) validateRows(settlements settlementIndex) error {
	sums := make(map[uint64]rowSums, len(settlements))
	seen := make(map[entryKey]struct{}, len(g.Rows))
	for i := range g.Rows {
		r := &g.Rows[i]
		s, found := settlements[r.Epoch]
		if !found {
			return errorsmod.Wrapf(ErrInvalidGenesis, "row %d is of epoch %d, which has no settlement", i, r.Epoch)
		}
		if err := enter(seen, "row", r.Epoch, r.Operator); err != nil {
			return err
		}
		if err := r.validate(s); err != nil {
			return err
		}
		sum := sums[r.Epoch]
		sum.rows++
		sum.usage += r.UsageUusdc
		sum.gateway += r.GatewayUsageUusdc
		sum.take += r.TakeUusdc
		sum.rewards += r.RewardUusdc
		sum.fromPool += r.FromPoolUusdc
		sums[r.Epoch] = sum
	}
	for i := range g.Settlements {
		s := &g.Settlements[i]
		want := rowSums{s.Operators, s.UsageUusdc, s.GatewayUsageUusdc, s.TakeUusdc, s.RewardsUusdc, s.FromPoolUusdc}
		// The rows of an epoch before it are on their way out, a few in each block.
		if s.Epoch >= g.PrunedEpoch && sums[s.Epoch] != want {
			return errorsmod.Wrapf(ErrInvalidGenesis, "rows of epoch %d add up to %v, its settlement says %v", s.Epoch, sums[s.Epoch], want)
		}
	}
	return nil
}

// validate checks that a row does not contradict itself or its settlement.
func (m *OperatorEpoch) validate(s *EpochSettlement) error {
	var problem string
	switch {
	case len(m.Entries) > MaxEntryRows:
		problem = "it has too many entries"
	case m.GatewayUsageUusdc > m.UsageUusdc || m.TakeUusdc > m.UsageUusdc:
		problem = "a part of the usage is above it"
	case m.SuccessPpm > wholePPM || m.QualityPpm > wholePPM || m.ReputationPpm > wholePPM:
		problem = "a ratio is above 1000000 ppm"
	case s.Phase == Phase_PHASE_DONE && !m.Paid, s.Phase == Phase_PHASE_SCORE && m.Paid:
		problem = "it is paid exactly when its settlement has come to it"
	case m.RewardUusdc != m.FromPoolUusdc+m.FromSponsorsUusdc || m.RewardUusdc > m.CapUusdc:
		problem = "the reward does not add up or is above its cap"
	case m.PoolShareUusdc+m.SponsorShareUusdc != m.RewardUusdc+m.QualityForfeitUusdc+m.CapForfeitUusdc:
		problem = "shares are not reward and forfeits"
	default:
		return nil
	}
	return errorsmod.Wrapf(ErrInvalidGenesis, "row of %s in epoch %d: %s", m.Operator, m.Epoch, problem)
}

// validateControllers checks the controllers' points of epochs under settlement or just settled.
func (g *GenesisState) validateControllers(settlements settlementIndex) error {
	seen := make(map[entryKey]struct{}, len(g.ControllerPoints))
	for _, c := range g.ControllerPoints {
		if err := enter(seen, "controller's points", c.Epoch, c.Controller); err != nil {
			return err
		}
		s, found := settlements[c.Epoch]
		if !found || c.Points > s.PointsRoom(0) {
			return errorsmod.Wrapf(ErrInvalidGenesis, "points of controller %s in epoch %d have no settlement or are above the cap", c.Controller, c.Epoch)
		}
	}
	return nil
}

// validateLedgers checks points, confirmed capacities and rewards.
func (g *GenesisState) validateLedgers() error {
	points := make(map[entryKey]struct{}, len(g.Points))
	for _, p := range g.Points {
		if err := enter(points, "points", 0, p.Operator); err != nil {
			return err
		}
		if p.Epoch > g.NextEpoch {
			return errorsmod.Wrapf(ErrInvalidGenesis, "points of %s are from the future epoch %d", p.Operator, p.Epoch)
		}
	}
	confirmed := make(map[entryKey]struct{}, len(g.Confirmed))
	for _, c := range g.Confirmed {
		if err := enter(confirmed, "confirmed capacity", 0, c.Operator); err != nil {
			return err
		}
		if c.Epoch > g.NextEpoch {
			return errorsmod.Wrapf(ErrInvalidGenesis, "capacity of %s is from the future epoch %d", c.Operator, c.Epoch)
		}
	}
	rewards := make(map[entryKey]struct{}, len(g.Rewards))
	for _, r := range g.Rewards {
		if err := enter(rewards, "reward", 0, r.Operator); err != nil {
			return err
		}
		if r.ClaimableUusdc > r.LifetimeUusdc {
			return errorsmod.Wrapf(ErrInvalidGenesis, "reward of %s: %d claimable of %d ever awarded", r.Operator, r.ClaimableUusdc, r.LifetimeUusdc)
		}
	}
	return nil
}

// entryKey is an epoch, or 0, and who an entry is about.
type entryKey struct {
	epoch uint64
	owner string
}

// enter notes an entry and refuses one without an owner or a second one of the same key.
func enter(seen map[entryKey]struct{}, what string, epoch uint64, owner string) error {
	if owner == "" {
		return errorsmod.Wrapf(ErrInvalidGenesis, "%s of nobody", what)
	}
	key := entryKey{epoch: epoch, owner: owner}
	if _, twice := seen[key]; twice {
		return errorsmod.Wrapf(ErrInvalidGenesis, "%s of %s in epoch %d occurs twice", what, owner, epoch)
	}
	seen[key] = struct{}{}
	return nil
}
