// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// readTimeout bounds the reading of the counters.
const readTimeout = 5 * time.Second

const prefix = "gpucoord_watch_"

var (
	descBatches  = prometheus.NewDesc(prefix+"batches_checked_total", "Batches whose records were checked.", nil, nil)
	descReceipts = prometheus.NewDesc(prefix+"receipts_checked_total", "Records checked.", nil, nil)
	descFound    = prometheus.NewDesc(prefix+"frauds_found_total", "Findings, by kind.", []string{"kind"}, nil)
	descFiled    = prometheus.NewDesc(prefix+"challenges_filed_total", "Cases that ended, by kind and result.", []string{"kind", "result"}, nil)
	descErrors   = prometheus.NewDesc(prefix+"da_fetch_errors_total", "Failed downloads of records.", nil, nil)
	descLag      = prometheus.NewDesc(prefix+"lag_batches", "Batches that wait to be fetched or checked.", nil, nil)
	descOpen     = prometheus.NewDesc(prefix+"open_cases", "Cases on their way.", nil, nil)
)

// Collector gives a watchtower's counters to Prometheus. They are read from its store, so that a restart loses no count.
type Collector struct {
	Read func(ctx context.Context) (Status, error)
}

// Describe implements prometheus.Collector.
func (c Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descBatches, descReceipts, descFound, descFiled, descErrors, descLag, descOpen} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c Collector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	st, err := c.Read(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(descLag, err)
		return
	}
	send := func(d *prometheus.Desc, kind prometheus.ValueType, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, kind, float64(v), labels...)
	}
	send(descBatches, prometheus.CounterValue, st.BatchesChecked)
	send(descReceipts, prometheus.CounterValue, st.ReceiptsChecked)
	send(descErrors, prometheus.CounterValue, st.FetchErrors)
	send(descLag, prometheus.GaugeValue, st.Lag)
	send(descOpen, prometheus.GaugeValue, st.Open)
	for _, kind := range Kinds {
		send(descFound, prometheus.CounterValue, st.Found[kind], string(kind))
		for _, result := range results {
			send(descFiled, prometheus.CounterValue, st.Filed[kind][result], string(kind), result)
		}
	}
}
