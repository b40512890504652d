// SPDX-License-Identifier: Apache-2.0

package report_test

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/gpucoord/gpucoord/relayer/evm/report"
)

func TestAlertsStandUntilAWholePassDoesNotRaiseThem(t *testing.T) {
	b := report.NewBoard("x", 1, "0x", false)
	fresh, gone := b.Alerts(map[report.Alert]string{report.AlertStale: "a", report.AlertLow: "b"}, true)
	if !slices.Equal(fresh, []report.Alert{report.AlertStale, report.AlertLow}) && len(fresh) != 2 || len(gone) != 0 {
		t.Fatalf("fresh %v, gone %v", fresh, gone)
	}
	if fresh, gone = b.Alerts(map[report.Alert]string{report.AlertNode: "c"}, false); len(fresh) != 1 || len(gone) != 0 {
		t.Errorf("after a pass that was cut off: fresh %v, gone %v", fresh, gone)
	}
	fresh, gone = b.Alerts(map[report.Alert]string{report.AlertStale: "still"}, true)
	if len(fresh) != 0 || len(gone) != 2 {
		t.Errorf("fresh %v, gone %v", fresh, gone)
	}
	c := b.Read()
	if got := c.Problems(); !slices.Equal(got, []string{"evm x: stale: still"}) {
		t.Errorf("problems are %q", got)
	}
}

func TestReadersGetACopy(t *testing.T) {
	b := report.NewBoard("x", 1, "0x", false)
	c := b.Read()
	c.Alerts[report.AlertStale] = "mine"
	c.Reverted["mine"] = 1
	if c = b.Read(); len(c.Alerts) != 0 || len(c.Reverted) != 0 {
		t.Errorf("a reader changed the report: %+v", c)
	}
}

func TestMetrics(t *testing.T) {
	b := report.NewBoard("main", 1, "0x", false)
	b.Update(func(c *report.Chain) {
		c.Updated = time.Unix(5000, 0)
		c.Latest = report.Mark{Nonce: 3, TreeSize: 10, Time: 1000}
		c.Finalized = report.Mark{Nonce: 2}
		c.Attested = report.Mark{Nonce: 5, TreeSize: 25, Time: 1600}
		c.TrustingLeft, c.ValsetAge = -4, 90
		c.BalanceWei, c.GasPriceWei, c.Runway, c.GasUsed = "2000000000000000000", "7", 12, 61_000
		c.Sent, c.Bumped, c.Landed = 4, 2, 3
		c.Reverted["raced"] = 1
		c.Endpoints = []report.Endpoint{{Usable: true, Block: 88}, {Errors: 6, Fault: "gone"}}
		c.Alerts[report.AlertStale] = "x"
	})
	collector := report.Collector{Read: func() []report.Chain { return []report.Chain{b.Read()} }}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(collector)
	answer := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	text := answer.Body.String()
	want := `
		anchored_nonce{chain="main",tag="finalized"} 2
		anchored_nonce{chain="main",tag="latest"} 3
		appchain_nonce{chain="main"} 5
		lag_seconds{chain="main"} 600
		lag_leaves{chain="main"} 15
		trusting_period_remaining_seconds{chain="main"} -4
		valset_age_seconds{chain="main"} 90
		relayer_balance_wei{chain="main"} 2e+18
		runway_anchors{chain="main"} 12
		tx_reverted_total{chain="main",reason="raced"} 1
		rpc_errors_total{chain="main",endpoint="1"} 6
		rpc_usable{chain="main",endpoint="0"} 1
		alert{alert="stale",chain="main"} 1`
	for line := range strings.Lines(strings.TrimSpace(want)) {
		if !strings.Contains(text, "gpucoord_relayer_evm_"+strings.TrimSpace(line)+"\n") {
			t.Errorf("metrics have no %s", strings.TrimSpace(line))
		}
	}
}
