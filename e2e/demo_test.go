// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/relayer/demo"
)

// demoLimit is far above what one demo takes on two cores.
const demoLimit = 4 * time.Minute

// Given the two binaries, when the demo runs once, then it settles two epochs and more, its report adds up, and it leaves no process.
func TestDemoOnce(t *testing.T) {
	t.Parallel() // beside TestAnchorsReachTwoEVMChains: both mostly wait for blocks
	home, file := t.TempDir(), filepath.Join(t.TempDir(), "report.json")
	p := startDemo(t, "--once", "--requests", "150", "--home", home, "--report", file)
	err := p.wait(t, demoLimit)
	page, progress := p.texts()
	if err != nil {
		t.Fatalf("demo --once: %v\n%s\n%s", err, progress, page)
	}
	noProcessOf(t, home)
	r := readReport(t, file)
	if !r.InvariantsOK || r.EpochsSettled < 2 || r.Requests != 150 || r.RejectedReceipts != 0 {
		t.Errorf("invariants %t, %d epochs, %d requests, %d rejected receipts", r.InvariantsOK, r.EpochsSettled, r.Requests, r.RejectedReceipts)
	}
	checkSums(t, r)
	if r.Refused["host JOB_AUTH_EXPIRED"] == 0 || r.Cancelled == 0 || r.FailedJobs == 0 {
		t.Errorf("nothing went wrong on purpose: refused %v, cancelled %d, failed %d", r.Refused, r.Cancelled, r.FailedJobs)
	}
	checkAnchors(t, r)
	for _, want := range []string{"development EVM chain, simulated", "all checks passed", "SIMULATED", "WHO SERVED WHAT", "All ", "WHAT STAYS", "rewards explain", "WHAT WAS VERIFIED, BY WHOM"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// checkAnchors checks that anchors landed and that one receipt was verified to the contract.
func checkAnchors(t *testing.T, r *demo.Report) {
	t.Helper()
	if r.Anchors == nil || r.Anchors.EVM == nil || r.Anchors.EVM.Receipt == nil {
		t.Fatalf("the report has no anchors: %+v", r.Anchors)
	}
	e := r.Anchors.EVM
	if !e.Simulated || len(e.Landed) < 2 || e.GasUsed == 0 || e.Landed[len(e.Landed)-1].TreeSize == 0 || r.Anchors.Attested < len(e.Landed) {
		t.Errorf("%d anchors attested, on the EVM %+v", r.Anchors.Attested, e)
	}
	if proof := e.Receipt; !proof.Verified || proof.Bytes == 0 || proof.Bytes > 20<<10 {
		t.Errorf("one receipt is verified: %t, by %d bytes: %s", proof.Verified, proof.Bytes, proof.Conclusion)
	}
}

// checkSums checks the identities of a report.
func checkSums(t *testing.T, r *demo.Report) {
	t.Helper()
	if sum := r.TakeUusdc + r.RoyaltiesUusdc + r.OperatorShareUusdc + r.DirectShareUusdc; sum != r.AmountUusdc || sum == 0 {
		t.Errorf("amount %d, its parts %d", r.AmountUusdc, sum)
	}
	var all demo.OperatorReport
	for _, o := range r.Operators {
		if o.AmountUusdc != o.TakeUusdc+o.RoyaltiesUusdc+o.OperatorShareUusdc+o.DirectShareUusdc {
			t.Errorf("%s: amount %d is not the sum of its parts", o.Name, o.AmountUusdc)
		}
		if !o.Simulated || o.Receipts == 0 {
			t.Errorf("%s: simulated %t, %d receipts", o.Name, o.Simulated, o.Receipts)
		}
		all.Receipts, all.Tokens, all.AmountUusdc = all.Receipts+o.Receipts, all.Tokens+o.Tokens, all.AmountUusdc+o.AmountUusdc
		all.RewardsUusdc += o.RewardsUusdc
	}
	if all.Receipts != r.Receipts || all.Tokens != r.Tokens || all.AmountUusdc != r.AmountUusdc || all.RewardsUusdc != r.RewardsUusdc {
		t.Errorf("rows give %+v, the report %d receipts, %d tokens, %d uusdc, %d rewards", all, r.Receipts, r.Tokens, r.AmountUusdc, r.RewardsUusdc)
	}
	var models, authors uint64
	for _, m := range r.Models {
		models += m.RoyaltiesUusdc
	}
	for _, a := range r.Royalties {
		authors += a.LifetimeUusdc
	}
	if models != r.RoyaltiesUusdc || authors != r.RoyaltiesUusdc || len(r.Royalties) != 4 || len(r.Models) != 7 {
		t.Errorf("royalties: %d settled, %d by model, %d by author; %d models, %d authors", r.RoyaltiesUusdc, models, authors, len(r.Models), len(r.Royalties))
	}
	if r.RewardsUusdc == 0 || r.RewardsUusdc >= r.TakeUusdc {
		t.Errorf("rewards %d of a take of %d", r.RewardsUusdc, r.TakeUusdc)
	}
}

// Given a demo that is interrupted in the middle of its requests, when it is started again in its directory, with a trace file, then it
// goes on from where it was and every check holds.
func TestDemoDirectoryStartsAgain(t *testing.T) {
	home := t.TempDir()
	interruptDemo(t, home)
	trace := filepath.Join(t.TempDir(), "trace.csv")
	if err := os.WriteFile(trace, []byte(traceText), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startDemo(t, "--once", "--trace", trace, "--requests", "100", "--home", home)
	err := p.wait(t, demoLimit)
	page, progress := p.texts()
	if err != nil {
		t.Fatalf("demo started again: %v\n%s\n%s", err, progress, page)
	}
	if !strings.Contains(progress, "starting again") {
		t.Error("the directory was set up again")
	}
	noProcessOf(t, home)
}

// interruptDemo starts a demo and ends it as Ctrl-C does, in the middle of its requests.
func interruptDemo(t *testing.T, home string) {
	t.Helper()
	p := startDemo(t, "--requests", "200", "--home", home)
	p.saw(t, "of 200 requests sent", time.Minute)
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := p.wait(t, time.Minute); err != nil {
		_, progress := p.texts()
		t.Fatalf("interrupted demo: %v\n%s", err, progress)
	}
	noProcessOf(t, home)
}

// traceText is a trace in the form of the Azure LLM inference traces.
const traceText = `TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 18:15:46.6805900,374,44
2023-11-16 18:15:50.9951690,396,109
2023-11-16 18:15:51.2000000,879,55
2023-11-16 18:15:53.1000000,91,16
2023-11-16 18:15:56.7000000,1453,201
2023-11-16 18:15:58.0000000,381,84
2023-11-16 18:16:01.0000000,1313,142
2023-11-16 18:16:03.5000000,388,84
2023-11-16 18:16:06.0000000,242,14
2023-11-16 18:16:08.2500000,209,152
2023-11-16 18:16:10.0000000,394,131
2023-11-16 18:16:12.7500000,317,12
`

// Given flags that cannot work, the demo says which and starts nothing.
func TestDemoBadFlags(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "thesis.txt"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(t.TempDir(), "bad.csv")
	if err := os.WriteFile(bad, []byte("TIMESTAMP,ContextTokens,GeneratedTokens\nyesterday,1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"requests":      {[]string{"--requests", "0"}, demo.ErrRequests.Error()},
		"speedup":       {[]string{"--speedup", "-1"}, demo.ErrSpeedup.Error()},
		"trace":         {[]string{"--trace", bad}, "line 2"},
		"no such trace": {[]string{"--trace", bad + ".gone"}, "no such file"},
		"EVM flags":     {[]string{"--evm-rpc", "http://127.0.0.1:8545"}, demo.ErrEVMFlags.Error()},
		"foreign home":  {[]string{"--home", full}, demo.ErrHome.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			p := startDemo(t, append([]string{"--once"}, tc.args...)...)
			if err := p.wait(t, 20*time.Second); err == nil {
				t.Error("the demo ended without an error")
			}
			if _, stderr := p.texts(); !strings.Contains(stderr, tc.want) {
				t.Errorf("it does not say %q:\n%s", tc.want, stderr)
			}
		})
	}
	if left, err := os.ReadDir(full); err != nil || len(left) != 1 {
		t.Errorf("the foreign directory was touched: %v, %v", left, err)
	}
}

func readReport(t *testing.T, file string) *demo.Report {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := new(demo.Report)
	if err := json.Unmarshal(raw, r); err != nil {
		t.Fatalf("report: %v", err)
	}
	return r
}

// Given a running demo, when one of its programs is killed, then the demo names it, shows the end of its log, and ends all others.
func TestDemoNamesTheProgramThatDied(t *testing.T) {
	home := t.TempDir()
	p := startDemo(t, "--requests", "200", "--home", home)
	p.saw(t, "replaying 200 requests", time.Minute)
	killProcess(t, filepath.Join(home, "config", "gateway-small.toml"))
	if err := p.wait(t, time.Minute); err == nil {
		t.Error("the demo ended without an error")
	}
	if _, progress := p.texts(); !strings.Contains(progress, demo.ErrChildDied.Error()+": gateway-small (signal: killed)") {
		t.Errorf("the demo does not name the program that died:\n%s", progress)
	}
	noProcessOf(t, home)
}

// Given a running demo, when the demo itself is killed and can end nothing, then nothing that it started is left either.
func TestDemoKilledLeavesNoProcess(t *testing.T) {
	home := t.TempDir()
	p := startDemo(t, "--requests", "200", "--home", home)
	p.saw(t, "replaying 200 requests", time.Minute)
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := p.wait(t, time.Minute); err == nil {
		t.Error("a killed program ended well")
	}
	pause(t, time.Second) // the kernel ends the children
	noProcessOf(t, home)
}

// killProcess kills the process that has an argument on its command line.
func killProcess(t *testing.T, argument string) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range lines {
		raw, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(raw), argument) {
			continue
		}
		pid, err := strconv.Atoi(strings.Split(path, "/")[2])
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("no process has %s on its command line", argument)
}
