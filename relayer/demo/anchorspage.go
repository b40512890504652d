// SPDX-License-Identifier: Apache-2.0

package demo

import "fmt"

// shownLandings is how many of the newest landed anchors the page lists.
const shownLandings = 6

// anchors shows how far the log is anchored, and one receipt that is verified all the way.
func (p *page) anchors(w *World, r *Report) {
	a := r.Anchors
	if a == nil {
		return
	}
	p.head("ANCHORS: the log of settled batches and epochs, signed by the validators, on an EVM chain")
	p.line("  The chain keeps %s; the newest has nonce %d, height %d and %s, and is signed by %s.",
		count(uint64(a.Attested), "attested anchor", "attested anchors"), a.Nonce, a.Height, count(a.TreeSize, "leaf", "leaves"),
		count(uint64(a.Signatures), "validator", "validators"))
	if a.EVM == nil {
		p.line("  No EVM chain (--no-evm).")
		return
	}
	e := a.EVM
	p.line("  On the EVM: %s, chain id %d, contract %s.", e.Chain, e.ChainID, e.Contract)
	if e.Simulated {
		p.line("  That chain lives in memory: it and its contract are new whenever the demo starts.")
	}
	skipped := uint64(0)
	if n := len(e.Landed); n > 0 {
		skipped = e.Landed[n-1].Nonce - e.Landed[0].Nonce + 1 - uint64(n)
	}
	p.line("  Landed there: %s; %d left out, since each anchor holds all before it. Behind the chain's newest: %s, %d s. Gas in all: %s.",
		count(uint64(len(e.Landed)), "anchor", "anchors"), skipped, count(e.LagLeaves, "leaf", "leaves"), e.LagSeconds, thousands(e.GasUsed))
	p.landings(e)
	if e.Receipt != nil {
		p.proof(w, e.Receipt)
	}
}

func (p *page) landings(e *EVMReport) {
	var rows [][]string
	for _, l := range e.Landed[max(0, len(e.Landed)-shownLandings):] {
		rows = append(rows, []string{
			fmt.Sprint(l.Nonce), thousands(l.Height), thousands(l.TreeSize), thousands(l.Block), fmt.Sprint(l.Seconds), thousands(l.Gas), l.Tx,
		})
	}
	if len(rows) > 0 {
		p.line("")
		if len(rows) < len(e.Landed) {
			p.line("  The newest %d:", len(rows))
		}
		p.table([]string{"anchor", "height", "leaves", "EVM block", "seconds", "gas", "EVM transaction"}, rows)
	}
}

// proof shows the command lines and what they said.
func (p *page) proof(w *World, r *ReceiptReport) {
	p.line("")
	p.line("  One receipt verified all the way: leaf %d of group %d of batch %d. The evidence is one file of %s bytes.",
		r.Leaf, r.Group, r.Batch, thousands(uint64(max(0, r.Bytes)))) //nolint:gosec // a file's size
	p.line("    %s", r.bundleLine)
	p.line("    %s", r.verifyLine)
	p.line("")
	for _, row := range r.Rows {
		p.wrapped("    "+row, 130)
	}
	if len(r.Rows) == 0 {
		p.wrapped("    "+r.Conclusion, 130)
	}
	p.line("  The trusted header was asked of this demo's node before the requests began; elsewhere take one from a source that you trust.")
	if w.evm != nil && w.evm.dev != nil && w.opts.Once {
		p.line("  The EVM chain ends with the demo. Without --evm and --contract the same file is verified offline, but for that last row.")
	}
}
