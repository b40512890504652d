// SPDX-License-Identifier: Apache-2.0

package route_test

import (
	"context"
	"encoding/hex"
	"errors"
	"testing"

	"google.golang.org/grpc"

	"github.com/gpucoord/gpucoord/gateway/route"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// fakeReceipts knows one gateway with two keys that are its own now, and a third that will be.
type fakeReceipts struct{ err error }

func (f fakeReceipts) Payer(_ context.Context, in *receiptstypes.QueryPayerRequest, _ ...grpc.CallOption) (*receiptstypes.QueryPayerResponse, error) {
	known, future := [20]byte{2}, [20]byte{4}
	now := in.Key == hex.EncodeToString(known[:]) && in.IssuedAt == 0
	later := in.Key == hex.EncodeToString(future[:]) && in.IssuedAt >= 300
	if !now && !later || in.Operator == "" {
		return &receiptstypes.QueryPayerResponse{}, f.err
	}
	return &receiptstypes.QueryPayerResponse{GatewayKey: true, Settler: receiptstypes.Settler{Gateway: "g"}}, f.err
}

func (fakeReceipts) Gateway(_ context.Context, in *receiptstypes.QueryGatewayRequest, _ ...grpc.CallOption) (*receiptstypes.QueryGatewayResponse, error) {
	if in.Address != "g" {
		return nil, errors.New("unknown gateway")
	}
	first, second, third := [20]byte{1}, [20]byte{2}, [20]byte{4}
	return &receiptstypes.QueryGatewayResponse{Keys: []receiptstypes.GatewayKey{
		{Address: first[:], ValidFrom: 100}, {Address: second[:], ValidFrom: 200}, {Address: third[:], ValidFrom: 300},
	}}, nil
}

func TestValidFromIsTheKeysOwn(t *testing.T) {
	gone := errors.New("node is gone")
	for name, c := range map[string]struct {
		key  [20]byte
		err  error
		want uint64
		fail error
	}{
		"registered":     {[20]byte{2}, nil, 200, nil},
		"not yet valid":  {[20]byte{4}, nil, 300, nil},
		"not registered": {[20]byte{3}, nil, 0, route.ErrNotRegistered},
		"node is silent": {[20]byte{2}, gone, 0, gone},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := route.NewChainOf(nil, fakeReceipts{err: c.err}, nil, nil).ValidFrom(t.Context(), c.key)
			if got != c.want || !errors.Is(err, c.fail) {
				t.Errorf("got %d, %v, want %d, %v", got, err, c.want, c.fail)
			}
		})
	}
}
