// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/relayer/chain"
)

// ErrTx says that the chain refused a transaction of the set-up.
var ErrTx = errors.New("the chain refused a transaction of the set-up")

const (
	txTimeout = time.Minute
	// gasMargin is added to the simulated gas: simulations count no signature bytes, and state moves before execution.
	gasMargin = 100_000
	// gasPerUaleph is the gas that one ualeph pays at the node's minimum price of 0.001.
	gasPerUaleph = 1_000
)

// send signs one transaction of all messages with the named account and returns when a block holds it.
//
// Errors: ErrTx with the chain's words, or the node's.
func (w *World) send(ctx context.Context, from string, msgs ...sdk.Msg) (chain.TxResult, error) {
	ctx, cancel := context.WithTimeout(ctx, txTimeout)
	defer cancel()
	signer := w.state.Accounts[from].hot
	packed, err := chain.Pack(msgs...)
	if err != nil {
		return chain.TxResult{}, err
	}
	sequence, err := w.chain.Sequence(ctx, signer.Bech32())
	if err != nil {
		return chain.TxResult{}, fmt.Errorf("%s: %w", from, err)
	}
	trial, _, err := w.chain.Sign(signer, chain.TxParams{Sequence: sequence}, packed...)
	if err != nil {
		return chain.TxResult{}, err
	}
	gas, err := w.chain.Simulate(ctx, trial)
	if err != nil {
		return chain.TxResult{}, fmt.Errorf("%w: %s: %T: %w", ErrTx, from, msgs[0], err)
	}
	gas += gas/2 + gasMargin
	tx, hash, err := w.chain.Sign(signer, chain.TxParams{Sequence: sequence, Gas: gas, FeeUaleph: gas/gasPerUaleph + 1}, packed...)
	if err != nil {
		return chain.TxResult{}, err
	}
	if _, err := w.chain.Broadcast(ctx, tx); err != nil {
		return chain.TxResult{}, fmt.Errorf("%w: %s: %T: %w", ErrTx, from, msgs[0], err)
	}
	return w.included(ctx, from, hash)
}

func (w *World) included(ctx context.Context, from, hash string) (chain.TxResult, error) {
	var result chain.TxResult
	err := w.poll(ctx, func() (bool, error) {
		var err error
		result, err = w.chain.Tx(ctx, hash)
		if errors.Is(err, chain.ErrTxNotFound) {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		return result, fmt.Errorf("%s: transaction %s: %w", from, hash, err)
	}
	if result.Code != 0 {
		return result, fmt.Errorf("%w: %s: %s code %d: %s", ErrTx, from, result.Codespace, result.Code, result.Log)
	}
	w.countTx()
	return result, nil
}
