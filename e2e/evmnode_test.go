// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/gpucoord/gpucoord/relayer/evm"
	"github.com/gpucoord/gpucoord/relayer/evm/devchain"
)

const (
	evmBlocks   = time.Second
	evmAccounts = 3 // one deploys, one is of each relayer
)

// evmNode is an EVM chain with a ReceiptAnchor.
type evmNode struct {
	name     string
	url      string
	chainID  uint64
	client   *ethclient.Client
	accounts []devchain.Account
	contract common.Address
	reorg    func(ctx context.Context, depth uint64) error
}

// startDevchain starts go-ethereum's simulated backend.
func startDevchain(t *testing.T, name string) *evmNode {
	t.Helper()
	c, err := devchain.Start(context.WithoutCancel(t.Context()), devchain.Options{Dir: t.TempDir(), BlockInterval: evmBlocks, Accounts: evmAccounts})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // what it held is of no use any more
	return &evmNode{name: name, url: c.URL, chainID: devchain.ChainID, accounts: c.Accounts, client: dialEVM(t, c.URL), reorg: c.Reorg}
}

// startAnvil starts anvil, or a second simulated backend where npm has not brought one.
func startAnvil(t *testing.T) *evmNode {
	t.Helper()
	arch := map[string]string{"amd64": "amd64", "arm64": "arm64"}[runtime.GOARCH]
	path, err := filepath.Abs(filepath.Join("..", "contracts", "node_modules", "@foundry-rs", "anvil-"+runtime.GOOS+"-"+arch, "bin", "anvil"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		fmt.Fprintf(os.Stderr, "\n******** NO ANVIL: a second simulated backend stands in for it (%v); make test-contracts installs it ********\n\n", err)
		return startDevchain(t, "second")
	}
	dir, port := t.TempDir(), freePorts(t, 1)[0]
	startProcess(t, dir, "anvil", path, "--host", "127.0.0.1", "--port", fmt.Sprint(port), "--chain-id", "31337",
		"--block-time", fmt.Sprint(int(evmBlocks.Seconds())), "--accounts", "1", "--silent")
	n := &evmNode{name: "anvil", url: "http://" + loopback(port), chainID: 31337}
	n.client = dialEVM(t, n.url)
	waitFor(t, "anvil serves", time.Minute, func() (bool, error) {
		_, err := n.client.ChainID(t.Context())
		return err == nil, err
	})
	for i := range evmAccounts {
		n.accounts = append(n.accounts, newPurse(t, dir, i))
		n.call(t, "anvil_setBalance", n.accounts[i].Address, "0x56bc75e2d63100000") // 100 coins
	}
	n.reorg = func(ctx context.Context, depth uint64) error {
		return n.client.Client().CallContext(ctx, nil, "anvil_reorg", depth, []any{})
	}
	return n
}

func dialEVM(t *testing.T, url string) *ethclient.Client {
	t.Helper()
	client, err := rpc.DialContext(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return ethclient.NewClient(client)
}

func (n *evmNode) call(t *testing.T, method string, args ...any) {
	t.Helper()
	if err := n.client.Client().CallContext(t.Context(), nil, method, args...); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
}

// newPurse makes a keystore file with the file of its password.
func newPurse(t *testing.T, dir string, i int) devchain.Account {
	t.Helper()
	made, err := keystore.NewKeyStore(filepath.Join(dir, "keystore"), keystore.LightScryptN, keystore.LightScryptP).NewAccount("secret")
	if err != nil {
		t.Fatal(err)
	}
	password := filepath.Join(dir, fmt.Sprintf("password-%d", i))
	if err := os.WriteFile(password, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return devchain.Account{Address: made.Address, KeystorePath: made.URL.Path, PasswordFile: password}
}

// deploy makes the contract, paid by the first account.
func (n *evmNode) deploy(t *testing.T, d evm.Deployment) {
	t.Helper()
	purse, err := evm.OpenKeyFile(n.accounts[0].KeystorePath, n.accounts[0].PasswordFile)
	if err != nil {
		t.Fatal(err)
	}
	made, err := evm.Deploy(t.Context(), n.client, purse, evm.GweiLimits(0, 100, 100), d)
	if err != nil {
		t.Fatalf("%s: deploy: %v", n.name, err)
	}
	if err := made.Wait(t.Context(), n.client, 100*time.Millisecond); err != nil {
		t.Fatalf("%s: deploy: %v", n.name, err)
	}
	n.contract = made.Address
}

// state reads the contract.
func (n *evmNode) state(t *testing.T) (evm.State, error) {
	t.Helper()
	return evm.NewContract(n.contract).State(t.Context(), n.client, nil)
}

// section is the node's part of a relayer's configuration: the i-th relayer's account, at url.
func (n *evmNode) section(url string, i int) string {
	account := n.accounts[1+i]
	return fmt.Sprintf("\n[[evm]]\nname = %q\nchain_id = %d\nrpcs = [%q]\ncontract = %q\nkey_file = %q\npassword_file = %q\n"+
		"interval = \"300ms\"\nresend_after = \"4s\"\nrace_window = \"1500ms\"\n",
		n.name, n.chainID, url, n.contract.Hex(), account.KeystorePath, account.PasswordFile)
}

// ledger is what the relayers have paid for.
type ledger struct {
	landed, lost int
	// worst is the most that was lost between two anchors that landed.
	worst int
	// text has a line for each transaction.
	text []string
}

// ledgerOf reads every transaction to the contract, and checks that the relayers' accounts have sent no others.
func (n *evmNode) ledgerOf(t *testing.T) ledger {
	t.Helper()
	head, err := n.client.BlockNumber(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out ledger
	run := 0
	for number := range head + 1 {
		block, err := n.client.BlockByNumber(t.Context(), new(big.Int).SetUint64(number))
		if err != nil {
			t.Fatalf("%s: block %d: %v", n.name, number, err)
		}
		for _, tx := range block.Transactions() {
			if tx.To() == nil || *tx.To() != n.contract {
				continue
			}
			receipt, err := n.client.TransactionReceipt(t.Context(), tx.Hash())
			if err != nil {
				t.Fatalf("%s: receipt: %v", n.name, err)
			}
			if receipt.Status == types.ReceiptStatusSuccessful {
				out.landed, run = out.landed+1, 0
			} else {
				out.lost, run = out.lost+1, run+1
			}
			out.worst = max(out.worst, run)
			// The anchor's nonce is the first word of submit's arguments.
			out.text = append(out.text, fmt.Sprintf("block %d: anchor %d, status %d, nonce %d, gas %d", number,
				new(big.Int).SetBytes(tx.Data()[4:36]), receipt.Status, tx.Nonce(), receipt.GasUsed))
		}
	}
	var spent uint64
	for _, a := range n.accounts[1:] {
		nonce, err := n.client.NonceAt(t.Context(), a.Address, new(big.Int).SetUint64(head))
		if err != nil {
			t.Fatal(err)
		}
		spent += nonce
	}
	if spent != uint64(out.landed+out.lost) {
		t.Errorf("%s: the accounts sent %d transactions, the contract got %d:\n%s", n.name, spent, out.landed+out.lost, strings.Join(out.text, "\n"))
	}
	return out
}
