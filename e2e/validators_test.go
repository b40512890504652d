// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gpucoord/gpucoord/relayer/chain"
)

const (
	netChainID = "gpucoord-e2e-1"
	validators = 4
	// The log grows by an epoch's statement about every three seconds, and is anchored as often.
	netEpochBlocks = 8
	netBlockTime   = 250 * time.Millisecond
)

// network is a chain of four validators, each with a process, a home and an anchor key of its own.
type network struct {
	dir   string
	nodes [validators]*validatorNode
}

// validatorNode is one of them.
type validatorNode struct {
	*process
	home     string
	operator string // gpucoordvaloper1…
	ports    []int  // rpc, p2p, grpc, api
	client   *chain.Client
}

// startNetwork makes the homes, joins their geneses, and returns when the chain makes blocks.
func startNetwork(t *testing.T) *network {
	t.Helper()
	n := &network{dir: t.TempDir()}
	ports := freePorts(t, 4*validators)
	var g errgroup.Group
	for i := range n.nodes {
		v := &validatorNode{home: filepath.Join(n.dir, fmt.Sprintf("node%d", i)), ports: ports[4*i : 4*i+4]}
		n.nodes[i] = v
		g.Go(func() error { return v.init(t.Context()) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	n.join(t)
	for i, v := range n.nodes {
		v.process = startProcess(t, n.dir, fmt.Sprintf("node%d", i), v.command()...)
		var err error
		if v.client, err = chain.Dial("grpc://"+loopback(v.ports[2]), netChainID); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = v.client.Close() }) // its node is gone
	}
	for i := range n.nodes {
		n.waitHeight(t, i, 3)
	}
	return n
}

func (v *validatorNode) command() []string {
	return []string{binaries.node, "start", "--home", v.home, "--log_level", "error", "--log_no_color"}
}

// init makes the home of a chain of this validator alone.
func (v *validatorNode) init(ctx context.Context) error {
	var report struct {
		Operator string `json:"validator_operator"`
	}
	out, err := output(ctx, binaries.node, "localnet", "init", "--home", v.home, "--chain-id", netChainID,
		"--epoch-blocks", strconv.Itoa(netEpochBlocks), "--block-time", netBlockTime.String(), "--rpc-port", strconv.Itoa(v.ports[0]),
		"--p2p-port", strconv.Itoa(v.ports[1]), "--grpc-port", strconv.Itoa(v.ports[2]), "--api-port", strconv.Itoa(v.ports[3]), "--output", "json")
	if err != nil {
		return err
	}
	err = json.Unmarshal([]byte(out), &report)
	v.operator = report.Operator
	return err
}

// join makes one genesis of all, and tells each node the others' addresses.
func (n *network) join(t *testing.T) {
	t.Helper()
	all := make([]map[string]any, validators)
	peers := make([]string, validators)
	for i, v := range n.nodes {
		readJSONFile(t, v.path("genesis.json"), &all[i])
		peers[i] = run(t, binaries.node, "comet", "show-node-id", "--home", v.home) + "@" + loopback(v.ports[1])
	}
	state := func(i int) map[string]any { return as[map[string]any](t, all[i]["app_state"]) }
	joined := all[0]
	for i := 1; i < validators; i++ {
		for _, path := range [][]string{{"auth", "accounts"}, {"bank", "balances"}, {"genutil", "gen_txs"}, {"anchors", "keys"}} {
			into, from := as[map[string]any](t, state(0)[path[0]]), as[map[string]any](t, state(i)[path[0]])
			into[path[1]] = append(as[[]any](t, into[path[1]]), as[[]any](t, from[path[1]])...)
		}
		addCoins(t, as[map[string]any](t, state(0)["bank"]), as[map[string]any](t, state(i)["bank"]))
	}
	sortKeys(t, as[[]any](t, at(state(0), "anchors", "keys")))
	raw, err := json.MarshalIndent(joined, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range n.nodes {
		others := append(append([]string{}, peers[:i]...), peers[i+1:]...)
		settings, err := os.ReadFile(v.path("config.toml"))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer(`persistent_peers = ""`, fmt.Sprintf("persistent_peers = %q", strings.Join(others, ",")),
			`timeout_propose = "3s"`, `timeout_propose = "600ms"`).Replace(string(settings)) // the stopped one's turns do not cost seconds
		err = errors.Join(os.WriteFile(v.path("config.toml"), []byte(text), 0o600), os.WriteFile(v.path("genesis.json"), raw, 0o600))
		if err != nil {
			t.Fatal(err)
		}
	}
}

// sortKeys puts anchor keys in the order of their addresses.
func sortKeys(t *testing.T, keys []any) {
	t.Helper()
	address := func(key any) []byte {
		raw, err := base64.StdEncoding.DecodeString(as[string](t, at(key, "address")))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	slices.SortFunc(keys, func(a, b any) int { return bytes.Compare(address(a), address(b)) })
}

// addCoins adds one bank's supply to another's. All have the same denoms.
func addCoins(t *testing.T, into, from map[string]any) {
	t.Helper()
	more := as[[]any](t, from["supply"])
	for i, coin := range as[[]any](t, into["supply"]) {
		a, b := as[map[string]any](t, coin), as[map[string]any](t, more[i])
		x, errX := strconv.ParseUint(as[string](t, a["amount"]), 10, 64)
		y, errY := strconv.ParseUint(as[string](t, b["amount"]), 10, 64)
		if err := errors.Join(errX, errY); err != nil || a["denom"] != b["denom"] {
			t.Fatalf("supply of %v and %v: %v", a, b, err)
		}
		a["amount"] = strconv.FormatUint(x+y, 10)
	}
}

// as is v, which must be of the type.
func as[T any](t *testing.T, v any) T {
	t.Helper()
	out, ok := v.(T)
	if !ok {
		t.Fatalf("%v is of another type", v)
	}
	return out
}

func readJSONFile(t *testing.T, path string, into any) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (v *validatorNode) path(name string) string { return filepath.Join(v.home, "config", name) }

func (n *network) waitHeight(t *testing.T, i int, height uint64) {
	t.Helper()
	waitFor(t, fmt.Sprintf("validator %d has block %d", i, height), time.Minute, func() (bool, error) {
		select {
		case <-n.nodes[i].done:
			t.Fatalf("validator %d has ended", i)
		default:
		}
		head, err := n.nodes[i].client.Head(t.Context())
		return err == nil && head.Height >= height, err
	})
}

// rotateKey registers a new anchor key for a validator, and restarts it with that. It returns the key's address.
func (n *network) rotateKey(t *testing.T, i int) string {
	t.Helper()
	v := n.nodes[i]
	file := filepath.Join(n.dir, "new_anchor_key")
	address := run(t, binaries.node, "anchors", "key", "new", file)
	proof := strings.Fields(run(t, binaries.node, "anchors", "key", "proof", file, "--chain-id", netChainID, "--validator", v.operator))
	if len(proof) != 2 || proof[0] != address {
		t.Fatalf("proof of %s: %q", address, proof)
	}
	var sent struct {
		Code   uint32 `json:"code"`
		TxHash string `json:"txhash"`
		RawLog string `json:"raw_log"`
	}
	out := run(t, binaries.node, "tx", "anchors", "register-key", proof[0], proof[1], "--from", "validator", "--yes", "--keyring-backend", "test",
		"--gas", "300000", "--fees", "1000ualeph", "--output", "json", "--home", v.home)
	if err := json.Unmarshal([]byte(out), &sent); err != nil || sent.Code != 0 {
		t.Fatalf("register-key: %v: %s", err, out)
	}
	waitFor(t, "the new key is registered", 30*time.Second, func() (bool, error) {
		result, err := v.client.Tx(t.Context(), sent.TxHash)
		if err == nil && result.Code != 0 {
			t.Fatalf("register-key: code %d: %s", result.Code, result.Log)
		}
		return err == nil, err
	})
	v.stop(t)
	if err := os.Rename(file, v.path("anchor_key")); err != nil {
		t.Fatal(err)
	}
	v.start(t)
	return address
}
