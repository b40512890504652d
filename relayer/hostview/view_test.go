// SPDX-License-Identifier: Apache-2.0

package hostview_test

import (
	"context"
	"encoding/hex"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/gpucoord/gpucoord/host"
	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/hostview"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

const (
	fresh = time.Second
	bound = 20 * time.Second
)

var (
	model, adapter, other = [32]byte{1}, [32]byte{2}, [32]byte{3}
	gatewayKey            = [20]byte{7}
	secondKey             = [20]byte{8} // of the same gateway and settler
	settlerAddress        = [20]byte{0x51}
	operatorAddress       = [20]byte{0x0f}
	gatewaySettler        = receiptstypes.Settler{Address: chain.Bech32(settlerAddress[:]), Gateway: "g", PaysOperators: true}
	operator              = receiptstypes.Settler{Address: chain.Bech32(operatorAddress[:]), Class: receiptstypes.Class_CLASS_DIRECT}
)

// node answers queries, or fails.
type node struct {
	operatorstypes.QueryClient
	receipts  receipts
	royalties royalties

	mu     sync.Mutex
	epoch  uint64
	jailed bool
	calls  int
	err    error
}

func (n *node) CurrentEpoch(context.Context, *operatorstypes.QueryCurrentEpochRequest, ...grpc.CallOption) (*operatorstypes.QueryCurrentEpochResponse, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.calls++
	return &operatorstypes.QueryCurrentEpochResponse{Grid: operatorstypes.EpochGrid{Epoch: n.epoch}}, n.err
}

func (n *node) Operator(_ context.Context, req *operatorstypes.QueryOperatorRequest, _ ...grpc.CallOption) (*operatorstypes.QueryOperatorResponse, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return &operatorstypes.QueryOperatorResponse{MayWork: req.Address == "operator" && !n.jailed}, n.err
}

func (n *node) set(epoch uint64, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.epoch, n.err = epoch, err
}

func (n *node) asked() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.calls
}

type receipts struct {
	receiptstypes.QueryClient
	direct receiptstypes.Settler // who settles for what is no gateway's
	asked  int
}

// futureKey was registered just now.
var futureKey = [20]byte{77}

// Payer says that gatewayKey and secondKey are a gateway's from second 100 to 200, and that now is within; futureKey is from 170 on.
func (r *receipts) Payer(_ context.Context, req *receiptstypes.QueryPayerRequest, _ ...grpc.CallOption) (*receiptstypes.QueryPayerResponse, error) {
	r.asked++
	known := req.Key == hex.EncodeToString(gatewayKey[:]) || req.Key == hex.EncodeToString(secondKey[:])
	if known && (req.IssuedAt == 0 || req.IssuedAt >= 100 && req.IssuedAt <= 200) {
		return &receiptstypes.QueryPayerResponse{GatewayKey: true, Settler: gatewaySettler, LockableUusdc: 1300}, nil
	}
	if req.Key == hex.EncodeToString(futureKey[:]) && req.IssuedAt >= 170 {
		return &receiptstypes.QueryPayerResponse{GatewayKey: true, Settler: gatewaySettler, LockableUusdc: 1300}, nil
	}
	return &receiptstypes.QueryPayerResponse{Settler: r.direct, LockableUusdc: 1300}, nil
}

func (r *receipts) Gateway(context.Context, *receiptstypes.QueryGatewayRequest, ...grpc.CallOption) (*receiptstypes.QueryGatewayResponse, error) {
	return &receiptstypes.QueryGatewayResponse{Keys: []receiptstypes.GatewayKey{
		{Address: []byte{1}},
		{Address: gatewayKey[:], ValidFrom: 100, ValidUntil: 200},
		{Address: secondKey[:], ValidFrom: 100, ValidUntil: 200},
	}}, nil
}

func (r *receipts) Limit(context.Context, *receiptstypes.QueryLimitRequest, ...grpc.CallOption) (*receiptstypes.QueryLimitResponse, error) {
	return &receiptstypes.QueryLimitResponse{LimitUusdc: 1000, LockedUusdc: 200}, nil
}

func (r *receipts) Params(context.Context, *receiptstypes.QueryParamsRequest, ...grpc.CallOption) (*receiptstypes.QueryParamsResponse, error) {
	return &receiptstypes.QueryParamsResponse{Params: receiptstypes.DefaultParams()}, nil
}

func (r *receipts) Watermarks(context.Context, *receiptstypes.QueryWatermarksRequest, ...grpc.CallOption) (*receiptstypes.QueryWatermarksResponse, error) {
	return &receiptstypes.QueryWatermarksResponse{Highest: 99}, nil
}

type royalties struct {
	royaltiestypes.QueryClient
	assets map[string]royaltiestypes.Asset
}

func (r *royalties) Asset(_ context.Context, req *royaltiestypes.QueryAssetRequest, _ ...grpc.CallOption) (*royaltiestypes.QueryAssetResponse, error) {
	asset, known := r.assets[req.AssetId]
	if !known {
		return nil, status.Error(codes.NotFound, "unknown asset")
	}
	return &royaltiestypes.QueryAssetResponse{Asset: asset}, nil
}

func newView(n *node) *hostview.View {
	return hostview.New(hostview.Queries{Operators: n, Royalties: &n.royalties, Receipts: &n.receipts},
		hostview.Options{Operator: "operator", Fresh: fresh, Bound: bound})
}

func TestMayWorkIsTheOperators(t *testing.T) {
	for _, jailed := range []bool{false, true} {
		if may, err := newView(&node{jailed: jailed}).MayWork(t.Context()); err != nil || may == jailed {
			t.Errorf("jailed %t: may work %t, %v", jailed, may, err)
		}
	}
	gone := errors.New("node is gone")
	if may, err := newView(&node{err: gone}).MayWork(t.Context()); may || !errors.Is(err, gone) {
		t.Errorf("without a node: may work %t, %v", may, err)
	}
}

func TestAnswersAreKeptRenewedAndGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &node{epoch: 4}
		v := newView(n)
		expect := func(want uint64, calls int) {
			t.Helper()
			got, err := v.Epoch(t.Context())
			synctest.Wait() // for what is asked in the background
			if err != nil || got != want || n.asked() != calls {
				t.Fatalf("got %d, %v after %d calls, want %d after %d", got, err, n.asked(), want, calls)
			}
		}
		expect(4, 1)
		n.set(5, nil)
		time.Sleep(fresh - time.Nanosecond)
		expect(4, 1) // fresh enough
		time.Sleep(time.Nanosecond)
		expect(4, 2) // the old one at once, and a new one is asked for
		expect(5, 2)

		gone := errors.New("node is gone")
		n.set(0, gone)
		time.Sleep(bound - time.Nanosecond)
		expect(5, 3) // still within the bound
		time.Sleep(time.Nanosecond)
		if _, err := v.Epoch(t.Context()); !errors.Is(err, gone) {
			t.Errorf("past the bound: got %v, want that the node is gone", err)
		}
		n.set(6, nil)
		expect(6, 5)
	})
}

func TestManyCallersAskOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &node{epoch: 4}
		v := newView(n)
		var wait sync.WaitGroup
		for range 50 {
			wait.Go(func() {
				if got, err := v.Epoch(t.Context()); err != nil || got != 4 {
					t.Errorf("got %d, %v", got, err)
				}
			})
		}
		wait.Wait()
		if n.asked() != 1 {
			t.Errorf("asked %d times, want once", n.asked())
		}
	})
}

func TestSettler(t *testing.T) {
	ofGateway := host.SettlerView{Known: true, Settler: settlerAddress, IsGateway: true, AvailableUusdc: 1300, LimitUusdc: 800}
	// take 10 % and royalties of at most 30 %: 1300 cover 3250, 800 cover 2000
	ofOperator := host.SettlerView{Known: true, Settler: operatorAddress, AvailableUusdc: 3250, LimitUusdc: 2000}
	for name, c := range map[string]struct {
		payer    [20]byte
		issuedAt uint64
		direct   receiptstypes.Settler
		want     host.SettlerView
	}{
		"a gateway that pays operators":       {gatewayKey, 150, operator, ofGateway},
		"by another key of the same settler":  {secondKey, 150, operator, ofGateway},
		"in its key's first second":           {gatewayKey, 100, operator, ofGateway},
		"in its last":                         {gatewayKey, 200, operator, ofGateway},
		"before its key was registered":       {gatewayKey, 99, operator, ofOperator},
		"after its key ended":                 {gatewayKey, 201, operator, ofOperator},
		"before its notice is over":           {futureKey, 169, operator, ofOperator},
		"issued ahead, in its first second":   {futureKey, 170, operator, ofGateway},
		"a direct payer":                      {[20]byte{9}, 150, operator, ofOperator},
		"of an operator that does not settle": {[20]byte{9}, 150, receiptstypes.Settler{}, host.SettlerView{}},
	} {
		t.Run(name, func(t *testing.T) {
			n := &node{}
			n.receipts.direct = c.direct
			if got, err := newView(n).Settler(t.Context(), c.payer, c.issuedAt); err != nil || got != c.want {
				t.Errorf("got %+v, %v, want %+v", got, err, c.want)
			}
		})
	}
}

func TestAGatewaysJobsNeedOneQuestion(t *testing.T) {
	n := &node{}
	v := newView(n)
	for issuedAt := uint64(100); issuedAt <= 200; issuedAt++ {
		if got, err := v.Settler(t.Context(), gatewayKey, issuedAt); err != nil || !got.IsGateway {
			t.Fatalf("at %d: got %+v, %v", issuedAt, got, err)
		}
	}
	if n.receipts.asked != 1 {
		t.Errorf("asked %d times, want once", n.receipts.asked)
	}
}

func TestWatermark(t *testing.T) {
	if got, err := newView(&node{}).Watermark(t.Context()); err != nil || got != 99 {
		t.Errorf("got %d, %v, want 99", got, err)
	}
}

func TestAssetAllowed(t *testing.T) {
	base := royaltiestypes.Asset{Kind: royaltiestypes.AssetKind_ASSET_KIND_BASE, CommercialUse: true}
	lora := royaltiestypes.Asset{Kind: royaltiestypes.AssetKind_ASSET_KIND_ADAPTER, CommercialUse: true, Base: model[:]}
	down := func(a royaltiestypes.Asset, epoch uint64) royaltiestypes.Asset {
		a.Status, a.TakenDownEpoch = royaltiestypes.AssetStatus_ASSET_STATUS_TAKEN_DOWN, epoch
		return a
	}
	free, elsewhere := base, lora
	free.CommercialUse, elsewhere.Base = false, other[:]
	for name, c := range map[string]struct {
		model, adapter royaltiestypes.Asset
		with           [32]byte
		want           error
	}{
		"a model":                             {base, lora, [32]byte{}, nil},
		"with its adapter":                    {base, lora, adapter, nil},
		"unknown adapter":                     {base, lora, other, host.ErrNotLicensed},
		"model is an adapter":                 {lora, lora, [32]byte{}, host.ErrNotLicensed},
		"adapter is a model":                  {base, base, adapter, host.ErrNotLicensed},
		"adapter of another base":             {base, elsewhere, adapter, host.ErrNotLicensed},
		"no commercial use":                   {free, lora, [32]byte{}, host.ErrNotLicensed},
		"model taken down":                    {down(base, 10), lora, [32]byte{}, host.ErrNotLicensed},
		"model taken down later":              {down(base, 11), lora, [32]byte{}, nil},
		"adapter taken down":                  {base, down(lora, 3), adapter, host.ErrNotLicensed},
		"adapter taken down that is not used": {base, down(lora, 3), [32]byte{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			n := &node{epoch: 10}
			n.royalties.assets = map[string]royaltiestypes.Asset{hex.EncodeToString(model[:]): c.model, hex.EncodeToString(adapter[:]): c.adapter}
			if err := newView(n).AssetAllowed(t.Context(), model, c.with); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}
