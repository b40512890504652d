// SPDX-License-Identifier: Apache-2.0

// Package submit owns the relayer's account: its key, its sequence, and the one transaction in flight.
//
// A transaction's signed bytes are on disk before they leave the machine. From then on the same bytes are sent again until
// a block holds them or until none can any more: their sequence was used, or the last block that may hold them has passed.
// Only then, and some blocks later, so that a node that is slow to index what it has is not mistaken for one that has
// nothing, is the message signed anew. So a transaction that a mempool dropped is not lost, and no message is carried out
// twice: two signed transactions of one message never share the chance of both entering a block.
package submit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/bits"
	"time"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/loop"
	"github.com/gpucoord/gpucoord/relayer/store"
)

// Chain is what the submitter asks of a node.
type Chain interface {
	Head(ctx context.Context) (chain.Head, error)
	Sequence(ctx context.Context, address string) (chain.Sequence, error)
	Sign(account *chain.Account, p chain.TxParams, msgs ...*codectypes.Any) (tx []byte, hash string, err error)
	Simulate(ctx context.Context, tx []byte) (gas uint64, err error)
	Broadcast(ctx context.Context, tx []byte) (chain.TxResult, error)
	Tx(ctx context.Context, hash string) (chain.TxResult, error)
}

// Outbox is where messages wait. What it has answered is on disk.
type Outbox interface {
	Next(ctx context.Context, height uint64) (store.Item, error)
	MarkSending(ctx context.Context, id int64, tx store.Signed) error
	MarkPending(ctx context.Context, id int64, notBefore uint64, log string) error
	MarkDone(ctx context.Context, id int64, height uint64) error
	MarkFailed(ctx context.Context, id int64, height uint64, code uint32, codespace, log string) error
}

// Config says how to pay.
type Config struct {
	// Interval is how often the submitter looks for work and for the fate of what it sent.
	Interval time.Duration
	// GasPriceMilliUaleph is the price of one gas in thousandths of a ualeph.
	GasPriceMilliUaleph uint64
	// FeeGranter pays when it is not empty, bech32.
	FeeGranter string
}

// maxTries bounds how often one message is signed anew: each try means that no block took the last one for a while.
const maxTries = 8

// validBlocks is how many blocks a signed transaction has to enter one. It bounds how long one that nobody takes holds
// up the others; 20 blocks are two minutes.
const validBlocks = 20

// indexBlocks is how many blocks a node may take to index a transaction that it has.
const indexBlocks = 3

// gasMargin is added to the simulated gas, in per cent: state moves between simulation and execution.
const gasMargin = 30

// inMempoolCode is the SDK's answer to bytes that the node has in its mempool already.
const inMempoolCode = 19

// retryBlocks is how many blocks a message waits after the node refused it for a reason that may pass.
const retryBlocks = 2

// codespace marks in the outbox what the relayer itself gave up.
const codespace = "relayer"

// Submitter sends what the outbox holds, one transaction at a time.
type Submitter struct {
	chain   Chain
	account *chain.Account
	outbox  Outbox
	cfg     Config
	log     *slog.Logger

	gone goneTx // owned by Step
}

// goneTx is a transaction in flight that no block can take any more, and when that was seen first.
type goneTx struct {
	hash   string
	height uint64
}

// New makes a submitter. No other program may use the account.
func New(c Chain, account *chain.Account, outbox Outbox, cfg Config, log *slog.Logger) *Submitter {
	return &Submitter{chain: c, account: account, outbox: outbox, cfg: cfg, log: log}
}

// Run works until ctx ends.
func (s *Submitter) Run(ctx context.Context) error {
	return loop.Every(ctx, s.log, s.cfg.Interval, s.Step)
}

// Step does everything that can be done now. It stops at a transaction that no block holds yet.
func (s *Submitter) Step(ctx context.Context) error {
	head, err := s.chain.Head(ctx)
	if err != nil {
		return err
	}
	for {
		item, err := s.outbox.Next(ctx, head.Height)
		if errors.Is(err, store.ErrNoItem) {
			return nil
		}
		if err != nil {
			return err
		}
		handle := s.settle
		if item.State == store.Pending {
			handle = s.send
		}
		if over, err := handle(ctx, head, item); err != nil || !over {
			return err
		}
	}
}

// send signs a pending message and hands it to the node. It returns true when nothing was sent and the next message may
// be looked at.
func (s *Submitter) send(ctx context.Context, head chain.Head, item store.Item) (bool, error) {
	// What is sent now is in the next block at the earliest.
	if item.Deadline != 0 && head.Height >= item.Deadline {
		return true, s.giveUp(ctx, head, item, fmt.Sprintf("deadline %d passed at height %d; before: %s", item.Deadline, head.Height, item.Log))
	}
	if item.Tries >= maxTries {
		return true, s.giveUp(ctx, head, item, "no block took it: see whether another program uses this account, and whether it can pay; before: "+item.Log)
	}
	sequence, err := s.chain.Sequence(ctx, s.account.Bech32())
	if err != nil {
		return false, err
	}
	msg := &codectypes.Any{TypeUrl: item.TypeURL, Value: item.Msg}
	gas, err := s.gas(ctx, sequence, msg)
	if errors.Is(err, chain.ErrTxRejected) {
		return true, s.postpone(ctx, head, item, err.Error())
	}
	if err != nil {
		return false, err
	}
	signed, err := s.sign(head, item, sequence, gas)
	if err != nil {
		return false, err
	}
	if err := s.outbox.MarkSending(ctx, item.ID, signed); err != nil {
		return false, err
	}
	s.log.InfoContext(ctx, "sending", slog.String("key", item.Key), slog.String("tx_hash", signed.Hash), slog.Uint64("height", head.Height))
	if _, err := s.chain.Broadcast(ctx, signed.Tx); err != nil {
		return false, fmt.Errorf("send %s: %w", item.Key, err)
	}
	return false, nil
}

func (s *Submitter) sign(head chain.Head, item store.Item, sequence chain.Sequence, gas uint64) (store.Signed, error) {
	expires := head.Height + validBlocks
	if item.Deadline != 0 {
		expires = min(expires, item.Deadline)
	}
	params := chain.TxParams{Sequence: sequence, Gas: gas, FeeUaleph: s.fee(gas), FeeGranter: s.cfg.FeeGranter, TimeoutHeight: expires}
	tx, hash, err := s.chain.Sign(s.account, params, &codectypes.Any{TypeUrl: item.TypeURL, Value: item.Msg})
	return store.Signed{Tx: tx, Hash: hash, Sequence: sequence.Next, Expires: expires}, err
}

func (s *Submitter) giveUp(ctx context.Context, head chain.Head, item store.Item, reason string) error {
	s.log.ErrorContext(ctx, "gave a transaction up", slog.String("key", item.Key), slog.Uint64("height", head.Height), slog.String("err", reason))
	return s.outbox.MarkFailed(ctx, item.ID, head.Height, 0, codespace, reason)
}

func (s *Submitter) gas(ctx context.Context, sequence chain.Sequence, msg *codectypes.Any) (uint64, error) {
	trial, _, err := s.chain.Sign(s.account, chain.TxParams{Sequence: sequence, FeeGranter: s.cfg.FeeGranter}, msg)
	if err != nil {
		return 0, err
	}
	gas, err := s.chain.Simulate(ctx, trial)
	if err != nil {
		return 0, err
	}
	return gas + gas*gasMargin/100, nil
}

func (s *Submitter) fee(gas uint64) uint64 {
	hi, lo := bits.Mul64(gas, s.cfg.GasPriceMilliUaleph)
	if hi != 0 {
		return 1<<63 - 1
	}
	return lo/1000 + 1
}

// postpone keeps a message that the chain refuses now. It may pass later (cover, window); its deadline ends it.
func (s *Submitter) postpone(ctx context.Context, head chain.Head, item store.Item, reason string) error {
	if item.Deadline == 0 {
		return s.giveUp(ctx, head, item, reason)
	}
	s.log.WarnContext(ctx, "the chain refuses the transaction now, will try again", slog.String("key", item.Key),
		slog.Uint64("height", head.Height), slog.String("err", reason))
	return s.outbox.MarkPending(ctx, item.ID, head.Height+retryBlocks, reason)
}

// settle finds out what became of a transaction in flight. It returns false while no one can know.
func (s *Submitter) settle(ctx context.Context, head chain.Head, item store.Item) (bool, error) {
	settled, err := s.included(ctx, head, item)
	if err != nil || settled {
		return settled, err
	}
	sequence, err := s.chain.Sequence(ctx, s.account.Bech32())
	if err != nil {
		return false, err
	}
	if sequence.Next > item.Sequence || head.Height >= item.Expires {
		return s.settleGone(ctx, head, item)
	}
	// The same bytes again: a node that still has them says so, one that dropped them takes them.
	if res, err := s.chain.Broadcast(ctx, item.Tx); err != nil && res.Code != inMempoolCode {
		return false, fmt.Errorf("send %s again: %w", item.Key, err)
	}
	return false, nil
}

// settleGone puts off a transaction that no block can take any more, once it is sure that none has taken it.
func (s *Submitter) settleGone(ctx context.Context, head chain.Head, item store.Item) (bool, error) {
	if s.gone.hash != item.TxHash {
		s.gone = goneTx{hash: item.TxHash, height: head.Height}
	}
	if head.Height < s.gone.height+indexBlocks {
		return false, nil
	}
	s.log.WarnContext(ctx, "no block took the transaction, signing anew", slog.String("key", item.Key), slog.String("tx_hash", item.TxHash))
	return true, s.outbox.MarkPending(ctx, item.ID, head.Height, "no block took transaction "+item.TxHash)
}

// included records the answer of the block that holds the transaction, if there is one.
func (s *Submitter) included(ctx context.Context, head chain.Head, item store.Item) (bool, error) {
	res, err := s.chain.Tx(ctx, item.TxHash)
	if errors.Is(err, chain.ErrTxNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if res.Code == 0 {
		s.log.InfoContext(ctx, "in a block", slog.String("key", item.Key), slog.String("tx_hash", res.Hash), slog.Uint64("height", res.Height))
		return true, s.outbox.MarkDone(ctx, item.ID, res.Height)
	}
	if item.Deadline != 0 && item.Tries < maxTries {
		return true, s.postpone(ctx, head, item, res.Log)
	}
	s.log.ErrorContext(ctx, "the chain refused the transaction", slog.String("key", item.Key), slog.String("tx_hash", res.Hash),
		slog.Uint64("height", res.Height), slog.String("err", res.Log))
	return true, s.outbox.MarkFailed(ctx, item.ID, res.Height, res.Code, res.Codespace, res.Log)
}

// ItemOf makes an outbox item of a message.
func ItemOf(key string, msg sdk.Msg, notBefore, deadline uint64) (store.Item, error) {
	packed, err := codectypes.NewAnyWithValue(msg)
	if err != nil {
		return store.Item{}, fmt.Errorf("encode %s: %w", key, err)
	}
	return store.Item{Key: key, TypeURL: packed.TypeUrl, Msg: packed.Value, NotBefore: notBefore, Deadline: deadline}, nil
}
