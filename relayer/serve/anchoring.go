// SPDX-License-Identifier: Apache-2.0

package serve

import (
	"encoding/json"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/gpucoord/gpucoord/relayer/evm/report"
)

// AnchoringStatus is what an operator sees who only anchors.
type AnchoringStatus struct {
	ChainID  string         `json:"chain_id"`
	EVM      []report.Chain `json:"evm"`
	Problems []string       `json:"problems"`
}

// Anchoring answers /metrics, /healthz and /status of anchoring alone. It is for a loopback listener.
func Anchoring(chainID string, read func() []report.Chain) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(report.Collector{Read: read})
	status := func() AnchoringStatus {
		st := AnchoringStatus{ChainID: chainID, EVM: read()}
		for i := range st.EVM {
			st.Problems = append(st.Problems, st.EVM[i].Problems()...)
		}
		return st
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		_ = encoder.Encode(status()) // the client is gone
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if st := status(); len(st.Problems) > 0 {
			http.Error(w, st.Problems[0], http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n")) // the client is gone
	})
	return mux
}
