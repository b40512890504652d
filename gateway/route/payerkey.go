// SPDX-License-Identifier: Apache-2.0

package route

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"

	"github.com/gpucoord/gpucoord/relayer/chain"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// ErrNotRegistered means that the chain knows no gateway of a payer key at present.
var ErrNotRegistered = errors.New("payer key is no gateway's on the chain: register it, or name the key file of the registered one")

// forEver is a time, in Unix seconds, at which a key is its gateway's if it was not removed.
const forEver = math.MaxInt64

// ValidFrom returns the second from which a payer key is its gateway's, which is ahead while the notice of its registration runs. An
// authorisation that was issued before it is nobody's.
//
// Errors: ErrNotRegistered, or the node's.
func (c *Chain) ValidFrom(ctx context.Context, payer [20]byte) (uint64, error) {
	res, err := c.payerAt(ctx, payer, 0)
	if err == nil && !res.GatewayKey {
		res, err = c.payerAt(ctx, payer, forEver)
	}
	if err != nil {
		return 0, fmt.Errorf("resolve the payer key: %w", err)
	}
	if !res.GatewayKey {
		return 0, ErrNotRegistered
	}
	gateway, err := c.receipts.Gateway(ctx, &receiptstypes.QueryGatewayRequest{Address: res.Settler.Gateway})
	if err != nil {
		return 0, fmt.Errorf("read gateway %s: %w", res.Settler.Gateway, err)
	}
	for i := range gateway.Keys {
		if bytes.Equal(gateway.Keys[i].Address, payer[:]) {
			return gateway.Keys[i].ValidFrom, nil
		}
	}
	return 0, ErrNotRegistered
}

// payerAt asks who settles what a key signs at a time, in Unix seconds; 0 is now.
func (c *Chain) payerAt(ctx context.Context, payer [20]byte, issuedAt uint64) (*receiptstypes.QueryPayerResponse, error) {
	var nobody [20]byte // the question is who settles for the key where no gateway does; that is not asked here
	return c.receipts.Payer(ctx, &receiptstypes.QueryPayerRequest{
		Key: hex.EncodeToString(payer[:]), IssuedAt: issuedAt, Operator: chain.Bech32(nobody[:]),
	})
}
