// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/panel"
	"github.com/gpucoord/gpucoord/x/operators/types"
)

// isolated runs do in a cached context: what fails, or panics, leaves no trace.
func isolated(ctx context.Context, do func(context.Context) error) (err error) {
	cached, write := sdk.UnwrapSDKContext(ctx).CacheContext()
	defer func() {
		if r := recover(); r != nil {
			err = errorsmod.Wrapf(types.ErrPanicked, "%v", r)
		}
	}()
	if err := do(cached); err != nil {
		return err
	}
	write()
	return nil
}

// Panel returns an epoch's panel. Errors: ErrUnknownPanel.
func (k *Keeper) Panel(ctx context.Context, epoch uint64) (types.Panel, error) {
	p, err := k.panels.Get(ctx, epoch)
	if errors.Is(err, collections.ErrNotFound) {
		return types.Panel{}, errorsmod.Wrapf(types.ErrUnknownPanel, "epoch %d", epoch)
	}
	return p, err
}

// drawPanel draws the panel of the epoch that begins with the present block, from this block's hash. Without probers, or without a hash,
// the epoch has none. Work: 7 hashes and 7 look-ups.
func (k *Keeper) drawPanel(ctx context.Context, e uint64) error {
	total, err := k.bondSum(ctx, types.MaxProbers)
	if err != nil || total == 0 {
		return err
	}
	seed, err := k.BlockHash(ctx, height(ctx))
	if err != nil {
		return err
	}
	drawn, err := panel.DrawFrom(seed, e, total, panel.Size, func(at uint64) (panel.Seat, error) { return k.findProber(ctx, at) })
	if err != nil {
		return err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	last, err := params.Schedule.Domain().Last(e)
	if err != nil {
		return err
	}
	p := types.Panel{
		Epoch: e, Seed: seed[:], State: types.PanelState_PANEL_STATE_OPEN, CopyRows: params.CopyRows,
		CommitUntil: last + params.ProbeCommitBlocks, RevealUntil: last + params.ProbeCommitBlocks + params.ProbeRevealBlocks,
	}
	for _, seat := range drawn {
		addr, err := k.proberSlots.Get(ctx, uint32(seat.Index)+1) //nolint:gosec // below MaxProbers
		if err != nil {
			return err
		}
		member, err := k.Prober(ctx, addr)
		if err != nil {
			return err
		}
		p.Seats = append(p.Seats, types.Seat{Prober: member.Address, State: types.SeatState_SEAT_STATE_DRAWN})
	}
	if err := k.panels.Set(ctx, e, p); err != nil {
		return err
	}
	if err := k.setDeadline(ctx, types.DeadlineKind_DEADLINE_KIND_PANEL, types.NumberID(e), p.RevealUntil); err != nil {
		return err
	}
	return emit(ctx, &types.EventPanelDrawn{Panel: p})
}

// seatOf returns a panel and the seat of a member. Errors: ErrUnknownPanel, ErrNotDrawn.
func (k *Keeper) seatOf(ctx context.Context, addr []byte, epoch uint64) (types.Panel, int, error) {
	p, err := k.Panel(ctx, epoch)
	if err != nil {
		return p, 0, err
	}
	text, err := k.addressCodec.BytesToString(addr)
	if err != nil {
		return p, 0, errorsmod.Wrap(types.ErrInvalidAddress, err.Error())
	}
	for i := range p.Seats {
		if p.Seats[i].Prober == text {
			return p, i, nil
		}
	}
	return p, 0, errorsmod.Wrapf(types.ErrNotDrawn, "%s in epoch %d", text, epoch)
}

// CommitObservations keeps what a member of a panel commits to, in place of what it had. It may until the panel's commit_until.
//
// Errors: ErrUnknownPanel, ErrNotDrawn, ErrProbeWindow.
func (k *Keeper) CommitObservations(ctx context.Context, addr []byte, epoch uint64, commitment [32]byte) (types.Panel, error) {
	p, seat, err := k.seatOf(ctx, addr, epoch)
	if err != nil {
		return p, err
	}
	if at := height(ctx); at > p.CommitUntil {
		return p, errorsmod.Wrapf(types.ErrProbeWindow, "height %d, commitments until %d", at, p.CommitUntil)
	}
	member := &p.Seats[seat]
	member.State, member.Commitment = types.SeatState_SEAT_STATE_COMMITTED, commitment[:]
	if err := k.panels.Set(ctx, epoch, p); err != nil {
		return p, err
	}
	return p, emit(ctx, &types.EventObservationsCommitted{Epoch: epoch, Prober: member.Prober, Commitment: commitment[:]})
}

// RevealObservations takes the rows that a member of a panel committed to. Rows that copy another member's are counted out and cost a
// fine, which is no error, so that the fine is really taken.
//
// Errors: ErrUnknownPanel, ErrNotDrawn, ErrProbeWindow, ErrSeatState, ErrBadReveal, ErrUnknownHost.
func (k *Keeper) RevealObservations(
	ctx context.Context, addr []byte, epoch uint64, salt [32]byte, rows []types.ProbeRow,
) (copied bool, err error) {
	p, seat, err := k.seatOf(ctx, addr, epoch)
	if err != nil {
		return false, err
	}
	if at := height(ctx); at <= p.CommitUntil || at > p.RevealUntil {
		return false, errorsmod.Wrapf(types.ErrProbeWindow, "height %d, reveals from %d to %d", at, p.CommitUntil+1, p.RevealUntil)
	}
	member := &p.Seats[seat]
	if member.State != types.SeatState_SEAT_STATE_COMMITTED {
		return false, errorsmod.Wrapf(types.ErrSeatState, "%s is %s", member.Prober, member.State)
	}
	domain, err := k.ReceiptDomain(ctx)
	if err != nil {
		return false, err
	}
	want := types.ProbeCommitment(domain.Salt(), epoch, [types.AddressLength]byte(addr), salt, rows)
	if !bytes.Equal(want[:], member.Commitment) {
		return false, errorsmod.Wrapf(types.ErrBadReveal, "observations of epoch %d", epoch)
	}
	if copied, err = k.isCopy(ctx, &p, rows); err != nil {
		return false, err
	}
	member.State = types.SeatState_SEAT_STATE_REVEALED
	if copied {
		member.State = types.SeatState_SEAT_STATE_COPIED
		err = k.fineCopy(ctx, addr, epoch)
	} else {
		err = k.keepRows(ctx, epoch, uint32(seat), rows) //nolint:gosec // below 7
	}
	if err != nil {
		return false, err
	}
	if err := k.panels.Set(ctx, epoch, p); err != nil {
		return false, err
	}
	return copied, emit(ctx, &types.EventObservationsRevealed{
		Epoch: epoch, Prober: member.Prober, Rows: uint32(len(rows)), Copied: copied, //nolint:gosec // at most 256
	})
}

// isCopy reports whether more than copy_rows of the rows equal those of one member who revealed before. Rows in which nothing was
// measured do not count: a host that is down looks the same to everybody. Work: one look-up for each row and earlier reveal.
func (k *Keeper) isCopy(ctx context.Context, p *types.Panel, rows []types.ProbeRow) (bool, error) {
	for i := range p.Seats {
		if p.Seats[i].State != types.SeatState_SEAT_STATE_REVEALED {
			continue
		}
		equal := uint32(0)
		for r := range rows {
			if !rows[r].Measured() {
				continue
			}
			other, err := k.observations.Get(ctx, collections.Join3(p.Epoch, rows[r].HostId, uint32(i))) //nolint:gosec // below 7
			if errors.Is(err, collections.ErrNotFound) {
				continue
			}
			if err != nil {
				return false, err
			}
			if bytes.Equal(other.Row.AppendTo(nil), rows[r].AppendTo(nil)) {
				equal++
			}
		}
		if equal > p.CopyRows {
			return true, nil
		}
	}
	return false, nil
}

func (k *Keeper) fineCopy(ctx context.Context, addr []byte, epoch uint64) error {
	member, err := k.Prober(ctx, addr)
	if err != nil {
		return err
	}
	return k.fineProber(ctx, addr, &member, epoch, "copied")
}

// keepRows stores revealed rows until their medians are taken. Errors: ErrUnknownHost.
func (k *Keeper) keepRows(ctx context.Context, epoch uint64, seat uint32, rows []types.ProbeRow) error {
	for i := range rows {
		known, err := k.hosts.Has(ctx, rows[i].HostId)
		if err != nil {
			return err
		}
		if !known {
			return errorsmod.Wrapf(types.ErrUnknownHost, "%x", rows[i].HostId)
		}
		o := types.Observation{Epoch: epoch, Seat: seat, Row: rows[i]}
		if err := k.observations.Set(ctx, collections.Join3(epoch, rows[i].HostId, seat), o); err != nil {
			return err
		}
	}
	return nil
}
