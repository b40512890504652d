// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/log"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	"github.com/gpucoord/gpucoord/x/rewards/types"
)

// settle starts the settlement of the next epoch, if none runs and the epoch is ready, and works on it. One block works on
// at most one epoch and at most its Params.MaxOperatorsPerBlock operator-steps, in both passes together.
func (k *Keeper) settle(ctx context.Context) error {
	s, running, err := k.running(ctx)
	if err != nil {
		return err
	}
	if !running {
		started, err := k.start(ctx, &s)
		if err != nil || !started {
			return err
		}
	}
	budget := uint64(s.Params.MaxOperatorsPerBlock)
	if s.Phase == types.Phase_PHASE_SCORE {
		if budget, err = k.scorePass(ctx, &s, budget); err != nil {
			return err
		}
	}
	if s.Phase == types.Phase_PHASE_PAY && budget > 0 {
		if err := k.payPass(ctx, &s, budget); err != nil {
			return err
		}
	}
	return k.settlements.Set(ctx, s.Epoch, s)
}

// running returns the settlement that runs, which is the next epoch's.
func (k *Keeper) running(ctx context.Context) (types.EpochSettlement, bool, error) {
	next, err := k.nextEpoch.Get(ctx)
	if err != nil {
		return types.EpochSettlement{}, false, err
	}
	s, err := k.settlements.Get(ctx, next)
	if errors.Is(err, collections.ErrNotFound) {
		return types.EpochSettlement{Epoch: next}, false, nil
	}
	return s, err == nil, err
}

// start closes the epoch of s if it is ready, pins the parameters and emits EventSettlementStarted.
//
// The payback cap is pinned at no more than the epoch's own prober and ALEPH parts leave room for, because receipts pins
// those when the epoch begins and either module's parameters may have changed since.
func (k *Keeper) start(ctx context.Context, s *types.EpochSettlement) (bool, error) {
	ready, err := k.receipts.EpochReady(ctx, s.Epoch)
	if errors.Is(err, receiptstypes.ErrUnknownEpoch) {
		return false, k.skipUnbegun(ctx, s.Epoch)
	}
	if err != nil || !ready {
		return false, err
	}
	closed, err := k.receipts.CloseEpoch(ctx, s.Epoch)
	if err != nil {
		return false, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return false, err
	}
	params.PaybackCapBps = min(params.PaybackCapBps, types.PaybackRoom(closed.Params.ProbersBps, closed.Params.AlephBps))
	*s = types.EpochSettlement{
		Epoch:          s.Epoch,
		Phase:          types.Phase_PHASE_SCORE,
		Params:         params,
		CollectedUusdc: closed.PoolUusdc,
		TakeBps:        closed.Params.TakeBps,
		PoolBps:        closed.Params.PoolBps,
		StartedHeight:  height(ctx),
	}
	return true, emit(ctx, &types.EventSettlementStarted{Settlement: *s})
}

// skipUnbegun goes past epochs that never began on this chain, as the first ones do not where the chain starts above the
// genesis height of its schedule: at most types.MaxOperatorsPerBlock of them, one read each. They have no work and get no
// settlement.
func (k *Keeper) skipUnbegun(ctx context.Context, epoch uint64) error {
	current, err := k.operators.CurrentEpoch(ctx)
	if errors.Is(err, operatorstypes.ErrBeforeGenesis) {
		return nil
	}
	if err != nil || current <= epoch {
		return err
	}
	for range types.MaxOperatorsPerBlock {
		epoch++
		_, err := k.receipts.EpochReady(ctx, epoch)
		if !errors.Is(err, receiptstypes.ErrUnknownEpoch) || epoch >= current {
			break
		}
	}
	return k.nextEpoch.Set(ctx, epoch)
}

// openPay ends the first pass: it fixes what the second divides.
func (k *Keeper) openPay(ctx context.Context, s *types.EpochSettlement) error {
	sponsors, err := k.sponsors.Get(ctx)
	if err != nil {
		return err
	}
	s.Offer(sponsors)
	s.Phase, s.Cursor = types.Phase_PHASE_PAY, nil
	return nil
}

// finish ends the second pass: what is left of the pool goes to insurance, the epoch statement into the log, and the next
// epoch is next. It emits EventEpochSettled. What is left of the sponsors' money stays where it is.
func (k *Keeper) finish(ctx context.Context, s *types.EpochSettlement) error {
	s.InsuranceUusdc = s.PoolUusdc - s.FromPoolUusdc
	s.CarriedUusdc = s.SponsorsUusdc - s.FromSponsorsUusdc
	if left := s.InsuranceUusdc + s.IneligibleUusdc; left > 0 {
		if err := k.bank.SendCoinsFromModuleToModule(ctx, types.ModuleName, operatorstypes.InsuranceAccount, coins(left)); err != nil {
			return errorsmod.Wrapf(err, "send %d to insurance", left)
		}
	}
	root, err := s.TreeRoot()
	if err != nil {
		return err
	}
	// Registry and royalty roots are zero in this version, and so is the gate, which is closed.
	index, err := k.anchors.Append(ctx, log.EpochLeaf(s.Epoch, root, [32]byte{}, [32]byte{}, 0))
	if err != nil {
		return err
	}
	s.ReputationRoot = root[:]
	s.LogIndex = index + 1
	s.SettledHeight = height(ctx)
	s.Phase, s.Cursor = types.Phase_PHASE_DONE, nil
	if err := k.nextEpoch.Set(ctx, s.Epoch+1); err != nil {
		return err
	}
	return emit(ctx, &types.EventEpochSettled{Settlement: *s})
}
