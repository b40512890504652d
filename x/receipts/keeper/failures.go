// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/epoch"
	chainlog "github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/score"
	"github.com/gpucoord/gpucoord/domain/u128"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// ReportFailures enters what an accredited gateway reports of an epoch, once, in the epoch's submit window: jobs that operators failed
// and that have no receipt. Only accredited gateways are heard, because anybody may register one and slander with it.
//
// Errors: ErrUnknownGateway, ErrNotAccredited, ErrUnknownEpoch, ErrEpochClosed, ErrSubmitWindow, ErrReported, for each row ErrUnknownSettler,
// ErrWrongSettler (of another gateway), operators' ErrUnknownOperator, ErrInvalidRequest (order).
func (k *Keeper) ReportFailures(ctx context.Context, gateway []byte, e uint64, rows []types.FailureRow) error {
	g, err := k.gateway(ctx, gateway)
	if err != nil {
		return err
	}
	if !g.Accredited {
		return errorsmod.Wrap(types.ErrNotAccredited, g.Address)
	}
	windows, err := k.openFailures(ctx, e)
	if err != nil {
		return err
	}
	if !windows.Submit.Contains(height(ctx)) {
		return errorsmod.Wrapf(types.ErrSubmitWindow, "epoch %d: blocks %d to %d, this is %d", e, windows.Submit.First, windows.Submit.Last, height(ctx))
	}
	key := collections.Join(e, gateway)
	reported, err := k.failureReports.Has(ctx, key)
	if err != nil {
		return err
	}
	if reported {
		return errorsmod.Wrapf(types.ErrReported, "epoch %d", e)
	}
	if err := k.failureReports.Set(ctx, key, types.FailureReport{Epoch: e, Gateway: g.Address, Height: height(ctx)}); err != nil {
		return err
	}
	var last []byte
	for i := range rows {
		place, err := k.storeFailures(ctx, e, &g, &rows[i])
		if err != nil {
			return errorsmod.Wrapf(err, "row %d", i)
		}
		if bytes.Compare(last, place) >= 0 {
			return errorsmod.Wrapf(types.ErrInvalidRequest, "row %d is not above the one before it", i)
		}
		last = place
	}
	return nil
}

// openFailures returns the windows of an epoch that has begun and is not closed. Errors: ErrUnknownEpoch, ErrEpochClosed.
func (k *Keeper) openFailures(ctx context.Context, e uint64) (windows epoch.Windows, err error) {
	state, err := k.epochState(ctx, e)
	if err != nil {
		return windows, err
	}
	if state.Closed {
		return windows, errorsmod.Wrapf(types.ErrEpochClosed, "epoch %d", e)
	}
	return k.windows(ctx, e)
}

// storeFailures stores one row and returns its place, by which rows ascend.
func (k *Keeper) storeFailures(ctx context.Context, e uint64, g *types.Gateway, row *types.FailureRow) ([]byte, error) {
	pair, err := k.partyPair(row.Settler, row.Operator)
	if err != nil {
		return nil, err
	}
	settler, operator := pair.K1(), pair.K2()
	s, err := k.settler(ctx, settler)
	if err != nil {
		return nil, err
	}
	if s.Gateway != g.Address {
		return nil, errorsmod.Wrapf(types.ErrWrongSettler, "%s settles for another gateway", s.Address)
	}
	if _, err := k.operators.Operator(ctx, operator); err != nil {
		return nil, err
	}
	f := types.Failures{Epoch: e, Gateway: g.Address, Row: *row}
	if err := k.failures.Set(ctx, collections.Join3(e, operator, settler), f); err != nil {
		return nil, err
	}
	if err := k.noteRoute(ctx, e, operator, row.Operator, g.Address); err != nil {
		return nil, err
	}
	return append(bytes.Clone(operator), settler...), emit(ctx, &types.EventFailuresReported{Failures: f})
}

// noteRoute remembers that an operator worked for an accredited gateway in an epoch: the first one, and whether there are several.
func (k *Keeper) noteRoute(ctx context.Context, e uint64, operator []byte, operatorText, gateway string) error {
	key := collections.Join(e, operator)
	routes, err := k.routes.Get(ctx, key)
	switch {
	case errors.Is(err, collections.ErrNotFound):
		routes = types.Routes{Epoch: e, Operator: operatorText, First: gateway}
	case err != nil || routes.Several || routes.First == gateway:
		return err
	case routes.First == "":
		routes.First = gateway
	default:
		routes.Several = true
	}
	return k.routes.Set(ctx, key, routes)
}

// noteAdmitted adds the failed jobs of a settled batch's receipts.
func (k *Keeper) noteAdmitted(ctx context.Context, e uint64, operator []byte, operatorText string, fails uint64) error {
	if fails == 0 {
		return nil
	}
	key := collections.Join(e, operator)
	routes, err := k.routes.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) {
		routes, err = types.Routes{Epoch: e, Operator: operatorText}, nil
	}
	if err != nil {
		return err
	}
	if err := addTo(&routes.Admitted, fails); err != nil {
		return err
	}
	return k.routes.Set(ctx, key, routes)
}

// Refutation is a receipt of a job that a gateway reported as failed.
type Refutation struct {
	Epoch             uint64
	Operator, Settler []byte
	Index             uint64     // the job's position in the row's list
	Path              [][32]byte // from its id to the row's root
	Record            []byte     // SR1
	Sender            string
}

// RefuteFailure strikes a row that lists a job with a receipt that its gateway has countersigned. A row that lists one such job counts
// for nothing: a gateway that reports what it knows to be served slanders.
//
// Errors: ErrUnknownFailures, ErrUnknownEpoch, ErrEpochClosed, ErrBadRecord, ErrNotRefuted.
func (k *Keeper) RefuteFailure(ctx context.Context, r *Refutation) error {
	if _, err := k.openFailures(ctx, r.Epoch); err != nil {
		return err
	}
	key := collections.Join3(r.Epoch, r.Operator, r.Settler)
	f, err := k.failures.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) {
		return errorsmod.Wrapf(types.ErrUnknownFailures, "epoch %d", r.Epoch)
	}
	if err != nil {
		return err
	}
	jobID, err := k.checkRefutation(ctx, r, &f)
	if err != nil {
		return err
	}
	if err := k.failures.Remove(ctx, key); err != nil {
		return err
	}
	s, err := k.settler(ctx, r.Settler)
	if err != nil {
		return err
	}
	if err := k.changeGateway(ctx, &s, func(g *types.Gateway) error { return addTo(&g.ReportsRefuted, 1) }); err != nil {
		return err
	}
	return emit(ctx, &types.EventFailureRefuted{Failures: f, JobId: jobID[:], Sender: r.Sender})
}

// checkRefutation checks that the record is a countersigned one of the row's operator and settler, and that the row lists its job.
func (k *Keeper) checkRefutation(ctx context.Context, r *Refutation, f *types.Failures) ([32]byte, error) {
	chargeEvidence(ctx, r.Record, signaturesOfRecord)
	domain, err := k.operators.ReceiptDomain(ctx)
	if err != nil {
		return [32]byte{}, err
	}
	record, err := receipt.Decode(r.Record)
	if err != nil {
		return [32]byte{}, errorsmod.Wrap(types.ErrBadRecord, err.Error())
	}
	jobID, _, err := receipt.Checker{Domain: domain}.CheckRecord(&record)
	if err != nil {
		return [32]byte{}, errorsmod.Wrap(types.ErrBadRecord, err.Error())
	}
	_, operator, err := k.hostKeyOperator(ctx, record.Auth.Operator)
	if err != nil {
		return [32]byte{}, err
	}
	settler, _, err := k.settlerOf(ctx, record.Auth.Payer, record.Auth.IssuedAt, operator)
	if err != nil {
		return [32]byte{}, err
	}
	if !record.Countersigned || !bytes.Equal(operator, r.Operator) || !bytes.Equal(settler, r.Settler) {
		return [32]byte{}, errorsmod.Wrap(types.ErrNotRefuted, "the record is not countersigned, or of another operator or settler")
	}
	err = chainlog.VerifyInclusion([32]byte(f.Row.Root), f.Row.Fails, r.Index, chainlog.LeafHash(jobID[:]), r.Path)
	if err != nil {
		return [32]byte{}, errorsmod.Wrap(types.ErrNotRefuted, err.Error())
	}
	return jobID, nil
}

// reportedFails returns how many of the failures that a settler's gateway reported of an operator in an epoch count. Where the operator
// has several accredited gateways, the reports of one count for at most half of what others stand for, the operator's own receipts and
// the other gateways' reports (score.CountFailures): so for at most a third of the whole, and for nothing that nobody else has seen. Its
// settlers share that in proportion, rounded down.
func (k *Keeper) reportedFails(ctx context.Context, e uint64, operator, settler []byte) (uint64, error) {
	own, err := k.failures.Get(ctx, collections.Join3(e, operator, settler))
	if errors.Is(err, collections.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	routes, err := k.routes.Get(ctx, collections.Join(e, operator))
	if err != nil {
		return 0, err
	}
	if !routes.Several {
		return own.Row.Fails, nil
	}
	all, gateway := routes.Admitted, uint64(0)
	ranger := collections.NewSuperPrefixedTripleRange[uint64, []byte, []byte](e, operator)
	err = k.failures.Walk(ctx, ranger, func(_ epochTriple, f types.Failures) (bool, error) {
		if f.Gateway == own.Gateway {
			if err := addTo(&gateway, f.Row.Fails); err != nil {
				return true, err
			}
		}
		return false, addTo(&all, f.Row.Fails)
	})
	if err != nil {
		return 0, err
	}
	most := (all - gateway) / (score.FailureShareDivisor - 1)
	if gateway <= most {
		return own.Row.Fails, nil
	}
	fails, ok := u128.MulDiv(own.Row.Fails, most, gateway)
	if !ok {
		return 0, errorsmod.Wrap(types.ErrInvariant, "a share of reported failures does not fit")
	}
	return fails, nil
}
