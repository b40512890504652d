// SPDX-License-Identifier: Apache-2.0

package evm

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/gpucoord/gpucoord/relayer/evm/report"
)

// callTimeout bounds each call: a far endpoint answers in a second or two.
const callTimeout = 15 * time.Second

// Endpoints are the RPCs of one EVM chain. Each is asked for its chain id and head in every pass; the contract's code and origin are
// checked when an endpoint is used first and again after it failed. The first usable one in the configuration's order is read;
// transactions go to all that are usable.
type Endpoints struct {
	list     []*endpoint
	chainID  *big.Int
	contract Contract
	codeHash common.Hash
	// maxLag is how many blocks an endpoint may be behind the newest block ever seen.
	maxLag uint64
	// newest is the highest block that any endpoint showed. Owned by the chain's loop.
	newest uint64
}

type endpoint struct {
	client Client
	index  int
	// id is what the contract said; genuine is false until it was checked.
	id      identity
	genuine bool

	head   *types.Header
	err    error
	errors uint64
}

// DialEndpoints connects to the RPCs: URLs, or file:/path for a file that holds one, since a URL can hold an access key. Connections
// over HTTP are made when they are used.
//
// Errors: the file system's, or that an address cannot be used; never the address itself.
func DialEndpoints(ctx context.Context, rpcs []string) ([]Client, error) {
	out := make([]Client, len(rpcs))
	for i, address := range rpcs {
		if path, ok := strings.CutPrefix(address, "file:"); ok {
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, fmt.Errorf("rpc %d: %w", i, err)
			}
			address = strings.TrimSpace(string(text))
		}
		client, err := ethclient.DialContext(ctx, address)
		if err != nil {
			return nil, fmt.Errorf("rpc %d: %w", i, redact(err))
		}
		out[i] = client
	}
	return out, nil
}

func newEndpoints(clients []Client, chainID uint64, contract Contract, codeHash common.Hash, maxLag uint64) *Endpoints {
	e := &Endpoints{chainID: new(big.Int).SetUint64(chainID), contract: contract, codeHash: codeHash, maxLag: maxLag}
	for i, c := range clients {
		e.list = append(e.list, &endpoint{client: bounded{client: c}, index: i})
	}
	return e
}

// survey asks every endpoint at once and returns those that can be used, in the configuration's order.
//
// origin is the gpucoord chain's. Errors: ErrNoEndpoint with each one's reason.
func (e *Endpoints) survey(ctx context.Context, origin [32]byte) ([]*endpoint, error) {
	var group sync.WaitGroup
	for _, p := range e.list {
		group.Go(func() { e.ask(ctx, p, origin) })
	}
	group.Wait()
	for _, p := range e.list {
		if p.err == nil {
			e.newest = max(e.newest, p.head.Number.Uint64())
		}
	}
	var usable []*endpoint
	var faults []error
	for _, p := range e.list {
		if p.err == nil && p.head.Number.Uint64()+e.maxLag < e.newest {
			p.err = fmt.Errorf("%w: block %d of %d", ErrBehind, p.head.Number, e.newest)
		}
		if p.err != nil {
			faults = append(faults, fmt.Errorf("rpc %d: %w", p.index, p.err))
			continue
		}
		usable = append(usable, p)
	}
	if len(usable) == 0 {
		return nil, fmt.Errorf("%w: %w", ErrNoEndpoint, errors.Join(faults...))
	}
	return usable, nil
}

// ask brings one endpoint's state up to date.
func (e *Endpoints) ask(ctx context.Context, p *endpoint, origin [32]byte) {
	p.err = nil
	id, err := p.client.ChainID(ctx)
	if err != nil {
		p.fail(err)
		return
	}
	if id.Cmp(e.chainID) != 0 {
		p.err = fmt.Errorf("%w: want %v, got %v", ErrWrongChain, e.chainID, id)
		p.genuine = false
		return
	}
	if p.head, err = p.client.HeaderByNumber(ctx, nil); err != nil {
		p.fail(err)
		return
	}
	if p.head.BaseFee == nil {
		p.err = ErrNoBaseFee
		return
	}
	if !p.genuine {
		p.err = e.inspect(ctx, p, origin)
		p.genuine = p.err == nil
	}
}

// inspect checks that the contract is what it should be.
func (e *Endpoints) inspect(ctx context.Context, p *endpoint, origin [32]byte) error {
	id, err := e.contract.identity(ctx, p.client)
	if err != nil {
		if _, reverted := e.contract.refusal(err); reverted {
			return ErrWrongCode
		}
		return err
	}
	if id.origin != origin {
		return fmt.Errorf("%w: want %x, got %x", ErrWrongOrigin, origin, id.origin)
	}
	p.id = id
	return e.contract.isGenuine(ctx, p.client, p.head, id, e.codeHash)
}

// fail notes that a call failed: what the endpoint is will be checked again before it is used.
func (p *endpoint) fail(err error) {
	p.err = err
	p.errors++
	p.genuine = false
}

// isRefused reports whether an endpoint serves what it should not, which does not pass by waiting.
func isRefused(err error) bool {
	return slices.ContainsFunc([]error{ErrWrongChain, ErrNoCode, ErrWrongCode, ErrWrongOrigin, ErrNoBaseFee}, func(is error) bool { return errors.Is(err, is) })
}

// describe says how the endpoints stand.
func (e *Endpoints) describe() []report.Endpoint {
	out := make([]report.Endpoint, len(e.list))
	for i, p := range e.list {
		out[i] = report.Endpoint{Usable: p.err == nil, Errors: p.errors}
		if p.head != nil {
			out[i].Block = p.head.Number.Uint64()
		}
		if p.err != nil {
			out[i].Fault = p.err.Error()
		}
	}
	return out
}
