// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"context"
	"errors"
	"maps"
	"slices"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/fraud"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
)

var errOffences = errors.New("operators say no")

const (
	reportBond = 1_000 // ultai
	slashTaken = 500   // ultai that every punishment takes, of which the reporter gets a tenth
)

// report is a reporter's bond.
type report struct {
	reporter   string
	commitment [32]byte
	height     int64
	revealed   bool
}

// fine is one call of Fine.
type fine struct {
	operator, kind string
	uusdc          uint64
}

// offences is x/operators' part in challenges by hand: reports, punishments and who holds which ultai.
type offences struct {
	reports  map[uint64]report
	last     uint64
	ultai    map[string]int64 // account -> what it has won or lost
	punished []operatorstypes.Offence
	fines    []fine
	strikes  map[string]uint32
	demoted  [][32]byte
	tooOld   bool
	fails    bool // Punish fails

	attestations map[[32]byte]uint64 // reference -> last second at which it holds
}

func newOffences() offences {
	return offences{reports: map[uint64]report{}, ultai: map[string]int64{}, strikes: map[string]uint32{}}
}

func (o *offences) clone() offences {
	c := *o
	c.reports, c.ultai, c.strikes = maps.Clone(o.reports), maps.Clone(o.ultai), maps.Clone(o.strikes)
	c.punished, c.fines = slices.Clone(o.punished), slices.Clone(o.fines)
	return c
}

// commit enters a report for evidence.
func (o *offences) commit(reporter string, commitment [32]byte, height int64) uint64 {
	o.last++
	o.reports[o.last] = report{reporter: reporter, commitment: commitment, height: height}
	o.ultai[reporter] -= reportBond
	return o.last
}

func (o *operators) RevealReport(ctx context.Context, id uint64, reporter []byte, salt, evidence [32]byte) (uint64, error) {
	r, found := o.reports[id]
	switch {
	case !found || r.reporter != text(reporter):
		return 0, operatorstypes.ErrUnknownReport
	case r.revealed || r.height >= sdk.UnwrapSDKContext(ctx).BlockHeight():
		return 0, operatorstypes.ErrReportState
	case r.commitment != operatorstypes.ReportCommitment(o.domain.Salt(), [20]byte(reporter), salt, evidence):
		return 0, operatorstypes.ErrBadReveal
	}
	r.revealed = true
	o.reports[id] = r
	return reportBond, nil
}

func (o *operators) OpenReport(_ context.Context, reporter []byte) (uint64, uint64, error) {
	id := o.commit(text(reporter), [32]byte{}, 0)
	r := o.reports[id]
	r.revealed = true
	o.reports[id] = r
	return id, reportBond, nil
}

func (o *operators) closeReport(id uint64, to string) error {
	if !o.reports[id].revealed {
		return operatorstypes.ErrReportState
	}
	delete(o.reports, id)
	o.ultai[to] += reportBond
	return nil
}

func (o *operators) ReturnReport(_ context.Context, id uint64) error {
	return o.closeReport(id, o.reports[id].reporter)
}

func (o *operators) ForfeitReport(_ context.Context, id uint64, to []byte) error {
	return o.closeReport(id, text(to))
}

func (o *operators) Punish(_ context.Context, offence operatorstypes.Offence) (operatorstypes.Punishment, error) {
	if o.fails {
		return operatorstypes.Punishment{}, errOffences
	}
	o.punished = append(o.punished, offence)
	p := operatorstypes.Punishment{SlashUltai: slashTaken, InsuranceUltai: slashTaken}
	if len(offence.Reporter) > 0 && offence.ReporterBondUltai > 0 {
		p.ReporterUltai, p.InsuranceUltai = slashTaken/10, slashTaken-slashTaken/10
	}
	o.ultai[text(offence.Operator)] -= slashTaken
	if p.ReporterUltai > 0 {
		o.ultai[text(offence.Reporter)] += int64(p.ReporterUltai)
	}
	o.ultai["insurance"] += int64(p.InsuranceUltai)
	return p, nil
}

// batchOffence is what the operator "op" is punished for that nobody had to report: a fault of one of its batches.
func batchOffence(batch, claim uint64, evidence string) operatorstypes.Offence {
	return operatorstypes.Offence{
		Kind: operatorstypes.OffenceReceiptFraud, Operator: raw("op"), ClaimUusdc: claim, Evidence: evidence,
		EvidenceID: fraud.ID(fraud.BadBatch, [20]byte{}, fraud.Number(batch)),
	}
}

func (o *operators) Fine(_ context.Context, operator []byte, kind string, uusdc uint64, _ string) (uint64, error) {
	o.fines = append(o.fines, fine{operator: text(operator), kind: kind, uusdc: uusdc})
	return uusdc / 2, nil
}

func (o *operators) CheckEvidenceAge(context.Context, uint64) error {
	if o.tooOld {
		return operatorstypes.ErrEvidenceTooOld
	}
	return nil
}

func (o *operators) Strike(_ context.Context, operator []byte, kind string) (uint32, error) {
	o.strikes[text(operator)+kind]++
	return o.strikes[text(operator)+kind], nil
}

func (o *operators) Params(context.Context) (operatorstypes.Params, error) {
	return operatorstypes.Params{BondPriceUusdc: 2_000_000}, nil // an ultai is worth 2 uusdc
}

func (o *operators) AttestationAt(_ context.Context, ref [32]byte, servedAt uint64) (operatorstypes.AttestationStatus, error) {
	notAfter, found := o.attestations[ref]
	switch {
	case !found:
		return operatorstypes.AttestationStatus{Standing: operatorstypes.AttestationMissing}, nil
	case servedAt > notAfter:
		return operatorstypes.AttestationStatus{Standing: operatorstypes.AttestationStale, NotAfter: notAfter}, nil
	default:
		return operatorstypes.AttestationStatus{Standing: operatorstypes.AttestationInForce, NotAfter: notAfter}, nil
	}
}

func (o *operators) DemoteAttestation(_ context.Context, ref [32]byte) error {
	o.demoted = append(o.demoted, ref)
	return nil
}
