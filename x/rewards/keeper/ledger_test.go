// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	"github.com/cosmos/cosmos-sdk/types/query"

	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	"github.com/gpucoord/gpucoord/x/rewards/types"
)

func TestSponsor(t *testing.T) {
	f := newFixture(t, nil)
	f.sponsor(t, 700)
	f.ctx = f.ctx.WithEventManager(sdk.NewEventManager())
	f.sponsor(t, 300)
	require.Equal(t, []*types.EventSponsored{{Sponsor: addr("sponsor"), AmountUusdc: 300, SponsorsUusdc: 1_000}},
		emitted[*types.EventSponsored](t, f.ctx))
	require.Equal(t, uint64(1_000), f.bank.module(types.ModuleName))
	require.Equal(t, uint64(sponsorMoney-1_000), f.bank.balances[string(rawAddr("sponsor"))])
	require.NoError(t, f.k.CheckInvariants(f.ctx))
}

func TestSponsorRefusals(t *testing.T) {
	f := newFixture(t, nil)
	f.sponsor(t, 1)
	cases := []struct {
		name string
		msg  types.MsgSponsor
		want error
	}{
		{"nothing", types.MsgSponsor{Sponsor: addr("sponsor")}, types.ErrInvalidAmount},
		{"no address", types.MsgSponsor{Sponsor: "me", AmountUusdc: 1}, types.ErrInvalidAddress},
		{"no money", types.MsgSponsor{Sponsor: addr("alice"), AmountUusdc: 1}, sdkerrors.ErrInsufficientFunds},
		{"overflow", types.MsgSponsor{Sponsor: addr("sponsor"), AmountUusdc: ^uint64(0)}, types.ErrOverflow},
	}
	before := f.export(t)
	for _, tc := range cases {
		_, err := f.msgs.Sponsor(f.ctx, &tc.msg)
		require.ErrorIs(t, err, tc.want, tc.name)
		require.Equal(t, before, f.export(t), tc.name)
	}
}

// Money that comes while an epoch is being paid is not offered in it.
func TestSponsorsDuringSettlementWaitForTheNext(t *testing.T) {
	f := newFixture(t, func(p *types.Params) { p.MaxOperatorsPerBlock = 2 })
	threeOperators(f.world)
	f.sponsor(t, 100_000)
	for phase := types.Phase_PHASE_SCORE; phase != types.Phase_PHASE_PAY; {
		f.block(t)
		resp, err := f.query.Epoch(f.ctx, &types.QueryEpochRequest{})
		require.NoError(t, err)
		phase = resp.Settlement.Phase
	}
	f.sponsor(t, 50_000)
	s := f.settle(t, 0)
	require.Equal(t, uint64(100_000), s.SponsorsUusdc)
	resp, err := f.query.Status(f.ctx, &types.QueryStatusRequest{})
	require.NoError(t, err)
	require.Equal(t, uint64(68_561+50_000), resp.SponsorsUusdc)
}

func TestClaim(t *testing.T) {
	f, _ := settledThree(t)
	f.ctx = f.ctx.WithEventManager(sdk.NewEventManager())
	resp, err := f.msgs.Claim(f.ctx, &types.MsgClaim{Operator: addr("alice")})
	require.NoError(t, err)
	require.Equal(t, uint64(75_000), resp.AmountUusdc)
	require.Equal(t, uint64(75_000), f.bank.balances[string(rawAddr("alice"))])
	require.Equal(t, []*types.EventRewardsClaimed{{Operator: addr("alice"), AmountUusdc: 75_000}},
		emitted[*types.EventRewardsClaimed](t, f.ctx))
	reward, err := f.query.Reward(f.ctx, &types.QueryRewardRequest{Operator: addr("alice")})
	require.NoError(t, err)
	require.Equal(t, types.Reward{Operator: addr("alice"), LifetimeUusdc: 75_000}, reward.Reward)
	require.NoError(t, f.k.CheckInvariants(f.ctx))

	_, err = f.msgs.Claim(f.ctx, &types.MsgClaim{Operator: addr("alice")})
	require.ErrorIs(t, err, types.ErrBelowMinClaim)
}

func TestClaimBelowTheLeast(t *testing.T) {
	f, _ := settledThree(t)
	params := types.DefaultParams()
	params.MinClaimUusdc = 1_806
	require.NoError(t, f.k.UpdateParams(f.ctx, addr("governance"), params))
	_, err := f.msgs.Claim(f.ctx, &types.MsgClaim{Operator: addr("carol")})
	require.ErrorIs(t, err, types.ErrBelowMinClaim)
	require.Equal(t, uint64(1_805), f.claimable(t, "carol"))
	_, err = f.msgs.Claim(f.ctx, &types.MsgClaim{Operator: "carol"})
	require.ErrorIs(t, err, types.ErrInvalidAddress)
}

func TestPointsDecayOnReadAndOnChange(t *testing.T) {
	f, _ := settledThree(t)
	f.operators.epoch = 60
	resp, err := f.query.Points(f.ctx, &types.QueryPointsRequest{Operator: addr("alice")})
	require.NoError(t, err)
	require.Equal(t, uint64(10_958), resp.Now) // half of 21916
	require.Equal(t, uint64(21_916), resp.Points.Value)

	f.work(1, rawAddr("alice"), receiptstypes.UsageEntry{
		Settler: [20]byte(rawAddr("gateway")), Class: routed, Amount: 1_000_000,
		TotalSpend: 5_000_000, ControllerSpend: 1_000_000, Accredited: true,
	})
	f.receipts.epoch(1).ready = true
	f.settle(t, 1)
	row := f.row(t, 1, "alice")
	require.Positive(t, row.Points)
	// 21916 · 0.988514020352 is 21664.27
	require.Equal(t, types.Points{Operator: addr("alice"), Value: 21_664 + row.Points, Epoch: 1}, f.points(t, "alice"))
}

func TestQueries(t *testing.T) {
	f, _ := settledThree(t)
	rows, err := f.query.Rows(f.ctx, &types.QueryRowsRequest{Pagination: &query.PageRequest{Limit: 2}})
	require.NoError(t, err)
	require.Len(t, rows.Rows, 2)
	require.Empty(t, rows.Rows[0].Entries)
	require.NotEmpty(t, rows.Pagination.NextKey)
	rest, err := f.query.Rows(f.ctx, &types.QueryRowsRequest{Pagination: &query.PageRequest{Key: rows.Pagination.NextKey, Limit: 10_000}})
	require.NoError(t, err)
	require.Len(t, rest.Rows, 1)

	params, err := f.query.Params(f.ctx, &types.QueryParamsRequest{})
	require.NoError(t, err)
	require.Equal(t, types.DefaultParams(), params.Params)

	_, err = f.query.Explain(f.ctx, &types.QueryExplainRequest{Operator: addr("nobody")})
	require.Equal(t, codes.NotFound, status.Code(err))
	_, err = f.query.Explain(f.ctx, &types.QueryExplainRequest{Operator: addr("alice"), Epoch: 1})
	require.Equal(t, codes.NotFound, status.Code(err))
	_, err = f.query.Reward(f.ctx, &types.QueryRewardRequest{Operator: "alice"})
	require.Equal(t, codes.InvalidArgument, status.Code(err))
	_, err = f.query.Standing(f.ctx, &types.QueryStandingRequest{Operator: addr("nobody")})
	require.Equal(t, codes.NotFound, status.Code(err))
}

// An idle operator's reputation halves in 45 epochs; one that worked in the newest settled epoch has lost nothing.
func TestStandingDecays(t *testing.T) {
	f := emptyFixture(newWorld())
	f.register("alice", "alice")
	require.NoError(t, f.k.InitGenesis(f.ctx, &types.GenesisState{Params: types.DefaultParams(), NextEpoch: 46}))
	resp, err := f.query.Standing(f.ctx, &types.QueryStandingRequest{Operator: addr("alice")})
	require.NoError(t, err)
	require.Equal(t, &types.QueryStandingResponse{ReputationPpm: 250_000}, resp)
}
