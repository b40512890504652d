// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host"
	"github.com/gpucoord/gpucoord/host/enginesim"
	"github.com/gpucoord/gpucoord/host/wire"
	"github.com/gpucoord/gpucoord/relayer/sigcheck"
)

const (
	chainID    = "gpucoord-bench-1"
	evmChainID = 7
	idleConns  = 256
)

var modelID = [32]byte{0xaa}

// chain is a view of a chain on which everything is allowed and paid for.
type chain struct{}

func (chain) MayWork(context.Context) (bool, error) { return true, nil }

func (chain) Epoch(context.Context) (uint64, error) { return 3, nil }

func (chain) Settler(context.Context, [20]byte, uint64) (host.SettlerView, error) {
	return host.SettlerView{Known: true, AvailableUusdc: 1 << 62, LimitUusdc: 1 << 62}, nil
}

func (chain) Watermark(context.Context) (uint64, error) { return 0, nil }

func (chain) AssetAllowed(context.Context, [32]byte, [32]byte) error { return nil }

// rig is an engine behind a host and behind a bare proxy.
type rig struct {
	bare, metered string // URLs
	client        *http.Client
	payer         *receipt.PrivateKey
	hostKey       [20]byte
	domain        receipt.Domain
	nonce         uint64
	stop          func() error
}

// newRig starts all three. The receipt log lies in a directory of its own below dir.
func newRig(dir string, ttft time.Duration) (*rig, error) {
	payer, err := privateKey("payer")
	if err != nil {
		return nil, err
	}
	key, err := privateKey("host")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	g, ctx := errgroup.WithContext(ctx)
	r := &rig{
		payer: payer, hostKey: receipt.KeyAddress(key), domain: receipt.NewDomain(chainID, evmChainID),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: idleConns}},
		stop:   func() error { cancel(); return g.Wait() },
	}
	engine, err := serve(ctx, g, enginesim.New(enginesim.Config{Model: "base", TTFT: ttft}))
	if err != nil {
		return nil, errors.Join(err, r.stop())
	}
	target, err := url.Parse(engine)
	if err != nil {
		return nil, errors.Join(err, r.stop())
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: idleConns}
	if r.bare, err = serve(ctx, g, proxy); err != nil {
		return nil, errors.Join(err, r.stop())
	}
	h, err := newHost(dir, engine, key, receipt.KeyAddress(payer))
	if err != nil {
		return nil, errors.Join(err, r.stop())
	}
	r.metered = "http://" + h.PublicAddr()
	g.Go(func() error { return h.Run(ctx) })
	return r, nil
}

// newHost opens a host as the command does, with its defaults.
func newHost(dir, engine string, key *receipt.PrivateKey, payer [20]byte) (*host.Host, error) {
	data, err := os.MkdirTemp(dir, "host-")
	if err != nil {
		return nil, err
	}
	cfg := host.Default()
	cfg.ChainID, cfg.EVMChainID, cfg.HostID, cfg.Simulated = chainID, evmChainID, [32]byte{0xcc}, true
	cfg.EngineURL, cfg.DataDir, cfg.AdminTokenFile = engine, data, filepath.Join(data, "token")
	cfg.Listen, cfg.AdminListen = "127.0.0.1:0", "127.0.0.1:0"
	cfg.Models = []host.Model{{Name: "base", ID: modelID, PriceInUusdc: 200_000, PriceOutUusdc: 1_000_000}}
	cfg.DirectPayers = [][20]byte{payer}
	cfg.Recover, cfg.Sign = sigcheck.Recover, sigcheck.Sign
	if err := os.WriteFile(cfg.AdminTokenFile, []byte("0123456789abcdef"), 0o600); err != nil {
		return nil, err
	}
	return host.New(cfg, host.Deps{Chain: chain{}, Key: key, Logger: slog.New(slog.DiscardHandler)})
}

// serve serves h on a free port until ctx ends.
func serve(ctx context.Context, g *errgroup.Group, h http.Handler) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	g.Go(func() error {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		return s.Close()
	})
	return "http://" + l.Addr().String(), nil
}

// privateKey is a throwaway key.
func privateKey(label string) (*receipt.PrivateKey, error) {
	sum := sha256.Sum256([]byte(label))
	return receipt.ParsePrivateKey(sum[:])
}

// jobBody asks for 16 output tokens.
const jobBody = `{"model":"base","messages":[{"role":"user","content":"one two three four five"}],"max_tokens":16}`

// job is a signed request.
func (r *rig) job(base string, stream bool) (*http.Request, error) {
	body := jobBody
	if stream {
		body = strings.Replace(body, `{`, `{"stream":true,"stream_options":{"include_usage":true,"continuous_usage_stats":true},`, 1)
	}
	r.nonce++
	now := uint64(time.Now().Unix()) //nolint:gosec // after 1970
	salt := [wire.SaltSize]byte{1, 2, 3}
	auth := receipt.JobAuth{
		Payer: receipt.KeyAddress(r.payer), Operator: r.hostKey, ModelID: modelID, RequestCommit: wire.Commit(salt, []byte(body)),
		PaymentRef: [32]byte{5}, MaxAmount: 1_000, Nonce: r.nonce, IssuedAt: now, ExpiresAt: now + 3_000,
	}
	req, err := http.NewRequest(http.MethodPost, base+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(wire.HeaderSalt, wire.Encode(salt[:]))
	req.Header.Set(wire.HeaderJobAuth, wire.EncodeJobAuth(&auth, sigcheck.Sign(r.payer, auth.ID(r.domain))))
	return req, nil
}

// drain reads an answer to its end.
func drain(resp *http.Response) error {
	_, err := io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}
