// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// ErrNode says that the node did not come up. Its log says why.
var ErrNode = errors.New("the node does not make blocks; see its log")

const (
	initTimeout = 2 * time.Minute // a cold disk
	nodeTimeout = 2 * time.Minute
	pollPause   = 100 * time.Millisecond

	// votingPeriod is how long the vote on the gateway's accreditation runs.
	votingPeriod = 4 * time.Second
)

// initNode writes the node's home: keys, genesis, settings.
func (w *World) initNode(ctx context.Context) error {
	if err := os.MkdirAll(w.home.path("config"), 0o700); err != nil {
		return fmt.Errorf("directory of the settings: %w", err)
	}
	files := map[string]any{"accounts.json": w.genesisAccounts(), "genesis-patch.json": w.genesisPatch()}
	for name, value := range files {
		raw, err := json.MarshalIndent(value, "", "  ")
		if err != nil {
			return fmt.Errorf("encode %s: %w", name, err)
		}
		if err := os.WriteFile(w.home.path("config", name), raw, 0o600); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, initTimeout)
	defer cancel()
	port := func(kind string) string { return strconv.Itoa(w.state.Ports[kind][0]) }
	cmd := exec.CommandContext(ctx, w.opts.Node, "localnet", "init", //nolint:gosec // our own binary
		"--home", w.home.path("node"), "--chain-id", w.state.ChainID,
		"--epoch-blocks", strconv.Itoa(epochBlocks), "--block-time", blockPause.String(),
		"--accounts", w.home.path("config", "accounts.json"), "--genesis-patch", w.home.path("config", "genesis-patch.json"),
		"--rpc-port", port("rpc"), "--p2p-port", port("p2p"), "--grpc-port", port("grpc"), "--api-port", port("rest"),
		"--output", "json")
	raw, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("gpucoord localnet init: %w: %s", err, stderrOf(err))
	}
	var report struct {
		Validator account `json:"validator"`
	}
	if err := json.Unmarshal(raw, &report); err != nil {
		return fmt.Errorf("gpucoord localnet init: its report: %w", err)
	}
	return w.adoptValidator(report.Validator)
}

func stderrOf(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(exit.Stderr)
	}
	return ""
}

type genesisAccount struct {
	Name     string `json:"name"`
	Mnemonic string `json:"mnemonic"`
	Coins    string `json:"coins"`
}

func (w *World) genesisAccounts() []genesisAccount {
	coins := map[string]string{arbiter: authorCoins, sponsor: sponsorCoins}
	for _, name := range authors {
		coins[name] = authorCoins
	}
	for _, o := range operators {
		coins[o.name], coins[relayerOf(o.name)] = operatorCoins, relayerCoins
	}
	for _, g := range gateways {
		coins[g.name] = gatewayCoins
	}
	var out []genesisAccount
	for _, name := range accountNames() {
		out = append(out, genesisAccount{Name: name, Mnemonic: w.state.Accounts[name].Mnemonic, Coins: coins[name]})
	}
	return out
}

// genesisPatch shortens what would make a viewer wait, and names the arbiter. It changes no economics. The submit window alone is longer
// than a local network's: a host or relayer that is killed and started again still has the seconds in which it makes good. The token
// ceiling is ten times the default, because stand-ins are faster than the machines they declare.
func (w *World) genesisPatch() map[string]any {
	return map[string]any{"app_state": map[string]any{
		"operators": map[string]any{"params": map[string]any{
			"schedule": map[string]any{"submit_blocks": strconv.Itoa(submitBlocks)}, "unbonding_blocks": "200",
			"token_ceiling_bps": "200000",
		}},
		"royalties": map[string]any{"params": map[string]any{
			"objection_blocks": "2", "arbiter": w.state.Accounts[arbiter].Address,
		}},
		"gov": map[string]any{"params": map[string]any{
			"voting_period": votingPeriod.String(), "expedited_voting_period": (votingPeriod / 2).String(),
			"min_deposit":           []map[string]string{{"denom": "ualeph", "amount": "1000"}},
			"expedited_min_deposit": []map[string]string{{"denom": "ualeph", "amount": "2000"}},
		}},
	}}
}

// startNode starts the node and returns when it makes blocks.
func (w *World) startNode(ctx context.Context) error {
	err := w.children.start(ctx, command{name: "node", path: w.opts.Node, args: []string{
		"start", "--home", w.home.path("node"), "--log_level", "info", "--log_no_color",
	}})
	if err != nil {
		return err
	}
	return w.waitHeight(ctx, 2) // so that there is a state to ask for
}

// waitState returns when the state after the block of the given height can be asked for. A node shows a block a moment before it has
// executed it, so the next one tells.
func (w *World) waitState(ctx context.Context, height uint64) error {
	return w.waitHeight(ctx, height+1)
}

// waitHeight returns when the node has a block of at least the given height.
func (w *World) waitHeight(ctx context.Context, height uint64) error {
	ctx, cancel := context.WithTimeoutCause(ctx, nodeTimeout, fmt.Errorf("%w: %s", ErrNode, w.home.path("logs", "node.log")))
	defer cancel()
	return w.poll(ctx, func() (bool, error) {
		head, err := w.chain.Head(ctx)
		return err == nil && head.Height >= height, nil // a node that does not listen yet is asked again
	})
}

// poll asks until the answer is true, a child has died or ctx ends.
func (w *World) poll(ctx context.Context, ask func() (bool, error)) error {
	ticker := time.NewTicker(pollPause)
	defer ticker.Stop()
	for {
		done, err := ask()
		if err != nil || done {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
	}
}
