// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"encoding/binary"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// retrySeconds is how long a timed deadline waits whose executor failed.
const retrySeconds = 600

// queueOf returns the queue that holds deadlines of the kind.
func (k *Keeper) queueOf(kind types.DeadlineKind) *deadlineMap {
	switch {
	case kind.Timed():
		return k.timeDeadlines
	case kind == types.DeadlineKind_DEADLINE_KIND_PANEL:
		return k.panelDeadlines // its own, so that nobody delays a panel beyond its epoch's settlement by filling the other
	}
	return k.heightDeadlines
}

func keyOf(kind types.DeadlineKind, id []byte) deadlineKey {
	return collections.Join(uint32(kind), id) //nolint:gosec // kinds are small and positive
}

// setDeadline puts a deadline in its queue, in place of one of the same kind and id.
func (k *Keeper) setDeadline(ctx context.Context, kind types.DeadlineKind, id []byte, at uint64) error {
	return k.queueOf(kind).Set(ctx, keyOf(kind, id), types.Deadline{Kind: kind, Id: id, At: at})
}

// dropDeadline takes a deadline out of its queue.
func (k *Keeper) dropDeadline(ctx context.Context, kind types.DeadlineKind, id []byte) error {
	return k.queueOf(kind).Remove(ctx, keyOf(kind, id))
}

// runDeadlines executes what is due, at most max_deadlines_per_block of each queue, soonest first, each in its own cached context. One
// that fails waits, so that it does not hold the head of its queue.
func (k *Keeper) runDeadlines(ctx context.Context) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	queues := []struct {
		entries    *deadlineMap
		now, retry uint64
	}{
		{k.panelDeadlines, height(ctx), retryBlocks},
		{k.heightDeadlines, height(ctx), retryBlocks},
		{k.timeDeadlines, blockTime(ctx), retrySeconds},
	}
	for _, queue := range queues {
		due, err := dueDeadlines(ctx, queue.entries, queue.now, int(params.MaxDeadlinesPerBlock))
		if err != nil {
			return err
		}
		for _, d := range due {
			err := k.tryDeadline(ctx, d)
			if err == nil {
				continue
			}
			k.logger(ctx).Error("deadline not executed", "kind", d.Kind.String(), "err", err)
			d.At = queue.now + queue.retry
			if err := queue.entries.Set(ctx, keyOf(d.Kind, d.Id), d); err != nil {
				return err
			}
			if err := emit(ctx, &types.EventDeadlinePostponed{Deadline: d}); err != nil {
				return err
			}
		}
	}
	return nil
}

func dueDeadlines(ctx context.Context, entries *deadlineMap, now uint64, limit int) ([]types.Deadline, error) {
	var keys []deadlineKey
	err := entries.Indexes.due.Walk(ctx, nil, func(at uint64, key deadlineKey) (bool, error) {
		if at > now || len(keys) >= limit {
			return true, nil
		}
		keys = append(keys, key)
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	due := make([]types.Deadline, len(keys))
	for i, key := range keys {
		if due[i], err = entries.Get(ctx, key); err != nil {
			return nil, err
		}
	}
	return due, nil
}

// tryDeadline executes one deadline, or leaves no trace. The entry is gone before its executor runs, which may set the next one.
func (k *Keeper) tryDeadline(ctx context.Context, d types.Deadline) error {
	return isolated(ctx, func(ctx context.Context) error {
		if err := k.dropDeadline(ctx, d.Kind, d.Id); err != nil {
			return err
		}
		return k.execute(ctx, d)
	})
}

// execute does what is due. Every kind of deadline has its executor here.
func (k *Keeper) execute(ctx context.Context, d types.Deadline) error {
	switch d.Kind {
	case types.DeadlineKind_DEADLINE_KIND_REPORT:
		return k.expireReport(ctx, binary.BigEndian.Uint64(d.Id))
	case types.DeadlineKind_DEADLINE_KIND_DEFERRED:
		return k.closeDeferred(ctx, binary.BigEndian.Uint64(d.Id), "lapsed")
	case types.DeadlineKind_DEADLINE_KIND_EVIDENCE:
		return k.forgetEvidence(ctx, d.Id)
	case types.DeadlineKind_DEADLINE_KIND_ATTESTATION:
		return k.expireAttestation(ctx, d.Id)
	case types.DeadlineKind_DEADLINE_KIND_VERIFIER:
		return k.releaseVerifier(ctx, d.Id)
	case types.DeadlineKind_DEADLINE_KIND_PROBER:
		return k.releaseProber(ctx, d.Id)
	case types.DeadlineKind_DEADLINE_KIND_PANEL:
		return k.workPanel(ctx, binary.BigEndian.Uint64(d.Id))
	}
	return errorsmod.Wrapf(types.ErrInvariant, "deadline of kind %d", d.Kind)
}
