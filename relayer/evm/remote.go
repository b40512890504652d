// SPDX-License-Identifier: Apache-2.0

package evm

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"
)

// signTimeout bounds one signature: a person or a key service may be behind it.
const signTimeout = 30 * time.Second

// remoteKey is an account of a signer that speaks JSON-RPC: eth_accounts and eth_signTransaction, as Web3Signer and geth do.
type remoteKey struct {
	caller  *rpc.Client
	address common.Address
}

// OpenRemoteSigner connects to a signer at http(s)://host:port/path or unix:///path. account may be the zero address when the signer
// has only one.
//
// Errors: ErrSignerURL, ErrSigner, ErrManyKeys.
func OpenRemoteSigner(ctx context.Context, address string, account common.Address) (Purse, error) {
	target, err := signerTarget(address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, signTimeout)
	defer cancel()
	caller, err := rpc.DialContext(ctx, target)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSigner, redact(err))
	}
	return newRemoteKey(ctx, caller, account)
}

func signerTarget(address string) (string, error) {
	if path, ok := strings.CutPrefix(address, "unix://"); ok && strings.HasPrefix(path, "/") {
		return path, nil
	}
	if strings.HasPrefix(address, "http://") || strings.HasPrefix(address, "https://") {
		return address, nil
	}
	return "", ErrSignerURL
}

func newRemoteKey(ctx context.Context, caller *rpc.Client, account common.Address) (Purse, error) {
	var held []common.Address
	if err := caller.CallContext(ctx, &held, "eth_accounts"); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSigner, redact(err))
	}
	for _, a := range held {
		if a == account || (account == common.Address{} && len(held) == 1) {
			return &remoteKey{caller: caller, address: a}, nil
		}
	}
	if len(held) > 1 && account == (common.Address{}) {
		return nil, ErrManyKeys
	}
	return nil, ErrSigner
}

// Address implements Purse.
func (k *remoteKey) Address() common.Address { return k.address }

// Sign implements Purse. It gives up after 30 seconds.
func (k *remoteKey) Sign(ctx context.Context, tx *types.Transaction, chainID *big.Int) (*types.Transaction, error) {
	ctx, cancel := context.WithTimeout(ctx, signTimeout)
	defer cancel()
	nonce, gas, data := hexutil.Uint64(tx.Nonce()), hexutil.Uint64(tx.Gas()), hexutil.Bytes(tx.Data())
	args := map[string]any{
		"from": k.address, "to": tx.To(), "nonce": nonce, "gas": gas, "value": (*hexutil.Big)(tx.Value()), "data": data,
		"maxFeePerGas": (*hexutil.Big)(tx.GasFeeCap()), "maxPriorityFeePerGas": (*hexutil.Big)(tx.GasTipCap()), "chainId": (*hexutil.Big)(chainID),
	}
	var answer json.RawMessage
	if err := k.caller.CallContext(ctx, &answer, "eth_signTransaction", args); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSigner, redact(err))
	}
	signed, err := parseSigned(answer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSigner, err)
	}
	signer := types.LatestSignerForChainID(chainID)
	if from, err := types.Sender(signer, signed); err != nil || from != k.address || signer.Hash(signed) != signer.Hash(tx) {
		return nil, ErrSignerLied
	}
	return signed, nil
}

// parseSigned reads the transaction, which some signers return as bytes and some with its fields beside them.
func parseSigned(answer json.RawMessage) (*types.Transaction, error) {
	var raw hexutil.Bytes
	if err := json.Unmarshal(answer, &raw); err != nil {
		var both struct {
			Raw hexutil.Bytes `json:"raw"`
		}
		if err := json.Unmarshal(answer, &both); err != nil {
			return nil, err
		}
		raw = both.Raw
	}
	tx := new(types.Transaction)
	return tx, tx.UnmarshalBinary(raw)
}
