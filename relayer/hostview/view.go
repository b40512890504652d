// SPDX-License-Identifier: Apache-2.0

// Package hostview is a host's view of the chain: a node's answers, kept for a bounded time, so that a job waits for no
// query and none is served on an answer that is too old.
package hostview

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/gpucoord/gpucoord/domain/u128"
	"github.com/gpucoord/gpucoord/host"
	"github.com/gpucoord/gpucoord/relayer/chain"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

// wholeBps is the whole in basis points.
const wholeBps = 10_000

// Queries are the chain's answers that a view needs.
type Queries struct {
	Operators operatorstypes.QueryClient
	Royalties royaltiestypes.QueryClient
	Receipts  receiptstypes.QueryClient
}

// Options say whose view it is and how old it may be.
type Options struct {
	// HostKey is the address of the host's receipt key, Operator its operator's account, bech32.
	HostKey  [20]byte
	Operator string
	// Fresh is the age from which an answer is asked for again, Bound the age from which it is none any more.
	Fresh, Bound time.Duration
}

// View answers the host's questions. It implements host.Chain.
type View struct {
	q    Queries
	opts Options

	epochs     *cache[struct{}, uint64]
	mayWork    *cache[struct{}, bool]
	payers     *cache[[20]byte, payer]
	settlers   *cache[payment, host.SettlerView]
	watermarks *cache[struct{}, uint64]
	assets     *cache[[32]byte, *royaltiestypes.Asset] // nil for one that is not registered
}

var _ host.Chain = (*View)(nil)

// payer is what is known of a payer key: from when to when it is a gateway's, and who settles then.
type payer struct {
	gateway     bool
	from, until uint64 // Unix seconds, both inclusive; until 0 for ever
	view        host.SettlerView
}

// payment is a payer key at a time, in Unix seconds; 0 is now.
type payment struct {
	key      [20]byte
	issuedAt uint64
}

// New makes a view. It asks nothing yet.
func New(q Queries, opts Options) *View {
	v := &View{q: q, opts: opts}
	v.epochs = newCache(opts.Fresh, opts.Bound, v.fetchEpoch)
	v.mayWork = newCache(opts.Fresh, opts.Bound, v.fetchMayWork)
	v.payers = newCache(opts.Fresh, opts.Bound, v.fetchPayer)
	v.settlers = newCache(opts.Fresh, opts.Bound, v.fetchSettler)
	v.watermarks = newCache(opts.Fresh, opts.Bound, v.fetchWatermark)
	v.assets = newCache(opts.Fresh, opts.Bound, v.fetchAsset)
	return v
}

// Epoch returns the present epoch.
func (v *View) Epoch(ctx context.Context) (uint64, error) { return v.epochs.get(ctx, struct{}{}) }

// MayWork reports whether the operator may take new work.
func (v *View) MayWork(ctx context.Context) (bool, error) { return v.mayWork.get(ctx, struct{}{}) }

// Settler returns who settles a job that a payer key authorised at issuedAt, in Unix seconds. Within the life of a gateway's
// key the answer is the same for all its jobs; at any other time it is asked for.
func (v *View) Settler(ctx context.Context, key [20]byte, issuedAt uint64) (host.SettlerView, error) {
	p, err := v.payers.get(ctx, key)
	if err != nil {
		return host.SettlerView{}, err
	}
	if p.gateway && issuedAt >= p.from && (p.until == 0 || issuedAt <= p.until) {
		return p.view, nil
	}
	return v.settlers.get(ctx, payment{key, issuedAt})
}

// Watermark returns the highest sequence number claimed with the host's key, 0 if none was.
func (v *View) Watermark(ctx context.Context) (uint64, error) {
	return v.watermarks.get(ctx, struct{}{})
}

// AssetAllowed returns nil if the model, with the adapter unless it is zero, may be served for money in this epoch.
//
// Errors: host.ErrNotLicensed, or the chain's.
func (v *View) AssetAllowed(ctx context.Context, model, adapter [32]byte) error {
	epoch, err := v.Epoch(ctx)
	if err != nil {
		return err
	}
	m, err := v.assets.get(ctx, model)
	if err != nil {
		return err
	}
	if !usable(m, royaltiestypes.AssetKind_ASSET_KIND_BASE, epoch) {
		return fmt.Errorf("model %x: %w", model, host.ErrNotLicensed)
	}
	if adapter == ([32]byte{}) {
		return nil
	}
	a, err := v.assets.get(ctx, adapter)
	if err != nil {
		return err
	}
	if !usable(a, royaltiestypes.AssetKind_ASSET_KIND_ADAPTER, epoch) || !bytes.Equal(a.Base, model[:]) {
		return fmt.Errorf("adapter %x: %w", adapter, host.ErrNotLicensed)
	}
	return nil
}

func usable(a *royaltiestypes.Asset, kind royaltiestypes.AssetKind, epoch uint64) bool {
	return a != nil && a.Kind == kind && a.CommercialUse && !a.TakenDownIn(epoch)
}

func (v *View) fetchEpoch(ctx context.Context, _ struct{}) (uint64, error) {
	res, err := v.q.Operators.CurrentEpoch(ctx, &operatorstypes.QueryCurrentEpochRequest{})
	if err != nil {
		return 0, err
	}
	return res.Grid.Epoch, nil
}

func (v *View) fetchMayWork(ctx context.Context, _ struct{}) (bool, error) {
	res, err := v.q.Operators.Operator(ctx, &operatorstypes.QueryOperatorRequest{Address: v.opts.Operator})
	if err != nil {
		return false, err
	}
	return res.MayWork, nil
}

// fetchPayer asks who settles for a key now and, if that is a gateway, how long the key lives.
func (v *View) fetchPayer(ctx context.Context, key [20]byte) (payer, error) {
	res, err := v.q.Receipts.Payer(ctx, &receiptstypes.QueryPayerRequest{Key: hex.EncodeToString(key[:]), Operator: v.opts.Operator})
	if err != nil || !res.GatewayKey {
		return payer{}, err
	}
	p := payer{}
	if p.view, err = v.viewOf(ctx, res); err != nil {
		return payer{}, err
	}
	gateway, err := v.q.Receipts.Gateway(ctx, &receiptstypes.QueryGatewayRequest{Address: res.Settler.Gateway})
	if err != nil {
		return payer{}, err
	}
	for i := range gateway.Keys {
		if k := &gateway.Keys[i]; bytes.Equal(k.Address, key[:]) {
			p.gateway, p.from, p.until = true, k.ValidFrom, k.ValidUntil
		}
	}
	return p, nil
}

func (v *View) fetchSettler(ctx context.Context, p payment) (host.SettlerView, error) {
	res, err := v.q.Receipts.Payer(ctx, &receiptstypes.QueryPayerRequest{
		Key: hex.EncodeToString(p.key[:]), IssuedAt: p.issuedAt, Operator: v.opts.Operator,
	})
	if err != nil {
		return host.SettlerView{}, err
	}
	return v.viewOf(ctx, res)
}

func (v *View) viewOf(ctx context.Context, res *receiptstypes.QueryPayerResponse) (host.SettlerView, error) {
	if res.Settler.Address == "" {
		return host.SettlerView{}, nil
	}
	settler, err := chain.ParseBech32(res.Settler.Address)
	if err != nil {
		return host.SettlerView{}, err
	}
	limit, err := v.q.Receipts.Limit(ctx, &receiptstypes.QueryLimitRequest{Settler: res.Settler.Address, Operator: v.opts.Operator})
	if err != nil {
		return host.SettlerView{}, err
	}
	params, err := v.q.Receipts.Params(ctx, &receiptstypes.QueryParamsRequest{})
	if err != nil {
		return host.SettlerView{}, err
	}
	return host.SettlerView{
		Known: true, Settler: settler, IsGateway: res.GatewayKey,
		AvailableUusdc: jobsCovered(res.LockableUusdc, &res.Settler, params.Params.TakeBps),
		LimitUusdc:     jobsCovered(limit.LimitUusdc-min(limit.LimitUusdc, limit.LockedUusdc), &res.Settler, params.Params.TakeBps),
	}, nil
}

// jobsCovered returns the amount of jobs that so much escrow can be locked for: all of an amount where the settler pays
// the operator's share too, else the take and at most the royalty cap. Rounding: down.
func jobsCovered(escrow uint64, s *receiptstypes.Settler, takeBps uint64) uint64 {
	if s.PaysOperators {
		return escrow
	}
	covered, ok := u128.MulDiv(escrow, wholeBps, takeBps+receiptstypes.RoyaltyCapBps)
	if !ok {
		return 1<<64 - 1
	}
	return covered
}

func (v *View) fetchWatermark(ctx context.Context, _ struct{}) (uint64, error) {
	res, err := v.q.Receipts.Watermarks(ctx, &receiptstypes.QueryWatermarksRequest{HostKey: hex.EncodeToString(v.opts.HostKey[:])})
	if err != nil {
		return 0, err
	}
	return res.Highest, nil
}

func (v *View) fetchAsset(ctx context.Context, id [32]byte) (*royaltiestypes.Asset, error) {
	res, err := v.q.Royalties.Asset(ctx, &royaltiestypes.QueryAssetRequest{AssetId: hex.EncodeToString(id[:])})
	if status.Code(err) == codes.NotFound {
		return nil, nil //nolint:nilnil // no asset is an answer, and one worth keeping
	}
	if err != nil {
		return nil, err
	}
	return &res.Asset, nil
}
