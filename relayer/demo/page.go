// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"fmt"
	"strings"
)

// page is the text the demo ends with.
type page struct {
	b strings.Builder
}

func (p *page) line(format string, args ...any) {
	fmt.Fprintf(&p.b, format, args...)
	p.b.WriteByte('\n')
}

func (p *page) head(text string) { p.line("\n%s\n%s", text, strings.Repeat("-", len(text))) }

// table writes rows in columns as wide as their widest cell: text to the left, numbers to the right.
func (p *page) table(header []string, rows [][]string) {
	widths := make([]int, len(header))
	for _, row := range append([][]string{header}, rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for _, row := range append([][]string{header}, rows...) {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-len([]rune(cell)))
			switch {
			case i == 0 || !rightAligned(rows, i):
				line.WriteString("  " + cell + pad)
			default:
				line.WriteString("  " + pad + cell)
			}
		}
		p.line("%s", strings.TrimRight(line.String(), " "))
	}
}

// rightAligned tells columns of numbers.
func rightAligned(rows [][]string, column int) bool {
	for _, row := range rows {
		if cell := row[column]; cell != "" && (cell[0] < '0' || cell[0] > '9') {
			return false
		}
	}
	return true
}

// write puts the whole page together.
func (w *World) page(f *facts, t *Traffic, r *Report) string {
	p := new(page)
	p.line("\ngpucoord demo, chain %s", r.ChainID)
	p.line("Engines and GPUs are SIMULATED: no model was run, and the capacity evidence says so on the chain. Payments to gateways are")
	p.line("simulated credits. Transactions, signatures, receipts, batches, samples, settlement and HTTP are the real thing.")
	p.line("Money is in USD; the chain counts millionths (uusdc).")
	p.requests(t, r)
	p.served(r)
	p.example(w, f)
	p.why(w, f)
	p.authors(r)
	p.anchors(w, r)
	p.checks(r)
	p.claims(f)
	p.links(w, f, r)
	return p.b.String()
}

func (p *page) requests(t *Traffic, r *Report) {
	p.head("REQUESTS of this run, as their customers saw them")
	p.line("  %d sent in %.0f s, %.2g times as fast as the trace: %d served, %d left by their customer in the middle of the stream",
		t.Sent, t.Elapsed.Seconds(), t.Span.Seconds()/max(t.Elapsed.Seconds(), 0.001), t.Served, t.Cancelled)
	for _, name := range t.refusals() {
		p.line("  %d refused by the %s%s", t.Refused[name], name, refusalNotes[name])
	}
	p.line("  %s of jobs that failed or were left; engines fail one job in %d on purpose, and gateways then try another host",
		count(r.FailedJobs, "receipt is", "receipts are"), engineFailEvery)
}

// refusalNotes say of refusals that every run may have why they are no fault.
var refusalNotes = map[string]string{
	"host JOB_AUTH_EXPIRED": ": sent on purpose with an authorisation that had expired",
	"gateway HOSTS_FAILED":  ": every host that it tried failed; nobody is charged",
	"gateway HOSTS_FULL":    ": every host that serves the model had as many jobs as it takes; nobody is charged",
}

func (p *page) served(r *Report) {
	p.head(fmt.Sprintf("WHO SERVED WHAT AND WAS PAID WHAT in this run: epochs %d to %d, settled at height %d", r.FirstEpoch, r.LastEpoch, r.Height))
	var work, paid, all [][]string
	sum := OperatorReport{Receipts: r.Receipts, Tokens: r.Tokens, AmountUusdc: r.AmountUusdc, TakeUusdc: r.TakeUusdc, RoyaltiesUusdc: r.RoyaltiesUusdc}
	sum.OperatorShareUusdc, sum.DirectShareUusdc, sum.RewardsUusdc = r.OperatorShareUusdc, r.DirectShareUusdc, r.RewardsUusdc
	for i := range r.Operators {
		o := &r.Operators[i]
		sum.OK, sum.Fail, sum.Cancelled = sum.OK+o.OK, sum.Fail+o.Fail, sum.Cancelled+o.Cancelled
		work = append(work, append(o.work(o.Name+" (simulated)"), percent(o.ReputationPpm), o.Address))
		paid = append(paid, o.paid(o.Name+" (simulated)"))
	}
	p.table([]string{"operator", "receipts", "ok", "failed", "cancelled", "tokens", "reputation", "account"}, append(work, append(sum.work("all"), "", "")))
	p.line("")
	p.table([]string{"operator", "amount", "take", "royalties", "share", "paid direct", "reward"}, append(paid, sum.paid("all")))
	p.line("  cancelled: the customer left, or stopped reading. share: settled on the chain. paid direct: the operator's customer paid it")
	p.line("  himself (simulated), so only take and royalties settle.")
	p.line("")
	for _, m := range r.Models {
		all = append(all, []string{m.Model, m.Adapter, thousands(m.Receipts), thousands(m.Tokens), usd(m.AmountUusdc), usd(m.RoyaltiesUusdc)})
	}
	p.table([]string{"model", "adapter", "receipts", "tokens", "amount", "royalties"}, all)
}

// work is the row of what an operator served.
func (o *OperatorReport) work(name string) []string {
	return []string{name, thousands(o.Receipts), thousands(o.OK), thousands(o.Fail), thousands(o.Cancelled), thousands(o.Tokens)}
}

// paid is the row of what it was paid.
func (o *OperatorReport) paid(name string) []string {
	return []string{
		name, usd(o.AmountUusdc), usd(o.TakeUusdc), usd(o.RoyaltiesUusdc), usd(o.OperatorShareUusdc), usd(o.DirectShareUusdc), usd(o.RewardsUusdc),
	}
}

// why prints what the command line says of the largest reward.
func (p *page) why(w *World, f *facts) {
	best := f.largestReward()
	if best == nil {
		return
	}
	p.head("WHY: the largest epoch reward of this run")
	p.line("  %s", shellLine(w.opts.Node, w.explainArgs(&best.Row)...))
	p.line("  says, here with names in the place of addresses:")
	p.line("")
	for line := range strings.Lines(f.why) {
		p.wrapped(strings.TrimRight("  "+w.named(line), " \n"), 130)
	}
}

// wrapped writes a long line in pieces; what follows the first is set in further.
func (p *page) wrapped(text string, width int) {
	indent := ""
	for len(text) > width {
		cut := strings.LastIndexByte(text[:width], ' ')
		if cut <= len(indent)+2 {
			break
		}
		p.line("%s", text[:cut])
		indent = "      "
		text = indent + strings.TrimLeft(text[cut:], " ")
	}
	p.line("%s", text)
}

// named puts names in the place of addresses.
func (w *World) named(text string) string {
	var pairs []string
	for name, a := range w.state.Accounts {
		pairs = append(pairs, a.Address, name)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func (p *page) authors(r *Report) {
	p.head("ROYALTIES per author")
	var rows [][]string
	var run uint64
	for _, a := range r.Royalties {
		run += a.RunUusdc
		rows = append(rows, []string{a.Name, usd(a.RunUusdc), usd(a.LifetimeUusdc), a.Address})
	}
	p.table([]string{"author", "in this run", "since genesis", "account"}, rows)
	if run != r.RoyaltiesUusdc {
		p.line("  In this run settled work of an earlier one too: %s more than the epochs above.", usd(run-min(run, r.RoyaltiesUusdc)))
	}
}

func (p *page) checks(r *Report) {
	p.head("MONEY AND COUNTS, of this run's epochs and of balances since it began")
	for _, c := range r.Checks {
		mark := "ok  "
		if !c.OK {
			mark = "FAIL"
		}
		p.wrapped(fmt.Sprintf("  %s  %s: %s", mark, c.Name, c.Detail), 130)
	}
	if r.InvariantsOK {
		p.line("  All %d checks held at height %d. Each compares two sources that do not share their numbers.", len(r.Checks), r.Height)
	} else {
		p.line("  A CHECK DID NOT HOLD.")
	}
}

// claims says what was verified, by whom and when, and what was not.
func (p *page) claims(f *facts) {
	p.head("WHAT WAS VERIFIED, BY WHOM, AND WHAT WAS NOT")
	samples := uint64(0)
	for i := range f.batches {
		samples += uint64(f.batches[i].Samples)
	}
	p.line("  Signatures, counts and prices of every receipt: by its gateway before it countersigned, and by the relayer before it batched it.")
	p.line("  %s of the %s that the chain still holds, records and all signatures: by the chain, in blocks up to %d.",
		count(samples, "sample", "samples"), count(uint64(len(f.batches)), "batch", "batches"), f.height)
	p.line("  The sums on this page: by this program, now. Uptime, availability and latency: by nobody; stand-in values, see the explanation above.")
	p.line("  That the right model ran, and its output: by nobody. Here none ran.")
}

// urls are the addresses worth opening.
func (w *World) urls() map[string]string {
	ports := w.state.Ports
	rest := ports.url("rest", 0)
	urls := map[string]string{
		"RPC status":      ports.url("rpc", 0) + "/status",
		"REST operators":  rest + "/gpucoord/operators/v1/operators",
		"REST batches":    rest + "/gpucoord/receipts/v1/batches",
		"REST models":     rest + "/gpucoord/royalties/v1/assets",
		"REST gateways":   rest + "/gpucoord/receipts/v1/gateways",
		"REST log":        rest + "/gpucoord/anchors/v1/log",
		"host card":       ports.url("host", 0) + "/.well-known/gpucoord",
		"gateway models":  ports.url("gateway", 0) + "/v1/models",
		"engine metrics":  ports.url("engine", 0) + "/metrics",
		"relayer metrics": ports.url("relayer-status", 0) + "/metrics",
		"relayer status":  ports.url("relayer-status", 0) + "/status",
		"REST anchors":    rest + "/gpucoord/anchors/v1/anchors",
	}
	if !w.opts.NoEVM {
		urls["anchorer status"] = ports.url("anchorer-status", 0) + "/status"
	}
	return urls
}

// thousands writes a number with commas.
func thousands(n uint64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// count writes a number with its noun.
func count(n uint64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + many
}

// usd writes micro-USD as USD.
func usd(uusdc uint64) string {
	return fmt.Sprintf("%s.%06d", thousands(uusdc/1_000_000), uusdc%1_000_000)
}

func percent(ppm uint64) string { return fmt.Sprintf("%d.%02d %%", ppm/10_000, ppm%10_000/100) }
