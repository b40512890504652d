// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/gpucoord/gpucoord/relayer/evm"
	"github.com/gpucoord/gpucoord/relayer/evm/report"
	"github.com/gpucoord/gpucoord/relayer/serve"
	anchorstypes "github.com/gpucoord/gpucoord/x/anchors/types"
)

// landLimit is how long an anchor may take to both contracts, on a busy machine.
const landLimit = 90 * time.Second

// anchoring is four validators, two EVM chains and the relayers between them.
type anchoring struct {
	*network
	chains   []*evmNode
	proxies  []*rpcProxy // of the first relayer
	relayers []*process
	status   []int // the relayers' ports
	dir      string
}

// Given four validators and two EVM chains, when a validator changes its anchor key, the relayer is killed in the middle of a
// transaction, three blocks are re-organised, the RPC comes back with an old state, a validator stops and two relayers run at once,
// then both contracts hold the chain's head anchor and no other, and at most one transaction a race was lost.
func TestAnchorsReachTwoEVMChains(t *testing.T) {
	t.Parallel()
	a := startAnchoring(t)
	a.startRelayer(t)
	a.waitLanded(t, "the first anchors land", 2)

	a.keyRotates(t)
	a.relayerIsKilled(t)
	a.blocksAreReorganised(t)
	a.rpcComesBackBehind(t)
	for _, c := range a.chains {
		if l := c.ledgerOf(t); l.lost != 0 {
			t.Errorf("%s: one relayer lost %d transactions: %v", c.name, l.lost, l.text)
		}
	}
	a.nodes[3].stop(t) // three quarters go on
	a.startRelayer(t)
	a.waitLanded(t, "two relayers, three validators: anchors land", 4)
	a.headStands(t)
}

func startAnchoring(t *testing.T) *anchoring {
	t.Helper()
	a := &anchoring{dir: t.TempDir(), network: startNetwork(t), chains: []*evmNode{startAnvil(t), startDevchain(t, "simulated")}}
	node := evm.NewNode(a.nodes[0].client)
	origin, err := node.Origin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	signers, err := node.Signers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range a.chains {
		c.deploy(t, evm.Deployment{Origin: origin, Valset: signers, TrustingPeriod: 3600})
		a.proxies = append(a.proxies, startProxy(t, c.url))
	}
	a.status = freePorts(t, 2)
	return a
}

// startRelayer starts one more. The first asks the EVM nodes through the proxies, each its own validator.
func (a *anchoring) startRelayer(t *testing.T) {
	t.Helper()
	i := len(a.relayers)
	text := fmt.Sprintf("chain_id = %q\nnode = \"grpc://%s\"\nstatus_listen = %q\n", netChainID, loopback(a.nodes[i].ports[2]), loopback(a.status[i]))
	for k, c := range a.chains {
		url := c.url
		if i == 0 {
			url = a.proxies[k].url
		}
		text += c.section(url, i)
	}
	file := filepath.Join(a.dir, fmt.Sprintf("relayer%d.toml", i))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a.relayers = append(a.relayers, startProcess(t, a.dir, fmt.Sprintf("relayer%d", i), binaries.relayer, "evm", "run", "--config", file))
}

// waitLanded waits until both contracts hold an anchor that is so many nonces newer than what they hold now.
func (a *anchoring) waitLanded(t *testing.T, what string, more uint64) {
	t.Helper()
	before := a.states(t)
	for i, c := range a.chains {
		waitFor(t, c.name+": "+what, landLimit, func() (bool, error) {
			now, err := c.state(t)
			return err == nil && now.Nonce >= before[i].Nonce+more, err
		})
	}
}

// states reads both contracts.
func (a *anchoring) states(t *testing.T) []evm.State {
	t.Helper()
	out := make([]evm.State, len(a.chains))
	for i, c := range a.chains {
		var err error
		if out[i], err = c.state(t); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// keyRotates gives the third validator another key: the contracts follow to the new set, and it signs.
func (a *anchoring) keyRotates(t *testing.T) {
	t.Helper()
	before := a.states(t)
	address := a.rotateKey(t, 2)
	for i, c := range a.chains {
		waitFor(t, c.name+": the contract holds the set with the new key", landLimit, func() (bool, error) {
			now, err := c.state(t)
			return err == nil && now.Valset != before[i].Valset, err
		})
	}
	waitFor(t, "the new key has signed an anchor", landLimit, func() (bool, error) {
		latest, err := a.nodes[0].client.Anchors.LatestAnchor(t.Context(), &anchorstypes.QueryLatestAnchorRequest{})
		if err != nil {
			return false, err
		}
		set, err := a.nodes[0].client.Anchors.Valset(t.Context(), &anchorstypes.QueryValsetRequest{Hash: hex.EncodeToString(latest.Anchor.SignersHash)})
		if err != nil {
			return false, err
		}
		for _, s := range latest.Anchor.Signatures {
			if hex.EncodeToString(set.Valset.Members[s.Member].Address) == address {
				return true, nil
			}
		}
		return false, nil
	})
}

// relayerIsKilled kills the relayer when the node has its transaction and it does not know yet, and starts it again.
func (a *anchoring) relayerIsKilled(t *testing.T) {
	t.Helper()
	for i, c := range a.chains {
		killed := make(chan struct{})
		a.proxies[i].set(func(p *rpcProxy) {
			p.sent = func() {
				a.relayers[0].kill(t)
				close(killed)
			}
		})
		select {
		case <-killed:
		case <-time.After(landLimit):
			t.Fatalf("%s: the relayer sends nothing", c.name)
		}
		a.relayers[0].start(t)
	}
	a.waitLanded(t, "killed in the middle of a transaction, the relayer goes on", 2)
}

// blocksAreReorganised takes the newest anchor away from both contracts.
func (a *anchoring) blocksAreReorganised(t *testing.T) {
	t.Helper()
	for _, c := range a.chains {
		before, err := c.state(t)
		if err != nil {
			t.Fatal(err)
		}
		var newest evm.State
		waitFor(t, c.name+": an anchor has just landed", landLimit, func() (bool, error) {
			newest, err = c.state(t)
			return err == nil && newest.Nonce > before.Nonce, err
		})
		if err := c.reorg(t.Context(), 3); err != nil {
			t.Fatalf("%s: re-organise: %v", c.name, err)
		}
		after, err := c.state(t)
		if err != nil || after.Nonce >= newest.Nonce {
			t.Fatalf("%s: the contract is at %d after the re-org, was at %d: %v", c.name, after.Nonce, newest.Nonce, err)
		}
	}
	a.waitLanded(t, "after a re-org of 3 blocks anchors land", 2)
}

// rpcComesBackBehind hangs up on the relayer, then shows it a state from before the contracts' newest anchors, then all.
func (a *anchoring) rpcComesBackBehind(t *testing.T) {
	t.Helper()
	for _, p := range a.proxies {
		p.set(func(p *rpcProxy) { p.down = true })
	}
	pause(t, time.Second)
	for i, c := range a.chains {
		head, err := c.client.BlockNumber(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		a.proxies[i].set(func(p *rpcProxy) { p.down, p.newest = false, head-5 })
	}
	pause(t, 6*time.Second) // longer than a transaction is waited for
	for _, p := range a.proxies {
		p.set(func(p *rpcProxy) { p.newest = 0 })
	}
	a.waitLanded(t, "the RPC has caught up: anchors land", 2)
}

// headStands stops the chain, so that its head anchor stays, and checks what stands on the EVM chains.
func (a *anchoring) headStands(t *testing.T) {
	t.Helper()
	a.nodes[2].stop(t) // half of the power makes no blocks
	client := a.nodes[0].client
	var head *anchorstypes.QueryLatestAnchorResponse
	for _, c := range a.chains {
		waitFor(t, c.name+": the contract holds the chain's head anchor", landLimit, func() (bool, error) {
			var err error
			if head, err = client.Anchors.LatestAnchor(t.Context(), &anchorstypes.QueryLatestAnchorRequest{}); err != nil {
				return false, err
			}
			held, err := c.state(t)
			if err != nil || held.Nonce != head.Anchor.Anchor.Nonce {
				return false, err
			}
			if hash := structHash(t, &head.Anchor.Anchor); held.Held != hash || held.Frozen {
				t.Fatalf("%s: the contract holds %x, frozen %t; the chain's anchor %d is %x", c.name, held.Held, held.Frozen, held.Nonce, hash)
			}
			return true, nil
		})
	}
	for _, c := range a.chains {
		a.sameAnchors(t, c)
		l := c.ledgerOf(t)
		if l.worst > 1 {
			t.Errorf("%s: %d transactions were lost in one race: %v", c.name, l.worst, l.text)
		}
		t.Logf("%s: head anchor %d with %d leaves; %d transactions landed, %d lost a race", c.name, head.Anchor.Anchor.Nonce,
			head.Anchor.Anchor.TreeSize, l.landed, l.lost)
	}
	for i := range a.relayers {
		a.noAlert(t, i)
	}
}

func structHash(t *testing.T, p *anchorstypes.Anchor) [32]byte {
	t.Helper()
	anchor, err := p.Domain()
	if err != nil {
		t.Fatal(err)
	}
	return anchor.StructHash()
}

// sameAnchors compares every anchor that the contract has taken with the chain's.
func (a *anchoring) sameAnchors(t *testing.T, c *evmNode) {
	t.Helper()
	topic := crypto.Keccak256Hash([]byte("Anchored(uint64,bytes32,uint64,uint64,uint64)"))
	logs, err := c.client.FilterLogs(t.Context(), ethereum.FilterQuery{Addresses: []common.Address{c.contract}, Topics: [][]common.Hash{{topic}}, FromBlock: common.Big0})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range logs {
		nonce := l.Topics[1].Big().Uint64()
		own, err := a.nodes[0].client.Anchors.Anchor(t.Context(), &anchorstypes.QueryAnchorRequest{Nonce: nonce})
		if err != nil {
			t.Errorf("%s: anchor %d is not the chain's: %v", c.name, nonce, err)
			continue
		}
		if common.BytesToHash(own.Anchor.Anchor.Root) != l.Topics[2] {
			t.Errorf("%s: anchor %d has root %x, the chain's has %x", c.name, nonce, l.Topics[2], own.Anchor.Anchor.Root)
		}
	}
	if len(logs) < 5 {
		t.Errorf("%s: %d anchors landed", c.name, len(logs))
	}
}

// noAlert fails when a relayer has something to tell a person about what stands on the EVM chains.
func (a *anchoring) noAlert(t *testing.T, i int) {
	t.Helper()
	response, err := http.Get("http://" + loopback(a.status[i]) + "/status") //nolint:noctx // a test's own relayer
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var status serve.AnchoringStatus
	raw, err := io.ReadAll(response.Body)
	if err = errors.Join(err, json.Unmarshal(raw, &status)); err != nil {
		t.Fatal(err)
	}
	for _, chain := range status.EVM {
		for _, alert := range []report.Alert{report.AlertConflict, report.AlertFrozen, report.AlertInvalid, report.AlertReverted, report.AlertRefused} {
			if text, stands := chain.Alerts[alert]; stands {
				t.Errorf("relayer %d: %s: %s: %s", i, chain.Name, alert, text)
			}
		}
	}
}
