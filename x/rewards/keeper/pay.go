// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"
	"slices"

	"cosmossdk.io/collections"

	"github.com/gpucoord/gpucoord/domain/score"
	"github.com/gpucoord/gpucoord/domain/u128"
	"github.com/gpucoord/gpucoord/x/rewards/types"
)

// scoredRow is a row with its operator's address.
type scoredRow struct {
	operator []byte
	row      types.OperatorEpoch
}

// payPass is the second pass: it pays operators after the cursor until budget is spent or all are paid, and then finishes
// the settlement.
func (k *Keeper) payPass(ctx context.Context, s *types.EpochSettlement, budget uint64) error {
	page, err := k.scoredRows(ctx, s.Epoch, s.Cursor, budget)
	if err != nil {
		return err
	}
	for _, p := range page {
		if err := k.payStep(ctx, s, p); err != nil {
			return err
		}
		s.Cursor = p.operator
	}
	if uint64(len(page)) < budget {
		return k.finish(ctx, s)
	}
	return nil
}

// scoredRows collects at most limit rows of an epoch after an operator, before any is written.
func (k *Keeper) scoredRows(ctx context.Context, epoch uint64, after []byte, limit uint64) ([]scoredRow, error) {
	ranger := collections.NewPrefixedPairRange[uint64, []byte](epoch)
	if len(after) > 0 {
		ranger.StartExclusive(after)
	}
	var page []scoredRow
	err := k.rows.Walk(ctx, ranger, func(key rowKey, row types.OperatorEpoch) (bool, error) {
		page = append(page, scoredRow{operator: key.K2(), row: row})
		return uint64(len(page)) >= limit, nil
	})
	return page, err
}

// payStep pays one operator and emits EventOperatorSettled. If paying fails, the operator gets nothing in the epoch and the
// row says so; its shares are left with the pool and the sponsors.
func (k *Keeper) payStep(ctx context.Context, s *types.EpochSettlement, p scoredRow) error {
	next, paid := *s, p.row
	paid.Reasons = slices.Clone(p.row.Reasons)
	failure := attempt(ctx, func(ctx context.Context) error { return k.pay(ctx, &next, &paid, p.operator) })
	if failure == nil {
		*s = next
		return nil
	}
	row := p.row
	row.Paid = true
	row.Reasons = append(row.Reasons, failed(types.ReasonPayFailed, failure)...)
	return k.storePaid(ctx, &row, p.operator)
}

// pay gives one operator its reward, points and reputation.
func (k *Keeper) pay(ctx context.Context, s *types.EpochSettlement, row *types.OperatorEpoch, operator []byte) error {
	if err := row.Pay(s); err != nil {
		return types.At(types.AtReward, err)
	}
	s.AddPaid(row)
	if row.QualityForfeitUusdc > 0 {
		row.Reasons = append(row.Reasons, types.ReasonQualityForfeit)
	}
	if row.CapForfeitUusdc > 0 {
		row.Reasons = append(row.Reasons, types.ReasonCapForfeit)
	}
	if err := k.award(ctx, row, operator); err != nil {
		return err
	}
	if err := k.awardPoints(ctx, s, row, operator); err != nil {
		return err
	}
	k.moveReputation(ctx, s, row, operator)
	row.Paid = true
	return types.At(types.AtStore, k.storePaid(ctx, row, operator))
}

// award enters the reward into the operator's ledger and takes the sponsors' part from their money.
func (k *Keeper) award(ctx context.Context, row *types.OperatorEpoch, operator []byte) error {
	if row.RewardUusdc == 0 {
		return nil
	}
	reward, err := k.reward(ctx, operator)
	if err != nil {
		return types.At(types.AtStore, err)
	}
	var fits bool
	if reward.LifetimeUusdc, fits = u128.Add(reward.LifetimeUusdc, row.RewardUusdc); !fits {
		return types.At(types.AtSums, types.ErrOverflow)
	}
	reward.ClaimableUusdc += row.RewardUusdc // at most the lifetime's sum
	if err := k.rewards.Set(ctx, operator, reward); err != nil {
		return types.At(types.AtStore, err)
	}
	if row.FromSponsorsUusdc == 0 {
		return nil
	}
	sponsors, err := k.sponsors.Get(ctx)
	if err != nil {
		return types.At(types.AtStore, err)
	}
	// The settlement awards at most what it took on offer from this very sum.
	return types.At(types.AtStore, k.sponsors.Set(ctx, sponsors-row.FromSponsorsUusdc))
}

// awardPoints gives the operator its points of the epoch, as far as its controller has room for them. Stored points decay
// to the epoch first.
func (k *Keeper) awardPoints(ctx context.Context, s *types.EpochSettlement, row *types.OperatorEpoch, operator []byte) error {
	earned, err := row.EarnedPoints()
	if err != nil {
		return types.At(types.AtScore, err)
	}
	if earned == 0 {
		return nil
	}
	key := collections.Join(s.Epoch, row.Controller)
	controller, err := k.controllerPoints.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) {
		controller, err = types.ControllerPoints{Epoch: s.Epoch, Controller: row.Controller}, nil
	}
	if err != nil {
		return types.At(types.AtStore, err)
	}
	row.Points = min(earned, s.PointsRoom(controller.Points))
	if row.Points < earned {
		row.Reasons = append(row.Reasons, types.ReasonPointsCapped)
	}
	if row.Points == 0 {
		return nil
	}
	controller.Points += row.Points // at most the cap
	if err := k.controllerPoints.Set(ctx, key, controller); err != nil {
		return types.At(types.AtStore, err)
	}
	return k.addPoints(ctx, row, operator)
}

// addPoints decays the operator's points to the epoch and adds those of the row.
func (k *Keeper) addPoints(ctx context.Context, row *types.OperatorEpoch, operator []byte) error {
	held, err := k.pointsOf(ctx, operator)
	if err != nil {
		return types.At(types.AtStore, err)
	}
	if held.Value, err = score.Decay(held.Value, row.Epoch-min(row.Epoch, held.Epoch), score.HalfLifePoints); err != nil {
		return types.At(types.AtScore, err)
	}
	var fits bool
	if held.Value, fits = u128.Add(held.Value, row.Points); !fits {
		return types.At(types.AtSums, types.ErrOverflow)
	}
	held.Epoch = row.Epoch
	return types.At(types.AtStore, k.points.Set(ctx, operator, held))
}

// moveReputation takes the operator's reputation one step towards its quality, and enters it into the epoch's reputation
// tree. Only usage through gateways does: direct work counts for the epoch reward and for nothing else. A failure is noted
// in the row and costs the operator nothing else.
func (k *Keeper) moveReputation(ctx context.Context, s *types.EpochSettlement, row *types.OperatorEpoch, operator []byte) {
	if row.GatewayUsageUusdc == 0 {
		row.Reasons = append(row.Reasons, types.ReasonReputationKept)
		return
	}
	next, before, after := *s, uint64(0), uint64(0)
	failure := attempt(ctx, func(ctx context.Context) (err error) {
		before, after, err = k.stepReputation(ctx, &next, row, operator)
		return err
	})
	if failure != nil {
		row.Reasons = append(row.Reasons, types.ReasonReputationFailed)
		return
	}
	*s = next
	row.ReputationBeforePpm, row.ReputationPpm = before, after
}

// stepReputation computes and stores the reputation, and returns it before and after.
func (k *Keeper) stepReputation(
	ctx context.Context, s *types.EpochSettlement, row *types.OperatorEpoch, operator []byte,
) (before, after uint64, err error) {
	if len(operator) != types.AddressLength {
		return 0, 0, types.ErrInvalidAddress
	}
	op, err := k.operators.Operator(ctx, operator)
	if err != nil {
		return 0, 0, err
	}
	// A fault in a later epoch may have changed it already; the step is then one epoch, and the change stays the newest.
	changed := max(row.Epoch, op.ReputationEpoch)
	elapsed := max(changed-op.ReputationEpoch, 1)
	if after, err = score.Reputation(op.ReputationPpm, elapsed, row.QualityPpm); err != nil {
		return 0, 0, err
	}
	if err := k.operators.SetReputation(ctx, operator, after, changed); err != nil {
		return 0, 0, err
	}
	leaf := types.ReputationLeaf(row.Epoch, [types.AddressLength]byte(operator), after)
	return op.ReputationPpm, after, s.AppendReputation(leaf)
}

// storePaid stores a row that the second pass has worked on and emits EventOperatorSettled.
func (k *Keeper) storePaid(ctx context.Context, row *types.OperatorEpoch, operator []byte) error {
	if err := k.rows.Set(ctx, collections.Join(row.Epoch, operator), *row); err != nil {
		return err
	}
	reward, err := k.reward(ctx, operator)
	if err != nil {
		return err
	}
	event := types.EventOperatorSettled{Row: *row, ClaimableUusdc: reward.ClaimableUusdc}
	event.Row.Entries = nil
	return emit(ctx, &event)
}
