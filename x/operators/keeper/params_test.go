// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

func (f *fixture) updateParams(change func(*types.Params)) func(context.Context) error {
	return func(ctx context.Context) error {
		params, err := f.k.Params(ctx)
		if err != nil {
			return err
		}
		change(&params)
		_, err = f.msgs.UpdateParams(ctx, &types.MsgUpdateParams{Authority: addr("governance"), Params: params})
		return err
	}
}

func TestUpdateParams(t *testing.T) {
	f := newFixture(t)
	f.clearEvents()
	require.NoError(t, f.updateParams(func(p *types.Params) { p.MinBondUltai = 7 })(f.ctx))
	want := types.DefaultParams()
	want.MinBondUltai = 7
	f.events(t, &types.EventParamsUpdated{Authority: addr("governance"), Params: want})
	resp, err := f.query.Params(f.ctx, &types.QueryParamsRequest{})
	require.NoError(t, err)
	require.EqualValues(t, 7, resp.Params.MinBondUltai)

	f.refused(t, types.ErrFixedParam, f.updateParams(func(p *types.Params) { p.Schedule.EpochBlocks = 19 }))
	f.refused(t, types.ErrFixedParam, f.updateParams(func(p *types.Params) { p.EvmChainId = 1 }))
	f.refused(t, types.ErrInvalidParams, f.updateParams(func(p *types.Params) { p.UnbondingBlocks = 147 }))
	f.refused(t, types.ErrUnauthorized, func(ctx context.Context) error {
		_, err := f.msgs.UpdateParams(ctx, &types.MsgUpdateParams{Authority: addr("alice"), Params: types.DefaultParams()})
		return err
	})
}

func TestBondPriceMovesWithinBoundsOfTheEpochsStart(t *testing.T) {
	price := func(p uint64) func(*types.Params) { return func(params *types.Params) { params.BondPriceUusdc = p } }
	f := newFixture(t)
	f.refused(t, types.ErrPriceMove, f.updateParams(price(110_001)))
	f.refused(t, types.ErrPriceMove, f.updateParams(price(49_999)))
	require.NoError(t, f.updateParams(price(110_000))(f.ctx))
	f.refused(t, types.ErrPriceMove, f.updateParams(price(121_000)))
	require.NoError(t, f.updateParams(price(50_000))(f.ctx), "bounds are those of the start, not of the last change")
	require.NoError(t, f.updateParams(price(110_000))(f.ctx))

	f.begin(t, 21)
	require.NoError(t, f.updateParams(price(121_000))(f.ctx), "a new epoch, a new start")
	f.end(t)
}

// A price that may fall may also rise again: at the least one +10 % is a whole unit.
func TestLeastBondPriceCanRise(t *testing.T) {
	f := emptyFixture(t)
	genesis := types.DefaultGenesis()
	genesis.Params.BondPriceUusdc = 9
	require.ErrorIs(t, genesis.Validate(), types.ErrInvalidParams)
	genesis.Params.BondPriceUusdc = 10
	require.NoError(t, f.k.InitGenesis(f.ctx, genesis))
	f.begin(t, 1)
	require.NoError(t, f.updateParams(func(p *types.Params) { p.BondPriceUusdc = 11 })(f.ctx))
	f.refused(t, types.ErrInvalidParams, f.updateParams(func(p *types.Params) { p.BondPriceUusdc = 9 }))
}
