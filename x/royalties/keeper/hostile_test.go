// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/x/internal/hostiletest"
	"github.com/gpucoord/gpucoord/x/royalties/types"
)

// filled makes a message of the handler's type and returns its way through the router: stateless checks, then the handler.
func filled[M any, P interface {
	*M
	sdk.HasValidateBasic
}, R any](t *rapid.T, v hostiletest.Values, handler func(context.Context, P) (R, error)) func(context.Context) error {
	msg := P(new(M))
	hostiletest.Fill(t, msg, v)
	return func(ctx context.Context) error {
		if err := msg.ValidateBasic(); err != nil {
			return err
		}
		_, err := handler(ctx, msg)
		return err
	}
}

func (f *fixture) hostile(t *rapid.T, v hostiletest.Values) func(context.Context) error {
	switch rapid.IntRange(0, 7).Draw(t, "message") {
	case 0:
		return filled(t, v, f.msgs.CommitAsset)
	case 1:
		return filled(t, v, f.msgs.RegisterAsset)
	case 2:
		return filled(t, v, f.msgs.UpdateTerms)
	case 3:
		return filled(t, v, f.msgs.ProposeAuthorProof)
	case 4:
		return filled(t, v, f.msgs.DecideAuthorProof)
	case 5:
		return filled(t, v, f.msgs.TakeDown)
	case 6:
		return filled(t, v, f.msgs.Reassign)
	default:
		return filled(t, v, f.msgs.UpdateParams)
	}
}

func trueValues() hostiletest.Values {
	v := hostiletest.Values{
		Strings: []string{addr("lab"), addr("author"), addr("arbiter"), addr("governance"), "MIT", "ipfs://m"},
		Bytes:   [][]byte{salt[:]},
		Numbers: []uint64{100, 300, 500},
	}
	for _, name := range []string{"m", "n", "p1", "q", "new"} {
		id := assetID(name)
		hash := types.CommitHash([types.OwnerSize]byte(rawAddr("author")), id, salt)
		v.Bytes = append(v.Bytes, id[:], hash[:])
		v.Strings = append(v.Strings, hexID(id))
	}
	return v
}

func TestHostileMessagesBreakNothing(t *testing.T) {
	f := withLineage(t)
	values, accepted := trueValues(), 0
	rapid.Check(t, func(t *rapid.T) {
		for range 20 {
			cached, write := f.ctx.CacheContext()
			if f.hostile(t, values)(cached) != nil {
				continue
			}
			write()
			accepted++
		}
	})
	require.NotZero(t, accepted, "some of it is true")
	require.NoError(t, f.k.CheckInvariants(f.ctx))
	f.forward(10_000)
	require.NoError(t, f.k.EndBlock(f.ctx))
	require.NoError(t, f.k.CheckInvariants(f.ctx))
}

func TestHostileQueriesBreakNothing(t *testing.T) {
	f := busy(t)
	values := trueValues()
	rapid.Check(t, func(t *rapid.T) {
		var (
			asset    types.QueryAssetRequest
			assets   types.QueryAssetsRequest
			terms    types.QueryTermsRequest
			accrual  types.QueryAccrualRequest
			accruals types.QueryAccrualsRequest
		)
		for _, req := range []any{&asset, &assets, &terms, &accrual, &accruals} {
			hostiletest.Fill(t, req, values)
		}
		// Only a panic is wrong; what comes is for the other tests.
		_, _ = f.query.Asset(f.ctx, &asset)
		_, _ = f.query.Assets(f.ctx, &assets)
		_, _ = f.query.Terms(f.ctx, &terms)
		_, _ = f.query.Accrual(f.ctx, &accrual)
		_, _ = f.query.Accruals(f.ctx, &accruals)
	})
	require.NoError(t, f.k.CheckInvariants(f.ctx))
}
