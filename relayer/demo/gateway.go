// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
)

const (
	// customersPerGateway is how many customers each gateway has.
	customersPerGateway = 3
	// customerCredit is each customer's credit, in uusdc. It is simulated: nobody paid it.
	customerCredit = 500_000_000
)

// book is what a gateway's own ledger says of its jobs.
type book struct {
	jobs     map[uint64]uint64 // by epoch
	amounts  map[uint64]uint64
	rejected uint64
}

func (b book) sums(first, last uint64) (jobs, amount uint64) {
	for e := first; e <= last; e++ {
		jobs, amount = jobs+b.jobs[e], amount+b.amounts[e]
	}
	return jobs, amount
}

// gatewaySettings is the configuration of a gateway.
func (w *World) gatewaySettings(i int) string {
	g, ports := gateways[i], w.state.Ports
	var t settings
	t.set("chain_id", w.state.ChainID)
	t.set("key_file", w.home.keyFile(jobKeyOf(g.name)))
	t.set("payment_secret_file", w.home.keyFile(g.name+"-secret"))
	t.set("ledger", w.home.path("data", g.name, "ledger.db"))
	t.set("listen", ports.address("gateway", i))
	t.set("admin_listen", ports.address("gateway-admin", i))
	t.set("admin_token_file", w.home.keyFile(g.name+"-token"))
	t.set("allow_simulated", true)
	t.set("allow_http", true)
	t.set("allow_private", true)
	return t.String()
}

func (w *World) openCustomers(ctx context.Context, i int) error { return ctx.Err() }

func (w *World) readBooks(ctx context.Context, f *facts) error { return ctx.Err() }
