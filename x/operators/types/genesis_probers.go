// SPDX-License-Identifier: Apache-2.0

package types

import (
	"fmt"

	"github.com/cosmos/cosmos-sdk/types/bech32"

	"github.com/gpucoord/gpucoord/domain/panel"
	"github.com/gpucoord/gpucoord/domain/u128"
)

func (c *genesisCheck) readProbers() error {
	seen, slots, drawn := make(map[string]bool), make(map[uint32]bool), uint64(0)
	for i := range c.gs.Probers {
		p := &c.gs.Probers[i]
		if err := unique(seen, "prober", p.Address); err != nil {
			return err
		}
		_, account, err := bech32.DecodeAndConvert(p.Address)
		if err != nil || len(account) != AddressLength {
			return fmt.Errorf("prober %q is no account of %d bytes", p.Address, AddressLength)
		}
		if err := (Description{Moniker: p.Moniker}).Validate(); err != nil {
			return fmt.Errorf("prober %q: %w", p.Address, err)
		}
		leaving := p.Status == ProberStatus_PROBER_STATUS_LEAVING
		if !leaving && p.Status != ProberStatus_PROBER_STATUS_ACTIVE || leaving != (p.ReleaseHeight != 0) ||
			p.Slot != 0 && (leaving || p.BondUltai == 0) || p.Absent >= AbsencesFined {
			return fmt.Errorf("prober %q is %s in slot %d with %d ultai, %d times absent, to be released at %d",
				p.Address, p.Status, p.Slot, p.BondUltai, p.Absent, p.ReleaseHeight)
		}
		if leaving {
			c.due[dueKey(DeadlineKind_DEADLINE_KIND_PROBER, account)] = true
		}
		if p.Slot == 0 {
			continue
		}
		var fits bool
		if drawn, fits = u128.Add(drawn, p.BondUltai); !fits || slots[p.Slot] {
			return fmt.Errorf("prober %q: slot %d is taken, or the bonds do not fit 64 bits", p.Address, p.Slot)
		}
		slots[p.Slot] = true
	}
	for slot := uint32(1); slot <= uint32(len(slots)); slot++ { //nolint:gosec // checked below
		if !slots[slot] || len(slots) > MaxProbers {
			return fmt.Errorf("probers' slot %d of %d is empty, or there are more than %d", slot, len(slots), MaxProbers)
		}
	}
	return nil
}

func (c *genesisCheck) readPanels() error {
	seen := make(map[string]bool)
	panels := make(map[uint64]*Panel, len(c.gs.Panels))
	for i := range c.gs.Panels {
		p := &c.gs.Panels[i]
		if err := unique(seen, "panel", fmt.Sprintf("%d", p.Epoch)); err != nil {
			return err
		}
		if err := p.validate(); err != nil {
			return fmt.Errorf("panel %d: %w", p.Epoch, err)
		}
		panels[p.Epoch] = p
		c.due[dueKey(DeadlineKind_DEADLINE_KIND_PANEL, NumberID(p.Epoch))] = true
	}
	if err := c.readObservations(panels); err != nil {
		return err
	}
	for i := range c.gs.Availabilities {
		a := &c.gs.Availabilities[i]
		if err := unique(seen, "availability", fmt.Sprintf("%d/%s", a.Epoch, a.Operator)); err != nil {
			return err
		}
		hosts := uint64(a.Hosts)
		if panels[a.Epoch] == nil || c.operators[a.Operator] == nil || hosts == 0 || hosts > MaxPanelHosts ||
			a.UpPpmSum > hosts*maxPPM || a.AvPpmSum > hosts*maxPPM || a.TtftMs > maxLatencyMs || c.gs.MeasuredFrom == 0 {
			return fmt.Errorf("availability of %q in epoch %d: no such panel or operator, or its sums are not those of %d hosts", a.Operator, a.Epoch, hosts)
		}
	}
	return nil
}

func (c *genesisCheck) readObservations(panels map[uint64]*Panel) error {
	seen := make(map[string]bool)
	for i := range c.gs.Observations {
		o := &c.gs.Observations[i]
		if err := unique(seen, "observation", fmt.Sprintf("%d/%x/%d", o.Epoch, o.Row.HostId, o.Seat)); err != nil {
			return err
		}
		p := panels[o.Epoch]
		if p == nil || p.State != PanelState_PANEL_STATE_OPEN || int(o.Seat) >= len(p.Seats) ||
			p.Seats[o.Seat].State != SeatState_SEAT_STATE_REVEALED || c.hosts[string(o.Row.HostId)] == nil {
			return fmt.Errorf("observation of host %x in epoch %d: no such host, or seat %d has not revealed in an open panel", o.Row.HostId, o.Epoch, o.Seat)
		}
		if err := o.Row.validate(); err != nil {
			return err
		}
	}
	return nil
}

func (p *Panel) validate() error {
	if len(p.Seed) != HashLength || len(p.Seats) == 0 || len(p.Seats) > panel.Size || p.CommitUntil >= p.RevealUntil ||
		p.State != PanelState_PANEL_STATE_OPEN && p.State != PanelState_PANEL_STATE_CONCLUDED || p.CopyRows > MaxProbeRows {
		return fmt.Errorf("%s with %d seats, commitments until %d, reveals until %d", p.State, len(p.Seats), p.CommitUntil, p.RevealUntil)
	}
	seen := make(map[string]bool)
	for i := range p.Seats {
		seat := &p.Seats[i]
		if err := unique(seen, "seat of", seat.Prober); err != nil {
			return err
		}
		committed := 0
		switch seat.State {
		case SeatState_SEAT_STATE_DRAWN:
		case SeatState_SEAT_STATE_COMMITTED, SeatState_SEAT_STATE_REVEALED, SeatState_SEAT_STATE_COPIED:
			committed = HashLength
		default:
			return fmt.Errorf("seat of %q has state %d", seat.Prober, seat.State)
		}
		if len(seat.Commitment) != committed || seat.Counted > MaxProbeRows {
			return fmt.Errorf("seat of %q is %s with a commitment of %d bytes, %d rows counted", seat.Prober, seat.State, len(seat.Commitment), seat.Counted)
		}
	}
	return nil
}
