// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	rewardstypes "github.com/gpucoord/gpucoord/x/rewards/types"
)

// linksOf is the end of the page.
func linksOf(st *story, opts Options) string {
	st.w.opts = opts
	r, _ := st.audit()
	p := new(page)
	p.links(st.w, st.then, r)
	return p.b.String()
}

func TestLinksThatDieAreNotPrinted(t *testing.T) {
	st := newStory(t)
	opts := Options{Node: "/opt/gp u/gpucoord", Relayer: "/opt/gpucoord-relayer"}
	goesOn := linksOf(st, opts)
	home := st.w.home
	for _, want := range []string{
		"host card", "http://127.0.0.1:", "'/opt/gp u/gpucoord' query rewards explain " + st.w.state.Accounts["operator-north"].Address + " 4 --home " + home.path("node"),
		`"Authorization: Bearer $(cat ` + home.keyFile("gateway-main-customer-1") + `)"`, "/v1/chat/completions", "/opt/gpucoord-relayer demo --home " + home.dir,
	} {
		if !strings.Contains(goesOn, want) {
			t.Errorf("a demo that goes on lacks %q:\n%s", want, goesOn)
		}
	}
	opts.Once = true
	ends := linksOf(st, opts)
	if strings.Contains(ends, "http://") || !strings.Contains(ends, "Without --once") || !strings.Contains(ends, "/opt/gpucoord-relayer demo --home "+home.dir) {
		t.Errorf("a demo that ends prints:\n%s", ends)
	}
}

func TestWhyIsOfTheRowOfItsCommand(t *testing.T) {
	st := newStory(t)
	north, west := st.w.state.Accounts["operator-north"].Address, st.w.state.Accounts["operator-west"].Address
	st.then.settled[1].explained[west] = &rewardstypes.QueryExplainResponse{
		Row: rewardstypes.OperatorEpoch{Operator: west, Epoch: 5, RewardUusdc: 201}, Text: []string{"west, in words"},
	}
	best := st.then.largestReward()
	if best.Row.Operator != west {
		t.Fatalf("the largest reward is that of %s, want %s (north is %s)", best.Row.Operator, west, north)
	}
	st.w.opts.Node = filepath.Join(t.TempDir(), "gpucoord") // not there: the chain's words stand in
	st.w.explain(t.Context(), st.then)
	if st.then.why != "west, in words" {
		t.Errorf("without a command line: %q", st.then.why)
	}
	script := "#!/bin/sh\necho \"$@\"\n"
	if err := os.WriteFile(st.w.opts.Node, []byte(script), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	st.w.explain(t.Context(), st.then)
	p := new(page)
	p.why(st.w, st.then)
	command := "query rewards explain " + west + " 5 --home " + st.w.home.path("node")
	if st.then.why != command+"\n" || !strings.Contains(p.b.String(), st.w.opts.Node+" "+command) {
		t.Errorf("the command printed %q, the page says\n%s", st.then.why, p.b.String())
	}
}

func TestTotalsOfTwoScopesAreLabelled(t *testing.T) {
	st := newStory(t)
	st.baseline.accruals = append(st.baseline.accruals, st.then.accruals[0])
	st.baseline.accruals[0].LifetimeUusdc = 300 // an earlier run
	st.then.batches[0].Groups[0].Ok, st.then.batches[0].Groups[0].Count = 1, 3
	r := st.w.newReport(st.baseline, st.then, st.traffic)
	p := new(page)
	p.served(r)
	p.authors(r)
	text := p.b.String()
	for _, want := range []string{"in this run: epochs 4 to 5", "cancelled", st.w.state.Accounts["operator-north"].Address, "in this run  since genesis", "0.000700       0.001000"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
	for _, o := range r.Operators {
		if o.Name == "North" && (o.Receipts != 4 || o.OK != 2 || o.Cancelled != 2) {
			t.Errorf("%+v", o)
		}
	}
}

func TestShellLine(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, c := range []struct{ program, want string }{
		{filepath.Join(dir, "build", "gpucoord"), "./build/gpucoord demo --home 'my demo'"},
		{"/elsewhere/gpucoord", "/elsewhere/gpucoord demo --home 'my demo'"},
	} {
		if got := shellLine(c.program, "demo", "--home", "my demo"); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	if got, want := shellWord("it's"), `'it'\''s'`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := count(1, "receipt", "receipts") + ", " + count(2_000, "batch", "batches"); got != "1 receipt, 2,000 batches" {
		t.Error(got)
	}
}
