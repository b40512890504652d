// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"

	chainlog "github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// outcome is what settling a batch came to, beside its sums.
type outcome struct {
	logIndex uint64
	earnings uint64 // what the operator may claim now
	credited bool
}

// settle pays what the locks of a batch hold, credits usage if its epoch is open, and appends the batch to the log. It writes nothing
// that its caller must not discard on an error. The caller stores b.
func (k *Keeper) settle(ctx context.Context, b *types.Batch) error {
	if b.OpenDemands > 0 {
		return errorsmod.Wrapf(types.ErrOpenDemands, "%d", b.OpenDemands)
	}
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
	if len(plan.royalties) > 0 {
		if err := k.royalties.Accrue(ctx, b.Id, plan.royalties); err != nil {
			return err
		}
	}
	if err := k.settleParts(ctx, b, operator, plan, !state.Closed); err != nil {
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
	return emitFinalised(ctx, b, plan, &outcome{logIndex: logIndex, earnings: earnings, credited: !state.Closed})
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

// settleParts ends a batch's locks and credits gateways and, if credited, usage.
func (k *Keeper) settleParts(ctx context.Context, b *types.Batch, operator []byte, plan *settlement, credited bool) error {
	var c *credit
	if credited {
		var err error
		if c, err = k.newCredit(ctx, b, operator); err != nil {
			return err
		}
	}
	for i := range plan.parts {
		if err := k.settlePart(ctx, operator, &plan.parts[i], c); err != nil {
			return errorsmod.Wrapf(err, "settler %X", plan.parts[i].settler)
		}
	}
	for i := range b.States {
		b.States[i].LockedUusdc = 0
	}
	if credited {
		return k.storeCredit(ctx, c)
	}
	return nil
}

// settlePart ends a settler's lock and enters its groups into the scorecard of its gateway and, unless c is nil, into its usage.
//
// The jobs of unfunded groups enter the scorecards of the gateways that did not cover them only here, where the batch has shown its
// samples: nobody slanders a gateway by a claim that he never means to prove.
func (k *Keeper) settlePart(ctx context.Context, operator []byte, p *part, c *credit) error {
	if !p.funded && p.class == types.Class_CLASS_DIRECT {
		return nil // it is on no scorecard, and may be no settler
	}
	s, err := k.settler(ctx, p.settler)
	if err != nil {
		return err
	}
	if p.locked > 0 {
		a, err := k.account(ctx, s, p.settler, operator)
		if err != nil {
			return err
		}
		if err := k.unlock(ctx, a, p.locked, false); err != nil {
			return err
		}
	}
	accredited := false
	err = k.changeGateway(ctx, &s, func(g *types.Gateway) error {
		accredited = g.Accredited
		if err := addTo(&g.JobsSettled, p.jobs); err != nil {
			return err
		}
		if err := addTo(&g.AmountSettledUusdc, p.usage.AmountUusdc); err != nil {
			return err
		}
		return addTo(&g.JobsUnfunded, p.unfundedJobs)
	})
	if err != nil || c == nil || !p.funded {
		return err
	}
	return k.creditPart(ctx, c, p, &s, accredited)
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
