// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/fraud"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/u128"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

const (
	// omissionMultiple times what an omitted job owed is what its operator pays.
	omissionMultiple = 3
	// omissionStrikes within x/operators' escalation_blocks make it receipt fraud.
	omissionStrikes = 3
	// omissionKind is the count's name in x/operators.
	omissionKind = "omitted_receipt"
)

// omission is a record that was never claimed, on its way.
type omission struct {
	record   receipt.Record
	jobID    [32]byte
	hostID   [32]byte
	operator []byte
	settler  []byte
	gateway  bool // whether a gateway's settler pays, else the operator
	owed     uint64
	event    types.EventOmissionProven
}

// ClaimOmitted takes a record that its host never claimed in the epoch it names, after that epoch's submit window. A job that a gateway
// settles is no offence: it is counted against its host and at its gateway. One that the operator settles costs it three times the take
// and royalty that it kept back; the third within escalation_blocks is receipt fraud. Where a loss is declared for the host and epoch, it
// is counted only.
//
// Errors: ErrBadEvidence, operators' ErrUnknownHostKey, ErrOwnEvidence, ErrUnknownEpoch, ErrChallengeWindow, operators'
// ErrEvidenceTooOld, ErrBadRecord, those of royalties' Pricer, ErrNotOmitted, ErrEvidenceUsed.
func (k *Keeper) ClaimOmitted(ctx context.Context, reporter []byte, evidence []byte) (uint64, error) {
	chargeEvidence(ctx, evidence, signaturesOfRecord)
	e, err := fraud.DecodeOmission(evidence)
	if err != nil {
		return 0, errorsmod.Wrap(types.ErrBadEvidence, err.Error())
	}
	o, err := k.readOmission(ctx, &e)
	if err != nil {
		return 0, err
	}
	if err := k.checkReporter(ctx, o.operator, reporter); err != nil {
		return 0, err
	}
	if err := k.checkOmitted(ctx, o, &e); err != nil {
		return 0, err
	}
	id := fraud.ID(fraud.OmittedJob, o.record.Auth.Operator, o.jobID)
	if err := k.useEvidence(ctx, id, o.record.Epoch, types.FaultOmission); err != nil {
		return 0, err
	}
	if o.event.Reporter, err = k.bech32(reporter); err != nil {
		return 0, err
	}
	if err := k.countOmission(ctx, o); err != nil {
		return 0, err
	}
	if o.event.SlashedUltai, err = k.chargeOmission(ctx, o, id); err != nil {
		return 0, err
	}
	return o.event.SlashedUltai, emit(ctx, &o.event)
}

// readOmission checks the record by itself, and that its host had to claim it.
func (k *Keeper) readOmission(ctx context.Context, e *fraud.Omission) (*omission, error) {
	domain, err := k.operators.ReceiptDomain(ctx)
	if err != nil {
		return nil, err
	}
	o := &omission{}
	if o.record, o.jobID, err = e.Record(receipt.Checker{Domain: domain}); err != nil {
		return nil, errorsmod.Wrap(types.ErrBadRecord, err.Error())
	}
	r := &o.record
	if o.hostID, o.operator, err = k.hostKeyOperator(ctx, r.Auth.Operator); err != nil {
		return nil, err
	}
	state, err := k.epochState(ctx, r.Epoch)
	if err != nil {
		return nil, err
	}
	windows, err := k.windows(ctx, r.Epoch)
	if err != nil {
		return nil, err
	}
	if height(ctx) <= windows.Submit.Last {
		return nil, errorsmod.Wrapf(types.ErrChallengeWindow, "epoch %d: its submit window ends in block %d, this is %d",
			r.Epoch, windows.Submit.Last, height(ctx))
	}
	if err := k.operators.CheckEvidenceAge(ctx, windows.Submit.Last); err != nil {
		return nil, err
	}
	if o.settler, o.gateway, err = k.settlerOf(ctx, r.Auth.Payer, r.Auth.IssuedAt, o.operator); err != nil {
		return nil, err
	}
	if err := k.checkClaimable(ctx, o); err != nil {
		return nil, err
	}
	pricing, err := k.royalties.Pricer(r.Epoch)(ctx, r.Auth.ModelID, r.Auth.AdapterID)
	if err != nil {
		return nil, err
	}
	w, err := pricing.Waterfall(r.Amount, state.Params.TakeBps)
	if err != nil {
		return nil, err
	}
	o.owed = w.Take + w.Royalty // parts of the amount
	o.event = types.EventOmissionProven{
		HostKey: r.Auth.Operator[:], Epoch: r.Epoch, Seq: r.Seq, JobId: o.jobID[:], AmountUusdc: r.Amount, OwedUusdc: o.owed,
	}
	o.event.Operator, err = k.bech32(o.operator)
	return o, err
}

// checkClaimable applies the context rules as in the group that the record belongs to. Error: ErrBadRecord.
func (k *Keeper) checkClaimable(ctx context.Context, o *omission) error {
	r := &o.record
	key, err := k.operators.HostKey(ctx, r.Auth.Operator)
	if err != nil {
		return err
	}
	start, err := k.epochStart(ctx, r.Epoch)
	if err != nil {
		return err
	}
	next, err := k.epochStart(ctx, r.Epoch+1)
	if err != nil {
		return err
	}
	settler := [20]byte(o.settler)
	rules := receipt.Context{
		HostKeyAddress: r.Auth.Operator, HostID: o.hostID, Epoch: r.Epoch, ModelID: r.Auth.ModelID, AdapterID: r.Auth.AdapterID,
		FirstSeq: r.Seq, LastSeq: r.Seq, EpochStart: start, NextEpochStart: next,
		KeyRegisteredAt: key.RegisteredAt, KeyExpiresAt: key.ExpiresAt,
		Settler: settler, WantSettler: settler, SettlerIsGateway: o.gateway, AdapterBase: r.Auth.ModelID,
	}
	if err := rules.Check(r); err != nil {
		return errorsmod.Wrap(types.ErrBadRecord, err.Error())
	}
	return nil
}

// checkOmitted checks that the group that must hold the record lacks it, or that there is none. Error: ErrNotOmitted.
func (k *Keeper) checkOmitted(ctx context.Context, o *omission, e *fraud.Omission) error {
	r := &o.record
	id, found, err := k.claimOf(ctx, r.Epoch, r.Auth.Operator[:], o.settler, r.Seq)
	if err != nil {
		return err
	}
	position := uint32(0)
	var b types.Batch
	if found {
		if b, err = k.batch(ctx, id); err != nil {
			return err
		}
		position, found = b.GroupOf(o.settler, r.Auth.ModelID, r.Auth.AdapterID, r.Seq)
	}
	if !found {
		if len(e.Around) > 0 {
			return errorsmod.Wrap(types.ErrNotOmitted, "no group's range has its seq: show the record alone")
		}
		return nil
	}
	group, err := b.DomainGroup(position)
	if err != nil {
		return err
	}
	if err := e.Check(r.Seq, o.jobID, b.Id, position, &group); err != nil {
		return errorsmod.Wrapf(types.ErrNotOmitted, "batch %d group %d: %s", b.Id, position, err)
	}
	return nil
}

// countOmission enters an omission into the host's epoch and the gateway's scorecard.
func (k *Keeper) countOmission(ctx context.Context, o *omission) error {
	key := collections.Join(o.record.Epoch, o.hostID[:])
	host, err := k.hostEpochs.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) {
		host, err = types.HostEpoch{Epoch: o.record.Epoch, HostId: o.hostID[:]}, nil
	}
	if err != nil {
		return err
	}
	if err := addTo(&host.Omitted, 1); err != nil {
		return err
	}
	if err := k.hostEpochs.Set(ctx, key, host); err != nil || !o.gateway {
		return err
	}
	s, err := k.settler(ctx, o.settler)
	if err != nil {
		return err
	}
	o.event.Gateway = s.Gateway
	return k.changeGateway(ctx, &s, func(g *types.Gateway) error { return addTo(&g.JobsOmitted, 1) })
}

// chargeOmission has an operator that settles the job itself pay, and returns what it paid, in ultai.
func (k *Keeper) chargeOmission(ctx context.Context, o *omission, id [32]byte) (uint64, error) {
	lost, err := k.losses.Has(ctx, collections.Join(o.record.Epoch, o.hostID[:]))
	if err != nil || lost || o.gateway {
		return 0, err
	}
	nth, err := k.operators.Strike(ctx, o.operator, omissionKind)
	if err != nil {
		return 0, err
	}
	evidence := fmt.Sprintf("%s epoch %d seq %d", types.FaultOmission, o.record.Epoch, o.record.Seq)
	if nth >= omissionStrikes {
		p, err := k.operators.Punish(ctx, operatorstypes.Offence{
			Kind: operatorstypes.OffenceReceiptFraud, Operator: o.operator, ClaimUusdc: o.record.Amount, EvidenceID: id, Evidence: evidence,
		})
		return p.SlashUltai, err
	}
	fine := u128.Mul(o.owed, omissionMultiple)
	if fine.Hi > 0 {
		return 0, errorsmod.Wrapf(types.ErrOverflow, "%d times %d", omissionMultiple, o.owed)
	}
	return k.operators.Fine(ctx, o.operator, omissionKind, fine.Lo, evidence)
}
