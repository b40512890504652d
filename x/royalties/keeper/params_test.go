// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/royalties/types"
)

func TestUpdateParams(t *testing.T) {
	f := newFixture(t)
	params := types.DefaultParams()
	params.RevealBlocks, params.Arbiter = 7, addr("lab")
	update := func(authority string, params types.Params) error {
		_, err := f.msgs.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: addr(authority), Params: params})
		return err
	}
	f.refused(t, types.ErrUnauthorized, func() error { return update("lab", params) })
	bad := params
	bad.RevealBlocks = 1
	f.refused(t, types.ErrInvalidParams, func() error { return update("governance", bad) })
	bad = params
	bad.Arbiter = "nobody"
	f.refused(t, types.ErrInvalidAddress, func() error { return update("governance", bad) })

	require.NoError(t, update("governance", params))
	f.lastEvent(t, &types.EventParamsUpdated{Authority: addr("governance"), Params: params})
	resp, err := f.query.Params(f.ctx, &types.QueryParamsRequest{})
	require.NoError(t, err)
	require.Equal(t, params, resp.Params)
}

func TestConsensusParamsNameTheAuthority(t *testing.T) {
	f := newFixture(t)
	f.ctx = f.ctx.WithConsensusParams(cmtproto.ConsensusParams{Authority: &cmtproto.AuthorityParams{Authority: addr("council")}})
	update := func(authority string) error {
		_, err := f.msgs.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: addr(authority), Params: types.DefaultParams()})
		return err
	}
	f.refused(t, types.ErrUnauthorized, func() error { return update("governance") })
	require.NoError(t, update("council"))
}
