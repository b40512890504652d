// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the gateway's counters. Labels are codes, reasons and outcomes only: nothing a customer or host chooses.
type metrics struct {
	registry      *prometheus.Registry
	running       prometheus.Gauge
	refusals      *prometheus.CounterVec
	tries         *prometheus.CounterVec
	receipts      *prometheus.CounterVec
	rejected      *prometheus.CounterVec
	released      prometheus.Counter
	countersigned *prometheus.CounterVec
	spent         prometheus.Counter
	firstByte     prometheus.Histogram
}

// latencyBuckets span a cached first token and a long prompt, in seconds.
var latencyBuckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}

const namespace, subsystem = "gpucoord", "gateway"

func newMetrics() *metrics {
	counter := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: namespace, Subsystem: subsystem, Name: name, Help: help}
	}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		running: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "requests_running",
			Help: "Completions in progress.",
		}),
		refusals:      prometheus.NewCounterVec(counter("refusals_total", "Errors answered, by code."), []string{"code"}),
		tries:         prometheus.NewCounterVec(counter("tries_total", "Authorisations sent to hosts, by what came of them."), []string{"result"}),
		receipts:      prometheus.NewCounterVec(counter("receipts_total", "Right receipts, by outcome."), []string{"outcome"}),
		rejected:      prometheus.NewCounterVec(counter("receipts_rejected_total", "Wrong receipts, by reason."), []string{"reason"}),
		released:      prometheus.NewCounter(counter("jobs_released_total", "Jobs that ended without a receipt.")),
		countersigned: prometheus.NewCounterVec(counter("countersignatures_total", "Countersignatures sent, by result."), []string{"result"}),
		spent:         prometheus.NewCounter(counter("spent_uusdc_total", "Amounts of right receipts in micro-USD.")),
		firstByte: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "first_byte_seconds",
			Help: "Time from a request to the first byte of its answer.", Buckets: latencyBuckets,
		}),
	}
	m.registry.MustRegister(m.running, m.refusals, m.tries, m.receipts, m.rejected, m.released, m.countersigned, m.spent, m.firstByte)
	return m
}

// totalsTimeout bounds the summing up of the ledger for one scrape.
const totalsTimeout = 2 * time.Second

var (
	creditDesc = prometheus.NewDesc("gpucoord_gateway_credit_uusdc", "Credit of all API keys in micro-USD.", []string{"part"}, nil)
	jobsDesc   = prometheus.NewDesc("gpucoord_gateway_jobs_waiting", "Jobs that wait for a receipt or a countersignature's delivery.",
		[]string{"for"}, nil)
	hostsDesc = prometheus.NewDesc("gpucoord_gateway_hosts", "Hosts in the table, and those left alone.", []string{"state"}, nil)
	ageDesc   = prometheus.NewDesc("gpucoord_gateway_hosts_age_seconds", "Age of the table of hosts; -1 before the first.", nil, nil)
)

// collector reads gauges from the ledger and the table when they are asked for.
type collector struct{ g *Gateway }

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{creditDesc, jobsDesc, hostsDesc, ageDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), totalsTimeout)
	defer cancel()
	if t, err := c.g.ledger.Totals(ctx); err == nil { // a ledger that does not answer shows as missing series
		gauge(creditDesc, float64(t.Available), "available")
		gauge(creditDesc, float64(t.Reserved), "reserved")
		gauge(creditDesc, float64(t.Spent), "spent")
		gauge(jobsDesc, float64(t.OpenJobs), "receipt")
		gauge(jobsDesc, float64(t.Pending), "countersignature")
	}
	known := 0
	if s, err := c.g.table.Snapshot(); err == nil {
		known = len(s.Hosts)
	}
	gauge(hostsDesc, float64(known), "known")
	gauge(hostsDesc, float64(c.g.cooldowns.Cooling(time.Now())), "cooling")
	age := c.g.table.Age()
	if age >= 0 {
		gauge(ageDesc, age.Seconds())
	} else {
		gauge(ageDesc, -1)
	}
}
