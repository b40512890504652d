// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"

	coretypes "github.com/cometbft/cometbft/rpc/core/types"
	cmttypes "github.com/cometbft/cometbft/types"

	"github.com/cosmos/cosmos-sdk/client"
)

// errRefused says that the node did not take a transaction. The SDK prints the node's answer and calls that a success.
var errRefused = errors.New("the node refused the transaction")

// refusal is what a node that refused a transaction said; err is nil when none has.
type refusal struct {
	err error
}

// notingClient notes when a node refuses a transaction, whichever command sends it.
type notingClient struct {
	client.CometRPC
	noted *refusal
}

// BroadcastTxSync implements the node's client.
func (c *notingClient) BroadcastTxSync(ctx context.Context, tx cmttypes.Tx) (*coretypes.ResultBroadcastTx, error) {
	res, err := c.CometRPC.BroadcastTxSync(ctx, tx)
	return res, c.note(res, err)
}

// BroadcastTxAsync implements the node's client.
func (c *notingClient) BroadcastTxAsync(ctx context.Context, tx cmttypes.Tx) (*coretypes.ResultBroadcastTx, error) {
	res, err := c.CometRPC.BroadcastTxAsync(ctx, tx)
	return res, c.note(res, err)
}

// note remembers a refusal and passes the error on, some of which the SDK prints as an answer.
func (c *notingClient) note(res *coretypes.ResultBroadcastTx, err error) error {
	switch {
	case err != nil:
		c.noted.err = fmt.Errorf("%w: %w", errRefused, err)
	case res != nil && res.Code != 0:
		c.noted.err = fmt.Errorf("%w: %s code %d: %s", errRefused, res.Codespace, res.Code, res.Log)
	}
	return err
}
