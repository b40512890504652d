// SPDX-License-Identifier: Apache-2.0

package evm

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"
)

// bounded is an endpoint whose calls end in time and whose errors say whether another endpoint may do better: all do but a
// revert, which the contract decided, a receipt that is not there, and what a node says about a transaction.
type bounded struct{ client Client }

func within[T any](ctx context.Context, call func(ctx context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	v, err := call(ctx)
	if err == nil || isRevert(err) || errors.Is(err, ethereum.NotFound) {
		return v, err
	}
	return v, fmt.Errorf("%w: %w", ErrEndpoint, redact(err))
}

// isRevert reports whether the node ran the call and the contract ended it with a reason.
func isRevert(err error) bool {
	var withData rpc.DataError
	if !errors.As(err, &withData) {
		return false
	}
	text, ok := withData.ErrorData().(string)
	return ok && len(text) > len("0x")
}

func (b bounded) ChainID(ctx context.Context) (*big.Int, error) {
	return within(ctx, func(ctx context.Context) (*big.Int, error) { return b.client.ChainID(ctx) })
}

func (b bounded) HeaderByNumber(ctx context.Context, number *big.Int) (*types.Header, error) {
	return within(ctx, func(ctx context.Context) (*types.Header, error) { return b.client.HeaderByNumber(ctx, number) })
}

func (b bounded) CodeAt(ctx context.Context, account common.Address, block *big.Int) ([]byte, error) {
	return within(ctx, func(ctx context.Context) ([]byte, error) { return b.client.CodeAt(ctx, account, block) })
}

func (b bounded) BalanceAt(ctx context.Context, account common.Address, block *big.Int) (*big.Int, error) {
	return within(ctx, func(ctx context.Context) (*big.Int, error) { return b.client.BalanceAt(ctx, account, block) })
}

func (b bounded) NonceAt(ctx context.Context, account common.Address, block *big.Int) (uint64, error) {
	return within(ctx, func(ctx context.Context) (uint64, error) { return b.client.NonceAt(ctx, account, block) })
}

func (b bounded) CallContract(ctx context.Context, call ethereum.CallMsg, block *big.Int) ([]byte, error) {
	return within(ctx, func(ctx context.Context) ([]byte, error) { return b.client.CallContract(ctx, call, block) })
}

func (b bounded) PendingCallContract(ctx context.Context, call ethereum.CallMsg) ([]byte, error) {
	return within(ctx, func(ctx context.Context) ([]byte, error) { return b.client.PendingCallContract(ctx, call) })
}

func (b bounded) EstimateGas(ctx context.Context, call ethereum.CallMsg) (uint64, error) {
	return within(ctx, func(ctx context.Context) (uint64, error) { return b.client.EstimateGas(ctx, call) })
}

func (b bounded) SuggestGasTipCap(ctx context.Context) (*big.Int, error) {
	return within(ctx, func(ctx context.Context) (*big.Int, error) { return b.client.SuggestGasTipCap(ctx) })
}

func (b bounded) TransactionReceipt(ctx context.Context, hash common.Hash) (*types.Receipt, error) {
	return within(ctx, func(ctx context.Context) (*types.Receipt, error) { return b.client.TransactionReceipt(ctx, hash) })
}

// SendTransaction returns what the node says as it is: sort it with verdictOf.
func (b bounded) SendTransaction(ctx context.Context, tx *types.Transaction) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return b.client.SendTransaction(ctx, tx)
}
