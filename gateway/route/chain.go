// SPDX-License-Identifier: Apache-2.0

package route

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/gpucoord/gpucoord/relayer/chain"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	rewardstypes "github.com/gpucoord/gpucoord/x/rewards/types"
)

const (
	// pageSize is the most hosts the chain lists at once, maxPages bounds how many pages are read: 50,000 hosts.
	pageSize = 200
	maxPages = 250
	// parallel is how many operators are asked for at once.
	parallel = 8
)

// ErrTooManyHosts means that the chain has more hosts than a table holds.
var ErrTooManyHosts = errors.New("chain lists more hosts than the gateway reads")

// operators is what the table reads of the operators module.
type operators interface {
	Hosts(ctx context.Context, in *operatorstypes.QueryHostsRequest, opts ...grpc.CallOption) (*operatorstypes.QueryHostsResponse, error)
	Operator(ctx context.Context, in *operatorstypes.QueryOperatorRequest, opts ...grpc.CallOption) (*operatorstypes.QueryOperatorResponse, error)
	CurrentEpoch(ctx context.Context, in *operatorstypes.QueryCurrentEpochRequest, opts ...grpc.CallOption) (
		*operatorstypes.QueryCurrentEpochResponse, error)
}

// receipts is what is read of the receipts module.
type receipts interface {
	Payer(ctx context.Context, in *receiptstypes.QueryPayerRequest, opts ...grpc.CallOption) (*receiptstypes.QueryPayerResponse, error)
	Gateway(ctx context.Context, in *receiptstypes.QueryGatewayRequest, opts ...grpc.CallOption) (*receiptstypes.QueryGatewayResponse, error)
}

// Chain reads snapshots from a node.
type Chain struct {
	operators operators
	receipts  receipts
	standing  func(ctx context.Context, in *rewardstypes.QueryStandingRequest, opts ...grpc.CallOption) (*rewardstypes.QueryStandingResponse, error)
	head      func(ctx context.Context) (chain.Head, error)
}

// NewChain returns a reader over a client.
func NewChain(c *chain.Client) *Chain {
	return &Chain{operators: c.Operators, receipts: c.Receipts, standing: c.Rewards.Standing, head: c.Head}
}

// Snapshot reads all hosts whose operator may work, at one height. A host that is registered in a form that cannot be called is left out.
//
// Errors: ErrTooManyHosts, or the node's.
func (c *Chain) Snapshot(ctx context.Context) (Snapshot, error) {
	head, err := c.head(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	ctx = chain.AtHeight(ctx, head.Height)
	epoch, err := c.operators.CurrentEpoch(ctx, &operatorstypes.QueryCurrentEpochRequest{})
	if err != nil {
		return Snapshot{}, fmt.Errorf("read the epoch: %w", err)
	}
	registered, err := c.hosts(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	accounts, err := c.accounts(ctx, registered)
	if err != nil {
		return Snapshot{}, err
	}
	s := Snapshot{Epoch: epoch.Grid.Epoch}
	for i := range registered {
		a := accounts[registered[i].Operator]
		if a == nil || !a.mayWork {
			continue
		}
		if h, ok := a.host(&registered[i]); ok {
			s.Hosts = append(s.Hosts, h)
		}
	}
	return s, nil
}

func (c *Chain) hosts(ctx context.Context) ([]operatorstypes.Host, error) {
	var all []operatorstypes.Host
	page := &query.PageRequest{Limit: pageSize}
	for range maxPages {
		res, err := c.operators.Hosts(ctx, &operatorstypes.QueryHostsRequest{Pagination: page})
		if err != nil {
			return nil, fmt.Errorf("list hosts: %w", err)
		}
		all = append(all, res.Hosts...)
		if res.Pagination == nil || len(res.Pagination.NextKey) == 0 {
			return all, nil
		}
		page = &query.PageRequest{Key: res.Pagination.NextKey, Limit: pageSize}
	}
	return nil, ErrTooManyHosts
}

// account is what the hosts of one operator share.
type account struct {
	region          string
	mayWork         bool
	reputation, ucs uint64
}

func (c *Chain) accounts(ctx context.Context, hosts []operatorstypes.Host) (map[string]*account, error) {
	accounts := make(map[string]*account)
	for i := range hosts {
		accounts[hosts[i].Operator] = &account{}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for address, a := range accounts {
		g.Go(func() error { return c.read(ctx, address, a) })
	}
	return accounts, g.Wait()
}

func (c *Chain) read(ctx context.Context, address string, a *account) error {
	res, err := c.operators.Operator(ctx, &operatorstypes.QueryOperatorRequest{Address: address})
	if err != nil {
		return fmt.Errorf("read operator %s: %w", address, err)
	}
	a.region, a.mayWork = res.Operator.Region, res.MayWork
	if !a.mayWork {
		return nil
	}
	standing, err := c.standing(ctx, &rewardstypes.QueryStandingRequest{Operator: address})
	if err != nil {
		return fmt.Errorf("read standing of %s: %w", address, err)
	}
	a.reputation, a.ucs = standing.ReputationPpm, standing.Ucs
	return nil
}

// host turns a registered host into one that can be called; ok is false where it cannot.
func (a *account) host(r *operatorstypes.Host) (h Host, ok bool) {
	endpoint, err := ParseEndpoint(r.Endpoint)
	if err != nil || len(r.Id) != len(h.ID) || len(r.ReceiptKey) != len(h.Key) || len(r.TlsSpkiSha256) != 0 && len(r.TlsSpkiSha256) != 32 {
		return Host{}, false
	}
	h = Host{
		ID: [32]byte(r.Id), Key: [20]byte(r.ReceiptKey), Operator: r.Operator, Region: a.region, Endpoint: endpoint, SPKI: r.TlsSpkiSha256,
		Simulated: r.Simulated, ReputationPPM: a.reputation, UCS: a.ucs,
	}
	for i := range r.Models {
		h.Offers = appendOffers(h.Offers, r.Models[i])
	}
	return h, len(h.Offers) > 0
}

func appendOffers(offers []Offer, m *operatorstypes.HostModel) []Offer {
	if len(m.ModelId) != 32 {
		return offers
	}
	o := Offer{Asset: Asset{ModelID: [32]byte(m.ModelId)}, Name: m.ServedName, PriceInUusdc: m.PriceInUusdc, PriceOutUusdc: m.PriceOutUusdc}
	offers = append(offers, o)
	for i, id := range m.AdapterIds {
		if len(id) != 32 || i >= len(m.AdapterNames) {
			continue
		}
		o.AdapterID, o.Name = [32]byte(id), m.AdapterNames[i]
		offers = append(offers, o)
	}
	return offers
}
