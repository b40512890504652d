// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/fraud"
	"github.com/gpucoord/gpucoord/domain/receipt"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// readEquivocation reads two signed records (F1'). The accused is the operator of the first one's host key. The records count as long as
// their epochs are in state, whether or not their batches are final; those that are open and named are void with them.
//
// Errors: ErrBadEvidence, operators' ErrUnknownHostKey, those of checkReachable, ErrUnknownBatch, ErrBatchStatus, ErrNotInBatch.
func (k *Keeper) readEquivocation(ctx context.Context, c *challenge) (judge, error) {
	e, err := fraud.DecodeEquivocation(c.msg.Evidence)
	if err != nil {
		return nil, errorsmod.Wrap(types.ErrBadEvidence, err.Error())
	}
	a, err := receipt.Decode(e.SR1A)
	if err != nil {
		return nil, errorsmod.Wrap(types.ErrBadEvidence, err.Error())
	}
	b, err := receipt.Decode(e.SR1B)
	if err != nil {
		return nil, errorsmod.Wrap(types.ErrBadEvidence, err.Error())
	}
	if _, c.operator, err = k.hostKeyOperator(ctx, a.Auth.Operator); err != nil {
		return nil, err
	}
	if err := k.checkReachable(ctx, &a, &b); err != nil {
		return nil, err
	}
	for _, id := range c.msg.Batches {
		if err := k.nameBatch(ctx, c, id, &a, &b); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context) (finding, error) { return k.judgeEquivocation(ctx, c, &e) }, nil
}

// checkReachable checks that the epochs of two records are in state, and that what happened in the later one can still cost a bond.
// Errors: ErrUnknownEpoch, operators' ErrEvidenceTooOld.
func (k *Keeper) checkReachable(ctx context.Context, a, b *receipt.Record) error {
	for _, r := range [...]*receipt.Record{a, b} {
		if _, err := k.epochState(ctx, r.Epoch); err != nil {
			return err
		}
	}
	schedule, err := k.operators.Schedule(ctx)
	if err != nil {
		return err
	}
	last, err := schedule.Last(max(a.Epoch, b.Epoch))
	if err != nil {
		return errorsmod.Wrap(types.ErrUnknownEpoch, err.Error())
	}
	return k.operators.CheckEvidenceAge(ctx, last)
}

// nameBatch adds an open batch that claims one of two records, by its host key, epoch, group and seq range.
func (k *Keeper) nameBatch(ctx context.Context, c *challenge, id uint64, records ...*receipt.Record) error {
	b, err := k.namedBatch(ctx, c, id)
	switch {
	case err != nil:
		return err
	case !b.Open():
		return errorsmod.Wrapf(types.ErrBatchStatus, "batch %d is %s", id, b.Status)
	}
	for _, r := range records {
		if !bytes.Equal(b.HostKey, r.Auth.Operator[:]) || b.Epoch != r.Epoch {
			continue
		}
		if _, found := b.GroupOf(nil, r.Auth.ModelID, r.Auth.AdapterID, r.Seq); found {
			return nil
		}
	}
	return errorsmod.Wrapf(types.ErrNotInBatch, "%d", id)
}

func (k *Keeper) judgeEquivocation(ctx context.Context, c *challenge, e *fraud.Equivocation) (finding, error) {
	domain, err := k.operators.ReceiptDomain(ctx)
	if err != nil {
		return finding{}, err
	}
	a, b, conflict, err := e.Check(receipt.Checker{Domain: domain})
	if err != nil {
		return nothing(err), nil //nolint:nilerr // it is what the evidence fails by
	}
	f := finding{
		fault: types.FaultEquivocation, kind: operatorstypes.OffenceDoubleClaim, void: c.batches, epoch: max(a.Epoch, b.Epoch),
	}
	switch conflict {
	case fraud.SameJob:
		f.id = fraud.ID(fraud.RepeatedJob, a.Auth.Operator, a.JobID(domain))
		return f, nil
	case fraud.SameSeq:
		f.id = fraud.ID(fraud.RepeatedSeq, a.Auth.Operator, fraud.Number(a.Seq))
		return f, nil
	default:
		return k.judgePayment(ctx, c, &a, &b, f)
	}
}

// judgePayment judges one payment for two jobs. The payer signs the payment into its jobs, so only he can be blamed: a gateway whose
// keys signed both pays, and no batch is void; an operator whose own host keys signed both, as payers of jobs that it settles, has
// claimed one payment twice. A customer of an operator may name what he likes: that proves nothing against who served him.
func (k *Keeper) judgePayment(ctx context.Context, c *challenge, a, b *receipt.Record, f finding) (finding, error) {
	_, second, err := k.hostKeyOperator(ctx, b.Auth.Operator)
	if err != nil {
		return finding{}, err
	}
	gatewayA, err := k.gatewayOfPayer(ctx, a)
	if err != nil {
		return finding{}, err
	}
	gatewayB, err := k.gatewayOfPayer(ctx, b)
	if err != nil {
		return finding{}, err
	}
	f.fault = types.FaultPayment
	switch {
	case gatewayA != "" && gatewayA == gatewayB:
		if f.gateway, err = k.parseParty("gateway", gatewayA); err != nil {
			return finding{}, err
		}
		f.paymentRef, f.void = a.Auth.PaymentRef, nil
		f.id = fraud.ID(fraud.GatewayPayment, [20]byte(f.gateway), a.Auth.PaymentRef)
		return f, k.checkGatewayReporter(ctx, f.gateway, c.reporter)
	case gatewayA != "" || gatewayB != "" || !bytes.Equal(c.operator, second):
		return nothing(fraud.ErrUnrelated), nil
	}
	for _, payer := range [...][20]byte{a.Auth.Payer, b.Auth.Payer} {
		own, err := k.isHostKeyOf(ctx, c.operator, payer)
		if err != nil || !own {
			return nothing(fraud.ErrUnrelated), err
		}
	}
	f.id = fraud.ID(fraud.RepeatedPayment, [20]byte(c.operator), a.Auth.PaymentRef)
	return f, nil
}

// isHostKeyOf reports whether a key is or was a registered host key of an operator.
func (k *Keeper) isHostKeyOf(ctx context.Context, operator []byte, key [20]byte) (bool, error) {
	_, owner, err := k.hostKeyOperator(ctx, key)
	if errors.Is(err, operatorstypes.ErrUnknownHostKey) {
		return false, nil
	}
	return err == nil && bytes.Equal(owner, operator), err
}

// gatewayOfPayer returns the gateway whose key signed a record's job, or "" where the operator settles it.
func (k *Keeper) gatewayOfPayer(ctx context.Context, r *receipt.Record) (string, error) {
	key, err := k.gatewayKeys.Get(ctx, r.Auth.Payer[:])
	if errors.Is(err, collections.ErrNotFound) {
		return "", nil
	}
	if err != nil || !validAt(&key, r.Auth.IssuedAt) {
		return "", err
	}
	return key.Gateway, nil
}
