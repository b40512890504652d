// SPDX-License-Identifier: Apache-2.0

package batch_test

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"math"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/relayer/batch"
	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/internal/receipttest"
	"github.com/gpucoord/gpucoord/relayer/store"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

// fakeChain answers the batcher's questions about one host. Epoch 7 began at receipttest.Start.
type fakeChain struct {
	m                                            *receipttest.Maker
	height                                       uint64
	keys                                         map[[20]byte]bool
	gateway                                      *receiptstypes.GatewayKey
	payerCalls                                   int
	cover, open, ceiling, watermark, assetHeight uint64
	jailedFrom, jailedUntil                      uint64
	time                                         int64 // of the newest block; 0 is ten seconds after the epoch
}

func newFakeChain(m *receipttest.Maker) *fakeChain {
	return &fakeChain{
		m: m, keys: map[[20]byte]bool{m.HostKeyAddress(): true}, cover: 20 * 1_000_000, ceiling: math.MaxUint64, assetHeight: 1,
	}
}

// gatewayKey makes a payer key a gateway's.
func (c *fakeChain) gatewayKey(key *receipt.PrivateKey, from, until uint64) {
	address := receipt.KeyAddress(key)
	c.gateway = &receiptstypes.GatewayKey{Address: address[:], ValidFrom: from, ValidUntil: until}
}

func (c *fakeChain) head(context.Context) (chain.Head, error) {
	return chain.Head{Height: c.height, Time: time.Unix(cmp.Or(c.time, receipttest.Start+110), 0)}, nil
}

func (c *fakeChain) queries() batch.Queries {
	return batch.Queries{Operators: fakeOperators{c: c}, Royalties: fakeRoyalties{c: c}, Receipts: fakeReceipts{c: c}}
}

type fakeOperators struct {
	operatorstypes.QueryClient
	c *fakeChain
}

func (f fakeOperators) Params(context.Context, *operatorstypes.QueryParamsRequest, ...grpc.CallOption) (*operatorstypes.QueryParamsResponse, error) {
	return &operatorstypes.QueryParamsResponse{Params: operatorstypes.DefaultParams()}, nil
}

func (f fakeOperators) Epoch(_ context.Context, req *operatorstypes.QueryEpochRequest, _ ...grpc.CallOption) (*operatorstypes.QueryEpochResponse, error) {
	return &operatorstypes.QueryEpochResponse{Grid: operatorstypes.EpochGrid{
		Epoch: req.Epoch, StartTime: receipttest.Start + 100*req.Epoch - 100*receipttest.Epoch,
	}}, nil
}

func (f fakeOperators) HostKey(_ context.Context, req *operatorstypes.QueryHostKeyRequest, _ ...grpc.CallOption) (*operatorstypes.QueryHostKeyResponse, error) {
	raw, err := hex.DecodeString(req.Address)
	if err != nil || !f.c.keys[[20]byte(raw)] {
		return nil, status.Error(codes.NotFound, "no such key")
	}
	return &operatorstypes.QueryHostKeyResponse{Key: operatorstypes.HostKey{Address: raw, RegisteredAt: 1, HostId: f.c.m.HostID[:]}}, nil
}

func (f fakeOperators) Host(context.Context, *operatorstypes.QueryHostRequest, ...grpc.CallOption) (*operatorstypes.QueryHostResponse, error) {
	return &operatorstypes.QueryHostResponse{TokenCeiling: f.c.ceiling}, nil
}

func (f fakeOperators) Operator(context.Context, *operatorstypes.QueryOperatorRequest, ...grpc.CallOption) (*operatorstypes.QueryOperatorResponse, error) {
	return &operatorstypes.QueryOperatorResponse{Operator: operatorstypes.Operator{JailedFrom: f.c.jailedFrom, JailedUntil: f.c.jailedUntil}}, nil
}

type fakeRoyalties struct {
	royaltiestypes.QueryClient
	c *fakeChain
}

func (f fakeRoyalties) Asset(_ context.Context, req *royaltiestypes.QueryAssetRequest, _ ...grpc.CallOption) (*royaltiestypes.QueryAssetResponse, error) {
	if req.AssetId != hex.EncodeToString(f.c.m.Model[:]) {
		return nil, status.Error(codes.NotFound, "unknown asset")
	}
	asset := *base(f.c.m)
	asset.RegisteredHeight = f.c.assetHeight
	return &royaltiestypes.QueryAssetResponse{Asset: asset}, nil
}

type fakeReceipts struct {
	receiptstypes.QueryClient
	c *fakeChain
}

func (f fakeReceipts) Epoch(context.Context, *receiptstypes.QueryEpochRequest, ...grpc.CallOption) (*receiptstypes.QueryEpochResponse, error) {
	return &receiptstypes.QueryEpochResponse{State: receiptstypes.EpochState{Params: receiptstypes.DefaultParams()}}, nil
}

func (f fakeReceipts) OpenClaims(context.Context, *receiptstypes.QueryOpenClaimsRequest, ...grpc.CallOption) (*receiptstypes.QueryOpenClaimsResponse, error) {
	return &receiptstypes.QueryOpenClaimsResponse{OpenClaims: receiptstypes.OpenClaims{AmountUusdc: f.c.open}, CoverUusdc: f.c.cover}, nil
}

func (f fakeReceipts) Watermarks(context.Context, *receiptstypes.QueryWatermarksRequest, ...grpc.CallOption) (*receiptstypes.QueryWatermarksResponse, error) {
	return &receiptstypes.QueryWatermarksResponse{Watermarks: []receiptstypes.Watermark{{Settler: chain.Bech32(operator[:]), Seq: f.c.watermark}}}, nil
}

func (f fakeReceipts) Payer(_ context.Context, req *receiptstypes.QueryPayerRequest, _ ...grpc.CallOption) (*receiptstypes.QueryPayerResponse, error) {
	f.c.payerCalls++
	key := f.c.gateway
	if key == nil || req.Key != hex.EncodeToString(key.Address) || req.IssuedAt < key.ValidFrom || key.ValidUntil != 0 && req.IssuedAt > key.ValidUntil {
		return &receiptstypes.QueryPayerResponse{}, nil
	}
	return &receiptstypes.QueryPayerResponse{GatewayKey: true, Settler: receiptstypes.Settler{
		Address: chain.Bech32(settlerA[:]), Gateway: "gateway", Class: receiptstypes.Class_CLASS_ROUTED,
	}}, nil
}

func (f fakeReceipts) Gateway(context.Context, *receiptstypes.QueryGatewayRequest, ...grpc.CallOption) (*receiptstypes.QueryGatewayResponse, error) {
	return &receiptstypes.QueryGatewayResponse{Keys: []receiptstypes.GatewayKey{*f.c.gateway}}, nil
}

var errDisk = errors.New("disk is full")

// failingStore saves no batch.
type failingStore struct{ *store.Store }

func (s *failingStore) SaveBatch(context.Context, *store.Batch, store.Item, []store.Rejection) error {
	return errDisk
}
