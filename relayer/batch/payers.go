// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"

	"github.com/gpucoord/gpucoord/relayer/chain"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// payers resolves payments at one height. A gateway's key is asked for once: from then on its validity tells who settles
// at any time. Any other payer key may become a gateway's at any second, so each of its times is asked for.
type payers struct {
	receipts receiptstypes.QueryClient
	operator string
	keys     map[[20]byte]gatewayKey
}

// gatewayKey is a payer key that is a gateway's from one second to another, both inclusive, until 0 for ever.
type gatewayKey struct {
	from, until uint64
	settlement  Settlement
}

func newPayers(receipts receiptstypes.QueryClient, operator string) *payers {
	return &payers{receipts: receipts, operator: operator, keys: make(map[[20]byte]gatewayKey)}
}

func (p *payers) settlement(ctx context.Context, pay Payment) (Settlement, error) {
	if key, known := p.keys[pay.Payer]; known && pay.IssuedAt >= key.from && (key.until == 0 || pay.IssuedAt <= key.until) {
		return key.settlement, nil
	}
	res, err := p.receipts.Payer(ctx, &receiptstypes.QueryPayerRequest{
		Key: hex.EncodeToString(pay.Payer[:]), IssuedAt: pay.IssuedAt, Operator: p.operator,
	})
	if err != nil {
		return Settlement{}, fmt.Errorf("resolve a payer: %w", err)
	}
	s := Settlement{Gateway: res.GatewayKey}
	address := res.Settler.Address
	if address == "" { // an operator that never registered as a settler: its groups are entered unfunded
		address = p.operator
	} else {
		s.Mismatched = (address == p.operator) != (res.Settler.Class == receiptstypes.Class_CLASS_DIRECT)
	}
	if s.Settler, err = chain.ParseBech32(address); err != nil {
		return Settlement{}, err
	}
	if !s.Gateway {
		return s, nil
	}
	return s, p.learn(ctx, pay.Payer, res.Settler.Gateway, s)
}

// learn finds out how long a gateway's key is valid. A gateway with more keys than one answer holds is asked about each time.
func (p *payers) learn(ctx context.Context, payer [20]byte, gateway string, s Settlement) error {
	res, err := p.receipts.Gateway(ctx, &receiptstypes.QueryGatewayRequest{Address: gateway})
	if err != nil {
		return fmt.Errorf("read gateway %s: %w", gateway, err)
	}
	for i := range res.Keys {
		if key := &res.Keys[i]; bytes.Equal(key.Address, payer[:]) {
			p.keys[payer] = gatewayKey{from: key.ValidFrom, until: key.ValidUntil, settlement: s}
		}
	}
	return nil
}
