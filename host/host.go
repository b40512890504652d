// SPDX-License-Identifier: Apache-2.0

package host

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host/jobbook"
	"github.com/gpucoord/gpucoord/host/receiptlog"
)

const (
	// pruneEvery is how often expired nonces are forgotten.
	pruneEvery = time.Minute
	// stopGrace is how long a job that is broken off at the end of the drain time has to store its receipt.
	stopGrace = 5 * time.Second
)

// Deps are what a host is given.
type Deps struct {
	// Chain is the view of the chain.
	Chain Chain
	// Key is the host's receipt key.
	Key *receipt.PrivateKey
	// Logger gets what an operator must know; never what clients send.
	Logger *slog.Logger
}

// Host is a metering proxy. New opens its log and its listeners; Run serves.
type Host struct {
	cfg          Config
	domain       receipt.Domain
	chain        Chain
	key          *receipt.PrivateKey
	keyAddress   [20]byte
	recover      receipt.Recover
	signDigest   func(key *receipt.PrivateKey, digest [32]byte) [65]byte
	logger       *slog.Logger
	catalog      *catalog
	directPayers map[[20]byte]bool
	adminToken   [32]byte // SHA-256
	card         card

	engine    *engine
	log       *receiptlog.Log
	book      *jobbook.Book
	metrics   *metrics
	refusals  *refusalLog
	limiter   *limiter
	slots     chan struct{}    // one per job in progress
	arriving  counts[[20]byte] // bodies that are being read, by payer
	modelList modelList

	issue     sync.Mutex // held while a receipt gets its place; guards lastEpoch
	lastEpoch uint64

	draining      atomic.Bool
	public, admin net.Listener
}

// New checks the configuration, opens the receipt log and takes the two addresses. Run, or Close, ends what it began.
//
// Errors: those of Config.Check, ErrMissingDeps, those of receiptlog.Open, or the system's.
func New(cfg Config, deps Deps) (*Host, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if deps.Chain == nil || deps.Key == nil || deps.Logger == nil {
		return nil, ErrMissingDeps
	}
	catalog, err := newCatalog(cfg.Models)
	if err != nil {
		return nil, err
	}
	token, err := readAdminToken(cfg.AdminTokenFile)
	if err != nil {
		return nil, err
	}
	h := &Host{
		cfg: cfg, domain: receipt.NewDomain(cfg.ChainID, cfg.EVMChainID), chain: deps.Chain, key: deps.Key,
		keyAddress: receipt.KeyAddress(deps.Key), recover: cfg.Recover, signDigest: cfg.Sign, logger: deps.Logger, catalog: catalog,
		directPayers: make(map[[20]byte]bool), adminToken: token, engine: newEngine(&cfg),
		book: jobbook.New(cfg.Limits.IndexEpochs), metrics: newMetrics(), refusals: newRefusalLog(deps.Logger),
		limiter: newLimiter(cfg.Limits.RatePerSecond, cfg.Limits.RateBurst), slots: make(chan struct{}, cfg.Limits.MaxConcurrent),
	}
	if h.recover == nil {
		h.recover = receipt.RecoverAddress
	}
	if h.signDigest == nil {
		h.signDigest = receipt.Sign
	}
	for _, p := range cfg.DirectPayers {
		h.directPayers[p] = true
	}
	h.card = newCard(&cfg, h.keyAddress)
	h.metrics.watchBook(h.book)
	if err := h.open(); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// open opens the log and the listeners.
func (h *Host) open() (err error) {
	h.book.Prune(unixNow()) // so that long expired nonces in the log are not even collected
	h.log, err = receiptlog.Open(receiptlog.Options{
		Dir: filepath.Join(h.cfg.DataDir, "receipts"), Domain: h.domain, HostKey: h.keyAddress,
		IndexEpochs: h.cfg.Limits.IndexEpochs, KeepEpochs: h.cfg.Limits.KeepEpochs, Synced: h.metrics.synced,
	}, h.book)
	if err != nil {
		return err
	}
	h.book.Prune(unixNow())
	h.lastEpoch = h.log.Stats().NewestEpoch
	public, err := listen(h.cfg.Listen)
	if err != nil {
		return err
	}
	h.public = newBoundedListener(public, maxConns, maxConnsOfOne)
	if h.cfg.TLSCertFile != "" {
		cert, err := tls.LoadX509KeyPair(h.cfg.TLSCertFile, h.cfg.TLSKeyFile)
		if err != nil {
			return fmt.Errorf("tls key: %w", err)
		}
		h.public = tls.NewListener(h.public, &tls.Config{
			Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13, NextProtos: []string{"h2", "http/1.1"},
		})
	}
	h.admin, err = listen(h.cfg.AdminListen)
	return err
}

func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return l, nil
}

// PublicAddr and AdminAddr return the addresses the host has taken, with the real port where the configuration said 0.
func (h *Host) PublicAddr() string { return h.public.Addr().String() }

// AdminAddr returns the address of the admin listener.
func (h *Host) AdminAddr() string { return h.admin.Addr().String() }

// Handler returns the public interface.
func (h *Host) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", h.completions)
	mux.HandleFunc("POST /v1/completions", h.completions)
	mux.HandleFunc("GET /v1/models", h.models)
	mux.HandleFunc("GET /v1/receipts/open", h.openReceipts)
	mux.HandleFunc("GET /v1/receipts/{jobId}", h.getReceipt)
	mux.HandleFunc("POST /v1/receipts/{jobId}/countersign", h.countersign)
	mux.HandleFunc("GET /.well-known/gpucoord", h.serveCard)
	mux.HandleFunc("GET /healthz", h.healthz)
	return h.bounded(mux)
}

// Run serves until ctx ends or the receipt log fails, lets running jobs end, and closes everything. It returns nil after ctx has ended.
func (h *Host) Run(ctx context.Context) error {
	jobs, breakOff := context.WithCancelCause(context.WithoutCancel(ctx))
	defer breakOff(nil)
	public, admin := h.server(jobs, h.Handler()), h.server(jobs, h.AdminHandler())
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return serveOn(public, h.public) })
	g.Go(func() error { return serveOn(admin, h.admin) })
	g.Go(func() error { return h.pruneLoop(gctx) })
	g.Go(func() error {
		select {
		case <-gctx.Done():
			return nil
		case <-h.log.Failed():
			return h.log.Err()
		}
	})
	g.Go(func() error {
		<-gctx.Done()
		return h.shutdown(context.WithoutCancel(ctx), breakOff, public, admin)
	})
	return errors.Join(g.Wait(), h.Close())
}

// server returns a server whose requests end when jobs does. Deadlines of bodies and answers are set per request: a whole-request
// read deadline would end long jobs.
func (h *Host) server(jobs context.Context, handler http.Handler) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: h.cfg.Timeouts.Header, IdleTimeout: h.cfg.Timeouts.Idle, WriteTimeout: h.cfg.Timeouts.Write,
		MaxHeaderBytes: h.cfg.Limits.MaxHeaderBytes, BaseContext: func(net.Listener) context.Context { return jobs },
		ErrorLog: slog.NewLogLogger(withoutAddresses{h.logger.Handler()}, slog.LevelWarn),
	}
}

func serveOn(s *http.Server, l net.Listener) error {
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (h *Host) pruneLoop(ctx context.Context) error {
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			h.book.Prune(unixNow())
		}
	}
}

// shutdown takes no new jobs, lets the running ones end within the drain time, then breaks them off: each still gets its receipt.
func (h *Host) shutdown(ctx context.Context, breakOff context.CancelCauseFunc, public, admin *http.Server) error {
	h.draining.Store(true)
	drain, cancel := context.WithTimeout(ctx, h.cfg.Timeouts.Drain)
	defer cancel()
	err := public.Shutdown(drain)
	if err != nil {
		breakOff(errStopping)
		last, stop := context.WithTimeout(ctx, stopGrace)
		defer stop()
		err = public.Shutdown(last)
	}
	return errors.Join(err, admin.Close())
}

// Close releases the log and the addresses of a host that does not run. Closing twice is allowed.
func (h *Host) Close() error {
	var errs []error
	for _, l := range []net.Listener{h.public, h.admin} {
		if l == nil {
			continue
		}
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if h.log != nil {
		errs = append(errs, h.log.Close())
	}
	return errors.Join(errs...)
}
