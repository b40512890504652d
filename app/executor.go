// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"

	abci "github.com/cometbft/cometbft/abci/types"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
)

// equalRunner gives an entry of a block that does not decode one result in every executor.
//
// The result is hashed into the next header. The SDK's sequential executor says that such an entry used no gas; its parallel one says
// that it used what the block had used before its transactions. Nodes choose their executor, and anchor signatures are such an entry:
// without this the first of them would split the chain.
type equalRunner struct {
	inner  sdk.TxRunner
	decode sdk.TxDecoder
}

// Run implements sdk.TxRunner.
func (r equalRunner) Run(
	ctx context.Context, ms storetypes.MultiStore, txs [][]byte, deliver sdk.DeliverTxFunc,
) ([]*abci.ExecTxResult, error) {
	return r.inner.Run(ctx, ms, txs, func(
		raw []byte, tx sdk.Tx, ms storetypes.MultiStore, index int, cache map[string]any,
	) *abci.ExecTxResult {
		if tx == nil {
			var err error
			if tx, err = r.decode(raw); err != nil {
				return sdkerrors.ResponseExecTxResultWithEvents(sdkerrors.ErrTxDecode, 0, 0, nil, false)
			}
		}
		return deliver(raw, tx, ms, index, cache)
	})
}
