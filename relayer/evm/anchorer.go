// SPDX-License-Identifier: Apache-2.0

package evm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/relayer/evm/report"
	"github.com/gpucoord/gpucoord/relayer/loop"
)

// Config is what one contract is anchored with.
type Config struct {
	// Name labels logs and metrics.
	Name     string
	ChainID  uint64
	Contract common.Address
	// CodeHash accepts code that this release does not compile; zero for the usual check.
	CodeHash common.Hash
	Limits   Limits
	// Interval is how often a pass is made, ResendAfter how long a transaction may wait before it is replaced.
	Interval, ResendAfter time.Duration
	// RaceWindow is the time over which relayers spread.
	RaceWindow time.Duration
	// Confirmations stand for finality where the chain names no finalized block; MaxLag is how many blocks an endpoint may be behind.
	Confirmations, MaxLag uint64
	// WatchOnly submits no anchors, and freezes all the same.
	WatchOnly bool
}

// OpenPurse opens the purse. It is tried again in every pass until it succeeds.
type OpenPurse func(ctx context.Context) (Purse, error)

// Anchorer keeps one contract up with the chain. Run and Step are for one goroutine; Report is for any.
type Anchorer struct {
	cfg       Config
	chain     Chain
	contract  Contract
	endpoints *Endpoints
	open      OpenPurse
	board     *report.Board
	log       *slog.Logger

	// What follows is memory of this process only; losing it costs time and never money. Owned by Step.
	purse  Purse
	origin [32]byte
	// known says that origin was read.
	known     bool
	flight    *flight
	unsettled []*flight
	sight     sight
	turn      turn
	failures  failures
	// checked is the hash of the contract's newest anchor that was found to be the chain's.
	checked [32]byte
	// raised are the alerts of the pass that runs.
	raised map[report.Alert]string
}

// New returns the anchorer of one contract. open is nil without a key: then the contract is only watched.
func New(chain Chain, clients []Client, open OpenPurse, cfg Config, log *slog.Logger) *Anchorer {
	contract := NewContract(cfg.Contract)
	cfg.WatchOnly = cfg.WatchOnly || open == nil
	return &Anchorer{
		cfg: cfg, chain: chain, contract: contract, open: open, log: log.With(slog.String("evm", cfg.Name)),
		endpoints: newEndpoints(clients, cfg.ChainID, contract, cfg.CodeHash, cfg.MaxLag),
		board:     report.NewBoard(cfg.Name, cfg.ChainID, cfg.Contract.Hex(), cfg.WatchOnly),
	}
}

// Run makes passes until ctx ends.
//
// Errors: the context's, always.
func (a *Anchorer) Run(ctx context.Context) error {
	return loop.Every(ctx, a.log, a.cfg.Interval, a.Step)
}

// Report is how the chain stands.
func (a *Anchorer) Report() report.Chain { return a.board.Read() }

// Step makes one pass. What a person must look at becomes an alert, so the error is only the context's.
func (a *Anchorer) Step(ctx context.Context) error {
	a.raised = make(map[report.Alert]string)
	err := a.pass(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		a.raise(alertOf(err), err)
	}
	fresh, gone := a.board.Alerts(a.raised, err == nil)
	for _, name := range fresh {
		a.log.ErrorContext(ctx, "alert", slog.String("alert", string(name)), slog.String("text", a.raised[name]))
	}
	for _, name := range gone {
		a.log.InfoContext(ctx, "alert is over", slog.String("alert", string(name)))
	}
	return nil
}

func (a *Anchorer) raise(name report.Alert, err error) { a.raised[name] = err.Error() }

// alertOf names the alert that an error ends a pass with.
func alertOf(err error) report.Alert {
	for _, c := range []struct {
		is   error
		name report.Alert
	}{
		{ErrBadAnchor, report.AlertInvalid},
		{ErrNoEndpoint, report.AlertNoEndpoint},
		{ErrSigner, report.AlertSigner},
		{ErrSignerLied, report.AlertSigner},
	} {
		if errors.Is(err, c.is) {
			return c.name
		}
	}
	return report.AlertNode
}

// pass reads everything and does the one thing that is to be done.
func (a *Anchorer) pass(ctx context.Context) error {
	if err := a.prepare(ctx); err != nil {
		return err
	}
	usable, err := a.endpoints.survey(ctx, a.origin)
	a.describe()
	if err != nil {
		return err
	}
	for _, p := range usable {
		if err = a.passOn(ctx, p, usable); !errors.Is(err, ErrEndpoint) {
			return err
		}
		p.fail(err)
		a.describe()
	}
	return fmt.Errorf("%w: %w", ErrNoEndpoint, err)
}

// prepare reads the origin and opens the purse.
func (a *Anchorer) prepare(ctx context.Context) error {
	if !a.known {
		origin, err := a.chain.Origin(ctx)
		if err != nil {
			return fmt.Errorf("read the chain's origin: %w", err)
		}
		a.origin, a.known = origin, true
	}
	if a.purse == nil && a.open != nil {
		purse, err := a.open(ctx)
		if err != nil {
			a.raise(report.AlertSigner, err) // the contract is watched all the same
			return nil
		}
		a.purse = purse
		a.board.Update(func(c *report.Chain) { c.Account = purse.Address().Hex() })
	}
	return nil
}

// describe reports the endpoints.
func (a *Anchorer) describe() {
	a.board.Update(func(c *report.Chain) { c.Endpoints = a.endpoints.describe() })
	for _, p := range a.endpoints.list {
		if p.err != nil && isRefused(p.err) {
			a.raise(report.AlertRefused, fmt.Errorf("rpc %d: %w", p.index, p.err))
		}
	}
}

// passOn makes the pass on one endpoint; transactions go to all usable ones.
func (a *Anchorer) passOn(ctx context.Context, p *endpoint, usable []*endpoint) error {
	v, err := a.look(ctx, p)
	if err != nil {
		return err
	}
	a.publish(v)
	a.settle(ctx, p.client, v)
	if !a.mayAct(v) {
		return nil
	}
	job, err := a.next(ctx, v)
	if err != nil || job == nil || a.purse == nil {
		return err
	}
	return a.send(ctx, p, usable, v, job)
}

// domain is what validators sign under.
func (a *Anchorer) domain() anchor.Domain { return anchor.NewDomain(a.origin) }

// wei is for reports.
func wei(v *big.Int) string {
	if v == nil {
		return ""
	}
	return v.String()
}
