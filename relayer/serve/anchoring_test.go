// SPDX-License-Identifier: Apache-2.0

package serve_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/gpucoord/gpucoord/relayer/evm/report"
	"github.com/gpucoord/gpucoord/relayer/serve"
)

func TestAnchoringAlerts(t *testing.T) {
	chains := []report.Chain{{Name: "main", ChainID: 1, Runway: -1, Latest: report.Mark{Nonce: 4}}}
	read := func() []report.Chain { return chains }
	private := sources()
	private.EVM = read
	for name, h := range map[string]http.Handler{"alone": serve.Anchoring("gpucoord-1", read), "beside a relayer": serve.Private(private)} {
		chains[0].Alerts = nil
		if w := get(t, h, http.MethodGet, "/healthz"); w.Code != http.StatusOK {
			t.Errorf("%s: got %d %s without alerts", name, w.Code, w.Body)
		}
		if w := get(t, h, http.MethodGet, "/metrics"); !strings.Contains(w.Body.String(), `gpucoord_relayer_evm_tx_sent_total{chain="main"} 0`) {
			t.Errorf("%s: metrics are %s", name, w.Body)
		}
		chains[0].Alerts = map[report.Alert]string{report.AlertFrozen: "why"}
		if w := get(t, h, http.MethodGet, "/healthz"); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "evm main: frozen: why") {
			t.Errorf("%s: got %d %s with an alert", name, w.Code, w.Body)
		}
		var st serve.AnchoringStatus
		if err := json.Unmarshal(get(t, h, http.MethodGet, "/status").Body.Bytes(), &st); err != nil {
			t.Fatal(err)
		}
		if len(st.EVM) != 1 || st.EVM[0].Latest.Nonce != 4 || len(st.Problems) != 1 {
			t.Errorf("%s: status is %+v", name, st)
		}
	}
}
