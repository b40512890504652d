// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"

	chainlog "github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/domain/split"
	"github.com/gpucoord/gpucoord/x/receipts/types"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

// settlement is what settling a batch will do: its funded groups and their sums.
type settlement struct {
	groups []groupSettlement
	take   split.Take
	amount, royalty,
	operator uint64 // operator shares that are settled here
}

// groupSettlement is one funded group. Its take is divided by itself, so that the groups' parts are what any reader of the batch gets.
type groupSettlement struct {
	index     int
	pricing   royaltiestypes.Pricing
	waterfall split.Waterfall
	take      split.Take
}

// settle pays what the locks of a batch hold, credits usage if its epoch is open, and appends the batch to the log. It writes nothing
// that its caller must not discard on an error. The caller stores b.
func (k *Keeper) settle(ctx context.Context, b *types.Batch) error {
	state, err := k.epochState(ctx, b.Epoch)
	if err != nil {
		return err
	}
	operator, err := k.parseParty("operator", b.Operator)
	if err != nil {
		return err
	}
	plan, err := k.planSettlement(ctx, b, &state)
	if err != nil {
		return err
	}
	logIndex, err := k.appendToLog(ctx, b, operator)
	if err != nil {
		return err
	}
	if err := k.pay(ctx, plan, state.Closed); err != nil {
		return err
	}
	for i := range plan.groups {
		if err := k.settleGroup(ctx, b, operator, &plan.groups[i], !state.Closed); err != nil {
			return errorsmod.Wrapf(err, "group %d", plan.groups[i].index)
		}
	}
	if err := k.countUnfunded(ctx, b); err != nil {
		return err
	}
	earnings, err := k.accrueEarnings(ctx, operator, plan.operator)
	if err != nil {
		return err
	}
	if !state.Closed {
		if err := addSettlement(&state, b, plan); err != nil {
			return err
		}
	}
	if err := k.finish(ctx, b, operator, &state, types.BatchStatus_BATCH_STATUS_FINALISED); err != nil {
		return err
	}
	b.LogIndex = logIndex + 1
	return emit(ctx, settledEvent(b, plan, !state.Closed, logIndex, earnings))
}

// planSettlement prices the funded groups again, which must give what was locked, and sums them.
// Errors: those of royalties' Pricer, ErrPriceChanged, ErrInvariant.
func (k *Keeper) planSettlement(ctx context.Context, b *types.Batch, state *types.EpochState) (*settlement, error) {
	p := &state.Params
	bps := split.TakeBps{Take: p.TakeBps, Pool: p.PoolBps, Probers: p.ProbersBps, Insurance: p.InsuranceBps, Aleph: p.AlephBps}
	plan := &settlement{}
	price := k.royalties.Pricer(b.Epoch)
	for i := range b.Groups {
		g, s := &b.Groups[i], &b.States[i]
		if s.Unfunded {
			continue
		}
		pricing, err := price(ctx, [32]byte(g.ModelId), [32]byte(g.AdapterId))
		if err != nil {
			return nil, errorsmod.Wrapf(err, "group %d", i)
		}
		w, err := pricing.Waterfall(g.AmountUusdc, bps.Take)
		if err != nil {
			return nil, errorsmod.Wrapf(err, "group %d", i)
		}
		take, err := split.TakeOf(g.AmountUusdc, bps)
		if err != nil {
			return nil, errorsmod.Wrapf(err, "group %d", i)
		}
		if w.Take != s.TakeUusdc || take.Take != s.TakeUusdc || w.Royalty != s.RoyaltyUusdc || w.Operator != s.OperatorUusdc {
			return nil, errorsmod.Wrapf(types.ErrPriceChanged, "group %d: take %d, royalty %d, operator %d", i, w.Take, w.Royalty, w.Operator)
		}
		if s.LockedUusdc != s.Owed() { // paying more than the lock would pay with another's escrow
			return nil, errorsmod.Wrapf(types.ErrInvariant, "group %d has %d locked and owes %d", i, s.LockedUusdc, s.Owed())
		}
		plan.groups = append(plan.groups, groupSettlement{index: i, pricing: pricing, waterfall: w, take: take})
		plan.add(g.AmountUusdc, &w, &take, s.PaysOperators)
	}
	return plan, nil
}

// add adds a group to the sums, which are parts of the batch's amount and so fit.
func (p *settlement) add(amount uint64, w *split.Waterfall, take *split.Take, paysOperators bool) {
	p.amount += amount
	p.royalty += w.Royalty
	p.take.Take += take.Take
	p.take.Pool += take.Pool
	p.take.Probers += take.Probers
	p.take.Aleph += take.Aleph
	p.take.Insurance += take.Insurance
	if paysOperators {
		p.operator += w.Operator
	}
}

// pay sends each account its sum, once. The epoch pool's part of a late batch goes to insurance: that epoch's pool is shared out.
func (k *Keeper) pay(ctx context.Context, p *settlement, closed bool) error {
	pool, insurance := p.take.Pool, p.take.Insurance
	if closed {
		pool, insurance = 0, pool+insurance
	}
	for _, transfer := range [...]struct {
		account string
		uusdc   uint64
	}{
		{types.RewardsAccount, pool},
		{types.ProbersPool, p.take.Probers},
		{types.AlephPool, p.take.Aleph},
		{types.InsuranceAccount, insurance},
		{types.RoyaltiesAccount, p.royalty},
	} {
		if transfer.uusdc == 0 {
			continue
		}
		if err := k.bank.SendCoinsFromModuleToModule(ctx, types.ModuleName, transfer.account, coins(transfer.uusdc)); err != nil {
			return errorsmod.Wrap(err, transfer.account)
		}
	}
	return nil
}

// settleGroup ends a group's lock and credits its authors, its gateway and, if credited, its usage.
func (k *Keeper) settleGroup(ctx context.Context, b *types.Batch, operator []byte, gs *groupSettlement, credited bool) error {
	g, s := &b.Groups[gs.index], &b.States[gs.index]
	if err := k.spend(ctx, g.Settler, operator, s.LockedUusdc); err != nil {
		return err
	}
	s.LockedUusdc = 0
	if gs.waterfall.Royalty > 0 {
		group := uint32(gs.index) //nolint:gosec // at most 256
		if err := k.royalties.Accrue(ctx, b.Id, group, gs.pricing, gs.waterfall); err != nil {
			return err
		}
	}
	settler, err := k.settler(ctx, g.Settler)
	if err != nil {
		return err
	}
	err = k.changeGateway(ctx, &settler, func(gateway *types.Gateway) error {
		if err := addTo(&gateway.JobsSettled, g.Count); err != nil {
			return err
		}
		return addTo(&gateway.AmountSettledUusdc, g.AmountUusdc)
	})
	if err != nil || !credited {
		return err
	}
	return k.credit(ctx, b, operator, gs, &settler)
}

// countUnfunded enters the jobs of unfunded groups into the scorecards of the gateways that did not cover them. That waits until the
// batch has shown its samples, so that nobody slanders a gateway by a claim that he never means to prove.
func (k *Keeper) countUnfunded(ctx context.Context, b *types.Batch) error {
	for i := range b.States {
		if !b.States[i].Unfunded || b.States[i].Class == types.Class_CLASS_DIRECT {
			continue
		}
		settler, err := k.settler(ctx, b.Groups[i].Settler)
		if err != nil {
			return err
		}
		err = k.changeGateway(ctx, &settler, func(g *types.Gateway) error { return addTo(&g.JobsUnfunded, b.Groups[i].Count) })
		if err != nil {
			return err
		}
	}
	return nil
}

// appendToLog appends the batch's leaf. Its count and amount are those of all groups, as its root commits to them.
func (k *Keeper) appendToLog(ctx context.Context, b *types.Batch, operator []byte) (uint64, error) {
	if len(b.HostId) != types.HashLength || len(b.Root) != types.HashLength {
		return 0, errorsmod.Wrapf(types.ErrInvariant, "batch %d has a host id or root of a wrong length", b.Id)
	}
	leaf := chainlog.BatchLeaf(b.Id, [20]byte(operator), [32]byte(b.HostId), b.Epoch, b.Count, b.AmountUusdc, [32]byte(b.Root))
	return k.log.Append(ctx, leaf)
}

// addSettlement adds a batch to the sums of its epoch.
func addSettlement(state *types.EpochState, b *types.Batch, p *settlement) error {
	for _, sum := range [...]struct {
		to  *uint64
		add uint64
	}{
		{&state.PoolUusdc, p.take.Pool},
		{&state.TakeUusdc, p.take.Take},
		{&state.RoyaltyUusdc, p.royalty},
		{&state.OperatorUusdc, p.operator},
		{&state.AmountUusdc, p.amount},
		{&state.Receipts, b.Count},
		{&state.Batches, 1},
	} {
		if err := addTo(sum.to, sum.add); err != nil {
			return err
		}
	}
	return nil
}

// finish ends a batch's life: it leaves the queue, and is no open claim of its operator and no open batch of its epoch, which it
// stores. The caller stores b.
func (k *Keeper) finish(ctx context.Context, b *types.Batch, operator []byte, state *types.EpochState, status types.BatchStatus) error {
	b.Status, b.DueHeight = status, 0
	if err := takeFrom(&state.OpenBatches, 1); err != nil {
		return err
	}
	if err := k.epochs.Set(ctx, b.Epoch, *state); err != nil {
		return err
	}
	open, err := k.openClaims.Get(ctx, operator)
	if err != nil {
		return err
	}
	if err := takeFrom(&open.AmountUusdc, b.AmountUusdc); err != nil {
		return err
	}
	if err := takeFrom(&open.Batches, 1); err != nil {
		return err
	}
	if open.Batches == 0 {
		return k.openClaims.Remove(ctx, operator)
	}
	return k.openClaims.Set(ctx, operator, open)
}

func settledEvent(b *types.Batch, p *settlement, credited bool, logIndex, earnings uint64) *types.EventBatchFinalised {
	return &types.EventBatchFinalised{
		BatchId: b.Id, Operator: b.Operator, HostId: b.HostId, Epoch: b.Epoch, Count: b.Count,
		AmountUusdc: b.AmountUusdc, PaidAmountUusdc: p.amount,
		TakeUusdc: p.take.Take, PoolUusdc: p.take.Pool, ProbersUusdc: p.take.Probers, AlephUusdc: p.take.Aleph,
		InsuranceUusdc: p.take.Insurance, RoyaltyUusdc: p.royalty, OperatorUusdc: p.operator,
		Groups: b.States, LogIndex: logIndex, Credited: credited, EarningsUusdc: earnings,
	}
}
