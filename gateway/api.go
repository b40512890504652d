// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gpucoord/gpucoord/gateway/ledger"
	"github.com/gpucoord/gpucoord/gateway/route"
)

// Handler returns the customers' interface.
func (g *Gateway) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", g.completions)
	mux.HandleFunc("POST /v1/completions", g.completions)
	mux.HandleFunc("GET /v1/models", g.models)
	mux.HandleFunc("GET /libertai/models", g.libertaiModels)
	mux.HandleFunc("GET /healthz", g.healthz)
	return mux
}

// refuse answers with a refusal and counts it.
func (g *Gateway) refuse(w http.ResponseWriter, ref *refusal) {
	g.metrics.refusals.WithLabelValues(ref.code).Inc()
	ref.write(w)
}

// call is one customer's request.
type call struct {
	g       *Gateway
	w       http.ResponseWriter
	r       *http.Request
	id      string
	keyID   string
	req     *completion
	epoch   uint64 // the chain's when hosts were chosen
	started time.Time
}

// completions serves POST /v1/chat/completions and POST /v1/completions.
func (g *Gateway) completions(w http.ResponseWriter, r *http.Request) {
	c := &call{g: g, w: w, r: r, started: time.Now()}
	leave, ref := g.enter(c)
	if ref != nil {
		g.refuse(w, ref)
		return
	}
	defer leave()
	g.metrics.running.Inc()
	defer g.metrics.running.Dec()
	body, ref := g.readBody(w, r)
	if ref == nil {
		c.req, ref = g.cfg.Limits.parse(body)
	}
	if ref == nil {
		ref = c.dispatch()
	}
	if ref != nil {
		g.refuse(w, ref)
	}
}

// enter admits a request: the gateway has room, the key works and is within its limits.
func (g *Gateway) enter(c *call) (leave func(), ref *refusal) {
	if g.draining.Load() {
		return nil, refuseStopping
	}
	select {
	case g.slots <- struct{}{}:
	default:
		return nil, refuseBusy
	}
	var leaveKey func()
	key, ref := g.authenticate(c.r)
	if ref == nil {
		c.keyID, c.id = key.ID, rand.Text()
		leaveKey, ref = g.keyLimits.enter(key.ID, c.started)
	}
	if ref != nil {
		<-g.slots
		return nil, ref
	}
	return func() {
		leaveKey()
		<-g.slots
	}, nil
}

// authenticate returns the API key of a request.
func (g *Gateway) authenticate(r *http.Request) (ledger.Key, *refusal) {
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || text == "" {
		return ledger.Key{}, refuseNoKey
	}
	key, err := g.ledger.KeyByHash(r.Context(), sha256.Sum256([]byte(text)))
	switch {
	case errors.Is(err, ledger.ErrNoKey):
		return ledger.Key{}, refuseBadKey
	case err != nil:
		g.logger.ErrorContext(r.Context(), "API key not read", slog.Any("err", err))
		return ledger.Key{}, refuseLedger
	case !key.Works(time.Now().Unix()):
		return ledger.Key{}, refuseBadKey
	}
	return key, nil
}

// dispatch finds hosts for a request and tries them, each once, until one has answered.
func (c *call) dispatch() *refusal {
	g := c.g
	snapshot, err := g.table.Snapshot()
	if err != nil {
		return refuseStale
	}
	c.epoch = snapshot.Epoch
	asset, ok := g.names.Load().Find(c.req.model)
	if !ok {
		return refuseUnknown
	}
	want, ref := g.want(c.r, asset)
	if ref != nil {
		return ref
	}
	fitting := route.Candidates(snapshot.Hosts, want)
	choice, err := route.NewChoice(g.load.Free(g.cooldowns.Ready(fitting, c.started), c.started))
	if err != nil {
		g.logger.ErrorContext(c.r.Context(), "hosts not weighed", slog.Any("err", err))
		return refuseNoHost
	}
	return c.try(choice, g.noHost(fitting, c.started))
}

// noHost is the refusal where none of the hosts that fit can be tried.
func (g *Gateway) noHost(fitting []route.Candidate, now time.Time) *refusal {
	if len(g.load.Free(fitting, now)) < len(fitting) || g.cooldowns.AnyFull(fitting, now) {
		return refuseFull
	}
	return refuseNoHost
}

// try sends the request to one host after the other; last is the refusal if there is none.
func (c *call) try(choice *route.Choice, last *refusal) *refusal {
	for tries := 0; tries < c.g.cfg.Hosts.MaxTries; {
		cand, ok, err := choice.Next()
		if err != nil || !ok {
			return last
		}
		a := &attempt{call: c, cand: cand, number: tries}
		done, ref := a.run()
		if done {
			return nil
		}
		last = ref
		if c.r.Context().Err() != nil {
			return last // nobody listens
		}
		if ref != refuseFull { // that one was not even asked: another request was faster
			tries++
		}
	}
	return last
}

// healthz serves GET /healthz: 200 when the gateway knows hosts.
func (g *Gateway) healthz(w http.ResponseWriter, _ *http.Request) {
	if g.draining.Load() {
		refuseStopping.write(w)
		return
	}
	s, err := g.table.Snapshot()
	if err != nil {
		refuseStale.write(w)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"status": "ok", "hosts": len(s.Hosts), "epoch": s.Epoch})
}
