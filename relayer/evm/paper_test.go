// SPDX-License-Identifier: Apache-2.0

package evm_test

import (
	"context"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/gpucoord/gpucoord/contracts/receiptanchor"
	"github.com/gpucoord/gpucoord/relayer/evm"
)

// paper is an EVM chain with one contract that believes everything, for tests in which time passes.
type paper struct {
	chain  *fakeChain
	hangs  bool
	mines  bool
	abi    *abi.ABI
	mu     sync.Mutex
	state  evm.State
	nonces map[common.Address]uint64
	sentAt []time.Time
}

func newPaper(t *testing.T, chain *fakeChain) *paper {
	t.Helper()
	parsed, err := receiptanchor.ReceiptAnchorMetaData.ParseABI()
	if err != nil {
		t.Fatal(err)
	}
	return &paper{chain: chain, abi: parsed, state: evm.State{Valset: chain.current.Hash(), Time: chain.clock}, nonces: make(map[common.Address]uint64)}
}

// wait is what a hanging endpoint does.
func (p *paper) wait(ctx context.Context) error {
	if !p.hangs {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func (p *paper) ChainID(ctx context.Context) (*big.Int, error) {
	return big.NewInt(1337), p.wait(ctx)
}

func (p *paper) HeaderByNumber(ctx context.Context, _ *big.Int) (*types.Header, error) {
	return &types.Header{Number: big.NewInt(100), Time: uint64(time.Now().Unix()), BaseFee: big.NewInt(7)}, p.wait(ctx) //nolint:gosec // Unix time
}

func (p *paper) CodeAt(context.Context, common.Address, *big.Int) ([]byte, error) {
	return []byte{1}, nil
}

func (p *paper) BalanceAt(context.Context, common.Address, *big.Int) (*big.Int, error) {
	return new(big.Int).Mul(big.NewInt(100), big.NewInt(ether)), nil
}

func (p *paper) NonceAt(_ context.Context, account common.Address, _ *big.Int) (uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.nonces[account], nil
}

func (p *paper) CallContract(_ context.Context, call ethereum.CallMsg, _ *big.Int) ([]byte, error) {
	if call.To == nil {
		return []byte{1}, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	method, err := p.abi.MethodById(call.Data)
	if err != nil {
		return nil, err
	}
	s := p.state
	switch method.Name {
	case "head":
		return method.Outputs.Pack(s.Nonce, s.TreeSize, s.Height, s.Time, s.Frozen)
	case "valset":
		return method.Outputs.Pack(s.Valset)
	case "lastRoot":
		return method.Outputs.Pack(s.Root)
	case "ring":
		return method.Outputs.Pack(s.Held)
	case "originId":
		return method.Outputs.Pack(p.chain.origin)
	case "trustingPeriod":
		return method.Outputs.Pack(uint32(14 * 24 * 3600))
	case "guardian":
		return method.Outputs.Pack(common.Address{})
	case "previousValset":
		return method.Outputs.Pack([32]byte{})
	}
	return nil, nil
}

func (p *paper) PendingCallContract(ctx context.Context, call ethereum.CallMsg) ([]byte, error) {
	return p.CallContract(ctx, call, nil)
}

func (p *paper) EstimateGas(context.Context, ethereum.CallMsg) (uint64, error) { return 70_000, nil }

func (p *paper) SuggestGasTipCap(context.Context) (*big.Int, error) { return big.NewInt(1), nil }

func (p *paper) SendTransaction(_ context.Context, tx *types.Transaction) error {
	from, err := types.Sender(types.LatestSignerForChainID(tx.ChainId()), tx)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sentAt = append(p.sentAt, time.Now())
	if p.mines {
		p.nonces[from] = tx.Nonce() + 1
		a := p.chain.attested[len(p.chain.attested)-1].Anchor
		p.state = evm.State{
			Nonce: a.Nonce, TreeSize: a.TreeSize, Height: a.Height, Time: a.Time, Valset: a.NextValset, Root: a.Root, Held: a.StructHash(),
		}
	}
	return nil
}

func (p *paper) TransactionReceipt(_ context.Context, hash common.Hash) (*types.Receipt, error) {
	return &types.Receipt{Status: 1, TxHash: hash, GasUsed: 60_000, EffectiveGasPrice: big.NewInt(8)}, nil
}
