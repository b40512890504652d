// SPDX-License-Identifier: Apache-2.0

package types

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"

	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/panel"
)

const (
	// MaxProbers is the most probers that panels are drawn over.
	MaxProbers = 4_096
	// MaxProbeRows is the most hosts of one reveal.
	MaxProbeRows = 256
	// MaxPanelHosts is the most hosts that one panel can have seen.
	MaxPanelHosts = panel.Size * MaxProbeRows
	// AvailabilityEpochs is how old, in epochs, a conclusive value may be that still counts.
	AvailabilityEpochs = 7
	// AbsencesFined is how many panels in a row a prober may not miss.
	AbsencesFined = 2

	probeTag         = "GCP1"
	probeRowBytes    = 52
	maxModelsListed  = 1<<16 - 1
	maxProbePrice    = 1_000_000_000
	settlementEpochs = 16 // how long after its last window an epoch's settlement may still ask for results
)

// Availability is what panels say of an operator for an epoch.
type Availability struct {
	UpPPM      uint64 // mean over its conclusive hosts of the median uptime, ppm, rounded down
	AvPPM      uint64 // the same of answered over listed models
	P95TTFTMs  uint64 // longest median of the hosts' 95th percentile of TTFT, milliseconds; 0: unknown
	Conclusive bool   // a panel concluded it, at most AvailabilityEpochs ago; else all numbers are 0
	FromEpoch  uint64 // the epoch of that panel
	Unmeasured bool   // up to this epoch no panel has concluded anything of anybody: stand-ins apply
}

// ProbeCommitment returns what a prober commits to: SHA-256 of "GCP1", the chain's salt (receipt.Domain.Salt), the epoch as u64, its
// account, a random salt, and SHA-256 of the rows' encoding. A copy of it opens for nobody else, in no other epoch and on no other chain.
func ProbeCommitment(chainSalt [32]byte, epoch uint64, prober [AddressLength]byte, salt [32]byte, rows []ProbeRow) [32]byte {
	encoded := make([]byte, 0, len(rows)*probeRowBytes)
	for i := range rows {
		encoded = rows[i].AppendTo(encoded)
	}
	rowsHash := sha256.Sum256(encoded)
	b := make([]byte, 0, len(probeTag)+3*HashLength+AddressLength+8)
	b = append(b, probeTag...)
	b = append(b, chainSalt[:]...)
	b = binary.BigEndian.AppendUint64(b, epoch)
	b = append(b, prober[:]...)
	b = append(b, salt[:]...)
	b = append(b, rowsHash[:]...)
	return sha256.Sum256(b)
}

// AppendTo appends the row's encoding of 52 bytes: the host and five numbers as u32, big-endian, in the order of the message.
func (r *ProbeRow) AppendTo(b []byte) []byte {
	b = append(b, r.HostId...)
	for _, n := range []uint32{r.UpPpm, r.ModelsAnswered, r.ModelsListed, r.TtftMs, r.TokensS} {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return b
}

// Observed returns the row as medians are taken of it. Models are the answered part of the listed ones, in ppm, rounded down, so that
// probers who saw different lists can be compared. Only for rows that were checked.
func (r *ProbeRow) Observed() panel.Observation {
	return panel.Observation{
		UpPPM:           uint64(r.UpPpm),
		Models:          uint64(r.ModelsAnswered) * maxPPM / max(uint64(r.ModelsListed), 1),
		TTFTMs:          uint64(r.TtftMs),
		TokensPerSecond: uint64(r.TokensS),
	}
}

// Measured reports whether the host answered so that times were taken. Rows about hosts that are down are alike by nature.
func (r *ProbeRow) Measured() bool { return r.TtftMs > 0 }

func (r *ProbeRow) validate() error {
	if err := checkID("host_id", r.HostId); err != nil {
		return err
	}
	if r.UpPpm > maxPPM || r.ModelsListed < 1 || r.ModelsListed > maxModelsListed || r.ModelsAnswered > r.ModelsListed || r.TtftMs > maxLatencyMs {
		return errorsmod.Wrapf(ErrInvalidRequest, "host %x: up %d ppm, %d of %d models, ttft %d ms", r.HostId,
			r.UpPpm, r.ModelsAnswered, r.ModelsListed, r.TtftMs)
	}
	return nil
}

// ValidateBasic checks the moniker and the amount.
func (m *MsgRegisterProber) ValidateBasic() error {
	if err := (Description{Moniker: m.Moniker}).Validate(); err != nil {
		return err
	}
	return checkAmount(m.BondUltai)
}

// ValidateBasic has nothing to check: the address is parsed by the handler.
func (m *MsgUnbondProber) ValidateBasic() error { return nil }

// ValidateBasic checks the commitment.
func (m *MsgCommitObservations) ValidateBasic() error { return checkID("commitment", m.Commitment) }

// ValidateBasic checks the salt, the number of rows, each row, and that hosts rise.
func (m *MsgRevealObservations) ValidateBasic() error {
	if err := checkID("salt", m.Salt); err != nil {
		return err
	}
	if n := len(m.Rows); n == 0 || n > MaxProbeRows {
		return errorsmod.Wrapf(ErrInvalidRequest, "%d rows, want 1 to %d", n, MaxProbeRows)
	}
	for i := range m.Rows {
		if err := m.Rows[i].validate(); err != nil {
			return err
		}
		if i > 0 && bytes.Compare(m.Rows[i-1].HostId, m.Rows[i].HostId) >= 0 {
			return errorsmod.Wrapf(ErrInvalidRequest, "row %d: hosts do not rise", i)
		}
	}
	return nil
}

// ForgetPanelAt returns the height from which no settlement asks for the results of epoch e: 16 epochs after the last window of the last
// epoch for which they may count. Errors: ErrBadEpoch.
func (s *Schedule) ForgetPanelAt(e uint64) (uint64, error) {
	windows, err := s.Domain().Windows(e + AvailabilityEpochs)
	if err != nil {
		return 0, errorsmod.Wrapf(ErrBadEpoch, "epoch %d: %s", e, err)
	}
	return windows.FinaliseLatest + settlementEpochs*s.EpochBlocks, nil
}

// validateProbers checks that panels end before a batch of their epoch can be final, so that settlement finds their results.
func (p *Params) validateProbers() error {
	s := p.Schedule
	medians := (MaxPanelHosts + uint64(p.MaxMediansPerBlock) - 1) / uint64(p.MaxMediansPerBlock)
	needs, room := p.ProbeCommitBlocks+p.ProbeRevealBlocks+medians, s.SubmitBlocks+s.BeaconBlocks+s.OpenBlocks+s.ChallengeBlocks
	if needs > room {
		return errorsmod.Wrapf(ErrInvalidParams,
			"probe_commit %d + probe_reveal %d + medians of %d hosts %d = %d > submit %d + beacon %d + open %d + challenge %d = %d",
			p.ProbeCommitBlocks, p.ProbeRevealBlocks, MaxPanelHosts, medians, needs,
			s.SubmitBlocks, s.BeaconBlocks, s.OpenBlocks, s.ChallengeBlocks, room)
	}
	return nil
}

// CheckActive reports a prober that is leaving. Errors: ErrProberStatus.
func (p *Prober) CheckActive() error {
	if p.Status != ProberStatus_PROBER_STATUS_ACTIVE {
		return errorsmod.Wrapf(ErrProberStatus, "%s is %s", p.Address, p.Status)
	}
	return nil
}
