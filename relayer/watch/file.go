// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/fraud"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/store"
	"github.com/gpucoord/gpucoord/relayer/submit"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// equivocationBlocks is how long a report that hits no open batch is tried.
const equivocationBlocks = 600

// Events that say what came of a transaction.
const (
	eventCommitted = "gpucoord.operators.v1.EventReportCommitted"
	eventProven    = "gpucoord.receipts.v1.EventChallengeProven"
)

// errNoReport says that a transaction does not say which report it made.
var errNoReport = errors.New("the node's answer does not name the report; ask a node that indexes events")

// Keys of the outbox.
func commitKey(id int64) string { return fmt.Sprintf("watch/commit/%d", id) }
func revealKey(id int64) string { return fmt.Sprintf("watch/reveal/%d", id) }
func demandKey(id int64) string { return fmt.Sprintf("watch/demand/%d", id) }

// filing is one pass over the open cases.
type filing struct {
	w      *Watcher
	height uint64
	params *operatorstypes.Params
}

// File moves every open case on. Of several findings about one batch the gravest is filed first: when that voids the batch, the
// others are moot.
func (w *Watcher) File(ctx context.Context) error {
	cases, err := w.store.openCases(ctx)
	if err != nil || len(cases) == 0 {
		return err
	}
	_, params, head, err := w.schedule(ctx)
	if err != nil {
		return err
	}
	f := &filing{w: w, height: head.Height, params: params}
	busy := make(map[uint64]bool)
	var errs []error
	for i := range cases {
		c := &cases[i]
		if c.state == caseFound && busy[c.BatchID] && c.Kind != Equivocation {
			continue
		}
		busy[c.BatchID] = true
		if err := f.advance(ctx, c); err != nil {
			errs = append(errs, fmt.Errorf("case %d: %w", c.id, err))
		}
	}
	return errors.Join(errs...)
}

// advance does what can be done for a case now. Each state has what is needed to repeat its step.
func (f *filing) advance(ctx context.Context, c *kase) error {
	switch c.state {
	case caseFound:
		return f.begin(ctx, c)
	case caseCommitting:
		return f.commit(ctx, c)
	case caseRevealing:
		return f.reveal(ctx, c)
	case caseDemanding:
		return f.demand(ctx, c)
	default:
		return f.awaitAnswer(ctx, c)
	}
}

// begin decides whether a finding is filed, and prepares that.
func (f *filing) begin(ctx context.Context, c *kase) error {
	if f.w.cfg.Reporter == [20]byte{} {
		return f.end(ctx, c, ResultUnfiled)
	}
	if over, err := f.mootIfOver(ctx, c); over || err != nil {
		return err
	}
	if c.Kind == Withheld {
		c.state = caseDemanding
		return errors.Join(f.w.store.demand(ctx, c.id, caseDemanding, 0), f.demand(ctx, c))
	}
	if _, err := rand.Read(c.salt[:]); err != nil {
		return fmt.Errorf("make a salt: %w", err)
	}
	if err := f.w.store.commit(ctx, c.id, c.salt); err != nil {
		return err
	}
	c.state = caseCommitting
	return f.commit(ctx, c)
}

// commit sends the commitment, and goes on when a block has it.
func (f *filing) commit(ctx context.Context, c *kase) error {
	commitment := operatorstypes.ReportCommitment(f.w.cfg.Checker.Domain.Salt(), f.w.cfg.Reporter, c.salt, sha256.Sum256(c.Evidence))
	item, err := f.sent(ctx, c, commitKey(c.id), func() (sdk.Msg, uint64, error) {
		deadline, err := f.deadline(ctx, c)
		return &operatorstypes.MsgCommitReport{Reporter: f.reporter(), Commitment: commitment[:]}, max(deadline, 1) - 1, err
	})
	if err != nil || item.State != store.Done {
		return err
	}
	res, err := f.w.chain.Tx(ctx, item.TxHash)
	if err != nil {
		return err
	}
	if c.reportID, err = reportOf(res.Events); err != nil {
		return err
	}
	if err := f.w.store.reveal(ctx, c.id, c.reportID, item.Height); err != nil {
		return err
	}
	c.state, c.height = caseRevealing, item.Height
	return f.reveal(ctx, c)
}

// reveal sends the evidence, and ends the case when a block has it.
func (f *filing) reveal(ctx context.Context, c *kase) error {
	key := revealKey(c.id)
	item, err := f.sent(ctx, c, key, func() (sdk.Msg, uint64, error) {
		deadline, err := f.deadline(ctx, c)
		if err != nil {
			return nil, 0, err
		}
		named, err := f.named(ctx, c)
		return &receiptstypes.MsgChallenge{
			Reporter: f.reporter(), ReportId: c.reportID, Salt: c.salt[:], Kind: c.Kind.challenge(), Evidence: c.Evidence, Batches: named,
		}, min(deadline, c.height+f.params.ReportBlocks-1), err
	})
	if err != nil || item.State != store.Done {
		return err
	}
	res, err := f.w.chain.Tx(ctx, item.TxHash)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(res.Events, func(e sdk.StringEvent) bool { return e.Type == eventProven }) {
		return f.end(ctx, c, ResultProven)
	}
	return f.end(ctx, c, ResultRefused)
}

// demand asks the chain for a leaf.
func (f *filing) demand(ctx context.Context, c *kase) error {
	item, err := f.sent(ctx, c, demandKey(c.id), func() (sdk.Msg, uint64, error) {
		deadline, err := f.deadline(ctx, c)
		return &receiptstypes.MsgDemandData{Reporter: f.reporter(), BatchId: c.BatchID, Group: c.Group, Index: c.Index}, deadline, err
	})
	if err != nil || item.State != store.Done {
		return err
	}
	c.state, c.height = caseDemanded, item.Height
	return f.w.store.demand(ctx, c.id, caseDemanded, item.Height)
}

// awaitAnswer ends a demand when the chain has closed it.
func (f *filing) awaitAnswer(ctx context.Context, c *kase) error {
	if f.height <= c.height {
		return nil // the state that would be read may be older than the demand
	}
	open, err := f.w.q.Receipts.Demands(ctx, &receiptstypes.QueryDemandsRequest{BatchId: c.BatchID})
	if err != nil {
		return fmt.Errorf("read demands: %w", err)
	}
	for i := range open.Demands {
		if d := &open.Demands[i]; d.Reporter == f.reporter() && d.Group == c.Group && d.Index == c.Index {
			return nil
		}
	}
	b, found, err := f.w.batchNow(ctx, c.BatchID)
	switch {
	case err != nil:
		return err
	case found && b.Status == receiptstypes.BatchStatus_BATCH_STATUS_VOID && b.Reason == receiptstypes.FaultWithheld:
		return f.end(ctx, c, ResultProven)
	case found && b.Status == receiptstypes.BatchStatus_BATCH_STATUS_VOID:
		return f.end(ctx, c, ResultMoot)
	}
	return f.end(ctx, c, ResultRefused)
}

// sent puts a case's transaction into the outbox, if it is not there yet, and returns it as it stands. One that failed, or whose
// batch ended before it was sent, ends the case.
func (f *filing) sent(ctx context.Context, c *kase, key string, message func() (sdk.Msg, uint64, error)) (store.Item, error) {
	item, err := f.w.outbox.Item(ctx, key)
	if err != nil && !errors.Is(err, store.ErrNoItem) {
		return item, err
	}
	known := err == nil
	switch {
	case known && item.State == store.Failed:
		return item, f.end(ctx, c, ResultFailed)
	case known && item.State != store.Pending:
		return item, nil
	}
	over, err := f.mootIfOver(ctx, c)
	if over && known {
		err = errors.Join(err, f.w.outbox.Replace(ctx, key, nil))
	}
	if over || err != nil || known {
		return item, err
	}
	msg, deadline, err := message()
	if err != nil {
		return item, err
	}
	if item, err = submit.ItemOf(key, msg, 0, deadline); err != nil {
		return item, err
	}
	f.w.log.InfoContext(ctx, "filing", slog.String("key", key), slog.String("kind", string(c.Kind)), slog.Uint64("batch_id", c.BatchID),
		slog.String("reason", c.Reason))
	return item, f.w.outbox.Enqueue(ctx, item)
}

func (f *filing) reporter() string { return chain.Bech32(f.w.cfg.Reporter[:]) }

func (f *filing) end(ctx context.Context, c *kase, result string) error {
	f.w.log.InfoContext(ctx, "case ended", slog.String("kind", string(c.Kind)), slog.Uint64("batch_id", c.BatchID), slog.String("result", result))
	return f.w.store.end(ctx, c, result)
}

// mootIfOver ends a case that needs an open batch when there is none left.
func (f *filing) mootIfOver(ctx context.Context, c *kase) (bool, error) {
	if c.Kind == Equivocation {
		return false, nil
	}
	ids := []uint64{c.BatchID}
	if c.Other != 0 {
		ids = append(ids, c.Other)
	}
	for _, id := range ids {
		b, found, err := f.w.batchNow(ctx, id)
		if err != nil || found && b.Open() {
			return false, err
		}
	}
	return true, f.end(ctx, c, ResultMoot)
}

// deadline is the last block in which a case can be filed.
func (f *filing) deadline(ctx context.Context, c *kase) (uint64, error) {
	if c.Kind == Equivocation {
		return f.height + equivocationBlocks, nil
	}
	var last uint64
	for _, id := range []uint64{c.BatchID, c.Other} {
		if id == 0 {
			continue
		}
		b, found, err := f.w.batchNow(ctx, id)
		if err != nil {
			return 0, err
		}
		if !found || !b.Open() {
			continue
		}
		windows, err := f.params.Schedule.Domain().Windows(b.Epoch)
		if err != nil {
			return 0, err
		}
		// A batch that waits longer than its window, because it was extended or is stuck, can be challenged as long as it waits.
		last = max(last, windows.Challenge.Last, max(b.DueHeight, 1)-1)
	}
	return last, nil
}

// named returns the open batches that the records of an equivocation belong to, as the chain sees it.
func (f *filing) named(ctx context.Context, c *kase) ([]uint64, error) {
	if c.Kind != Equivocation {
		return nil, nil
	}
	e, err := fraud.DecodeEquivocation(c.Evidence)
	if err != nil {
		return nil, err
	}
	var out []uint64
	for _, id := range []uint64{c.BatchID, c.Other} {
		if id == 0 {
			continue
		}
		b, found, err := f.w.batchNow(ctx, id)
		if err != nil {
			return nil, err
		}
		if found && b.Open() && (holds(b, e.SR1A) || holds(b, e.SR1B)) {
			out = append(out, id)
		}
	}
	return out, nil
}

// holds says whether a batch has a group to which a record belongs.
func holds(b *receiptstypes.Batch, sr1 []byte) bool {
	r, err := receipt.Decode(sr1)
	if err != nil || string(b.HostKey) != string(r.Auth.Operator[:]) || b.Epoch != r.Epoch {
		return false
	}
	_, found := b.GroupOf(nil, r.Auth.ModelID, r.Auth.AdapterID, r.Seq)
	return found
}

// batchNow reads a batch from the chain; it may be pruned.
func (w *Watcher) batchNow(ctx context.Context, id uint64) (*receiptstypes.Batch, bool, error) {
	res, err := w.q.Receipts.Batch(ctx, &receiptstypes.QueryBatchRequest{BatchId: id})
	if status.Code(err) == codes.NotFound {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read batch %d: %w", id, err)
	}
	return &res.Batch, true, nil
}

// reportOf reads the report's id from the events of a transaction.
func reportOf(events []sdk.StringEvent) (uint64, error) {
	for _, e := range events {
		if e.Type != eventCommitted {
			continue
		}
		for _, a := range e.Attributes {
			var report struct {
				ID string `json:"id"`
			}
			if a.Key != "report" || json.Unmarshal([]byte(a.Value), &report) != nil {
				continue
			}
			if id, err := strconv.ParseUint(report.ID, 10, 64); err == nil && id > 0 {
				return id, nil
			}
		}
	}
	return 0, errNoReport
}
