// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/fraud"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// judge looks at evidence whose report was revealed. Its error means that state could not be read, not that nothing is shown.
type judge func(ctx context.Context) (finding, error)

// readChallenge reads the evidence, finds the batches and the accused, and returns who judges it.
//
// Errors: ErrBadEvidence, ErrUnknownBatch, ErrBatchStatus, those of readEquivocation.
func (k *Keeper) readChallenge(ctx context.Context, c *challenge) (judge, error) {
	switch c.msg.Kind {
	case types.ChallengeKind_CHALLENGE_KIND_REPEAT:
		return k.readRepeat(ctx, c)
	case types.ChallengeKind_CHALLENGE_KIND_EQUIVOCATION:
		return k.readEquivocation(ctx, c)
	case types.ChallengeKind_CHALLENGE_KIND_RECORD:
		return k.readRecord(ctx, c)
	case types.ChallengeKind_CHALLENGE_KIND_NODE:
		return k.readNode(ctx, c)
	case types.ChallengeKind_CHALLENGE_KIND_ORDER:
		return k.readOrder(ctx, c)
	default:
		return nil, errorsmod.Wrapf(types.ErrBadEvidence, "kind %d", c.msg.Kind)
	}
}

// accuse finds the batches of a challenge; the operator of the first is the accused, and one must be open.
func (k *Keeper) accuse(ctx context.Context, c *challenge, ids ...uint64) error {
	for _, id := range ids {
		if _, err := k.namedBatch(ctx, c, id); err != nil {
			return err
		}
	}
	if _, err := c.openBatches(); err != nil {
		return err
	}
	var err error
	c.operator, err = k.parseParty("operator", c.batches[0].Operator)
	return err
}

// readRepeat reads evidence of one job at two places (F1).
func (k *Keeper) readRepeat(ctx context.Context, c *challenge) (judge, error) {
	e, err := fraud.DecodeRepeat(c.msg.Evidence)
	if err != nil {
		return nil, errorsmod.Wrap(types.ErrBadEvidence, err.Error())
	}
	if err := k.accuse(ctx, c, e.A.BatchID, e.B.BatchID); err != nil {
		return nil, err
	}
	return func(context.Context) (finding, error) {
		first, second := c.batches[0], c.batches[len(c.batches)-1]
		a, err := first.DomainGroup(e.A.Group)
		if err != nil {
			return nothing(err), nil
		}
		b, err := second.DomainGroup(e.B.Group)
		if err != nil {
			return nothing(err), nil
		}
		if err := e.Check(&a, &b); err != nil {
			return nothing(err), nil
		}
		open, err := c.openBatches()
		return finding{
			fault: types.FaultDoubleClaim, kind: operatorstypes.OffenceDoubleClaim, void: open,
			id:    fraud.ID(fraud.RepeatedJob, a.Operator, e.A.Opening.Leaf.JobID),
			epoch: max(first.Epoch, second.Epoch),
		}, err
	}, nil
}

// inBatch is the finding that one batch breaks a rule of its own.
func inBatch(c *challenge, fault string) finding {
	b := c.batches[0]
	return finding{
		fault: fault, kind: operatorstypes.OffenceReceiptFraud, claim: b.AmountUusdc, void: c.batches[:1],
		id: batchFault(b.Id), epoch: b.Epoch,
	}
}

// batchFault is the id of any fault of one batch: it is void once.
func batchFault(id uint64) [32]byte {
	return fraud.ID(fraud.BadBatch, [20]byte{}, fraud.Number(id))
}

// readNode reads evidence of a wrong sum (F3).
func (k *Keeper) readNode(ctx context.Context, c *challenge) (judge, error) {
	e, err := fraud.DecodeNode(c.msg.Evidence)
	if err != nil {
		return nil, errorsmod.Wrap(types.ErrBadEvidence, err.Error())
	}
	return k.inGroup(ctx, c, e.BatchID, e.Group, types.FaultNode, e.Check)
}

// readOrder reads evidence of leaves out of order (F4).
func (k *Keeper) readOrder(ctx context.Context, c *challenge) (judge, error) {
	e, err := fraud.DecodeOrder(c.msg.Evidence)
	if err != nil {
		return nil, errorsmod.Wrap(types.ErrBadEvidence, err.Error())
	}
	return k.inGroup(ctx, c, e.A.BatchID, e.A.Group, types.LeafOrder, e.Check)
}

// inGroup judges evidence that one group alone decides.
func (k *Keeper) inGroup(
	ctx context.Context, c *challenge, batch uint64, position uint32, fault string, check func(*sumtree.Group) error,
) (judge, error) {
	if err := k.accuse(ctx, c, batch); err != nil {
		return nil, err
	}
	return func(context.Context) (finding, error) {
		group, err := c.batches[0].DomainGroup(position)
		if err == nil {
			err = check(&group)
		}
		if err != nil {
			return nothing(err), nil
		}
		return inBatch(c, fault), nil
	}, nil
}

// readRecord reads the record behind a leaf (F2).
func (k *Keeper) readRecord(ctx context.Context, c *challenge) (judge, error) {
	e, err := fraud.DecodeRecord(c.msg.Evidence)
	if err != nil {
		return nil, errorsmod.Wrap(types.ErrBadEvidence, err.Error())
	}
	if err := k.accuse(ctx, c, e.Placed.BatchID); err != nil {
		return nil, err
	}
	return func(ctx context.Context) (finding, error) { return k.judgeRecord(ctx, c, &e) }, nil
}

// judgeRecord applies the rules of the record, of the leaf and of the context, which are those that a sample has to keep.
func (k *Keeper) judgeRecord(ctx context.Context, c *challenge, e *fraud.Record) (finding, error) {
	b := c.batches[0]
	group, err := b.DomainGroup(e.Placed.Group)
	if err != nil {
		return nothing(err), nil //nolint:nilerr // it is what the evidence fails by
	}
	o, err := k.batchOpener(ctx, b, c.operator, group)
	if err != nil {
		return finding{}, err
	}
	record, fault, err := e.Check(&group, o.checker)
	if err != nil {
		return nothing(err), nil //nolint:nilerr // it is what the evidence fails by
	}
	if fault != nil {
		return inBatch(c, types.FaultRecord), nil
	}
	err = k.checkContext(ctx, o, &group, &record)
	switch {
	case errors.Is(err, types.ErrBadRecord):
		return inBatch(c, types.FaultRecord), nil
	case err != nil:
		return finding{}, err
	}
	return k.judgeAttestation(ctx, c, &record)
}

// batchOpener returns what checks records of one group outside the open window.
func (k *Keeper) batchOpener(ctx context.Context, b *types.Batch, operator []byte, group sumtree.Group) (*opener, error) {
	o := &opener{batch: b, operator: operator, groups: []sumtree.Group{group}}
	var err error
	if o.checker.Domain, err = k.operators.ReceiptDomain(ctx); err != nil {
		return nil, err
	}
	o.context, err = k.batchContext(ctx, o)
	return o, err
}

// errKeepsRules says that a record is as it should be.
var errKeepsRules = errors.New("the record keeps every rule")

// judgeAttestation looks at the attestation that a record which keeps all other rules names. One that had expired when the record was
// served is an offence of its operator, once for each attestation; the batch stands.
func (k *Keeper) judgeAttestation(ctx context.Context, c *challenge, record *receipt.Record) (finding, error) {
	if record.AttestRef == ([32]byte{}) {
		return nothing(errKeepsRules), nil
	}
	status, err := k.operators.AttestationAt(ctx, record.AttestRef, record.ServedAt)
	if err != nil {
		return finding{}, err
	}
	if status.Standing != operatorstypes.AttestationStale {
		return nothing(errKeepsRules), nil
	}
	return finding{
		fault: types.FaultStaleAttestation, kind: operatorstypes.OffenceStaleAttestation, epoch: c.batches[0].Epoch,
		id:    fraud.ID(fraud.StaleAttestation, [20]byte(c.operator), record.AttestRef),
		stale: record.AttestRef,
	}, nil
}
