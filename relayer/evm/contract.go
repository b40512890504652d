// SPDX-License-Identifier: Apache-2.0

package evm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/gpucoord/gpucoord/contracts/receiptanchor"
	"github.com/gpucoord/gpucoord/domain/anchor"
)

// ring is how many anchors the contract holds; the constant RING of the contract.
const ring = 1024

// Client is what an endpoint can be asked; ethclient.Client is one.
type Client interface {
	ChainID(ctx context.Context) (*big.Int, error)
	HeaderByNumber(ctx context.Context, number *big.Int) (*types.Header, error)
	CodeAt(ctx context.Context, account common.Address, block *big.Int) ([]byte, error)
	BalanceAt(ctx context.Context, account common.Address, block *big.Int) (*big.Int, error)
	NonceAt(ctx context.Context, account common.Address, block *big.Int) (uint64, error)
	CallContract(ctx context.Context, call ethereum.CallMsg, block *big.Int) ([]byte, error)
	PendingCallContract(ctx context.Context, call ethereum.CallMsg) ([]byte, error)
	EstimateGas(ctx context.Context, call ethereum.CallMsg) (uint64, error)
	SuggestGasTipCap(ctx context.Context) (*big.Int, error)
	SendTransaction(ctx context.Context, tx *types.Transaction) error
	TransactionReceipt(ctx context.Context, hash common.Hash) (*types.Receipt, error)
}

// State is what a contract holds.
type State struct {
	Nonce, TreeSize, Height uint64
	// Time is when the held set was last known to be the chain's, Unix seconds.
	Time   uint64
	Frozen bool
	// Valset is the hash of the set that signs the next anchor, Previous that of the one before.
	Valset, Previous [32]byte
	// Root is the log's.
	Root [32]byte
	// Held is the hash of the newest anchor, zero before the first.
	Held [32]byte
}

// Anchor puts the newest anchor together again and reports whether it is the one held: after a guardian's recovery it may not be.
func (s State) Anchor() (anchor.Anchor, bool) {
	a := anchor.Anchor{Nonce: s.Nonce, Height: s.Height, Time: s.Time, TreeSize: s.TreeSize, Root: s.Root, NextValset: s.Valset}
	return a, a.StructHash() == s.Held
}

// Contract is one ReceiptAnchor.
type Contract struct {
	abi     *receiptanchor.ReceiptAnchor
	address common.Address
}

// NewContract returns the contract at address.
func NewContract(address common.Address) Contract {
	return Contract{abi: receiptanchor.NewReceiptAnchor(), address: address}
}

// identity is what never changes about a contract.
type identity struct {
	origin   [32]byte
	trusting uint32
	guardian common.Address
}

func (c Contract) call(ctx context.Context, client Client, block *big.Int, data []byte) ([]byte, error) {
	out, err := client.CallContract(ctx, ethereum.CallMsg{To: &c.address, Data: data}, block)
	if err == nil && len(out) == 0 {
		return nil, ErrNoCode
	}
	return out, err
}

// read calls a view function at a block and decodes its answer.
func read[T any](ctx context.Context, c Contract, client Client, block *big.Int, data []byte, unpack func([]byte) (T, error)) (T, error) {
	out, err := c.call(ctx, client, block, data)
	if err != nil {
		var none T
		return none, err
	}
	return unpack(out)
}

// State reads the contract at a block.
func (c Contract) State(ctx context.Context, client Client, block *big.Int) (State, error) {
	head, err := read(ctx, c, client, block, c.abi.PackHead(), c.abi.UnpackHead)
	if err != nil {
		return State{}, fmt.Errorf("read the contract's head: %w", err)
	}
	s := State{Nonce: head.Nonce, TreeSize: head.TreeSize, Height: head.Height, Time: head.Time, Frozen: head.Frozen}
	slot := new(big.Int).SetUint64(s.Nonce % ring)
	for _, f := range []struct {
		into   *[32]byte
		data   []byte
		unpack func([]byte) ([32]byte, error)
	}{
		{&s.Valset, c.abi.PackValset(), c.abi.UnpackValset},
		{&s.Previous, c.abi.PackPreviousValset(), c.abi.UnpackPreviousValset},
		{&s.Root, c.abi.PackLastRoot(), c.abi.UnpackLastRoot},
		{&s.Held, c.abi.PackRing(slot), c.abi.UnpackRing},
	} {
		if *f.into, err = read(ctx, c, client, block, f.data, f.unpack); err != nil {
			return State{}, fmt.Errorf("read the contract: %w", err)
		}
	}
	return s, nil
}

func (c Contract) identity(ctx context.Context, client Client) (id identity, err error) {
	if id.origin, err = read(ctx, c, client, nil, c.abi.PackOriginId(), c.abi.UnpackOriginId); err != nil {
		return id, err
	}
	if id.trusting, err = read(ctx, c, client, nil, c.abi.PackTrustingPeriod(), c.abi.UnpackTrustingPeriod); err != nil {
		return id, err
	}
	id.guardian, err = read(ctx, c, client, nil, c.abi.PackGuardian(), c.abi.UnpackGuardian)
	return id, err
}

// isGenuine reports whether the contract's code is what this release's constructor makes of the contract's own constants, or has the
// hash that the operator names.
func (c Contract) isGenuine(ctx context.Context, client Client, head *types.Header, id identity, accepted common.Hash) error {
	code, err := client.CodeAt(ctx, c.address, nil)
	if err != nil {
		return err
	}
	if len(code) == 0 {
		return ErrNoCode
	}
	if accepted != (common.Hash{}) {
		if crypto.Keccak256Hash(code) != accepted {
			return ErrWrongCode
		}
		return nil
	}
	// The set and the time go to storage; any that the constructor takes will do.
	data := c.creation(id, [32]byte{1}, head.Time)
	want, err := client.CallContract(ctx, ethereum.CallMsg{Data: data}, nil)
	if err != nil {
		return err
	}
	if !bytes.Equal(code, want) {
		return ErrWrongCode
	}
	return nil
}

// creation is the data of the transaction that makes a contract.
func (c Contract) creation(id identity, valset [32]byte, time uint64) []byte {
	args := c.abi.PackConstructor(id.origin, valset, time, id.trusting, id.guardian)
	return append(common.FromHex(receiptanchor.ReceiptAnchorMetaData.Bin), args...)
}

func (c Contract) submission(p proven, consistency [][32]byte) []byte {
	return c.abi.PackSubmit(toABI(p.anchor), p.members.Packed(), bitmapWord(p.bitmap), compact(p.sigs), consistency)
}

// accusation shows that held, which stands in the ring, and the chain's own p conflict.
func (c Contract) accusation(held anchor.Anchor, p proven) []byte {
	none := new(big.Int)
	return c.abi.PackFreeze(toABI(held), nil, none, nil, toABI(p.anchor), p.members.Packed(), bitmapWord(p.bitmap), compact(p.sigs))
}

func toABI(a anchor.Anchor) receiptanchor.ReceiptAnchorAnchor {
	return receiptanchor.ReceiptAnchorAnchor{
		Nonce: a.Nonce, Height: a.Height, Time: a.Time, TreeSize: a.TreeSize, Root: a.Root, NextValset: a.NextValset,
	}
}

func bitmapWord(b anchor.Bitmap) *big.Int { return new(big.Int).SetBytes(b[:]) }

func compact(sigs []anchor.Signature) []byte {
	out := make([]byte, 0, 64*len(sigs))
	for _, s := range sigs {
		c := anchor.Compact(s)
		out = append(out, c[:]...)
	}
	return out
}

// Refusal is the contract's own reason for not taking a call.
type Refusal struct {
	// Name is that of the Solidity error, or "revert" where there is none.
	Name string
	// Text has the error's arguments.
	Text string
}

// Error says what the contract says.
func (r *Refusal) Error() string { return "the contract refuses: " + r.Text }

// refusal finds the contract's reason in a call's error; ok is false when the call did not come that far.
func (c Contract) refusal(err error) (r *Refusal, ok bool) {
	var withData rpc.DataError
	if !errors.As(err, &withData) {
		return nil, false
	}
	text, _ := withData.ErrorData().(string) // anything else is no data
	raw, decodeErr := hexutil.Decode(text)
	if decodeErr != nil || len(raw) == 0 {
		return nil, false
	}
	parsed, parseErr := receiptanchor.ReceiptAnchorMetaData.ParseABI()
	if parseErr != nil || len(raw) < 4 {
		return &Refusal{Name: "revert", Text: "revert " + text}, true
	}
	for name, e := range parsed.Errors {
		if bytes.Equal(e.ID[:4], raw[:4]) {
			return &Refusal{Name: name, Text: describeError(e, raw)}, true
		}
	}
	return &Refusal{Name: "revert", Text: "revert " + text}, true
}

func describeError(e abi.Error, raw []byte) string {
	values, err := e.Unpack(raw)
	if err != nil || len(e.Inputs) == 0 {
		return e.Name
	}
	return fmt.Sprintf("%s%v", e.Name, values)
}

// The refusals that decide what is done next, by the names of the contract's errors.
const (
	refusedNonce  = "BadNonce"
	refusedStale  = "Stale"
	refusedFrozen = "IsFrozen"
	refusedFuture = "FutureTime"
)
