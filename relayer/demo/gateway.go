// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
)

const (
	// customersPerGateway is how many customers each gateway has.
	customersPerGateway = 3
	// customerCredit is each customer's credit, in uusdc. It is simulated: nobody paid it.
	customerCredit = 500_000_000
	// usagePage is the most jobs that a gateway lists at once.
	usagePage = 1000
)

// book is what a gateway's own ledger says of its jobs.
type book struct {
	jobs     map[uint64]uint64 // settled, by epoch
	amounts  map[uint64]uint64
	rejected uint64 // receipts it found wrong
	open     uint64 // still without a receipt
}

func (b book) sums(first, last uint64) (jobs, amount uint64) {
	for e := first; e <= last; e++ {
		jobs, amount = jobs+b.jobs[e], amount+b.amounts[e]
	}
	return jobs, amount
}

// gatewaySettings is the configuration of a gateway. Its limits suit few customers with many requests.
func (w *World) gatewaySettings(i int) string {
	g, ports := gateways[i], w.state.Ports
	var t settings
	t.set("chain_id", w.state.ChainID)
	t.set("node", "grpc://"+ports.address("grpc", 0))
	t.set("key_file", w.home.keyFile(jobKeyOf(g.name)))
	t.set("payment_secret_file", w.home.keyFile(g.name+"-secret"))
	t.set("ledger", w.home.path("data", g.name, "ledger.db"))
	t.set("listen", ports.address("gateway", i))
	t.set("admin_listen", ports.address("gateway-admin", i))
	t.set("admin_token_file", w.home.keyFile(g.name+"-token"))
	t.set("allow_simulated", true)
	t.set("allow_http", true)
	t.set("allow_private", true)
	t.table("[limits]")
	t.set("max_concurrent_per_key", 1024)
	t.set("rate_per_second", 10_000)
	t.set("rate_burst", 10_000)
	t.table("[timeouts]")
	t.set("header", clientPatience.String())
	t.set("body", clientPatience.String())
	t.table("[hosts]") // epochs last seconds here, and an engine that failed on purpose is good again at once
	t.set("refresh", "500ms")
	t.set("pause", "200ms")
	t.set("max_pause", "1s")
	t.table("[receipts]")
	t.set("interval", blockPause.String())
	return t.String()
}

// admin asks a gateway's admin interface.
func (w *World) admin(ctx context.Context, i int, method, path string, body, answer any) error {
	token, err := w.home.token(gateways[i].name + "-token")
	if err != nil {
		return err
	}
	var raw []byte
	if body != nil {
		if raw, err = json.Marshal(body); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, w.state.Ports.url("gateway-admin", i)+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("admin interface of %s: %w", gateways[i].name, refusalOf(response))
	}
	return json.NewDecoder(response.Body).Decode(answer)
}

// openCustomers makes API keys with credit, unless the gateway has them from an earlier run, and a file of each for the shell.
func (w *World) openCustomers(ctx context.Context, i int) error {
	name := gateways[i].name
	keys := w.apiKeys(name)
	if len(keys) != customersPerGateway {
		keys = nil
		for range customersPerGateway {
			var answer struct {
				Key string `json:"key"`
			}
			if err := w.admin(ctx, i, http.MethodPost, "/admin/v1/keys", map[string]uint64{"credits_uusdc": customerCredit}, &answer); err != nil {
				return err
			}
			keys = append(keys, answer.Key)
		}
		w.mu.Lock()
		w.state.APIKeys[name] = keys
		w.mu.Unlock()
	}
	for n, key := range keys {
		if err := os.WriteFile(w.home.keyFile(customerFile(name, n)), []byte(key+"\n"), 0o600); err != nil {
			return fmt.Errorf("write a customer's key: %w", err)
		}
	}
	return nil
}

// customerFile names the file of a customer's API key.
func customerFile(gateway string, n int) string { return fmt.Sprintf("%s-customer-%d", gateway, n+1) }

func (w *World) apiKeys(gateway string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state.APIKeys[gateway]
}

// usageEntry is one job in a gateway's own ledger.
type usageEntry struct {
	JobID       string `json:"job_id"`
	State       string `json:"state"`
	AmountUusdc uint64 `json:"amount_uusdc"`
	CreatedAt   int64  `json:"created_at"`
}

// readBooks reads what the gateways' ledgers say. A ledger knows no epochs; the host's log says in which epoch a job was served.
func (w *World) readBooks(ctx context.Context, f *facts) error {
	epochs := make(map[string]uint64)
	for _, records := range f.logs {
		for n := range records {
			id := records[n].JobID(w.domain)
			epochs[hex.EncodeToString(id[:])] = records[n].Epoch
		}
	}
	f.books = make(map[string]book)
	for i, g := range gateways {
		jobs, err := w.ledger(ctx, i)
		if err != nil {
			return err
		}
		b := book{jobs: make(map[uint64]uint64), amounts: make(map[uint64]uint64)}
		for _, j := range jobs {
			switch j.State {
			case "settled":
				b.jobs[epochs[j.JobID]]++
				b.amounts[epochs[j.JobID]] += j.AmountUusdc
			case "rejected":
				b.rejected++
			case "open":
				b.open++
			}
		}
		f.books[g.name] = b
	}
	return nil
}

// ledger lists all jobs of a gateway.
func (w *World) ledger(ctx context.Context, i int) (map[string]usageEntry, error) {
	var keys struct {
		Keys []struct {
			ID string `json:"id"`
		} `json:"keys"`
	}
	if err := w.admin(ctx, i, http.MethodGet, "/admin/v1/keys", nil, &keys); err != nil {
		return nil, err
	}
	jobs := make(map[string]usageEntry)
	for _, key := range keys.Keys {
		for since := int64(0); ; {
			var page struct {
				Jobs []usageEntry `json:"jobs"`
			}
			path := fmt.Sprintf("/admin/v1/keys/%s/usage?since=%d", key.ID, since)
			if err := w.admin(ctx, i, http.MethodGet, path, nil, &page); err != nil {
				return nil, err
			}
			known := len(jobs)
			for _, j := range page.Jobs { // the last second of a page comes again on the next
				jobs[j.JobID] = j
				since = j.CreatedAt
			}
			if len(page.Jobs) < usagePage || len(jobs) == known {
				break
			}
		}
	}
	return jobs, nil
}
