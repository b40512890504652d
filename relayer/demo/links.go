// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"fmt"
	"sort"
)

// links says where to look and what to try while the demo goes on, or what is left of one that ends.
func (p *page) links(w *World, f *facts, r *Report) {
	if w.opts.Once {
		p.head("WHAT STAYS")
		p.line("  Every program ends now. Without --once they go on, and this place lists what to open and what to try.")
		p.left(w)
		return
	}
	p.tries(w, f)
	p.head("WHERE TO CLICK")
	urls := w.urls()
	names := make([]string, 0, len(urls))
	for name := range urls {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		p.item(name, "%s", urls[name])
	}
	rest := w.state.Ports.url("rest", 0)
	p.item("epoch settlement", "%s/gpucoord/rewards/v1/epochs/%d", rest, r.LastEpoch)
	if best := f.largestReward(); best != nil {
		p.item("explain", "%s/gpucoord/rewards/v1/epochs/%d/explain/%s", rest, best.Row.Epoch, best.Row.Operator)
	}
	p.left(w)
}

func (p *page) item(name, format string, args ...any) {
	p.line("  %-22s %s", name, fmt.Sprintf(format, args...))
}

// tries are commands that work as they stand while the demo goes on. Keys are read from their files, never shown.
func (p *page) tries(w *World, f *facts) {
	p.head("WHAT TO TRY, while it goes on")
	p.line("  Ask a model yourself, as a customer of %s; the answer is simulated, the receipt is not:", gateways[0].name)
	p.line("    %s", w.chatLine())
	p.line("  What the programs measure:")
	p.line("    %s", w.curlLine(hostOf(operators[0].name)+"-token", w.state.Ports.url("host-admin", 0)+"/metrics"))
	if best := f.largestReward(); best != nil {
		p.line("  Why an operator got what it got in an epoch:")
		p.line("    %s", shellLine(w.opts.Node, w.explainArgs(&best.Row)...))
	}
	p.line("  Pay an author:")
	p.line("    %s", shellLine(w.opts.Node, "tx", "royalties", "claim", "--from", authors[2], "--yes", "--home", w.home.path("node")))
}

// left says what an ended demo leaves.
func (p *page) left(w *World) {
	p.item("logs", "%s", w.home.path("logs"))
	p.item("start this one again", "%s", shellLine(w.opts.Relayer, "demo", "--home", w.home.dir))
}

// chatLine asks the first gateway for a chat completion, with its first customer's key.
func (w *World) chatLine() string {
	body := fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"Hello"}],"max_tokens":16}`, operators[0].base)
	return fmt.Sprintf("%s -H 'Content-Type: application/json' -d '%s'",
		w.curlLine(customerFile(gateways[0].name, 0), w.state.Ports.url("gateway", 0)+"/v1/chat/completions"), body)
}

// curlLine asks a URL with the token or key in a file.
func (w *World) curlLine(file, url string) string {
	return fmt.Sprintf(`curl -s -H "Authorization: Bearer $(cat %s)" %s`, shellWord(w.home.keyFile(file)), url)
}
