// SPDX-License-Identifier: Apache-2.0

// Package devchain runs an EVM chain in this process, for demonstrations and end-to-end tests: go-ethereum's simulated backend behind
// go-ethereum's own JSON-RPC server on a loopback address. Its coins are worth nothing and its blocks are made by nobody's leave.
package devchain

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/ethclient/simulated"
	"github.com/ethereum/go-ethereum/node"

	"github.com/gpucoord/gpucoord/relayer/evm"
)

// ChainID is the chain id of every dev chain.
const ChainID = 1337

// ErrStart says that the chain could not be started.
var ErrStart = errors.New("dev chain does not start")

// Options say how a chain is made.
type Options struct {
	// Dir takes the keystore files. It must exist.
	Dir string
	// BlockInterval is how often a block is made; 0 means only by Commit. Block times are whole seconds, each above the last: with a
	// shorter interval the chain's clock runs ahead.
	BlockInterval time.Duration
	// Accounts is how many accounts are funded with 100 coins each, at least 1.
	Accounts int
	// Port is the port of the JSON-RPC; 0 picks one that is free.
	Port int
}

// Chain is a running chain.
type Chain struct {
	// URL is the JSON-RPC's, Accounts are those that are funded.
	URL      string
	Accounts []Account

	backend *simulated.Backend
	stop    context.CancelFunc
	mining  sync.WaitGroup
	// mu serialises what makes blocks.
	mu sync.Mutex
}

// Account is a funded account and where its key is.
type Account struct {
	Address                    common.Address
	KeystorePath, PasswordFile string
}

// Start runs a chain with the rules of Osaka until ctx ends or Close is called.
//
// Errors: ErrStart, the file system's.
func Start(ctx context.Context, o Options) (*Chain, error) {
	c := &Chain{}
	alloc := types.GenesisAlloc{}
	for i := range max(1, o.Accounts) {
		account, err := newAccount(o.Dir, i)
		if err != nil {
			return nil, err
		}
		c.Accounts = append(c.Accounts, account)
		alloc[account.Address] = types.Account{Balance: new(big.Int).Mul(big.NewInt(100), big.NewInt(1e18))}
	}
	port, err := freePort(ctx, o.Port)
	if err != nil {
		return nil, err
	}
	if c.backend, err = start(alloc, port); err != nil {
		return nil, err
	}
	c.URL = fmt.Sprintf("http://127.0.0.1:%d", port)
	c.Commit() // the first block's time is 0
	ctx, c.stop = context.WithCancel(ctx)
	if o.BlockInterval > 0 {
		c.mining.Go(func() { c.mine(ctx, o.BlockInterval) })
	}
	return c, nil
}

// start makes the backend, whose constructor panics where the port is taken meanwhile.
func start(alloc types.GenesisAlloc, port int) (backend *simulated.Backend, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", ErrStart, r)
		}
	}()
	return simulated.NewBackend(alloc, func(n *node.Config, e *ethconfig.Config) {
		n.HTTPHost, n.HTTPPort = "127.0.0.1", port
		n.HTTPModules = []string{"eth", "net", "web3"}
		n.HTTPVirtualHosts = []string{"localhost"}
		rules := *e.Genesis.Config
		rules.BPO1Time, rules.BPO2Time, rules.AmsterdamTime = nil, nil, nil
		e.Genesis.Config = &rules
	}), nil
}

func (c *Chain) mine(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			c.Commit()
		}
	}
}

// Commit makes a block.
func (c *Chain) Commit() common.Hash {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.backend.Commit()
}

// Reorg replaces the newest depth blocks with one more than that, without the transactions that were in them.
//
// Errors: those of the backend.
func (c *Chain) Reorg(ctx context.Context, depth uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	head, err := c.backend.Client().BlockNumber(ctx)
	if err != nil {
		return err
	}
	parent, err := c.backend.Client().HeaderByNumber(ctx, new(big.Int).SetUint64(head-min(depth, head)))
	if err != nil {
		return err
	}
	if err := c.backend.Fork(parent.Hash()); err != nil {
		return err
	}
	c.backend.Rollback()
	for range depth + 1 {
		c.backend.Commit()
	}
	return nil
}

// Deploy makes a contract, paid by the first account, and returns when it is there.
//
// Errors: those of evm.Deploy.
func (c *Chain) Deploy(ctx context.Context, d evm.Deployment) (common.Address, error) {
	purse, err := evm.OpenKeyFile(c.Accounts[0].KeystorePath, c.Accounts[0].PasswordFile)
	if err != nil {
		return common.Address{}, err
	}
	client := c.backend.Client()
	made, err := evm.Deploy(ctx, client, purse, evm.GweiLimits(0, 1000, 1000), d)
	if err != nil {
		return common.Address{}, err
	}
	c.Commit()
	return made.Address, made.Wait(ctx, client, 50*time.Millisecond)
}

// Close stops the chain. What it held is lost.
func (c *Chain) Close() error {
	c.stop()
	c.mining.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.backend.Close()
}

// newAccount makes a key and writes it, and the password that opens it, to dir.
func newAccount(dir string, i int) (Account, error) {
	store := keystore.NewKeyStore(filepath.Join(dir, "keystore"), keystore.LightScryptN, keystore.LightScryptP)
	password := rand.Text()
	made, err := store.NewAccount(password)
	if err != nil {
		return Account{}, fmt.Errorf("make an account: %w", err)
	}
	file := filepath.Join(dir, fmt.Sprintf("password-%d", i))
	if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
		return Account{}, err
	}
	return Account{Address: made.Address, KeystorePath: made.URL.Path, PasswordFile: file}, nil
}

// freePort returns port, or one that nobody uses.
func freePort(ctx context.Context, port int) (int, error) {
	if port != 0 {
		return port, nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrStart, err)
	}
	address, ok := l.Addr().(*net.TCPAddr)
	if err := l.Close(); err != nil || !ok {
		return 0, errors.Join(ErrStart, err)
	}
	return address.Port, nil
}
