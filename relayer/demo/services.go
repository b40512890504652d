// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

// ErrService says that a program was started and does not serve. Its log says why.
var ErrService = errors.New("a program of the demo does not serve; see its log")

const (
	serviceTimeout = time.Minute
	// clientPatience is how long hosts and gateways wait for a slow client's headers and body.
	clientPatience = 3 * time.Second
	// engineFailEvery makes each engine fail one job on purpose in so many, so that the page has failures to show.
	engineFailEvery = 40
)

// startEngines starts one engine stand-in per operator.
func (w *World) startEngines(ctx context.Context) error {
	for i, o := range operators {
		args := []string{
			"engine", "--listen", w.state.Ports.address("engine", i), "--model", o.base,
			"--ttft", "15ms", "--per-token", "200us", "--fail-every", fmt.Sprint(engineFailEvery),
		}
		for _, a := range adaptersOf(o.base) {
			args = append(args, "--adapter", a.name)
		}
		if err := w.children.start(ctx, command{name: engineOf(o.name), path: w.opts.Relayer, args: args}); err != nil {
			return err
		}
	}
	return nil
}

// startServices writes the settings of hosts, relayers and gateways, starts them and returns when they serve.
func (w *World) startServices(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	for i, o := range operators {
		g.Go(func() error {
			if err := w.startService(gctx, "host", hostOf(o.name), w.hostSettings(i)); err != nil {
				return err
			}
			if err := w.waitServes(gctx, hostOf(o.name), w.state.Ports.url("host", i)+"/healthz"); err != nil {
				return err
			}
			if err := w.startService(gctx, "run", relayerOf(o.name), w.relayerSettings(i)); err != nil {
				return err
			}
			return w.waitServes(gctx, relayerOf(o.name), w.state.Ports.url("relayer-status", i)+"/status")
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	w.progress.say("%d hosts serve, %d relayers run", len(operators), len(operators))
	g, gctx = errgroup.WithContext(ctx)
	for i, spec := range gateways {
		g.Go(func() error {
			if err := w.startService(gctx, "gateway", spec.name, w.gatewaySettings(i)); err != nil {
				return err
			}
			if err := w.waitServes(gctx, spec.name, w.state.Ports.url("gateway", i)+"/healthz"); err != nil {
				return err
			}
			return w.openCustomers(gctx, i)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	w.progress.say("%d gateways serve, %d customers have keys and credits", len(gateways), len(gateways)*customersPerGateway)
	return nil
}

func (w *World) startService(ctx context.Context, verb, name, settings string) error {
	path := w.home.path("config", name+".toml")
	if err := os.WriteFile(path, []byte(settings), 0o600); err != nil {
		return fmt.Errorf("settings of %s: %w", name, err)
	}
	if err := os.MkdirAll(w.home.path("data", name), 0o700); err != nil {
		return fmt.Errorf("data of %s: %w", name, err)
	}
	return w.children.start(ctx, command{name: name, path: w.opts.Relayer, args: append(strings.Fields(verb), "--config", path)})
}

// waitServes returns when a program answers with 200.
func (w *World) waitServes(ctx context.Context, name, url string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, serviceTimeout, fmt.Errorf("%w: %s: the end of %s:\n%s", ErrService, name, w.logPath(name), tail(w.logPath(name), tailLines)))
	defer cancel()
	return w.poll(ctx, func() (bool, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return false, err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false, nil //nolint:nilerr // it does not listen yet
		}
		return response.StatusCode == http.StatusOK, response.Body.Close()
	})
}

// hostSettings is the configuration of an operator's host.
func (w *World) hostSettings(i int) string {
	o, ports := operators[i], w.state.Ports
	base := baseOf(o.base)
	var t settings
	t.set("chain_id", w.state.ChainID)
	t.set("node", "grpc://"+ports.address("grpc", 0))
	t.set("host_id", hexOf(hostID(w.state.Accounts[o.name].hot.Address())))
	t.set("operator", w.state.Accounts[o.name].Address)
	t.set("key_file", w.home.keyFile(hostOf(o.name)))
	t.set("simulated", true)
	t.set("data_dir", w.home.path("data", hostOf(o.name)))
	t.set("listen", ports.address("host", i))
	t.set("admin_listen", ports.address("host-admin", i))
	t.set("admin_token_file", w.home.keyFile(hostOf(o.name)+"-token"))
	t.set("engine_url", ports.url("engine", i))
	if o.direct {
		t.raw("direct_payers", fmt.Sprintf("[%q]", w.directPayer()))
	}
	t.table("[limits]")
	t.set("rate_per_second", 0) // gateways and the demo share one address
	t.table("[timeouts]")       // clients are near
	t.set("header", clientPatience.String())
	t.set("body", clientPatience.String())
	t.table("[chain_view]")
	t.set("fresh", blockPause.String()) // epochs last seconds here
	// A host that does not see the chain must not count a job to an epoch whose batch may be built: the grace is longer.
	t.set("bound", (graceBlocks * blockPause * 3 / 4).String())
	t.set("grace_blocks", graceBlocks)
	t.table("[[models]]")
	t.set("name", o.base)
	t.set("id", hexOf(assetID(o.base)))
	t.set("price_in_uusdc", base.priceIn)
	t.set("price_out_uusdc", base.priceOut)
	for _, a := range adaptersOf(o.base) {
		t.table("[[models.adapters]]")
		t.set("name", a.name)
		t.set("id", hexOf(assetID(a.name)))
	}
	return t.String()
}

// directPayer is the key address of the customer who pays an operator without a gateway.
func (w *World) directPayer() string {
	key, err := w.key(directCustomer)
	if err != nil {
		return "" // the host refuses the setting and says so
	}
	address := receipt.KeyAddress(key)
	return fmt.Sprintf("%x", address)
}

// relayerSettings is the configuration of an operator's relayer.
func (w *World) relayerSettings(i int) string {
	o, ports := operators[i], w.state.Ports
	var t settings
	t.set("chain_id", w.state.ChainID)
	t.set("node", "grpc://"+ports.address("grpc", 0))
	t.set("operator", w.state.Accounts[o.name].Address)
	t.set("account_key_file", w.home.keyFile(relayerOf(o.name)))
	t.set("data_dir", w.home.path("data", relayerOf(o.name)))
	t.set("interval", (blockPause * 2 / 3).String())
	t.table("[batch]")
	t.set("grace_blocks", graceBlocks)
	t.set("margin_blocks", marginBlocks)
	t.table("[serve]")
	t.set("listen", ports.address("relayer", i))
	t.set("public_url", ports.url("relayer", i))
	t.set("status_listen", ports.address("relayer-status", i))
	t.table("[[hosts]]")
	t.set("host_id", hexOf(hostID(w.state.Accounts[o.name].hot.Address())))
	t.set("admin_url", ports.url("host-admin", i))
	t.set("admin_token_file", w.home.keyFile(hostOf(o.name)+"-token"))
	t.set("key_file", w.home.keyFile(hostOf(o.name)))
	t.set("simulated", o.machine)
	return t.String()
}
