// SPDX-License-Identifier: Apache-2.0

package host

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host/jobbook"
)

// metrics are the host's counters. Labels are outcomes, codes and configured names only: nothing a client chooses.
type metrics struct {
	registry      *prometheus.Registry
	running       prometheus.Gauge
	replays       prometheus.Counter
	countersigned prometheus.Counter
	refusals      *prometheus.CounterVec
	jobs          *prometheus.CounterVec
	tokens        *prometheus.CounterVec
	amount        *prometheus.CounterVec
	ttft          *prometheus.HistogramVec
	duration      *prometheus.HistogramVec
	syncSeconds   prometheus.Histogram
	syncAppends   prometheus.Histogram
}

// latencyBuckets span a cached first token and a long answer, in seconds.
var latencyBuckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}

func newMetrics() *metrics {
	name := func(n string) prometheus.Opts {
		return prometheus.Opts{Namespace: "gpucoord", Subsystem: "host", Name: n}
	}
	counter := func(n, help string) prometheus.CounterOpts {
		o := prometheus.CounterOpts(name(n))
		o.Help = help
		return o
	}
	histogram := func(n, help string, buckets []float64) prometheus.HistogramOpts {
		return prometheus.HistogramOpts{Namespace: "gpucoord", Subsystem: "host", Name: n, Help: help, Buckets: buckets}
	}
	m := &metrics{
		registry:      prometheus.NewRegistry(),
		running:       prometheus.NewGauge(prometheus.GaugeOpts(name("jobs_running"))),
		replays:       prometheus.NewCounter(counter("replays_total", "Repeated authorisations answered with their receipt.")),
		countersigned: prometheus.NewCounter(counter("countersignatures_total", "Countersignatures stored.")),
		refusals:      prometheus.NewCounterVec(counter("refusals_total", "Errors answered, by code."), []string{"code"}),
		jobs:          prometheus.NewCounterVec(counter("jobs_total", "Receipts signed, by model and outcome."), []string{"model", "outcome"}),
		tokens:        prometheus.NewCounterVec(counter("tokens_total", "Tokens in receipts."), []string{"model", "kind"}),
		amount:        prometheus.NewCounterVec(counter("amount_uusdc_total", "Amounts of receipts in micro-USD."), []string{"model"}),
		ttft:          prometheus.NewHistogramVec(histogram("ttft_seconds", "Time to the first byte.", latencyBuckets), []string{"model"}),
		duration:      prometheus.NewHistogramVec(histogram("duration_seconds", "Time to the last byte.", latencyBuckets), []string{"model"}),
		syncSeconds: prometheus.NewHistogram(histogram("log_sync_seconds", "Time until a write of the receipt log was durable.",
			prometheus.ExponentialBuckets(.0001, 2, 14))),
		syncAppends: prometheus.NewHistogram(histogram("log_sync_appends", "Appends that shared one sync.", prometheus.ExponentialBuckets(1, 2, 11))),
	}
	m.registry.MustRegister(m.running, m.replays, m.countersigned, m.refusals, m.jobs, m.tokens, m.amount, m.ttft, m.duration,
		m.syncSeconds, m.syncAppends)
	return m
}

// watchBook adds gauges that are read from the book.
func (m *metrics) watchBook(b *jobbook.Book) {
	gauge := func(n, help string, read func(jobbook.Totals) int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "gpucoord", Subsystem: "host", Name: n, Help: help},
			func() float64 { return float64(read(b.Totals())) })
	}
	m.registry.MustRegister(
		gauge("receipts_uncountersigned", "Receipts that wait for a countersignature.", func(t jobbook.Totals) int { return t.Uncountersigned }),
		gauge("jobs_known", "Jobs whose nonce is remembered.", func(t jobbook.Totals) int { return t.Known }),
	)
}

func (m *metrics) synced(appends int, took time.Duration) {
	m.syncAppends.Observe(float64(appends))
	m.syncSeconds.Observe(took.Seconds())
}

// served counts a signed receipt.
func (m *metrics) served(model string, r *receipt.Record) {
	m.jobs.WithLabelValues(model, r.Outcome.String()).Inc()
	m.tokens.WithLabelValues(model, "prompt").Add(float64(r.PromptTokens))
	m.tokens.WithLabelValues(model, "cached").Add(float64(r.CachedTokens))
	m.tokens.WithLabelValues(model, "output").Add(float64(r.OutputTokens))
	m.amount.WithLabelValues(model).Add(float64(r.Amount))
	if r.Outcome == receipt.OutcomeOK {
		m.ttft.WithLabelValues(model).Observe(float64(r.TTFTMs) / 1000)
		m.duration.WithLabelValues(model).Observe(float64(r.DurationMs) / 1000)
	}
}
