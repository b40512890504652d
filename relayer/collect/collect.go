// SPDX-License-Identifier: Apache-2.0

// Package collect copies a host's receipts into the relayer's store, each fully checked.
//
// A host's log is read from a durable offset. The records of one piece and the offset behind it are written in one
// transaction, so no crash loses or repeats one. What fails a check is turned down with the reason and never retried. A log
// that is shorter than what was read of it has lost receipts: then nothing more is read, until a person has looked.
package collect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/relayer/loop"
	"github.com/gpucoord/gpucoord/relayer/store"
)

// ErrUnknownKey says that the chain has no such receipt key.
var ErrUnknownKey = errors.New("receipt key is not registered")

// KeyOwner returns the host that a receipt key belongs to.
//
// Errors: ErrUnknownKey, or the chain's.
type KeyOwner func(ctx context.Context, key [20]byte) (hostID [32]byte, err error)

// Store is where receipts are kept.
type Store interface {
	Cursor(ctx context.Context, hostID [32]byte) (int64, error)
	SaveChunk(ctx context.Context, c *store.Chunk) error
	ReceiptOfJob(ctx context.Context, jobID [32]byte) (store.Receipt, error)
}

// Config says what is collected and how.
type Config struct {
	HostID   [32]byte
	Interval time.Duration
	// MaxFrames bounds one piece, Workers how many records are checked at a time.
	MaxFrames, Workers int
	Checker            receipt.Checker
}

// Collector copies one host's log.
type Collector struct {
	cfg    Config
	source Source
	owner  KeyOwner
	store  Store
	log    *slog.Logger

	step sync.Mutex // held while the log is read: Run and Drain share it

	mu     sync.Mutex // guards what follows
	owners map[[20]byte][32]byte
	health Health
}

// Health says how collecting goes.
type Health struct {
	// CaughtUp is when the end of the log was reached last, zero if never.
	CaughtUp time.Time
	// Err is what stopped the last pass, nil if nothing did.
	Err error
}

// New makes a collector.
func New(source Source, owner KeyOwner, s Store, cfg Config, log *slog.Logger) *Collector {
	return &Collector{cfg: cfg, source: source, owner: owner, store: s, log: log, owners: make(map[[20]byte][32]byte)}
}

// Run collects until ctx ends.
func (c *Collector) Run(ctx context.Context) error {
	return loop.Every(ctx, c.log, c.cfg.Interval, c.Drain)
}

// HostID is the host whose log this is.
func (c *Collector) HostID() [32]byte { return c.cfg.HostID }

// Health returns how collecting goes.
func (c *Collector) Health() Health {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.health
}

// Drain reads to the present end of the log.
//
// Errors: ErrLogShrank, ErrDamaged, ErrAnswer, or those of network, chain and store. Nothing is lost then: the next call goes on.
func (c *Collector) Drain(ctx context.Context) error {
	c.step.Lock()
	defer c.step.Unlock()
	err := c.drain(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.health.Err = err
	if err == nil {
		c.health.CaughtUp = time.Now()
	}
	return err
}

func (c *Collector) drain(ctx context.Context) error {
	for {
		more, err := c.next(ctx)
		if err != nil {
			return fmt.Errorf("collect host %x: %w", c.cfg.HostID[:4], err)
		}
		if !more {
			return nil
		}
	}
}

// next takes one piece up and says whether there may be more.
func (c *Collector) next(ctx context.Context) (bool, error) {
	offset, err := c.store.Cursor(ctx, c.cfg.HostID)
	if err != nil {
		return false, err
	}
	piece, err := c.source.Read(ctx, offset, c.cfg.MaxFrames)
	if errors.Is(err, ErrPruned) {
		return true, c.skip(ctx, offset)
	}
	if err == nil && (piece.End < offset || piece.Next < offset) {
		err = fmt.Errorf("%w: it ends at %d, %d was read", ErrLogShrank, min(piece.End, piece.Next), offset)
	}
	if err != nil {
		return false, err
	}
	if piece.Next == offset {
		return false, nil
	}
	chunk, err := c.check(ctx, offset, piece)
	if err != nil {
		return false, err
	}
	if err := c.store.SaveChunk(ctx, chunk); err != nil {
		return false, err
	}
	if len(chunk.Rejected) > 0 {
		c.log.WarnContext(ctx, "receipts were turned down", slog.Int("count", len(chunk.Rejected)), slog.String("err", chunk.Rejected[0].Reason))
	}
	return piece.Next < piece.End, nil
}

// skip goes on at the first offset that the host still has. What is gone is of epochs that can no longer be claimed.
func (c *Collector) skip(ctx context.Context, offset int64) error {
	first, err := c.source.First(ctx)
	if err != nil {
		return err
	}
	if first <= offset {
		return fmt.Errorf("%w: offset %d is said to be deleted, and %d to be the first one kept", ErrAnswer, offset, first)
	}
	c.log.ErrorContext(ctx, "the host deleted a part of its log before it was read", slog.Int64("from", offset), slog.Int64("to", first))
	return c.store.SaveChunk(ctx, &store.Chunk{HostID: c.cfg.HostID, From: offset, Next: first})
}
