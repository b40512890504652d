// SPDX-License-Identifier: Apache-2.0

package chain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
)

// Errors of transactions.
var (
	// ErrNoAccount says that the account does not exist yet. Send it some ualeph, or a feegrant, and try again.
	ErrNoAccount = errors.New("account does not exist on the chain; fund it first")
	// ErrTxNotFound says that no block has the transaction yet.
	ErrTxNotFound = errors.New("transaction is in no block yet")
	// ErrTxRejected says that the node refused the transaction at once; its log says why.
	ErrTxRejected = errors.New("node refused the transaction")
)

// Sequence is an account's number and next sequence.
type Sequence struct {
	Number uint64
	Next   uint64
}

// TxParams say how a transaction is signed and paid.
type TxParams struct {
	Sequence  Sequence
	Gas       uint64
	FeeUaleph uint64
	// FeeGranter pays the fee when it is not empty, bech32.
	FeeGranter string
	// TimeoutHeight is the last block that may hold the transaction; 0 for none.
	TimeoutHeight uint64
}

// TxResult is a transaction in a block, or the node's first answer to it. Code 0 is success.
type TxResult struct {
	Hash      string
	Height    uint64
	Code      uint32
	Codespace string
	Log       string
	GasUsed   uint64
	Events    []sdk.StringEvent
}

// Sequence reads the account's number and next sequence.
//
// Errors: ErrNoAccount, or the call's.
func (c *Client) Sequence(ctx context.Context, address string) (Sequence, error) {
	res, err := c.auth.AccountInfo(ctx, &authtypes.QueryAccountInfoRequest{Address: address})
	if status.Code(err) == codes.NotFound {
		return Sequence{}, fmt.Errorf("%w: %s", ErrNoAccount, address)
	}
	if err != nil {
		return Sequence{}, fmt.Errorf("read account %s: %w", address, err)
	}
	return Sequence{Number: res.Info.AccountNumber, Next: res.Info.Sequence}, nil
}

// Sign builds the bytes of a transaction with SIGN_MODE_DIRECT and its hash (upper-case hex, as nodes print it).
func (c *Client) Sign(account *Account, p TxParams, msgs ...*codectypes.Any) (tx []byte, hash string, err error) {
	body, auth, err := c.encode(account, p, msgs)
	if err != nil {
		return nil, "", err
	}
	doc := &txtypes.SignDoc{BodyBytes: body, AuthInfoBytes: auth, ChainId: c.chainID, AccountNumber: p.Sequence.Number}
	bytes, err := doc.Marshal()
	if err != nil {
		return nil, "", fmt.Errorf("encode sign doc: %w", err)
	}
	signature, err := account.key.Sign(bytes)
	if err != nil {
		return nil, "", fmt.Errorf("sign: %w", err)
	}
	raw := &txtypes.TxRaw{BodyBytes: body, AuthInfoBytes: auth, Signatures: [][]byte{signature}}
	if tx, err = raw.Marshal(); err != nil {
		return nil, "", fmt.Errorf("encode transaction: %w", err)
	}
	sum := sha256.Sum256(tx)
	return tx, strings.ToUpper(hex.EncodeToString(sum[:])), nil
}

// Pack makes the form of messages that Sign takes.
func Pack(msgs ...sdk.Msg) ([]*codectypes.Any, error) {
	anys := make([]*codectypes.Any, len(msgs))
	for i, msg := range msgs {
		packed, err := codectypes.NewAnyWithValue(msg)
		if err != nil {
			return nil, fmt.Errorf("encode message %d: %w", i, err)
		}
		anys[i] = packed
	}
	return anys, nil
}

func (c *Client) encode(account *Account, p TxParams, msgs []*codectypes.Any) (body, auth []byte, err error) {
	key, err := codectypes.NewAnyWithValue(account.key.PubKey())
	if err != nil {
		return nil, nil, fmt.Errorf("encode public key: %w", err)
	}
	if body, err = (&txtypes.TxBody{Messages: msgs, TimeoutHeight: p.TimeoutHeight}).Marshal(); err != nil {
		return nil, nil, fmt.Errorf("encode body: %w", err)
	}
	single := &txtypes.ModeInfo_Single_{Single: &txtypes.ModeInfo_Single{Mode: signing.SignMode_SIGN_MODE_DIRECT}}
	info := &txtypes.AuthInfo{
		SignerInfos: []*txtypes.SignerInfo{{PublicKey: key, ModeInfo: &txtypes.ModeInfo{Sum: single}, Sequence: p.Sequence.Next}},
		Fee:         &txtypes.Fee{GasLimit: p.Gas, Granter: p.FeeGranter},
	}
	if p.FeeUaleph > 0 {
		info.Fee.Amount = sdk.Coins{sdk.NewInt64Coin("ualeph", int64(p.FeeUaleph))}
	}
	if auth, err = info.Marshal(); err != nil {
		return nil, nil, fmt.Errorf("encode auth info: %w", err)
	}
	return body, auth, nil
}

// Simulate runs the transaction on the node's newest state and returns the gas it used.
//
// Errors: ErrTxRejected when the transaction would fail now, or the call's.
func (c *Client) Simulate(ctx context.Context, tx []byte) (uint64, error) {
	res, err := c.tx.Simulate(ctx, &txtypes.SimulateRequest{TxBytes: tx})
	if err != nil && answered(err) {
		return 0, fmt.Errorf("%w: %s", ErrTxRejected, status.Convert(err).Message())
	}
	if err != nil {
		return 0, fmt.Errorf("simulate: %w", err)
	}
	return res.GasInfo.GasUsed, nil
}

// answered says whether a call's error is the node's answer and not the lack of one.
func answered(err error) bool {
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.ResourceExhausted, codes.Unimplemented:
		return false
	default:
		return true
	}
}

// Broadcast hands the transaction to the node. Code 0 means that it entered the mempool, not that a block has it.
//
// Errors: ErrTxRejected with the node's code and log; the result is filled then too.
func (c *Client) Broadcast(ctx context.Context, tx []byte) (TxResult, error) {
	res, err := c.tx.BroadcastTx(ctx, &txtypes.BroadcastTxRequest{TxBytes: tx, Mode: txtypes.BroadcastMode_BROADCAST_MODE_SYNC})
	if err != nil {
		return TxResult{}, fmt.Errorf("broadcast: %w", err)
	}
	result := resultOf(res.TxResponse)
	if result.Code != 0 {
		return result, fmt.Errorf("%w: %s code %d: %s", ErrTxRejected, result.Codespace, result.Code, result.Log)
	}
	return result, nil
}

// Tx reads a transaction from the chain.
//
// Errors: ErrTxNotFound, or the call's.
func (c *Client) Tx(ctx context.Context, hash string) (TxResult, error) {
	res, err := c.tx.GetTx(ctx, &txtypes.GetTxRequest{Hash: hash})
	if status.Code(err) == codes.NotFound {
		return TxResult{}, fmt.Errorf("%w: %s", ErrTxNotFound, hash)
	}
	if err != nil {
		return TxResult{}, fmt.Errorf("read transaction %s: %w", hash, err)
	}
	return resultOf(res.TxResponse), nil
}

func resultOf(res *sdk.TxResponse) TxResult {
	return TxResult{
		Hash: res.TxHash, Height: uint64(res.Height), Code: res.Code, Codespace: res.Codespace, Log: res.RawLog,
		GasUsed: uint64(res.GasUsed), Events: sdk.StringifyEvents(res.Events),
	}
}
