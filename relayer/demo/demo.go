// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/relayer/chain"
)

// World is a running demo: its data directory, its programs, and a view of its chain.
type World struct {
	opts     Options
	home     home
	state    *state
	domain   receipt.Domain
	chain    *chain.Client
	children *children
	progress *progress
	evm      *evmSide // nil without one

	mu  sync.Mutex
	txs int // transactions of the set-up; under mu, as is changing state once programs run
}

// Run runs the demo: everything is started, the trace is replayed, the epochs it fell into settle, and the page is
// printed. Then it goes on at a low rate until ctx ends, or returns if the options say once.
//
// Errors: those of the options, ErrChildDied, ErrChecks when a check did not hold, or what stopped it.
func Run(ctx context.Context, opts Options) error {
	if err := opts.check(); err != nil {
		return err
	}
	requests, err := opts.trace()
	if err != nil {
		return err
	}
	w, err := Open(ctx, opts)
	if err != nil {
		return errors.Join(interrupted(ctx, err), w.Close())
	}
	err = w.guard(ctx, func(ctx context.Context) error { return w.show(ctx, requests) })
	return errors.Join(w.advise(interrupted(ctx, err)), w.Close())
}

// advise says how a demo goes on after one of its programs has died.
func (w *World) advise(err error) error {
	if !errors.Is(err, ErrChildDied) {
		return err
	}
	return fmt.Errorf("%w\nevery other program was ended; to go on where it stopped: %s", err, shellLine(w.opts.Relayer, "demo", "--home", w.home.dir))
}

// interrupted drops the error of a demo that was asked to end.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil && !errors.Is(err, ErrChecks) {
		return nil
	}
	return err
}

// guard runs a step and ends it when a child dies.
func (w *World) guard(ctx context.Context, step func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watcher := make(chan struct{})
	go func() {
		defer close(watcher)
		select {
		case <-ctx.Done():
		case err := <-w.children.failed:
			cancel(err)
		}
	}()
	err := step(ctx)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause // the step ended because of it
	}
	cancel(nil)
	<-watcher
	return err
}

// Open starts a demo: it sets up its data directory unless that is done, and returns when every program serves. The world
// is returned with an error too, so that Close ends what was started.
func Open(ctx context.Context, opts Options) (*World, error) {
	w := &World{opts: opts, progress: newProgress(opts.Progress)}
	if err := w.opts.check(); err != nil {
		return w, err
	}
	var err error
	if w.home, w.state, err = openHome(w.opts.Home); err != nil {
		return w, err
	}
	fresh := w.state == nil
	w.progress.say("data directory %s", w.home.dir)
	if fresh {
		if w.state, err = newState(ctx, w.home); err != nil {
			return w, err
		}
	} else if err := w.state.Ports.check(ctx); err != nil {
		return w, err
	}
	if w.chain, err = chain.Dial("grpc://"+w.state.Ports.address("grpc", 0), w.state.ChainID); err != nil {
		return w, err
	}
	// Children outlive ctx: Close ends them in order.
	if w.children, err = newChildren(context.WithoutCancel(ctx), w.home.path("logs")); err != nil {
		return w, err
	}
	return w, w.guard(ctx, func(ctx context.Context) error {
		if fresh {
			return w.setUp(ctx)
		}
		return w.startAgain(ctx)
	})
}

// Close ends every program and returns when they are gone.
func (w *World) Close() error {
	var errs []error
	w.haltEVM()
	if w.children != nil {
		w.progress.say("ending every program")
		errs = append(errs, w.children.stopAll())
	}
	errs = append(errs, w.closeEVM())
	if w.chain != nil {
		errs = append(errs, w.chain.Close())
	}
	return errors.Join(errs...)
}

// setUp makes the chain and everybody on it, by transactions anyone could send, and starts the programs as soon as the
// chain knows them.
func (w *World) setUp(ctx context.Context) error {
	if err := w.initNode(ctx); err != nil {
		return err
	}
	w.progress.say("genesis written: chain %s, epochs of %d blocks", w.state.ChainID, epochBlocks)
	if err := w.startEngines(ctx); err != nil {
		return err
	}
	if err := w.startNode(ctx); err != nil {
		return err
	}
	var err error
	if w.domain, err = w.chain.Domain(ctx); err != nil {
		return err
	}
	w.startEVM(ctx)
	w.progress.say("node makes blocks; %d engine stand-ins serve (simulated, no model is run)", len(operators))
	committed, err := w.register(ctx)
	if err != nil {
		return err
	}
	w.progress.say("registered: %d operators with bond and host, %d gateways with escrow, 1 sponsor", len(operators), len(gateways))
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.publish(gctx, committed) })
	g.Go(func() error { return w.accredit(gctx) })
	g.Go(func() error { return w.startServices(gctx) })
	if err := g.Wait(); err != nil {
		return err
	}
	w.progress.say("published: %d base models, %d adapters; 1 author proof accepted, 1 gateway accredited; %d transactions",
		len(bases), len(adapters), w.txs)
	return w.save(func(s *state) { s.Ready, s.URLs = true, w.urls() })
}

// save changes what demo.json holds.
func (w *World) save(change func(*state)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(w.state)
	return w.home.write(w.state)
}

// startAgain starts the programs of a directory that was set up before.
func (w *World) startAgain(ctx context.Context) error {
	w.progress.say("starting again")
	if err := w.startEngines(ctx); err != nil {
		return err
	}
	if err := w.startNode(ctx); err != nil {
		return err
	}
	var err error
	if w.domain, err = w.chain.Domain(ctx); err != nil {
		return err
	}
	w.startEVM(ctx)
	return w.startServices(ctx)
}

func (w *World) countTx() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.txs++
}

// Kill ends a program as a power cut would; Restart starts it again. Names are those of the logs.
func (w *World) Kill(name string) error { return w.children.kill(name) }

// Restart starts a program again that was killed or ended.
func (w *World) Restart(ctx context.Context, name string) error { return w.children.restart(ctx, name) }

// End asks a program to end and returns when it is gone.
func (w *World) End(name string) error { return w.children.end(name) }

// now is the wall clock in Unix seconds, as authorisations have it.
func now() uint64 { return uint64(time.Now().Unix()) }

func (w *World) logPath(name string) string { return w.home.path("logs", fmt.Sprintf("%s.log", name)) }
