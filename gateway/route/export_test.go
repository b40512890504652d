// SPDX-License-Identifier: Apache-2.0

package route

import (
	"context"

	"google.golang.org/grpc"

	"github.com/gpucoord/gpucoord/relayer/chain"
	rewardstypes "github.com/gpucoord/gpucoord/x/rewards/types"
)

// NewChainOf returns a reader over fakes.
func NewChainOf(
	o operators,
	r receipts,
	standing func(context.Context, *rewardstypes.QueryStandingRequest, ...grpc.CallOption) (*rewardstypes.QueryStandingResponse, error),
	head func(context.Context) (chain.Head, error),
) *Chain {
	return &Chain{operators: o, receipts: r, standing: standing, head: head}
}
