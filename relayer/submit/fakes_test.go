// SPDX-License-Identifier: Apache-2.0

package submit_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/cosmos/gogoproto/proto"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"

	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/store"
	"github.com/gpucoord/gpucoord/relayer/submit"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// gasUsed is what every transaction of the fake chain costs.
const gasUsed = 100_000

var errNetwork = errors.New("connection refused")

// fakeTx is what the fake chain signs and runs.
type fakeTx struct{ ID, Sequence, Timeout, Fee uint64 }

// fakeChain is a chain with one account and a block whenever mine is called.
type fakeChain struct {
	height, sequence, indexLag uint64
	mempool                    [][]byte
	results                    map[string]chain.TxResult
	executed                   map[uint64]int
	order                      []uint64
	paid                       uint64
	broadcasts                 int

	fails        map[uint64]uint64 // messages that are refused up to a height
	failsInBlock map[uint64]int    // messages that pass simulations and fail in so many blocks
	refuse       func() error      // what broadcasting gives, unless nil
	failCall     int               // how many calls from now the network fails, 0 for never
}

func newFakeChain() *fakeChain {
	return &fakeChain{
		height: 10, sequence: 5, results: make(map[string]chain.TxResult), executed: make(map[uint64]int), fails: make(map[uint64]uint64),
		failsInBlock: make(map[uint64]int),
	}
}

func (c *fakeChain) network() error {
	if c.failCall--; c.failCall == 0 {
		return errNetwork
	}
	return nil
}

func hashOf(tx []byte) string { return fmt.Sprintf("%X", sha256.Sum256(tx)) }

func decode(raw []byte) (tx fakeTx) {
	if err := json.Unmarshal(raw, &tx); err != nil {
		panic(err)
	}
	return tx
}

// mine makes a block of what the mempool holds.
func (c *fakeChain) mine() {
	c.height++
	for _, raw := range c.mempool {
		tx := decode(raw)
		if tx.Sequence != c.sequence || tx.Timeout != 0 && c.height > tx.Timeout {
			continue
		}
		c.sequence++
		c.paid += tx.Fee
		res := chain.TxResult{Hash: hashOf(raw), Height: c.height}
		switch {
		case c.failsInBlock[tx.ID] > 0:
			c.failsInBlock[tx.ID]--
			res.Code, res.Log = 9, "refused by the chain"
		case c.height <= c.fails[tx.ID]:
			res.Code, res.Log = 9, "refused by the chain"
		default:
			c.executed[tx.ID]++
			c.order = append(c.order, tx.ID)
		}
		c.results[res.Hash] = res
	}
	c.mempool = nil
}

func (c *fakeChain) Head(context.Context) (chain.Head, error) {
	return chain.Head{Height: c.height, Time: time.Unix(int64(c.height), 0)}, c.network()
}

func (c *fakeChain) Sequence(context.Context, string) (chain.Sequence, error) {
	return chain.Sequence{Number: 1, Next: c.sequence}, c.network()
}

func (c *fakeChain) Sign(_ *chain.Account, p chain.TxParams, msgs ...*codectypes.Any) ([]byte, string, error) {
	var msg receiptstypes.MsgOpenSamples
	if err := proto.Unmarshal(msgs[0].Value, &msg); err != nil {
		return nil, "", err
	}
	tx, err := json.Marshal(fakeTx{ID: msg.BatchId, Sequence: p.Sequence.Next, Timeout: p.TimeoutHeight, Fee: p.FeeUaleph})
	return tx, hashOf(tx), err
}

func (c *fakeChain) Simulate(_ context.Context, raw []byte) (uint64, error) {
	if err := c.network(); err != nil {
		return 0, err
	}
	if c.height <= c.fails[decode(raw).ID] {
		return 0, fmt.Errorf("%w: refused by the chain", chain.ErrTxRejected)
	}
	return gasUsed, nil
}

func (c *fakeChain) Broadcast(_ context.Context, raw []byte) (chain.TxResult, error) {
	c.broadcasts++
	if err := c.network(); err != nil {
		return chain.TxResult{}, err
	}
	if c.refuse != nil {
		return chain.TxResult{Code: 20}, fmt.Errorf("%w: %w", chain.ErrTxRejected, c.refuse())
	}
	for _, have := range c.mempool {
		if string(have) == string(raw) {
			return chain.TxResult{Code: 19}, fmt.Errorf("%w: tx already in mempool", chain.ErrTxRejected)
		}
	}
	if want := c.sequence + uint64(len(c.mempool)); decode(raw).Sequence != want {
		return chain.TxResult{Code: 32}, fmt.Errorf("%w: sequence", chain.ErrTxRejected)
	}
	c.mempool = append(c.mempool, raw)
	return chain.TxResult{Hash: hashOf(raw)}, nil
}

func (c *fakeChain) Tx(_ context.Context, hash string) (chain.TxResult, error) {
	if err := c.network(); err != nil {
		return chain.TxResult{}, err
	}
	if res, ok := c.results[hash]; ok && c.height >= res.Height+c.indexLag {
		return res, nil
	}
	return chain.TxResult{}, chain.ErrTxNotFound
}

// faults end the process at one call: before it has its effect, or after.
type faults struct {
	calls, at int
	after     bool
	crashed   bool
}

type crash struct{}

func (f *faults) end() {
	f.crashed = true
	panic(crash{})
}

// call makes a call, unless the process ends first.
func (f *faults) call(fn func()) {
	f.calls++
	if f.calls == f.at && !f.after {
		f.end()
	}
	fn()
	if f.calls == f.at && f.after {
		f.end()
	}
}

// step is a step of a process that may end in the middle of it.
func step(ctx context.Context, s *submit.Submitter) (err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(crash); !ok {
				panic(r)
			}
			err = errors.New("the process ended")
		}
	}()
	return s.Step(ctx)
}

type crashingChain struct {
	*fakeChain
	f *faults
}

func (c *crashingChain) Head(ctx context.Context) (h chain.Head, err error) {
	c.f.call(func() { h, err = c.fakeChain.Head(ctx) })
	return h, err
}

func (c *crashingChain) Broadcast(ctx context.Context, tx []byte) (r chain.TxResult, err error) {
	c.f.call(func() { r, err = c.fakeChain.Broadcast(ctx, tx) })
	return r, err
}

func (c *crashingChain) Tx(ctx context.Context, hash string) (r chain.TxResult, err error) {
	c.f.call(func() { r, err = c.fakeChain.Tx(ctx, hash) })
	return r, err
}

type crashingOutbox struct {
	*store.Store
	f *faults
}

func (o *crashingOutbox) Next(ctx context.Context, height uint64) (i store.Item, err error) {
	o.f.call(func() { i, err = o.Store.Next(ctx, height) })
	return i, err
}

func (o *crashingOutbox) MarkSending(ctx context.Context, id int64, tx store.Signed) (err error) {
	o.f.call(func() { err = o.Store.MarkSending(ctx, id, tx) })
	return err
}

func (o *crashingOutbox) MarkPending(ctx context.Context, id int64, notBefore uint64, log string) (err error) {
	o.f.call(func() { err = o.Store.MarkPending(ctx, id, notBefore, log) })
	return err
}

func (o *crashingOutbox) MarkDone(ctx context.Context, id int64, height uint64) (err error) {
	o.f.call(func() { err = o.Store.MarkDone(ctx, id, height) })
	return err
}
