// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	rewardstypes "github.com/gpucoord/gpucoord/x/rewards/types"
)

// explainTimeout bounds one call of the command line, which wires an application first.
const explainTimeout = time.Minute

// largestReward finds the row with the largest reward of the settled epochs, the first of several; nil when none is settled.
func (f *facts) largestReward() *rewardstypes.QueryExplainResponse {
	var best *rewardstypes.QueryExplainResponse
	for _, e := range f.settled {
		for _, x := range e.explained {
			switch {
			case best == nil, x.Row.RewardUusdc > best.Row.RewardUusdc:
				best = x
			case x.Row.RewardUusdc == best.Row.RewardUusdc && x.Row.Epoch == best.Row.Epoch && x.Row.Operator < best.Row.Operator:
				best = x
			}
		}
	}
	return best
}

// explainArgs are the arguments with which gpucoord explains a row.
func (w *World) explainArgs(row *rewardstypes.OperatorEpoch) []string {
	return []string{"query", "rewards", "explain", row.Operator, strconv.FormatUint(row.Epoch, 10), "--home", w.home.path("node")}
}

// explain asks the command line why the largest reward is what it is, as a user would. Where that fails the chain's own words stand in.
func (w *World) explain(ctx context.Context, f *facts) {
	best := f.largestReward()
	if best == nil {
		return
	}
	f.why = strings.Join(best.Text, "\n")
	ctx, cancel := context.WithTimeout(ctx, explainTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, w.opts.Node, w.explainArgs(&best.Row)...).Output() //nolint:gosec // our own binary
	if err != nil {
		w.progress.say("gpucoord query rewards explain: %v: %s", err, stderrOf(err))
		return
	}
	f.why = string(out)
}

// shellLine writes a command as it can be pasted into a shell where the demo was started.
func shellLine(program string, args ...string) string {
	words := []string{shellWord(fromHere(program))}
	for _, arg := range args {
		words = append(words, shellWord(arg))
	}
	return strings.Join(words, " ")
}

// fromHere is a path from the working directory where it lies below that, else the path itself.
func fromHere(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	relative, err := filepath.Rel(here, path)
	if err != nil || relative == ".." || strings.HasPrefix(relative, ".."+string(filepath.Separator)) {
		return path
	}
	return "." + string(filepath.Separator) + relative
}

// shellWord quotes what a shell would not take as one word.
func shellWord(text string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@+,", r)
	}
	if text != "" && strings.IndexFunc(text, func(r rune) bool { return !plain(r) }) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
