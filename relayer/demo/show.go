// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	rewardstypes "github.com/gpucoord/gpucoord/x/rewards/types"
)

// ErrNotSettled says that the chain did not settle the epochs in time. The relayers' logs say what they are waiting for.
var ErrNotSettled = errors.New("the chain did not settle the epochs of the demo in time; see the relayers' logs")

const (
	// settleTimeout bounds the wait for the last epoch: it is over 64 blocks after its first one, with ample room for slow machines.
	settleTimeout = 5 * time.Minute
	// epochTime is about how long an epoch takes: the pause after each block, and a third more for making it.
	epochTime = epochBlocks * blockPause * 4 / 3
	// trickleEvery is the low rate at which the demo goes on.
	trickleEvery = 2 * time.Second
	// trickleContext and trickleGenerated are the sizes of those requests, in tokens.
	trickleContext, trickleGenerated = 200, 40
)

// Outcome is a replayed trace after its epochs have settled.
type Outcome struct {
	Report  *Report
	Traffic *Traffic
	facts   *facts
}

// show replays the trace, waits for the epochs, prints the page and, unless once, goes on.
func (w *World) show(ctx context.Context, requests []Request) error {
	trusted, err := w.header(ctx)
	if err != nil {
		return err
	}
	out, err := w.Play(ctx, requests)
	if err != nil {
		return err
	}
	w.explain(ctx, out.facts)
	if err := w.auditAnchors(ctx, out, trusted); err != nil {
		return err
	}
	if _, err := fmt.Fprint(w.opts.Out, w.page(out.facts, out.Traffic, out.Report)); err != nil {
		return fmt.Errorf("print the page: %w", err)
	}
	if w.opts.ReportFile != "" {
		if err := out.Report.writeFile(w.opts.ReportFile); err != nil {
			return err
		}
	}
	if !out.Report.InvariantsOK {
		err = ErrChecks
	}
	if w.opts.Once {
		return err
	}
	w.progress.say("going on with a request every %s; Ctrl-C ends every program", trickleEvery)
	return errors.Join(err, w.trickle(ctx, len(requests)))
}

// Play replays requests, waits until every epoch they fell into has settled, and compares all books.
func (w *World) Play(ctx context.Context, requests []Request) (*Outcome, error) {
	baseline, err := w.observe(ctx)
	if err != nil {
		return nil, err
	}
	first, err := w.currentEpoch(ctx)
	if err != nil {
		return nil, err
	}
	r, err := w.newReplay()
	if err != nil {
		return nil, err
	}
	speedup := w.opts.Speedup
	if speedup == 0 {
		speedup = speedupFor(requests, epochTime)
	}
	w.progress.say("epoch %d: replaying %d requests, %.3g times as fast as the trace; first settled epoch in about 30 s", first, len(requests), speedup)
	announceCtx, stop := context.WithCancel(ctx)
	defer stop()
	a := w.announce(announceCtx, first)
	if err := r.run(ctx, 0, requests, speedup); err != nil {
		return nil, err
	}
	w.progress.say("all %d requests are answered", len(requests))
	if err := w.fillSecondEpoch(ctx, r, len(requests)); err != nil {
		return nil, err
	}
	last, err := w.waitSettled(ctx, a)
	if err != nil {
		return nil, err
	}
	f, err := w.observeAll(ctx, baseline, first, last)
	if err != nil {
		return nil, err
	}
	report := w.newReport(baseline, f, &r.out)
	if len(f.settled) > 0 {
		w.audit(baseline, f, &r.out, report)
	}
	return &Outcome{Report: report, Traffic: &r.out, facts: f}, nil
}

// fillSecondEpoch sends a few more requests when the trace was so fast that it fell into one epoch: the demo promises two.
func (w *World) fillSecondEpoch(ctx context.Context, r *replay, first int) error {
	for n := 0; ; n++ {
		if err := w.collectLogs(ctx, r); err != nil {
			return err
		}
		if len(r.epochs) >= leastEpochs {
			return nil
		}
		if n == 0 {
			w.progress.say("the trace fell into one epoch; a few more requests go into the next")
		}
		request := []Request{{ContextTokens: trickleContext, GeneratedTokens: trickleGenerated}}
		if err := r.run(ctx, first+n, request, 1); err != nil {
			return err
		}
		if err := w.pause(ctx, time.Second); err != nil {
			return err
		}
	}
}

// collectLogs notes in which epochs the hosts have served.
func (w *World) collectLogs(ctx context.Context, r *replay) error {
	var f facts
	if err := w.readLogs(ctx, &f); err != nil {
		return err
	}
	r.epochs = make(map[uint64]bool)
	for _, records := range f.logs {
		for i := range records {
			if records[i].Auth.IssuedAt >= r.began && records[i].Outcome == receipt.OutcomeOK {
				r.epochs[records[i].Epoch] = true
			}
		}
	}
	return nil
}

// announcer says each epoch as it settles, while other things go on.
type announcer struct {
	last chan uint64 // the epoch to end with, sent once
	done chan error
}

// announce begins with epoch first.
func (w *World) announce(ctx context.Context, first uint64) *announcer {
	a := &announcer{last: make(chan uint64, 1), done: make(chan error, 1)}
	go func() { a.done <- w.sayEpochs(ctx, first, a.last) }()
	return a
}

// sayEpochs says each epoch from first on until it has said the one that comes on last.
func (w *World) sayEpochs(ctx context.Context, first uint64, last <-chan uint64) error {
	said, end, ending := first, uint64(0), false
	return w.poll(ctx, func() (bool, error) {
		if !ending {
			select {
			case end = <-last:
				ending = true
			default:
			}
		}
		status, err := w.chain.Rewards.Status(ctx, &rewardstypes.QueryStatusRequest{})
		if err != nil {
			return false, nil //nolint:nilerr // a node that is being started again is asked again; the caller bounds the wait
		}
		for ; said < status.NextEpoch && (!ending || said <= end); said++ {
			if err := w.sayEpoch(ctx, said); err != nil {
				return false, nil //nolint:nilerr // as above
			}
		}
		return ending && said > end, nil
	})
}

// waitSettled waits until every epoch up to the present one has settled and returns the last.
func (w *World) waitSettled(ctx context.Context, a *announcer) (uint64, error) {
	last, err := w.currentEpoch(ctx)
	if err != nil {
		return 0, err
	}
	a.last <- last
	timer := time.NewTimer(settleTimeout)
	defer timer.Stop()
	select {
	case <-timer.C:
		return 0, ErrNotSettled
	case err := <-a.done:
		if err != nil {
			return 0, err
		}
	}
	head, err := w.chain.Head(ctx)
	if err != nil {
		return 0, err
	}
	return last, w.waitState(ctx, head.Height) // so that what is read next has seen the last settlement
}

// sayEpoch says what an epoch settled.
func (w *World) sayEpoch(ctx context.Context, e uint64) error {
	state, err := w.chain.Receipts.Epoch(ctx, &receiptstypes.QueryEpochRequest{Epoch: e})
	if err != nil {
		return fmt.Errorf("read epoch %d: %w", e, err)
	}
	settlement, err := w.chain.Rewards.Epoch(ctx, &rewardstypes.QueryEpochRequest{Epoch: e})
	if err != nil {
		return fmt.Errorf("read the settlement of epoch %d: %w", e, err)
	}
	s := state.State
	if s.Receipts == 0 {
		w.progress.say("epoch %d settled at height %d: no receipts", e, settlement.Settlement.SettledHeight)
		return nil
	}
	w.progress.say("epoch %d settled at height %d: %s, amount %s, take %s, royalties %s, rewards %s", e,
		settlement.Settlement.SettledHeight, count(s.Receipts, "receipt", "receipts"), usd(s.AmountUusdc), usd(s.TakeUusdc), usd(s.RoyaltyUusdc),
		usd(settlement.Settlement.RewardsUusdc))
	return nil
}

// trickle sends a request now and then until ctx ends.
func (w *World) trickle(ctx context.Context, first int) error {
	r, err := w.newReplay()
	if err != nil {
		return err
	}
	for n := first; ; n++ {
		if err := w.pause(ctx, trickleEvery); err != nil {
			return err
		}
		r.one(ctx, jobOf(n, Request{ContextTokens: trickleContext, GeneratedTokens: trickleGenerated}))
	}
}

func (w *World) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
