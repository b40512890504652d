// SPDX-License-Identifier: Apache-2.0

package report

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

const prefix = "gpucoord_relayer_evm_"

var (
	descAnchored = describe("anchored_nonce", "Nonce of the contract's newest anchor.", "tag")
	descAttested = describe("appchain_nonce", "Nonce of the newest anchor that the chain attested.")
	descLag      = describe("lag_seconds", "How much older the contract's newest anchor is than the chain's.")
	descLeaves   = describe("lag_leaves", "Leaves that the chain has anchored and the contract has not.")
	descUpdated  = describe("updated_time_seconds", "When the contract was read last, Unix seconds.")
	descFrozen   = describe("frozen", "1 when the contract is frozen.")
	descAge      = describe("valset_age_seconds", "Age of the contract's newest anchor by the EVM chain's clock.")
	descLeft     = describe("trusting_period_remaining_seconds", "Until the contract is stale; negative when it is.")
	descSent     = describe("tx_sent_total", "Transactions sent, replacements apart.")
	descBumped   = describe("tx_bumped_total", "Transactions replaced with higher fees.")
	descLanded   = describe("tx_landed_total", "Transactions that succeeded.")
	descReverted = describe("tx_reverted_total", "Transactions that did not succeed, by reason; simulated ones were never sent.", "reason")
	descReorgs   = describe("reorgs_total", "Times that the contract's newest anchor went back.")
	descGas      = describe("gas_used", "Gas of the last transaction that succeeded.")
	descGasTotal = describe("gas_used_total", "Gas of all landed transactions since the start.")
	descPrice    = describe("effective_gas_price_wei", "Price of the last landed transaction.")
	descBalance  = describe("relayer_balance_wei", "What the paying account has.")
	descRunway   = describe("runway_anchors", "Anchors that the balance pays for at the last price.")
	descErrors   = describe("rpc_errors_total", "Failed calls, by the endpoint's position in the configuration.", "endpoint")
	descUsable   = describe("rpc_usable", "1 when the endpoint is used.", "endpoint")
	descBlock    = describe("rpc_block", "Newest block that the endpoint has.", "endpoint")
	descAlert    = describe("alert", "1 for each alert that stands.", "alert")
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prefix+name, help, append([]string{"chain"}, labels...), nil)
}

// Collector exports reports.
type Collector struct{ Read func() []Chain }

// Describe implements prometheus.Collector.
func (Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descAnchored, descAttested, descLag, descLeaves, descUpdated, descFrozen, descAge, descLeft, descSent, descBumped, descLanded,
		descReverted, descReorgs, descGas, descGasTotal, descPrice, descBalance, descRunway, descErrors, descUsable, descBlock, descAlert,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c Collector) Collect(ch chan<- prometheus.Metric) {
	for _, chain := range c.Read() {
		(&exporter{ch: ch, name: chain.Name}).export(&chain)
	}
}

type exporter struct {
	ch   chan<- prometheus.Metric
	name string
}

func (e *exporter) gauge(d *prometheus.Desc, v float64, labels ...string) {
	e.ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{e.name}, labels...)...)
}

func (e *exporter) count(d *prometheus.Desc, v uint64, labels ...string) {
	e.ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), append([]string{e.name}, labels...)...)
}

func (e *exporter) export(c *Chain) {
	if !c.Updated.IsZero() {
		e.gauge(descUpdated, float64(c.Updated.Unix()))
		e.gauge(descAnchored, float64(c.Latest.Nonce), "latest")
		e.gauge(descAnchored, float64(c.Finalized.Nonce), "finalized")
		e.gauge(descAttested, float64(c.Attested.Nonce))
		e.gauge(descLag, float64(c.LagSeconds()))
		e.gauge(descLeaves, float64(c.LagLeaves()))
		e.gauge(descFrozen, bit(c.Frozen))
		e.gauge(descAge, float64(c.ValsetAge))
		e.gauge(descLeft, float64(c.TrustingLeft))
	}
	e.count(descSent, c.Sent)
	e.count(descBumped, c.Bumped)
	e.count(descLanded, c.Landed)
	for reason, n := range c.Reverted {
		e.count(descReverted, n, reason)
	}
	e.count(descReorgs, c.Reorgs)
	e.count(descGasTotal, c.GasTotal)
	e.gauge(descGas, float64(c.GasUsed))
	e.wei(descPrice, c.GasPriceWei)
	e.wei(descBalance, c.BalanceWei)
	if c.Runway >= 0 {
		e.gauge(descRunway, float64(c.Runway))
	}
	for i, p := range c.Endpoints {
		e.count(descErrors, p.Errors, strconv.Itoa(i))
		e.gauge(descUsable, bit(p.Usable), strconv.Itoa(i))
		e.gauge(descBlock, float64(p.Block), strconv.Itoa(i))
	}
	for a := range c.Alerts {
		e.gauge(descAlert, 1, string(a))
	}
}

// wei exports an amount that is known.
func (e *exporter) wei(d *prometheus.Desc, decimal string) {
	if v, err := strconv.ParseFloat(decimal, 64); err == nil {
		e.gauge(d, v)
	}
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
