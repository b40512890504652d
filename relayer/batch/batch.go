// SPDX-License-Identifier: Apache-2.0

// Package batch claims an operator's receipts: for each host key and each epoch in its submit window it decides which
// receipts the chain would take, commits to them in sum trees, writes their records to a DA file, and puts the transaction
// into the outbox.
//
// The DA file is on disk before the batch is in the store, and the batch and its transaction enter the store together. A
// batch is built once: the chain takes no second one in its place.
package batch

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/gpucoord/gpucoord/domain/epoch"
	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/da"
	"github.com/gpucoord/gpucoord/relayer/loop"
	"github.com/gpucoord/gpucoord/relayer/store"
	"github.com/gpucoord/gpucoord/relayer/submit"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// Store is where receipts are and batches go.
type Store interface {
	HostKeys(ctx context.Context, hostID [32]byte, epoch uint64) ([][20]byte, error)
	Receipts(ctx context.Context, hostID [32]byte, epoch uint64, hostKey [20]byte) ([]store.Receipt, error)
	Batches(ctx context.Context, fromEpoch uint64) ([]store.Batch, error)
	BatchesBefore(ctx context.Context, epoch uint64) ([]store.Batch, error)
	UnsentBatches(ctx context.Context) ([]store.Batch, error)
	SaveBatch(ctx context.Context, b *store.Batch, item store.Item, rejected []store.Rejection) error
	Reject(ctx context.Context, rejected []store.Rejection) error
	Prune(ctx context.Context, epoch, height uint64) error
}

// Host is one host whose receipts are claimed.
type Host struct {
	ID [32]byte
	// Drain collects what its log holds now.
	Drain func(ctx context.Context) error
}

// HeadOf returns the newest block of the chain.
type HeadOf func(ctx context.Context) (chain.Head, error)

// Config says for whom and when batches are made.
type Config struct {
	// Operator is whose hosts these are, Sender the account that signs, both bech32.
	Operator, Sender string
	// PublicURL is where others read DA files: PublicURL/da/<SHA-256>.
	PublicURL string
	Interval  time.Duration
	// GraceBlocks is how long late countersignatures are waited for, and hosts that lost their node at the epoch's end; MarginBlocks how long before the end of the submit
	// window a batch is built at the latest.
	GraceBlocks, MarginBlocks uint64
}

// Batcher makes batches.
type Batcher struct {
	head  HeadOf
	q     Queries
	store Store
	files *da.Dir
	hosts []Host
	cfg   Config
	log   *slog.Logger

	pruned uint64 // owned by Step: the epoch up to which everything was forgotten
}

// New makes a batcher.
func New(head HeadOf, q Queries, s Store, files *da.Dir, hosts []Host, cfg Config, log *slog.Logger) *Batcher {
	return &Batcher{head: head, q: q, store: s, files: files, hosts: hosts, cfg: cfg, log: log}
}

// Run works until ctx ends.
func (b *Batcher) Run(ctx context.Context) error {
	return loop.Every(ctx, b.log, b.cfg.Interval, b.Step)
}

// Step builds every batch that is due. One host's failure does not keep the others from theirs.
func (b *Batcher) Step(ctx context.Context) error {
	head, err := b.head(ctx)
	if err != nil {
		return err
	}
	ctx = chain.AtHeight(ctx, head.Height)
	params, err := b.q.Operators.Params(ctx, &operatorstypes.QueryParamsRequest{})
	if err != nil {
		return fmt.Errorf("read the operators' parameters: %w", err)
	}
	schedule := params.Params.Schedule.Domain()
	now, err := schedule.Of(head.Height)
	if errors.Is(err, epoch.ErrBeforeGenesis) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for back := uint64(1); back <= now; back++ {
		windows, err := schedule.Windows(now - back)
		if err != nil {
			return err
		}
		// What is sent now is in the next block at the earliest.
		if windows.Submit.Last <= head.Height {
			break
		}
		for i := range b.hosts {
			errs = append(errs, b.claimHost(ctx, &b.hosts[i], head, now-back, schedule, windows.Submit))
		}
	}
	return errors.Join(append(errs, b.prune(ctx, head.Height, schedule, params.Params.BlockTimeMs))...)
}

// claimHost builds a host's batches of an epoch when they are due.
func (b *Batcher) claimHost(ctx context.Context, host *Host, head chain.Head, e uint64, schedule epoch.Schedule, submit epoch.Window) error {
	if head.Height < DueHeight(host.ID, e, submit, b.cfg.GraceBlocks, b.cfg.MarginBlocks) {
		return nil
	}
	if err := host.Drain(ctx); err != nil && head.Height < latest(submit, b.cfg.MarginBlocks) {
		return fmt.Errorf("epoch %d waits for the host's log: %w", e, err)
	}
	keys, err := b.store.HostKeys(ctx, host.ID, e)
	if err != nil {
		return err
	}
	built, err := b.store.Batches(ctx, e)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if hasBatch(built, key, e) {
			continue
		}
		c := &claim{hostID: host.ID, hostKey: key, epoch: e, schedule: schedule, chainTime: uint64(max(head.Time.Unix(), 0))} //nolint:gosec // not negative
		for i := range built {
			if built[i].HostID == host.ID && built[i].Epoch == e {
				c.tokensUsed += built[i].Tokens
			}
		}
		if err := b.build(ctx, c, submit); err != nil {
			return fmt.Errorf("epoch %d of host key %x: %w", e, key, err)
		}
		if built, err = b.store.Batches(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

func hasBatch(batches []store.Batch, key [20]byte, e uint64) bool {
	for i := range batches {
		if batches[i].HostKey == key && batches[i].Epoch == e {
			return true
		}
	}
	return false
}

// build claims what can be claimed of one host key and epoch. If that is nothing, it is asked again at the next step: a
// countersignature may still come.
func (b *Batcher) build(ctx context.Context, c *claim, window epoch.Window) error {
	var err error
	if c.receipts, err = b.store.Receipts(ctx, c.hostID, c.epoch, c.hostKey); err != nil {
		return err
	}
	// A batch that is bound to be refused would use cover up that other epochs' batches need.
	jailed, err := b.jailed(ctx, c, window)
	if err != nil {
		return err
	}
	if jailed {
		return b.store.Reject(ctx, c.rejectAll(ReasonJailed))
	}
	unsent, err := b.store.UnsentBatches(ctx)
	if err != nil {
		return err
	}
	for i := range unsent {
		c.amountUnsent += unsent[i].AmountUusdc
	}
	facts, err := b.gather(ctx, c)
	if err != nil {
		return err
	}
	plan, err := PlanOf(c.receipts, facts)
	if err != nil {
		return err
	}
	if len(plan.Groups) == 0 {
		return b.store.Reject(ctx, plan.Rejected)
	}
	return b.save(ctx, c, &plan, window)
}

// save makes a plan durable: first its records, then the batch with its transaction.
func (b *Batcher) save(ctx context.Context, c *claim, plan *Plan, window epoch.Window) error {
	sum, err := b.files.Write(plan.Records())
	if err != nil {
		return err
	}
	msg := &receiptstypes.MsgSubmitBatch{
		Sender: b.cfg.Sender, HostKey: c.hostKey[:], Epoch: c.epoch, Groups: plan.Messages(),
		DaUri: fmt.Sprintf("%s/da/%x", b.cfg.PublicURL, sum), DaSha256: sum[:],
	}
	if err := msg.ValidateBasic(); err != nil {
		return fmt.Errorf("the chain would refuse the batch: %w", err)
	}
	item, err := submit.ItemOf(store.BatchKey(c.hostKey, c.epoch), msg, window.First, window.Last)
	if err != nil {
		return err
	}
	row := &store.Batch{
		HostID: c.hostID, HostKey: c.hostKey, Epoch: c.epoch, DASHA256: sum, Msg: item.Msg,
		Receipts: plan.Receipts, AmountUusdc: plan.AmountUusdc, Tokens: plan.Tokens,
	}
	if err := b.store.SaveBatch(ctx, row, item, plan.Rejected); err != nil {
		return err
	}
	b.log.InfoContext(ctx, "batch built", slog.Uint64("epoch", c.epoch), slog.String("host_id", fmt.Sprintf("%x", c.hostID)),
		slog.Uint64("receipts", plan.Receipts), slog.Uint64("amount_uusdc", plan.AmountUusdc), slog.Int("groups", len(plan.Groups)),
		slog.Int("rejected", len(plan.Rejected)))
	return nil
}

// DueHeight is when the batch of a host and epoch is built: not before the grace is over, not later than margin blocks
// before the window ends, and in between at a height that differs from host to host and from epoch to epoch.
func DueHeight(hostID [32]byte, e uint64, submit epoch.Window, grace, margin uint64) uint64 {
	last := latest(submit, margin)
	first := min(submit.First+grace, last)
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(hostID[:], e))
	return first + binary.BigEndian.Uint64(sum[:])%(last-first+1)
}

// latest is the last height at which a batch is waited with.
func latest(submit epoch.Window, margin uint64) uint64 {
	return submit.Last - min(margin, submit.Last-submit.First)
}
