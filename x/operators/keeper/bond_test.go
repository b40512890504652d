// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

func TestBondMovesMoney(t *testing.T) {
	f := newFixture(t)
	f.operator(t, "alice", 3_000_000)
	require.EqualValues(t, purse-3_000_000, f.bank.balances[string(raw("alice"))])
	f.clearEvents()

	resp, err := f.msgs.Bond(f.ctx, &types.MsgBond{Operator: addr("alice"), AmountUltai: 500_000})
	require.NoError(t, err)
	require.EqualValues(t, 3_500_000, resp.BondUltai)
	require.EqualValues(t, 3_500_000, f.get(t, "alice").BondUltai)
	require.EqualValues(t, 3_500_000, f.bank.of(types.ModuleName))
	f.events(t, &types.EventBonded{Operator: addr("alice"), AmountUltai: 500_000, BondUltai: 3_500_000})

	cover, err := f.k.Cover(f.ctx, raw("alice"))
	require.NoError(t, err)
	require.EqualValues(t, 350_000, cover) // 3.5 tokens of 0.10 USD
	f.end(t)
}

func TestBondRefusals(t *testing.T) {
	f := newFixture(t)
	f.operator(t, "alice", 1)
	f.bank.balances[string(raw("alice"))] = math.MaxUint64
	for name, c := range map[string]struct {
		operator string
		amount   uint64
		want     error
	}{
		"unknown operator": {"bob", 1, types.ErrUnknownOperator},
		"nothing":          {"alice", 0, types.ErrInvalidRequest},
		"too much":         {"alice", math.MaxUint64, types.ErrBondOverflow},
	} {
		t.Run(name, func(t *testing.T) {
			f.refused(t, c.want, func(ctx context.Context) error {
				_, err := f.msgs.Bond(ctx, &types.MsgBond{Operator: addr(c.operator), AmountUltai: c.amount})
				return err
			})
		})
	}
	f.bank.balances[string(raw("alice"))] = 5
	f.refused(t, errBank, func(ctx context.Context) error {
		_, err := f.msgs.Bond(ctx, &types.MsgBond{Operator: addr("alice"), AmountUltai: 6})
		return err
	})
}

func TestUnbondQueuesAndPaysAtMaturity(t *testing.T) {
	f := newFixture(t)
	f.operator(t, "alice", 10_000_000)
	f.clearEvents()
	resp, err := f.msgs.Unbond(f.ctx, &types.MsgUnbond{Operator: addr("alice"), AmountUltai: 4_000_000})
	require.NoError(t, err)
	require.EqualValues(t, 0, resp.UnbondingId)
	require.EqualValues(t, 201, resp.MatureHeight)
	entry := types.Unbonding{Id: 0, Operator: addr("alice"), AmountUltai: 4_000_000, MatureHeight: 201}
	f.events(t, &types.EventUnbondingStarted{Unbonding: entry, BondUltai: 6_000_000, UnbondingUltai: 4_000_000})
	cover, err := f.k.Cover(f.ctx, raw("alice"))
	require.NoError(t, err)
	require.EqualValues(t, 600_000, cover, "unbonding money is no cover")

	f.begin(t, 200)
	f.end(t)
	require.EqualValues(t, purse-10_000_000, f.bank.balances[string(raw("alice"))])

	f.begin(t, 201)
	f.clearEvents()
	f.end(t)
	f.events(t, &types.EventUnbondingPaid{Unbonding: entry, UnbondingUltai: 0})
	require.EqualValues(t, purse-6_000_000, f.bank.balances[string(raw("alice"))])
	require.EqualValues(t, 6_000_000, f.bank.of(types.ModuleName))
	op := f.get(t, "alice")
	require.Zero(t, op.UnbondingUltai)
	require.Zero(t, op.Unbondings)
}

func TestUnbondRefusals(t *testing.T) {
	f := newFixture(t)
	f.operator(t, "alice", 100)
	unbond := func(amount uint64) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := f.msgs.Unbond(ctx, &types.MsgUnbond{Operator: addr("alice"), AmountUltai: amount})
			return err
		}
	}
	f.refused(t, types.ErrInvalidRequest, unbond(0))
	f.refused(t, types.ErrBondTooLow, unbond(101))
	for range types.DefaultParams().MaxUnbondings {
		require.NoError(t, unbond(1)(f.ctx))
	}
	f.refused(t, types.ErrTooManyUnbondings, unbond(1))
	f.end(t)
}

func TestQueuePaysAtMostTheCapInOrder(t *testing.T) {
	f := newFixture(t)
	params := types.DefaultParams()
	params.MaxUnbondingsPerBlock = 2
	_, err := f.msgs.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: addr("governance"), Params: params})
	require.NoError(t, err)
	f.operator(t, "alice", 1_000)
	f.operator(t, "bob", 1_000)
	for _, name := range []string{"alice", "bob", "alice"} {
		_, err := f.msgs.Unbond(f.ctx, &types.MsgUnbond{Operator: addr(name), AmountUltai: 10})
		require.NoError(t, err)
	}
	f.begin(t, 300)
	f.end(t)
	require.EqualValues(t, 10, f.get(t, "alice").UnbondingUltai)
	require.Zero(t, f.get(t, "bob").UnbondingUltai)
	f.begin(t, 301)
	f.end(t)
	require.Zero(t, f.get(t, "alice").UnbondingUltai)
}

func TestUnpayableEntryDoesNotHoldTheQueue(t *testing.T) {
	f := newFixture(t)
	params := types.DefaultParams()
	params.MaxUnbondingsPerBlock = 1
	_, err := f.msgs.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: addr("governance"), Params: params})
	require.NoError(t, err)
	f.operator(t, "alice", 1_000)
	f.operator(t, "bob", 1_000)
	for _, name := range []string{"alice", "bob"} {
		_, err := f.msgs.Unbond(f.ctx, &types.MsgUnbond{Operator: addr(name), AmountUltai: 10})
		require.NoError(t, err)
	}
	f.bank.refuses = string(raw("alice"))

	f.begin(t, 201)
	f.clearEvents()
	f.end(t)
	late := types.Unbonding{Id: 0, Operator: addr("alice"), AmountUltai: 10, MatureHeight: 301}
	f.events(t, &types.EventUnbondingPostponed{Unbonding: late})
	require.EqualValues(t, 10, f.get(t, "alice").UnbondingUltai, "nothing of the failed payment stays")
	require.EqualValues(t, 2_000, f.bank.of(types.ModuleName))

	f.begin(t, 202)
	f.end(t)
	require.Zero(t, f.get(t, "bob").UnbondingUltai)

	f.bank.refuses = ""
	f.begin(t, 301)
	f.end(t)
	require.Zero(t, f.get(t, "alice").UnbondingUltai)
	require.EqualValues(t, purse-990, f.bank.balances[string(raw("alice"))])
}

func TestCoverOfTooMuchBondIsTheLargestNumber(t *testing.T) {
	f := newFixture(t)
	f.bank.balances[string(raw("alice"))] = math.MaxUint64
	f.operator(t, "alice", math.MaxUint64)
	require.NoError(t, f.k.InitGenesis(f.ctx, pricey(t, f)))
	cover, err := f.k.Cover(f.ctx, raw("alice"))
	require.NoError(t, err)
	require.Equal(t, uint64(math.MaxUint64), cover)
	_, err = f.query.Operator(f.ctx, &types.QueryOperatorRequest{Address: addr("alice")})
	require.NoError(t, err)
}

// pricey is the state with one token worth 10 USD, and without a clock.
func pricey(t *testing.T, f *fixture) *types.GenesisState {
	t.Helper()
	gs, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	gs.Params.BondPriceUusdc, gs.BlockHashes, gs.EpochStarts = 10_000_000, nil, nil
	return gs
}

func TestPanickingPaymentWaitsToo(t *testing.T) {
	f := newFixture(t)
	f.operator(t, "alice", 1_000)
	f.operator(t, "bob", 1_000)
	for _, name := range []string{"alice", "bob"} {
		_, err := f.msgs.Unbond(f.ctx, &types.MsgUnbond{Operator: addr(name), AmountUltai: 10})
		require.NoError(t, err)
	}
	f.bank.panics = string(raw("alice"))
	f.begin(t, 201)
	f.end(t)
	require.EqualValues(t, 10, f.get(t, "alice").UnbondingUltai)
	require.Zero(t, f.get(t, "bob").UnbondingUltai)
	f.bank.panics = ""
	f.begin(t, 301)
	f.end(t)
	require.Zero(t, f.get(t, "alice").UnbondingUltai)
}
