// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"context"
	"errors"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/gpucoord/gpucoord/domain/panel"
	"github.com/gpucoord/gpucoord/domain/u128"
	"github.com/gpucoord/gpucoord/x/operators/types"
)

// workPanel is the executor of a panel's deadline. After the reveals it takes the medians of max_medians_per_block hosts a block; what it
// has worked on is gone, so that it needs no cursor. When none is left it pays, fines and concludes. Long after, it forgets the results
// in the same steps.
func (k *Keeper) workPanel(ctx context.Context, epoch uint64) error {
	p, err := k.Panel(ctx, epoch)
	if err != nil {
		return err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	limit := int(params.MaxMediansPerBlock)
	if p.State == types.PanelState_PANEL_STATE_CONCLUDED {
		return k.forgetPanel(ctx, epoch, limit)
	}
	hosts, more, err := k.observedHosts(ctx, epoch, limit)
	if err != nil {
		return err
	}
	for _, observed := range hosts {
		if err := k.measureHost(ctx, &p, observed); err != nil {
			return err
		}
	}
	next := height(ctx) + 1
	if !more {
		if err := k.concludePanel(ctx, &p, params.ProbePriceUusdc); err != nil {
			return err
		}
		if next, err = params.Schedule.ForgetPanelAt(epoch); err != nil {
			return err
		}
	}
	if err := k.panels.Set(ctx, epoch, p); err != nil {
		return err
	}
	return k.setDeadline(ctx, types.DeadlineKind_DEADLINE_KIND_PANEL, types.NumberID(epoch), next)
}

// observedHosts returns the observations of the epoch's first hosts, by host, at most limit of them, and whether there are more.
func (k *Keeper) observedHosts(ctx context.Context, epoch uint64, limit int) (hosts [][]types.Observation, more bool, err error) {
	within := collections.NewPrefixedTripleRange[uint64, []byte, uint32](epoch)
	err = k.observations.Walk(ctx, within, func(_ observationKey, o types.Observation) (bool, error) {
		if n := len(hosts); n > 0 && bytes.Equal(hosts[n-1][0].Row.HostId, o.Row.HostId) {
			hosts[n-1] = append(hosts[n-1], o)
			return false, nil
		}
		if more = len(hosts) == limit; !more {
			hosts = append(hosts, []types.Observation{o})
		}
		return more, nil
	})
	return hosts, more, err
}

// measureHost takes a host's medians, adds them to its operator's result if they are conclusive, and drops its observations.
func (k *Keeper) measureHost(ctx context.Context, p *types.Panel, observed []types.Observation) error {
	rows := make([]panel.Observation, len(observed))
	for i := range observed {
		rows[i] = observed[i].Row.Observed()
		key := collections.Join3(p.Epoch, observed[i].Row.HostId, observed[i].Seat)
		if err := k.observations.Remove(ctx, key); err != nil {
			return err
		}
	}
	medians, conclusive, err := panel.Medians(rows, panel.Quorum)
	if err != nil || !conclusive {
		return err
	}
	for i := range observed {
		p.Seats[observed[i].Seat].Counted++
	}
	host, err := k.hosts.Get(ctx, observed[0].Row.HostId)
	if err != nil {
		return err
	}
	if err := k.addAvailability(ctx, p.Epoch, host.Operator, medians); err != nil {
		return err
	}
	return emit(ctx, &types.EventHostMeasured{
		Epoch: p.Epoch, HostId: host.Id, Operator: host.Operator, Observations: uint32(len(observed)), //nolint:gosec // at most 7
		UpPpm: medians.UpPPM, AvPpm: medians.Models, TtftMs: medians.TTFTMs, TokensS: medians.TokensPerSecond,
	})
}

func (k *Keeper) addAvailability(ctx context.Context, epoch uint64, operator string, medians panel.Observation) error {
	addr, err := k.parseOperator(operator)
	if err != nil {
		return err
	}
	key := collections.Join(epoch, addr)
	sum, err := k.availabilities.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) {
		sum, err = types.OperatorAvailability{Epoch: epoch, Operator: operator}, nil
	}
	if err != nil {
		return err
	}
	sum.Hosts++
	sum.UpPpmSum += medians.UpPPM // at most 1792 hosts of 10^6
	sum.AvPpmSum += medians.Models
	sum.TtftMs = max(sum.TtftMs, medians.TTFTMs)
	sum.TokensS = addSaturating(sum.TokensS, medians.TokensPerSecond)
	if err := k.availabilities.Set(ctx, key, sum); err != nil {
		return err
	}
	known, err := k.measuredFrom.Has(ctx)
	if err != nil || known {
		return err
	}
	return k.measuredFrom.Set(ctx, epoch+1)
}

// concludePanel pays members for the rows that counted, and fines those who did not reveal or were absent again.
func (k *Keeper) concludePanel(ctx context.Context, p *types.Panel, price uint64) error {
	p.State = types.PanelState_PANEL_STATE_CONCLUDED
	for i := range p.Seats {
		if err := k.closeSeat(ctx, p.Epoch, &p.Seats[i], price); err != nil {
			return err
		}
	}
	return emit(ctx, &types.EventPanelConcluded{Panel: *p})
}

func (k *Keeper) closeSeat(ctx context.Context, epoch uint64, seat *types.Seat, price uint64) error {
	addr, err := k.parseAddress("prober", seat.Prober)
	if err != nil {
		return err
	}
	if seat.State == types.SeatState_SEAT_STATE_REVEALED {
		k.payProber(ctx, addr, epoch, seat, price)
	}
	member, err := k.Prober(ctx, addr)
	if errors.Is(err, types.ErrUnknownProber) {
		return nil // its bond has left since
	}
	if err != nil {
		return err
	}
	reason := ""
	switch seat.State {
	case types.SeatState_SEAT_STATE_DRAWN:
		if member.Absent++; member.Absent >= types.AbsencesFined {
			reason = "absent"
		}
	case types.SeatState_SEAT_STATE_COMMITTED:
		reason = "unrevealed"
	default:
		member.Absent = 0
	}
	if reason == "" {
		return k.probers.Set(ctx, addr, member)
	}
	member.Absent = 0
	return k.fineProber(ctx, addr, &member, epoch, reason)
}

// payProber pays a member from the probers' pool, as far as it goes. A payment that bank refuses stays in the pool.
func (k *Keeper) payProber(ctx context.Context, addr []byte, epoch uint64, seat *types.Seat, price uint64) {
	err := isolated(ctx, func(ctx context.Context) error {
		pool := k.bank.GetBalance(ctx, authtypes.NewModuleAddress(types.ProbersPool), types.SettlementDenom).Amount
		owed, fits := u128.MulDiv(uint64(seat.Counted), price, 1)
		paid := math.NewIntFromUint64(owed)
		if !fits || pool.LT(paid) {
			paid = pool
		}
		if !paid.IsPositive() {
			return nil
		}
		coins := sdk.NewCoins(sdk.NewCoin(types.SettlementDenom, paid))
		if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ProbersPool, addr, coins); err != nil {
			return err
		}
		return emit(ctx, &types.EventProberPaid{Epoch: epoch, Prober: seat.Prober, Rows: seat.Counted, PaidUusdc: paid.Uint64()})
	})
	if err != nil {
		k.logger(ctx).Error("prober not paid", "epoch", epoch, "prober", seat.Prober, "err", err)
	}
}

// forgetPanel drops results of an epoch, at most limit of them, and the panel with the last.
func (k *Keeper) forgetPanel(ctx context.Context, epoch uint64, limit int) error {
	var old []availabilityKey
	within := collections.NewPrefixedPairRange[uint64, []byte](epoch)
	err := k.availabilities.Walk(ctx, within, func(key availabilityKey, _ types.OperatorAvailability) (bool, error) {
		old = append(old, key)
		return len(old) == limit, nil
	})
	if err != nil {
		return err
	}
	for _, key := range old {
		if err := k.availabilities.Remove(ctx, key); err != nil {
			return err
		}
	}
	if len(old) < limit {
		return k.panels.Remove(ctx, epoch)
	}
	return k.setDeadline(ctx, types.DeadlineKind_DEADLINE_KIND_PANEL, types.NumberID(epoch), height(ctx)+1)
}
