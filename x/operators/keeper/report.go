// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// How a report closes, as its event says.
const (
	reportReturned  = "returned"
	reportExpired   = "expired"
	reportForfeited = "forfeited"
)

// Report returns an open report. Errors: ErrUnknownReport.
func (k *Keeper) Report(ctx context.Context, id uint64) (types.Report, error) {
	report, err := k.reports.Get(ctx, id)
	if errors.Is(err, collections.ErrNotFound) {
		return types.Report{}, errorsmod.Wrapf(types.ErrUnknownReport, "%d", id)
	}
	return report, err
}

// CommitReport takes a reporter's bond for evidence that he will show within report_blocks. Unshown, the bond goes back to him then.
//
// Errors: ErrInvalidAddress (not 20 bytes), ErrInvalidRequest, those of bank.
func (k *Keeper) CommitReport(ctx context.Context, reporter, commitment []byte) (types.Report, error) {
	if len(commitment) != types.HashLength {
		return types.Report{}, errorsmod.Wrapf(types.ErrInvalidRequest, "commitment has %d bytes, want %d", len(commitment), types.HashLength)
	}
	report, err := k.newReport(ctx, reporter)
	if err != nil {
		return types.Report{}, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return types.Report{}, err
	}
	report.Commitment, report.State = commitment, types.ReportState_REPORT_STATE_COMMITTED
	report.ExpiresHeight = report.CommittedHeight + params.ReportBlocks
	if err := k.reports.Set(ctx, report.Id, report); err != nil {
		return types.Report{}, err
	}
	if err := k.setDeadline(ctx, types.DeadlineKind_DEADLINE_KIND_REPORT, types.NumberID(report.Id), report.ExpiresHeight); err != nil {
		return types.Report{}, err
	}
	return report, emit(ctx, &types.EventReportCommitted{Report: report})
}

// OpenReport takes a reporter's bond for a challenge that hides nothing, such as a demand for data. It counts as revealed: whoever opened
// it must return or forfeit it. Errors: ErrInvalidAddress, those of bank.
func (k *Keeper) OpenReport(ctx context.Context, reporter []byte) (id, bondUltai uint64, err error) {
	report, err := k.newReport(ctx, reporter)
	if err != nil {
		return 0, 0, err
	}
	report.State = types.ReportState_REPORT_STATE_REVEALED
	if err := k.reports.Set(ctx, report.Id, report); err != nil {
		return 0, 0, err
	}
	return report.Id, report.BondUltai, emit(ctx, &types.EventReportCommitted{Report: report})
}

// newReport takes the bond and returns a report that is not stored yet.
func (k *Keeper) newReport(ctx context.Context, reporter []byte) (types.Report, error) {
	if len(reporter) != types.AddressLength {
		return types.Report{}, errorsmod.Wrapf(types.ErrInvalidAddress, "reporter has %d bytes, want %d", len(reporter), types.AddressLength)
	}
	text, err := k.addressCodec.BytesToString(reporter)
	if err != nil {
		return types.Report{}, errorsmod.Wrapf(types.ErrInvalidAddress, "reporter: %s", err)
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return types.Report{}, err
	}
	if err := k.bank.SendCoinsFromAccountToModule(ctx, reporter, types.ModuleName, ultai(params.ReportBondUltai)); err != nil {
		return types.Report{}, err
	}
	last, err := k.lastReport.Peek(ctx)
	if err != nil {
		return types.Report{}, err
	}
	report := types.Report{Id: last + 1, Reporter: text, BondUltai: params.ReportBondUltai, CommittedHeight: height(ctx)}
	return report, k.lastReport.Set(ctx, report.Id)
}

// RevealReport checks that a reporter had committed to evidence of that hash in an earlier block, and returns his bond. From then on the
// caller must return or forfeit the report, at once or when its challenge ends.
//
// Errors: ErrUnknownReport, ErrUnauthorized (another's), ErrReportState (too early, too late or twice), ErrBadReveal.
func (k *Keeper) RevealReport(ctx context.Context, id uint64, reporter []byte, salt, evidenceHash [32]byte) (uint64, error) {
	report, err := k.Report(ctx, id)
	if err != nil {
		return 0, err
	}
	own, err := k.addressCodec.StringToBytes(report.Reporter)
	if err != nil {
		return 0, errorsmod.Wrap(types.ErrInvalidAddress, err.Error())
	}
	if !bytes.Equal(own, reporter) {
		return 0, errorsmod.Wrapf(types.ErrUnauthorized, "report %d is not the sender's", id)
	}
	if now := height(ctx); report.State != types.ReportState_REPORT_STATE_COMMITTED ||
		now <= report.CommittedHeight || now >= report.ExpiresHeight {
		return 0, errorsmod.Wrapf(types.ErrReportState, "%d is %s, from height %d, until %d, now %d",
			id, report.State, report.CommittedHeight+1, report.ExpiresHeight, now)
	}
	domain, err := k.ReceiptDomain(ctx)
	if err != nil {
		return 0, err
	}
	want := types.ReportCommitment(domain.Salt(), [types.AddressLength]byte(own), salt, evidenceHash)
	if !bytes.Equal(want[:], report.Commitment) {
		return 0, errorsmod.Wrapf(types.ErrBadReveal, "report %d", id)
	}
	report.State = types.ReportState_REPORT_STATE_REVEALED
	if err := k.reports.Set(ctx, id, report); err != nil {
		return 0, err
	}
	if err := k.dropDeadline(ctx, types.DeadlineKind_DEADLINE_KIND_REPORT, types.NumberID(id)); err != nil {
		return 0, err
	}
	return report.BondUltai, emit(ctx, &types.EventReportRevealed{ReportId: id, Reporter: report.Reporter})
}

// ReturnReport gives a revealed report's bond back to its reporter: he was right, or his question was answered without a decision.
//
// Errors: ErrUnknownReport, ErrReportState.
func (k *Keeper) ReturnReport(ctx context.Context, id uint64) error {
	report, err := k.revealed(ctx, id)
	if err != nil {
		return err
	}
	reporter, err := k.parseAddress("reporter", report.Reporter)
	if err != nil {
		return err
	}
	return k.closeReport(ctx, &report, reporter, reportReturned)
}

// ForfeitReport gives a revealed report's bond to whom it accused wrongly, nil for insurance.
//
// Errors: ErrUnknownReport, ErrReportState.
func (k *Keeper) ForfeitReport(ctx context.Context, id uint64, to []byte) error {
	report, err := k.revealed(ctx, id)
	if err != nil {
		return err
	}
	return k.closeReport(ctx, &report, to, reportForfeited)
}

func (k *Keeper) revealed(ctx context.Context, id uint64) (types.Report, error) {
	report, err := k.Report(ctx, id)
	if err != nil {
		return types.Report{}, err
	}
	if report.State != types.ReportState_REPORT_STATE_REVEALED {
		return types.Report{}, errorsmod.Wrapf(types.ErrReportState, "%d is not revealed", id)
	}
	return report, nil
}

// expireReport gives an unrevealed report's bond back. Its deadline is gone.
func (k *Keeper) expireReport(ctx context.Context, id uint64) error {
	report, err := k.Report(ctx, id)
	if err != nil {
		return err
	}
	reporter, err := k.parseAddress("reporter", report.Reporter)
	if err != nil {
		return err
	}
	// A reporter whom bank refuses keeps his claim: the deadline is tried again.
	if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, reporter, ultai(report.BondUltai)); err != nil {
		return err
	}
	if err := k.reports.Remove(ctx, id); err != nil {
		return err
	}
	return emit(ctx, &types.EventReportClosed{
		ReportId: id, Reporter: report.Reporter, BondUltai: report.BondUltai, Outcome: reportExpired, Recipient: report.Reporter,
	})
}

// closeReport pays the bond to an account, or to insurance where that is nobody or bank refuses him, and removes the report.
func (k *Keeper) closeReport(ctx context.Context, report *types.Report, to sdk.AccAddress, outcome string) error {
	if err := k.reports.Remove(ctx, report.Id); err != nil {
		return err
	}
	paid, err := k.payOut(ctx, to, report.BondUltai)
	if err != nil {
		return err
	}
	event := types.EventReportClosed{ReportId: report.Id, Reporter: report.Reporter, BondUltai: report.BondUltai, Outcome: outcome}
	if paid > 0 {
		if event.Recipient, err = k.addressCodec.BytesToString(to); err != nil {
			return errorsmod.Wrap(types.ErrInvalidAddress, err.Error())
		}
	}
	if err := k.toInsurance(ctx, report.BondUltai-paid); err != nil {
		return err
	}
	return emit(ctx, &event)
}
