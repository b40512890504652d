// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"net/http"
	"slices"

	"github.com/gpucoord/gpucoord/gateway/route"
)

// modelView is one entry of the model list.
type modelView struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

// served lists the names that at least one host serves now, with the hosts.
func (g *Gateway) served(visit func(name string, hosts []route.Candidate)) *refusal {
	s, err := g.table.Snapshot()
	if err != nil {
		return refuseStale
	}
	names := g.names.Load()
	for _, name := range names.Sorted() {
		asset, _ := names.Find(name) // it is one of the names
		want := route.Want{Asset: asset, AllowSimulated: g.cfg.AllowSimulated, AllowHTTP: g.cfg.AllowHTTP}
		if hosts := route.Candidates(s.Hosts, want); len(hosts) > 0 {
			visit(name, hosts)
		}
	}
	return nil
}

// models serves GET /v1/models. The chain does not say when a model appeared, so all have the time at which the gateway started.
func (g *Gateway) models(w http.ResponseWriter, _ *http.Request) {
	list := []modelView{}
	ref := g.served(func(name string, _ []route.Candidate) {
		list = append(list, modelView{ID: name, Object: "model", Created: g.started, OwnedBy: g.cfg.OwnedBy})
	})
	if ref != nil {
		g.refuse(w, ref)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"object": "list", "data": list})
}

// libertaiModels serves GET /libertai/models: the hosts of each model, as LibertAI's own gateway lists them.
func (g *Gateway) libertaiModels(w http.ResponseWriter, _ *http.Request) {
	type servers struct {
		Servers []string `json:"servers"`
	}
	list := make(map[string]servers)
	ref := g.served(func(name string, hosts []route.Candidate) {
		urls := make([]string, len(hosts))
		for i, c := range hosts {
			urls[i] = c.Host.Endpoint
		}
		slices.Sort(urls)
		list[name] = servers{slices.Compact(urls)}
	})
	if ref != nil {
		g.refuse(w, ref)
		return
	}
	writeJSON(w, http.StatusOK, list)
}
