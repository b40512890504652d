// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"crypto/sha256"
	"fmt"

	errorsmod "cosmossdk.io/errors"

	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// challenge is one MsgChallenge on its way: what it accuses, and of whom.
type challenge struct {
	msg      *types.MsgChallenge
	reporter []byte
	operator []byte         // the accused
	batches  []*types.Batch // those that the evidence or the message names, each once
	bond     uint64         // the reporter's, in ultai
}

// finding is what evidence shows. An empty fault shows nothing, and why says so.
type finding struct {
	fault string
	why   error
	// id and epoch remember the fault.
	id    [32]byte
	epoch uint64
	// kind is the operator's offence, on a claim of claim uusdc.
	kind  operatorstypes.OffenceKind
	claim uint64
	// void are the open batches that are void by it.
	void []*types.Batch
	// gateway pays instead of the operator for the payment that it named twice.
	gateway    []byte
	paymentRef [32]byte
	// stale is the attestation whose claims end by it.
	stale [32]byte
}

// nothing is the finding that evidence shows no fraud.
func nothing(why error) finding { return finding{why: why} }

// Challenge judges evidence of fraud by a report that was committed in an earlier block. Proven fraud voids the open batches that it is
// in, punishes its operator (or the gateway that named a payment twice) and returns the reporter's bond. Evidence that proves nothing
// forfeits the bond to the accused operator, without an error, so that the bond moves.
//
// Errors, after which the report still stands: ErrUnknownBatch, ErrBatchStatus (no named batch is open), operators' ErrUnknownHostKey,
// ErrUnknownEpoch, ErrNotInBatch, ErrOwnEvidence, what RevealReport returns, ErrEvidenceUsed.
func (k *Keeper) Challenge(ctx context.Context, reporter []byte, msg *types.MsgChallenge) (*types.MsgChallengeResponse, error) {
	c := &challenge{msg: msg, reporter: reporter}
	chargeEvidence(ctx, msg.Evidence, signaturesOf(msg.Kind))
	judge, err := k.readChallenge(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := k.checkReporter(ctx, c.operator, reporter); err != nil {
		return nil, err
	}
	c.bond, err = k.operators.RevealReport(ctx, msg.ReportId, reporter, [32]byte(msg.Salt), sha256.Sum256(msg.Evidence))
	if err != nil {
		return nil, err
	}
	found, err := judge(ctx)
	if err != nil {
		return nil, err
	}
	if found.fault == "" {
		return k.refuseChallenge(ctx, c, found.why)
	}
	return k.executeFinding(ctx, c, &found)
}

// signaturesOf returns how many signatures evidence of a kind may hold.
func signaturesOf(kind types.ChallengeKind) uint64 {
	switch kind {
	case types.ChallengeKind_CHALLENGE_KIND_RECORD:
		return signaturesOfRecord
	case types.ChallengeKind_CHALLENGE_KIND_EQUIVOCATION:
		return 2 * signaturesOfRecord
	default:
		return 0
	}
}

// refuseChallenge gives the reporter's bond to whom it accused wrongly.
func (k *Keeper) refuseChallenge(ctx context.Context, c *challenge, why error) (*types.MsgChallengeResponse, error) {
	operator, err := k.bech32(c.operator)
	if err != nil {
		return nil, err
	}
	if err := k.operators.ForfeitReport(ctx, c.msg.ReportId, c.operator); err != nil {
		return nil, err
	}
	err = emit(ctx, &types.EventChallengeRefused{
		Kind: c.msg.Kind, Operator: operator, Reporter: c.msg.Reporter, ReportId: c.msg.ReportId, ForfeitedUltai: c.bond, Reason: why.Error(),
	})
	return &types.MsgChallengeResponse{Reason: why.Error()}, err
}

// executeFinding does what follows from proven fraud.
func (k *Keeper) executeFinding(ctx context.Context, c *challenge, f *finding) (*types.MsgChallengeResponse, error) {
	if err := k.useEvidence(ctx, f.id, f.epoch, f.fault); err != nil {
		return nil, err
	}
	event := &types.EventChallengeProven{
		Kind: c.msg.Kind, Reporter: c.msg.Reporter, ReportId: c.msg.ReportId, EvidenceId: f.id[:], Fault: f.fault,
	}
	accused := c.operator
	if f.gateway != nil {
		accused = f.gateway
		if err := k.slashGateway(ctx, f.gateway, f.paymentRef, c); err != nil {
			return nil, err
		}
	} else if err := k.punish(ctx, c, f, event); err != nil {
		return nil, err
	}
	var err error
	if event.Operator, err = k.bech32(accused); err != nil {
		return nil, err
	}
	for i, b := range f.void {
		slashed := event.SlashedUltai
		if i > 0 {
			slashed = 0 // one slash is for all of them
		}
		if err := k.void(ctx, b, f.fault, slashed); err != nil {
			return nil, err
		}
		if err := k.batches.Set(ctx, b.Id, *b); err != nil {
			return nil, err
		}
		event.Batches = append(event.Batches, b.Id)
	}
	if err := k.operators.ReturnReport(ctx, c.msg.ReportId); err != nil {
		return nil, err
	}
	return &types.MsgChallengeResponse{Proven: true, Reason: f.fault, SlashedUltai: event.SlashedUltai}, emit(ctx, event)
}

// punish has the operator pay and enters what it paid into the event. Nobody is a victim: the locks of an open batch return, so that
// nobody's loss is proven.
func (k *Keeper) punish(ctx context.Context, c *challenge, f *finding, event *types.EventChallengeProven) error {
	p, err := k.operators.Punish(ctx, operatorstypes.Offence{
		Kind: f.kind, Operator: c.operator, ClaimUusdc: f.claim, Reporter: c.reporter, ReporterBondUltai: c.bond,
		EvidenceID: f.id, Evidence: evidenceText(c, f),
	})
	if err != nil {
		return err
	}
	event.SlashedUltai, event.VictimUltai, event.ReporterUltai = p.SlashUltai, p.VictimUltai, p.ReporterUltai
	event.InsuranceUltai, event.Deferred = p.InsuranceUltai, p.Deferred
	if f.stale == ([32]byte{}) {
		return nil
	}
	return k.operators.DemoteAttestation(ctx, f.stale)
}

// evidenceText names a fault and the batches it was found in, for people.
func evidenceText(c *challenge, f *finding) string {
	text := f.fault
	for _, b := range c.batches {
		text += fmt.Sprintf(" batch %d", b.Id)
	}
	return text
}

// namedBatch returns a batch that a challenge names, once for each id.
func (k *Keeper) namedBatch(ctx context.Context, c *challenge, id uint64) (*types.Batch, error) {
	for _, b := range c.batches {
		if b.Id == id {
			return b, nil
		}
	}
	b, err := k.batch(ctx, id)
	if err != nil {
		return nil, err
	}
	c.batches = append(c.batches, &b)
	return &b, nil
}

// openBatches returns the batches of a challenge that are open. Error: ErrBatchStatus if none is.
func (c *challenge) openBatches() ([]*types.Batch, error) {
	var open []*types.Batch
	for _, b := range c.batches {
		if b.Open() {
			open = append(open, b)
		}
	}
	if len(open) == 0 {
		return nil, errorsmod.Wrapf(types.ErrBatchStatus, "batch %d is %s", c.batches[0].Id, c.batches[0].Status)
	}
	return open, nil
}
