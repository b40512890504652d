// SPDX-License-Identifier: Apache-2.0

package evm_test

import (
	"context"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/gpucoord/gpucoord/relayer/evm"
)

// skewed is an endpoint with faults; the zero values are none.
type skewed struct {
	evm.Client
	chainID *big.Int
	// block is the newest it shows.
	block *big.Int
	// down is what every call answers, pending what pending calls answer.
	down, pending error
	// loses takes transactions and forgets them; noEstimate cannot estimate.
	loses, noEstimate bool
	// sent counts transactions it was given.
	sent int
	last *types.Transaction
}

func (s *skewed) ChainID(ctx context.Context) (*big.Int, error) {
	if s.down != nil {
		return nil, s.down
	}
	if s.chainID != nil {
		return s.chainID, nil
	}
	return s.Client.ChainID(ctx)
}

func (s *skewed) HeaderByNumber(ctx context.Context, number *big.Int) (*types.Header, error) {
	if s.down != nil {
		return nil, s.down
	}
	if number == nil {
		number = s.block
	}
	return s.Client.HeaderByNumber(ctx, number)
}

func (s *skewed) PendingCallContract(ctx context.Context, call ethereum.CallMsg) ([]byte, error) {
	if s.pending != nil {
		return nil, s.pending
	}
	return s.Client.PendingCallContract(ctx, call)
}

func (s *skewed) EstimateGas(ctx context.Context, call ethereum.CallMsg) (uint64, error) {
	if s.noEstimate {
		return 0, context.DeadlineExceeded
	}
	return s.Client.EstimateGas(ctx, call)
}

func (s *skewed) SendTransaction(ctx context.Context, tx *types.Transaction) error {
	s.sent++
	s.last = tx
	if s.loses {
		return nil
	}
	return s.Client.SendTransaction(ctx, tx)
}

// revert is a contract's custom error as a node returns it.
type revert struct{ signature string }

func (r revert) Error() string  { return "execution reverted" }
func (r revert) ErrorCode() int { return 3 }
func (r revert) ErrorData() any { return hexutil.Encode(crypto.Keccak256([]byte(r.signature))[:4]) }

// wrongCode is an endpoint that shows other code at the contract's address.
type wrongCode struct{ evm.Client }

func (w wrongCode) CodeAt(context.Context, common.Address, *big.Int) ([]byte, error) {
	return []byte{0xfe}, nil
}
