// SPDX-License-Identifier: Apache-2.0

package chain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
)

// waitInterval is how often an absent node is asked again.
const waitInterval = 2 * time.Second

// WaitDomain returns the domain that the chain's receipts are signed in, as soon as the node answers.
//
// Errors: ErrWrongChain, or the context's.
func (c *Client) WaitDomain(ctx context.Context, log *slog.Logger) (receipt.Domain, error) {
	ticker := time.NewTicker(waitInterval)
	defer ticker.Stop()
	for {
		domain, err := c.Domain(ctx)
		if err == nil || errors.Is(err, ErrWrongChain) {
			return domain, err
		}
		log.WarnContext(ctx, "node does not answer, will try again", slog.String("err", err.Error()))
		select {
		case <-ctx.Done():
			return receipt.Domain{}, ctx.Err()
		case <-ticker.C:
		}
	}
}

// Domain returns the domain that the chain's receipts are signed in. It never changes.
//
// Errors: ErrWrongChain, or the call's.
func (c *Client) Domain(ctx context.Context) (receipt.Domain, error) {
	if _, err := c.Head(ctx); err != nil {
		return receipt.Domain{}, err
	}
	res, err := c.Operators.Params(ctx, &operatorstypes.QueryParamsRequest{})
	if err != nil {
		return receipt.Domain{}, fmt.Errorf("read the operators' parameters: %w", err)
	}
	return receipt.NewDomain(c.chainID, res.Params.EvmChainId), nil
}
