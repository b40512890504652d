// SPDX-License-Identifier: Apache-2.0

package evm

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
)

// ErrNotDeployed says that the transaction is in a block and made no contract.
var ErrNotDeployed = errors.New("the transaction that should make the contract failed; check the constructor's arguments")

// Deployment is what a contract is made with. None of it can be changed later.
type Deployment struct {
	// Origin is the chain's origin id, Valset the hash of the set that signs the first anchor to be submitted.
	Origin, Valset [32]byte
	// Time is when that set was the chain's, in Unix seconds; 0 means the EVM chain's newest block.
	Time uint64
	// TrustingPeriod is in seconds: well below the chain's unbonding time.
	TrustingPeriod uint32
	// Guardian may name a set when the contract is stale; zero for nobody.
	Guardian common.Address
}

// Deployed is a contract whose transaction was sent.
type Deployed struct {
	Address common.Address
	Tx      common.Hash
}

// Deploy sends the transaction that makes a contract. Wait says when it is there.
//
// Errors: ErrTooHighFees, ErrEmptyPurse, those of the endpoint and the purse.
func Deploy(ctx context.Context, client Client, purse Purse, limits Limits, d Deployment) (Deployed, error) {
	client = bounded{client: client}
	chainID, err := client.ChainID(ctx)
	if err != nil {
		return Deployed{}, err
	}
	head, err := client.HeaderByNumber(ctx, nil)
	if err != nil {
		return Deployed{}, err
	}
	if head.BaseFee == nil {
		return Deployed{}, ErrNoBaseFee
	}
	if d.Time == 0 {
		d.Time = head.Time
	}
	nonce, err := client.NonceAt(ctx, purse.Address(), nil)
	if err != nil {
		return Deployed{}, err
	}
	tx, err := creation(ctx, client, purse.Address(), limits, d, head, &types.DynamicFeeTx{ChainID: chainID, Nonce: nonce})
	if err != nil {
		return Deployed{}, err
	}
	signed, err := purse.Sign(ctx, types.NewTx(tx), chainID)
	if err != nil {
		return Deployed{}, err
	}
	if err := client.SendTransaction(ctx, signed); err != nil {
		return Deployed{}, fmt.Errorf("send the transaction: %w", redact(err))
	}
	return Deployed{Address: crypto.CreateAddress(purse.Address(), nonce), Tx: signed.Hash()}, nil
}

// creation completes the transaction.
func creation(
	ctx context.Context, client Client, from common.Address, limits Limits, d Deployment, head *types.Header, tx *types.DynamicFeeTx,
) (*types.DynamicFeeTx, error) {
	tx.Data = NewContract(common.Address{}).creation(identity{origin: d.Origin, trusting: d.TrustingPeriod, guardian: d.Guardian}, d.Valset, d.Time)
	tip, err := client.SuggestGasTipCap(ctx)
	if err != nil {
		return nil, err
	}
	fees, err := suggest(head.BaseFee, tip, limits, limits.Ceiling)
	if err != nil {
		return nil, err
	}
	gas, err := client.EstimateGas(ctx, ethereum.CallMsg{From: from, Data: tx.Data})
	if err != nil {
		if r, ok := NewContract(common.Address{}).refusal(err); ok {
			return nil, r
		}
		return nil, err
	}
	tx.GasTipCap, tx.GasFeeCap, tx.Gas = fees.Tip, fees.Cap, gasWithMargin(gas)
	balance, err := client.BalanceAt(ctx, from, nil)
	if err != nil {
		return nil, err
	}
	if balance.Cmp(cost(tx.Gas, fees)) < 0 {
		return nil, fmt.Errorf("%w: it has %v wei and needs %v", ErrEmptyPurse, balance, cost(tx.Gas, fees))
	}
	return tx, nil
}

// Wait returns when the contract is in a block, and asks every interval.
//
// Errors: ErrNotDeployed, the context's.
func (d Deployed) Wait(ctx context.Context, client Client, interval time.Duration) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		receipt, err := client.TransactionReceipt(ctx, d.Tx)
		if err == nil && receipt.Status != types.ReceiptStatusSuccessful {
			return ErrNotDeployed
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// GweiLimits returns limits from whole gwei, as configurations have them.
func GweiLimits(minTip, ceiling, hard uint64) Limits {
	of := func(v uint64) *big.Int { return new(big.Int).Mul(new(big.Int).SetUint64(v), big.NewInt(gwei)) }
	return Limits{MinTip: of(minTip), Ceiling: of(ceiling), Hard: of(hard)}
}
