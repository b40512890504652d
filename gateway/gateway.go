// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/gateway/ledger"
	"github.com/gpucoord/gpucoord/gateway/review"
	"github.com/gpucoord/gpucoord/gateway/route"
	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/loop"
)

const (
	minAdminToken = 16
	// stopGrace is how long a request that is broken off at the end of the drain time has to store what it saw.
	stopGrace = 5 * time.Second
	// senders is how many countersignatures are sent at once, maxOutgoing how many wait for a sender; more wait for the next late pass.
	// Each waits for a host and for a commit that it shares with others, so there are several.
	senders     = 16
	maxOutgoing = 1024
)

// ErrMissingDeps means that a dependency is nil.
var ErrMissingDeps = errors.New("gateway needs a source of hosts, the validity of its key and a logger")

// Deps are what a gateway is given.
type Deps struct {
	// Hosts reads the table of hosts from the chain.
	Hosts route.Fetch
	// ValidFrom asks the chain from which second on a payer key is a gateway's.
	ValidFrom func(ctx context.Context, payer [20]byte) (uint64, error)
	// Recover recovers the signer of a canonical signature; nil means receipt.RecoverAddress, which is slower than a C library.
	Recover receipt.Recover
	// Logger gets what an operator must know; never what customers send.
	Logger *slog.Logger
}

// Gateway takes customers' requests to hosts. New opens its ledger and its listeners; Run serves.
type Gateway struct {
	cfg        Config
	domain     receipt.Domain
	rules      review.Rules
	key        *receipt.PrivateKey
	payer      [20]byte
	secret     [32]byte
	adminToken [32]byte // SHA-256
	aliases    map[string]route.Asset
	logger     *slog.Logger
	started    int64 // Unix seconds

	ledger    *ledger.Ledger
	table     *route.Table
	names     atomic.Pointer[route.Names]
	cooldowns *route.Cooldowns
	load      *route.Load
	keyLife   keyLife
	upstream  *upstream
	keyLimits *keyLimits
	metrics   *metrics
	slots     chan struct{}   // one per completion in progress
	outgoing  chan ledger.Job // settled jobs whose countersignature is to be sent

	sweep openSweep

	draining      atomic.Bool
	public, admin net.Listener
	closing       sync.Once
	closed        error
}

// New checks the configuration, reads the key files, opens the ledger and takes the two addresses. Run, or Close, ends what it began.
//
// Errors: those of Config.Check, ErrMissingDeps, chain.ErrKeyFile, those of ledger.Open, or the system's.
func New(cfg Config, deps Deps) (*Gateway, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if deps.Hosts == nil || deps.ValidFrom == nil || deps.Logger == nil {
		return nil, ErrMissingDeps
	}
	aliases, err := cfg.aliases()
	if err != nil {
		return nil, err
	}
	g := &Gateway{
		cfg: cfg, domain: receipt.NewDomain(cfg.ChainID, cfg.EVMChainID), aliases: aliases, logger: deps.Logger, started: time.Now().Unix(),
		table: route.NewTable(deps.Hosts, cfg.Hosts.MaxAge.std()),
		cooldowns: route.NewCooldowns(route.Pause{
			First: cfg.Hosts.Pause.std(), Most: cfg.Hosts.MaxPause.std(), Wrong: cfg.Hosts.WrongReceiptPause.std(),
			Full: cfg.Hosts.FullPause.std(),
		}),
		load: route.NewLoad(cfg.Hosts.MaxOpen), keyLife: keyLife{ask: deps.ValidFrom},
		keyLimits: newKeyLimits(&cfg.Limits), metrics: newMetrics(),
		slots: make(chan struct{}, cfg.Limits.MaxConcurrent), outgoing: make(chan ledger.Job, maxOutgoing),
	}
	g.upstream = newUpstream(&g.cfg)
	g.rules = review.Rules{
		Checker:           receipt.Checker{Domain: g.domain, Recover: deps.Recover},
		CancelSlackTokens: cfg.Receipts.CancelSlackTokens,
	}
	g.names.Store(route.NamesOf(nil, aliases))
	if err := g.readFiles(); err != nil {
		return nil, err
	}
	if err := g.open(); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	g.metrics.registry.MustRegister(collector{g})
	return g, nil
}

// readFiles reads the keys and the admin token.
func (g *Gateway) readFiles() error {
	raw, err := chain.ReadKeyFile(g.cfg.KeyFile)
	if err != nil {
		return err
	}
	if g.key, err = receipt.ParsePrivateKey(raw[:]); err != nil {
		return fmt.Errorf("%s: %w", g.cfg.KeyFile, err)
	}
	g.payer = receipt.KeyAddress(g.key)
	if g.secret, err = chain.ReadKeyFile(g.cfg.PaymentSecretFile); err != nil {
		return err
	}
	b, err := os.ReadFile(g.cfg.AdminTokenFile)
	if err != nil {
		return fmt.Errorf("admin token: %w", err)
	}
	token := strings.TrimSpace(string(b))
	if len(token) < minAdminToken {
		return fmt.Errorf("%w: %s", ErrNoAdminToken, g.cfg.AdminTokenFile)
	}
	g.adminToken = sha256.Sum256([]byte(token))
	return nil
}

// open opens the ledger and the listeners.
func (g *Gateway) open() (err error) {
	ctx := context.Background() // opening is not a request's; SQLite bounds its own waiting
	if g.ledger, err = ledger.Open(ctx, g.cfg.Ledger); err != nil {
		return err
	}
	n, err := g.ledger.Interrupted(ctx, g.started)
	if err != nil {
		return err
	}
	if n > 0 {
		g.logger.Info("jobs were interrupted by the last stop, their hosts will be asked", slog.Int64("jobs", n))
	}
	if g.public, err = listen(g.cfg.Listen); err != nil {
		return err
	}
	if g.cfg.TLSCertFile != "" {
		cert, err := tls.LoadX509KeyPair(g.cfg.TLSCertFile, g.cfg.TLSKeyFile)
		if err != nil {
			return fmt.Errorf("tls key: %w", err)
		}
		g.public = tls.NewListener(g.public, &tls.Config{
			Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		})
	}
	g.admin, err = listen(g.cfg.AdminListen)
	return err
}

func listen(addr string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return l, nil
}

// PublicAddr returns the customers' address, with the real port where the configuration said 0.
func (g *Gateway) PublicAddr() string { return g.public.Addr().String() }

// AdminAddr returns the address of the admin listener.
func (g *Gateway) AdminAddr() string { return g.admin.Addr().String() }

// Payer is the address of the key that signs authorisations; it is registered on the chain.
func (g *Gateway) Payer() [20]byte { return g.payer }

// Run serves until ctx ends, lets running requests end, and closes everything. It returns nil after ctx has ended.
func (g *Gateway) Run(ctx context.Context) error {
	requests, breakOff := context.WithCancelCause(context.WithoutCancel(ctx))
	defer breakOff(nil)
	public, admin := g.server(requests, g.Handler()), g.server(requests, g.AdminHandler())
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serveOn(public, g.public) })
	group.Go(func() error { return serveOn(admin, g.admin) })
	group.Go(func() error { return ended(loop.Every(gctx, g.logger, g.cfg.Hosts.Refresh.std(), g.Refresh)) })
	group.Go(func() error { return ended(loop.Every(gctx, g.logger, g.cfg.Receipts.Interval.std(), g.Late)) })
	for range senders {
		group.Go(func() error { return g.sendLoop(gctx) })
	}
	group.Go(func() error {
		<-gctx.Done()
		return g.shutdown(context.WithoutCancel(ctx), breakOff, public, admin)
	})
	return errors.Join(group.Wait(), g.Close())
}

// ended makes the end of the context no error.
func ended(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// Refresh reads the table of hosts and the names they serve, and until it is known since when the gateway's key is valid. Run calls it
// again and again.
func (g *Gateway) Refresh(ctx context.Context) error {
	s, err := g.table.Refresh(ctx)
	if err != nil {
		return err
	}
	g.names.Store(route.NamesOf(s.Hosts, g.aliases))
	pins := make(map[string]bool)
	for i := range s.Hosts {
		pins[string(s.Hosts[i].SPKI)] = true
	}
	g.upstream.keep(pins)
	return g.keyLife.refresh(ctx, g.payer)
}

// server returns a server whose requests end when requests does. Deadlines of bodies and answers are set per request: a whole-request
// read deadline would end long answers.
func (g *Gateway) server(requests context.Context, handler http.Handler) *http.Server {
	t := &g.cfg.Timeouts
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: t.Header.std(), IdleTimeout: t.Idle.std(), WriteTimeout: t.Write.std(),
		MaxHeaderBytes: g.cfg.Limits.MaxHeaderBytes, BaseContext: func(net.Listener) context.Context { return requests },
		ErrorLog: slog.NewLogLogger(withoutAddresses{g.logger.Handler()}, slog.LevelWarn),
	}
}

func serveOn(s *http.Server, l net.Listener) error {
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

var errStopping = errors.New("gateway is stopping")

// shutdown takes no new requests, lets the running ones end within the drain time, then breaks them off: what they saw is still stored.
func (g *Gateway) shutdown(ctx context.Context, breakOff context.CancelCauseFunc, public, admin *http.Server) error {
	g.draining.Store(true)
	drain, cancel := context.WithTimeout(ctx, g.cfg.Timeouts.Drain.std())
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

// Close releases the ledger and the addresses of a gateway that does not run. Closing twice is allowed.
func (g *Gateway) Close() error {
	g.closing.Do(func() {
		var errs []error
		for _, l := range []net.Listener{g.public, g.admin} {
			if l == nil {
				continue
			}
			if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
		g.upstream.close()
		if g.ledger != nil {
			errs = append(errs, g.ledger.Close())
		}
		g.closed = errors.Join(errs...)
	})
	return g.closed
}
