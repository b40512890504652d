// SPDX-License-Identifier: Apache-2.0

package serve

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics reads a status whenever it is asked, so that a restart loses no count.
type metrics struct{ src Sources }

const prefix = "gpucoord_relayer_"

var (
	descHeight  = prometheus.NewDesc(prefix+"head_height", "Newest block of the node.", nil, nil)
	descTime    = prometheus.NewDesc(prefix+"head_time_seconds", "Time of that block, Unix seconds.", nil, nil)
	descEpoch   = prometheus.NewDesc(prefix+"epoch", "Present epoch.", nil, nil)
	descOffset  = prometheus.NewDesc(prefix+"log_offset_bytes", "How far the host's log was read.", []string{"host_id"}, nil)
	descTaken   = prometheus.NewDesc(prefix+"receipts_total", "Receipts collected and valid.", []string{"host_id"}, nil)
	descSigned  = prometheus.NewDesc(prefix+"receipts_countersigned_total", "Receipts with a countersignature.", []string{"host_id"}, nil)
	descCaught  = prometheus.NewDesc(prefix+"caught_up_time_seconds", "When the end of the host's log was reached last.", []string{"host_id"}, nil)
	descReject  = prometheus.NewDesc(prefix+"rejected", "Records turned down and still kept, by reason.", []string{"host_id", "reason"}, nil)
	descBatch   = prometheus.NewDesc(prefix+"last_batch_epoch", "Epoch of the host's newest batch.", []string{"host_id"}, nil)
	descAmount  = prometheus.NewDesc(prefix+"last_batch_amount_uusdc", "Amount of the host's newest batch.", []string{"host_id"}, nil)
	descOutbox  = prometheus.NewDesc(prefix+"outbox", "Transactions by state.", []string{"state"}, nil)
	descMargin  = prometheus.NewDesc(prefix+"deadline_margin_blocks", "Blocks left until the nearest deadline of an open transaction.", nil, nil)
	descTrouble = prometheus.NewDesc(prefix+"problems", "Problems that /status names.", nil, nil)
)

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descHeight, descTime, descEpoch, descOffset, descTaken, descSigned, descCaught, descReject, descBatch, descAmount, descOutbox,
		descMargin, descTrouble,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), statusTimeout)
	defer cancel()
	st := StatusOf(ctx, m.src)
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(descTrouble, float64(len(st.Problems)))
	if st.Height != 0 {
		gauge(descHeight, float64(st.Height))
		gauge(descTime, float64(st.HeadTime.Unix()))
		gauge(descEpoch, float64(st.Epoch))
	}
	for i := range st.Hosts {
		collectHost(ch, gauge, &st.Hosts[i])
	}
	for state, count := range st.Outbox {
		gauge(descOutbox, float64(count), state)
	}
	for _, item := range st.Open {
		if item.Deadline != 0 && st.Height != 0 {
			gauge(descMargin, float64(item.BlocksLeft))
			break // the nearest deadline is first
		}
	}
}

func collectHost(ch chan<- prometheus.Metric, gauge func(*prometheus.Desc, float64, ...string), h *HostStatus) {
	gauge(descOffset, float64(h.LogOffset), h.HostID)
	ch <- prometheus.MustNewConstMetric(descTaken, prometheus.CounterValue, float64(h.Receipts), h.HostID)
	ch <- prometheus.MustNewConstMetric(descSigned, prometheus.CounterValue, float64(h.Countersigned), h.HostID)
	if !h.CaughtUp.IsZero() {
		gauge(descCaught, float64(h.CaughtUp.Unix()), h.HostID)
	}
	for reason, count := range h.Rejected {
		gauge(descReject, float64(count), h.HostID, reason)
	}
	if h.LastBatch != nil {
		gauge(descBatch, float64(h.LastBatch.Epoch), h.HostID)
		gauge(descAmount, float64(h.LastBatch.AmountUusdc), h.HostID)
	}
}
