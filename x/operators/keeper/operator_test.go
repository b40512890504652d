// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

func TestRegisterOperator(t *testing.T) {
	f := newFixture(t)
	f.begin(t, 45)
	f.consent(t, "holding", "alice", true)
	f.clearEvents()
	_, err := f.msgs.RegisterOperator(f.ctx, &types.MsgRegisterOperator{
		Operator: addr("alice"), Controller: addr("holding"), Moniker: "Alice & Söhne", Region: "eu-west", Tier: "pro", BondUltai: 2_000_000,
	})
	require.NoError(t, err)
	registered := types.Operator{
		Address: addr("alice"), Controller: addr("holding"), Moniker: "Alice & Söhne", Region: "eu-west", Tier: "pro",
		Status: types.OperatorStatus_OPERATOR_STATUS_ACTIVE, RegisteredHeight: 45, ReputationPpm: 500_000, ReputationEpoch: 2,
	}
	f.events(t,
		&types.EventOperatorRegistered{Operator: registered},
		&types.EventBonded{Operator: addr("alice"), AmountUltai: 2_000_000, BondUltai: 2_000_000})
	registered.BondUltai = 2_000_000
	require.Equal(t, registered, f.get(t, "alice"))
	require.EqualValues(t, 2_000_000, f.bank.of(types.ModuleName))
	f.end(t)
}

func TestOperatorIsItsOwnControllerByDefault(t *testing.T) {
	f := newFixture(t)
	f.operator(t, "alice", 0)
	require.Equal(t, addr("alice"), f.get(t, "alice").Controller)
	f.end(t)
}

func TestRegisterOperatorRefusals(t *testing.T) {
	f := newFixture(t)
	f.operator(t, "alice", 0)
	long, err := addressCodec.BytesToString(hash32("32 bytes"))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		msg  types.MsgRegisterOperator
		want error
	}{
		"twice":             {types.MsgRegisterOperator{Operator: addr("alice"), Moniker: "a"}, types.ErrOperatorExists},
		"other chain":       {types.MsgRegisterOperator{Operator: "cosmos1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqnrql8a", Moniker: "a"}, types.ErrInvalidAddress},
		"32 bytes":          {types.MsgRegisterOperator{Operator: long, Moniker: "a"}, types.ErrInvalidAddress},
		"bad controller":    {types.MsgRegisterOperator{Operator: addr("bob"), Controller: "nobody", Moniker: "a"}, types.ErrInvalidAddress},
		"nobody's consent":  {types.MsgRegisterOperator{Operator: addr("bob"), Controller: addr("alice"), Moniker: "a"}, types.ErrNoConsent},
		"direction mark":    {types.MsgRegisterOperator{Operator: addr("bob"), Moniker: "a\u202eb"}, types.ErrInvalidRequest},
		"no moniker":        {types.MsgRegisterOperator{Operator: addr("bob")}, types.ErrInvalidRequest},
		"long moniker":      {types.MsgRegisterOperator{Operator: addr("bob"), Moniker: strings.Repeat("m", 65)}, types.ErrInvalidRequest},
		"control character": {types.MsgRegisterOperator{Operator: addr("bob"), Moniker: "a\x1b[31m"}, types.ErrInvalidRequest},
		"bad UTF-8":         {types.MsgRegisterOperator{Operator: addr("bob"), Moniker: "a\xff"}, types.ErrInvalidRequest},
		"long region":       {types.MsgRegisterOperator{Operator: addr("bob"), Moniker: "a", Region: strings.Repeat("r", 33)}, types.ErrInvalidRequest},
		"long tier":         {types.MsgRegisterOperator{Operator: addr("bob"), Moniker: "a", Tier: strings.Repeat("t", 17)}, types.ErrInvalidRequest},
	} {
		t.Run(name, func(t *testing.T) {
			f.refused(t, c.want, func(ctx context.Context) error {
				_, err := f.msgs.RegisterOperator(ctx, &c.msg)
				return err
			})
		})
	}
}

func TestUpdateOperatorKeepsTheController(t *testing.T) {
	f := newFixture(t)
	f.operator(t, "alice", 0)
	f.clearEvents()
	_, err := f.msgs.UpdateOperator(f.ctx, &types.MsgUpdateOperator{Operator: addr("alice"), Moniker: "new", Region: "r", Tier: "t"})
	require.NoError(t, err)
	op := f.get(t, "alice")
	require.Equal(t, []string{"new", "r", "t", addr("alice")}, []string{op.Moniker, op.Region, op.Tier, op.Controller})
	f.events(t, &types.EventOperatorUpdated{Operator: op})
	f.refused(t, types.ErrUnknownOperator, func(ctx context.Context) error {
		_, err := f.msgs.UpdateOperator(ctx, &types.MsgUpdateOperator{Operator: addr("bob"), Moniker: "new"})
		return err
	})
}

func TestRelayerActsUntilItsGrantExpires(t *testing.T) {
	f := newFixture(t)
	f.operator(t, "alice", 0)
	require.NoError(t, f.k.CheckSender(f.ctx, raw("alice"), raw("alice")))
	require.ErrorIs(t, f.k.CheckSender(f.ctx, raw("alice"), raw("hot")), types.ErrUnauthorized)
	require.ErrorIs(t, f.k.CheckSender(f.ctx, raw("bob"), raw("bob")), types.ErrUnknownOperator)
	f.clearEvents()

	authorise := &types.MsgAuthoriseRelayer{Operator: addr("alice"), Relayer: addr("hot"), ExpiresHeight: 10}
	_, err := f.msgs.AuthoriseRelayer(f.ctx, authorise)
	require.NoError(t, err)
	grant := types.RelayerGrant{Operator: addr("alice"), Relayer: addr("hot"), ExpiresHeight: 10}
	f.events(t, &types.EventRelayerAuthorised{Grant: grant})
	f.begin(t, 9)
	require.NoError(t, f.k.CheckSender(f.ctx, raw("alice"), raw("hot")))
	require.ErrorIs(t, f.k.CheckSender(f.ctx, raw("alice"), raw("bob")), types.ErrUnauthorized)
	f.end(t)
	f.begin(t, 10)
	require.ErrorIs(t, f.k.CheckSender(f.ctx, raw("alice"), raw("hot")), types.ErrUnauthorized)
	f.refused(t, types.ErrBadExpiry, func(ctx context.Context) error {
		_, err := f.msgs.AuthoriseRelayer(ctx, authorise)
		return err
	})

	f.clearEvents()
	revoke := &types.MsgRevokeRelayer{Operator: addr("alice"), Relayer: addr("hot")}
	_, err = f.msgs.RevokeRelayer(f.ctx, revoke)
	require.NoError(t, err)
	f.events(t, &types.EventRelayerRevoked{Grant: grant})
	f.refused(t, types.ErrUnknownGrant, func(ctx context.Context) error {
		_, err := f.msgs.RevokeRelayer(ctx, revoke)
		return err
	})
	f.refused(t, types.ErrInvalidAddress, func(ctx context.Context) error {
		_, err := f.msgs.AuthoriseRelayer(ctx, &types.MsgAuthoriseRelayer{Operator: addr("alice"), Relayer: addr("alice"), ExpiresHeight: 99})
		return err
	})
}

func TestMayWork(t *testing.T) {
	f := newFixture(t)
	f.operator(t, "alice", 999_999)
	require.ErrorIs(t, f.k.CheckMayWork(f.ctx, raw("alice")), types.ErrBondTooLow)
	_, err := f.msgs.Bond(f.ctx, &types.MsgBond{Operator: addr("alice"), AmountUltai: 1})
	require.NoError(t, err)
	require.NoError(t, f.k.CheckMayWork(f.ctx, raw("alice")))
	require.ErrorIs(t, f.k.CheckMayWork(f.ctx, raw("bob")), types.ErrUnknownOperator)
}

func TestTombstonedOperatorIsOut(t *testing.T) {
	f := emptyFixture(t)
	genesis := types.DefaultGenesis()
	genesis.Operators = []types.Operator{{
		Address: addr("alice"), Controller: addr("alice"), Moniker: "a", Status: types.OperatorStatus_OPERATOR_STATUS_TOMBSTONED,
		JailedFrom: 1, JailedUntil: types.JailedForGood,
	}}
	require.NoError(t, f.k.InitGenesis(f.ctx, genesis))
	f.begin(t, 1)
	require.ErrorIs(t, f.k.CheckMayWork(f.ctx, raw("alice")), types.ErrTombstoned)
	f.refused(t, types.ErrTombstoned, func(ctx context.Context) error {
		_, err := f.msgs.Bond(ctx, &types.MsgBond{Operator: addr("alice"), AmountUltai: 1})
		return err
	})
	f.refused(t, types.ErrTombstoned, func(ctx context.Context) error {
		_, err := f.msgs.RegisterHost(ctx, f.registerHost(t, "alice", "k"))
		return err
	})
}

func TestReputation(t *testing.T) {
	f := newFixture(t)
	f.operator(t, "alice", 0)
	f.clearEvents()
	require.NoError(t, f.k.SetReputation(f.ctx, raw("alice"), 730_000, 12))
	ppm, epoch, err := f.k.Reputation(f.ctx, raw("alice"))
	require.NoError(t, err)
	require.EqualValues(t, 730_000, ppm)
	require.EqualValues(t, 12, epoch)
	f.events(t, &types.EventReputationChanged{Operator: addr("alice"), ReputationPpm: 730_000, Epoch: 12})
	f.refused(t, types.ErrBadReputation, func(ctx context.Context) error {
		return f.k.SetReputation(ctx, raw("alice"), 1_000_001, 13)
	})
	f.refused(t, types.ErrUnknownOperator, func(ctx context.Context) error { return f.k.SetReputation(ctx, raw("bob"), 1, 1) })
}
