// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/u128"
	"github.com/gpucoord/gpucoord/x/rewards/types"
)

// scorePass is the first pass: it scores operators after the cursor until budget is spent or all are scored, and returns
// what is left of the budget.
func (k *Keeper) scorePass(ctx context.Context, s *types.EpochSettlement, budget uint64) (uint64, error) {
	seconds, err := k.epochSeconds(ctx)
	if err != nil {
		return 0, err
	}
	page, err := k.receipts.OperatorsWithUsage(ctx, s.Epoch, s.Cursor, uint32(budget)) //nolint:gosec // it comes from a uint32 parameter
	if err != nil {
		return 0, err
	}
	for _, operator := range page {
		if bytes.Compare(operator, s.Cursor) <= 0 {
			return 0, errorsmod.Wrapf(types.ErrBadLedger, "operator %X after %X in epoch %d", operator, s.Cursor, s.Epoch)
		}
		if err := k.scoreStep(ctx, s, operator, seconds); err != nil {
			return 0, err
		}
		s.Cursor = operator
	}
	if uint64(len(page)) >= budget {
		return 0, nil
	}
	return budget - uint64(len(page)), k.openPay(ctx, s)
}

// scoreStep scores one operator. If that fails, the operator is entered with no usage and the reason, so that it neither
// stops nor starves the others.
func (k *Keeper) scoreStep(ctx context.Context, s *types.EpochSettlement, operator []byte, seconds uint64) error {
	text, err := k.bech32(operator)
	if err != nil {
		return err
	}
	next := *s
	failure := attempt(ctx, func(ctx context.Context) error {
		row := types.OperatorEpoch{Epoch: s.Epoch, Operator: text}
		in := types.ScoreIn{Params: s.Params, TakeBps: s.TakeBps, EpochSeconds: seconds, Epoch: s.Epoch}
		if err := k.scoreInputs(ctx, &row, operator, &in, s.StartedHeight); err != nil {
			return err
		}
		return k.score(ctx, &next, row, operator, in)
	})
	if failure == nil {
		*s = next
	} else {
		row := types.OperatorEpoch{Epoch: s.Epoch, Operator: text, Reasons: failed(types.ReasonScoreFailed, failure)}
		if err := k.rows.Set(ctx, collections.Join(s.Epoch, operator), row); err != nil {
			return err
		}
	}
	s.Operators++
	return nil
}

// scoreInputs reads what an operator is scored from, and fills in who the row is about. Evidence of capacity ages with the
// height; it is judged as of the block in which the settlement began, so that a score does not depend on how many
// operators one block works on.
func (k *Keeper) scoreInputs(
	ctx context.Context, row *types.OperatorEpoch, operator []byte, in *types.ScoreIn, started uint64,
) error {
	op, err := k.operators.Operator(ctx, operator)
	if err != nil {
		return types.At(types.AtOperator, err)
	}
	row.Controller = op.Controller
	row.ReputationBeforePpm, row.ReputationPpm = op.ReputationPpm, op.ReputationPpm
	if in.Entries, err = k.ledgerEntries(ctx, row.Epoch, operator, uint64(in.Params.SuccessEpochs)); err != nil {
		return types.At(types.AtLedger, err)
	}
	asOf := sdk.UnwrapSDKContext(ctx).WithBlockHeight(int64(started)) //nolint:gosec // a height of this chain
	if in.Capacity, err = k.operators.Capacity(asOf, operator); err != nil {
		return types.At(types.AtCapacity, err)
	}
	if in.Availability, err = k.operators.Availability(ctx, operator, row.Epoch); err != nil {
		return types.At(types.AtCapacity, err)
	}
	before, err := k.confirmed.Get(ctx, operator)
	switch {
	case errors.Is(err, collections.ErrNotFound):
	case err != nil:
		return types.At(types.AtStore, err)
	case before.Epoch < row.Epoch:
		in.ConfirmedBefore = before.MilliVcu
	}
	return nil
}

// ledgerEntries returns an operator's entries of an epoch, each with its outcomes over the success window that ends with it.
func (k *Keeper) ledgerEntries(ctx context.Context, epoch uint64, operator []byte, window uint64) ([]types.LedgerEntry, error) {
	usage, err := k.receipts.UsageEntries(ctx, epoch, operator)
	if err != nil {
		return nil, err
	}
	if len(usage) > types.MaxEntryRows {
		return nil, errorsmod.Wrapf(types.ErrBadLedger, "%d entries, most are %d", len(usage), types.MaxEntryRows)
	}
	from := epoch + 1 - min(epoch+1, window)
	entries := make([]types.LedgerEntry, len(usage))
	for i, u := range usage {
		e := types.LedgerEntry{UsageEntry: u}
		if e.SettlerText, err = k.bech32(u.Settler[:]); err != nil {
			return nil, err
		}
		if e.WindowOK, e.WindowFail, err = k.receipts.SuccessCounts(ctx, operator, u.Settler[:], u.Class, from, epoch); err != nil {
			return nil, err
		}
		entries[i] = e
	}
	return entries, nil
}

// score computes the rest of an operator's row, stores it and adds it to the epoch's sums.
func (k *Keeper) score(ctx context.Context, s *types.EpochSettlement, row types.OperatorEpoch, operator []byte, in types.ScoreIn) error {
	scored, err := types.Score(in)
	if err != nil {
		return err
	}
	scored.Epoch, scored.Operator, scored.Controller = row.Epoch, row.Operator, row.Controller
	scored.ReputationBeforePpm, scored.ReputationPpm = row.ReputationBeforePpm, row.ReputationPpm
	if err := s.Add(&scored); err != nil {
		return types.At(types.AtSums, err)
	}
	confirmed := types.Confirmed{Operator: row.Operator, Epoch: row.Epoch, MilliVcu: scored.MilliVcu, Ucs: scored.Ucs}
	if err := k.confirmed.Set(ctx, operator, confirmed); err != nil {
		return types.At(types.AtStore, err)
	}
	return types.At(types.AtStore, k.rows.Set(ctx, collections.Join(row.Epoch, operator), scored))
}

// epochSeconds is the nominal length of an epoch: its blocks at the nominal block time, at least 1.
func (k *Keeper) epochSeconds(ctx context.Context) (uint64, error) {
	params, err := k.operators.Params(ctx)
	if err != nil {
		return 0, err
	}
	seconds, fits := u128.MulDiv(params.Schedule.GetEpochBlocks(), params.BlockTimeMs, 1_000)
	if !fits {
		return 0, errorsmod.Wrap(types.ErrOverflow, "seconds of an epoch")
	}
	return max(seconds, 1), nil
}

// failed returns the reason codes of a pass that failed.
func failed(code string, err error) []string {
	var failure *types.Failure
	if errors.As(err, &failure) {
		return []string{code, failure.At}
	}
	return []string{code, types.AtStore}
}
