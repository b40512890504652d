// SPDX-License-Identifier: Apache-2.0

package devchain_test

import (
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/gpucoord/gpucoord/relayer/evm"
	"github.com/gpucoord/gpucoord/relayer/evm/devchain"
)

func start(t *testing.T, interval time.Duration) (*devchain.Chain, *ethclient.Client) {
	t.Helper()
	c, err := devchain.Start(t.Context(), devchain.Options{Dir: t.TempDir(), BlockInterval: interval, Accounts: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	client, err := ethclient.DialContext(t.Context(), c.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return c, client
}

func TestItServesWhatARelayerAsks(t *testing.T) {
	c, client := start(t, 0)
	ctx := t.Context()
	origin := [32]byte{1, 2, 3}
	contract, err := c.Deploy(ctx, evm.Deployment{Origin: origin, Valset: [32]byte{9}, TrustingPeriod: 3600})
	if err != nil {
		t.Fatal(err)
	}
	if id, err := client.ChainID(ctx); err != nil || id.Uint64() != devchain.ChainID {
		t.Fatalf("chain id %v, %v", id, err)
	}
	state, err := evm.NewContract(contract).State(ctx, client, nil)
	if err != nil || state.Valset != ([32]byte{9}) || state.Nonce != 0 {
		t.Fatalf("contract is %+v, %v", state, err)
	}
	for _, tag := range []rpc.BlockNumber{rpc.LatestBlockNumber, rpc.SafeBlockNumber, rpc.FinalizedBlockNumber} {
		if _, err := client.HeaderByNumber(ctx, big.NewInt(int64(tag))); err != nil {
			t.Errorf("block %s: %v", tag, err)
		}
	}
	if _, err := client.FeeHistory(ctx, 2, nil, []float64{50}); err != nil {
		t.Error(err)
	}
	if _, err := client.FilterLogs(ctx, ethereum.FilterQuery{}); err != nil {
		t.Error(err)
	}
	for _, a := range c.Accounts {
		if _, err := evm.OpenKeyFile(a.KeystorePath, a.PasswordFile); err != nil {
			t.Error(err)
		}
	}
}

func TestItMinesAndReorganises(t *testing.T) {
	c, client := start(t, 0)
	c.Commit()
	before, err := client.HeaderByNumber(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Reorg(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	after, err := client.HeaderByNumber(t.Context(), before.Number)
	if err != nil {
		t.Fatal(err)
	}
	if after.Hash() == before.Hash() {
		t.Error("the block is still there")
	}
	if head, err := client.BlockNumber(t.Context()); err != nil || head != before.Number.Uint64()+1 {
		t.Errorf("head is %d, %v; want %d", head, err, before.Number.Uint64()+1)
	}
}

func TestItMinesByItself(t *testing.T) {
	_, client := start(t, time.Millisecond)
	for {
		head, err := client.BlockNumber(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if head >= 5 {
			return
		}
	}
}
