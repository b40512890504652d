// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// forger is alice, tombstoned, of the controller holding, which stands behind bob too.
func forger(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	for _, operator := range []string{"alice", "bob"} {
		f.consent(t, "holding", operator, true)
		_, err := f.msgs.RegisterOperator(f.ctx, &types.MsgRegisterOperator{
			Operator: addr(operator), Controller: addr("holding"), Moniker: operator, BondUltai: 10_000_000,
		})
		require.NoError(t, err)
	}
	f.host(t, "alice", "a")
	_, err := f.msgs.LinkNode(f.ctx, f.link("alice", "owner", 1))
	require.NoError(t, err)
	f.operator(t, "erin", 10_000_000)
	_, err = f.k.Punish(f.ctx, types.Offence{Kind: types.OffenceForgedAttestation, Operator: raw("alice")})
	require.NoError(t, err)
	return f
}

func TestTombstoneBars(t *testing.T) {
	f := forger(t)
	key, err := f.k.HostKey(f.ctx, f.hostKeyOf(t, "alice"))
	require.NoError(t, err)
	require.EqualValues(t, f.ctx.BlockTime().Unix(), key.ExpiresAt, "its key has ended")
	require.ErrorIs(t, f.k.CheckMayWork(f.ctx, raw("alice")), types.ErrTombstoned)
	require.ErrorIs(t, f.k.CheckMayWork(f.ctx, raw("bob")), types.ErrBarred, "of the same controller")
	require.NoError(t, f.k.CheckMayWork(f.ctx, raw("erin")))

	for name, attempt := range map[string]struct {
		want error
		do   func(context.Context) error
	}{
		"more bond": {types.ErrTombstoned, func(ctx context.Context) error {
			_, err := f.msgs.Bond(ctx, &types.MsgBond{Operator: addr("alice"), AmountUltai: 1})
			return err
		}},
		"the controller as operator": {types.ErrBarred, func(ctx context.Context) error {
			_, err := f.msgs.RegisterOperator(ctx, &types.MsgRegisterOperator{Operator: addr("holding"), Moniker: "x"})
			return err
		}},
		"the controller behind another": {types.ErrBarred, func(ctx context.Context) error {
			if err := f.k.ConsentToOperator(ctx, raw("holding"), raw("carol"), true); err != nil {
				return err
			}
			_, err := f.msgs.RegisterOperator(ctx, &types.MsgRegisterOperator{Operator: addr("carol"), Controller: addr("holding"), Moniker: "x"})
			return err
		}},
		"the operator as verifier": {types.ErrBarred, func(ctx context.Context) error {
			_, err := f.msgs.RegisterVerifier(ctx, &types.MsgRegisterVerifier{Verifier: addr("alice"), Moniker: "x", BondUltai: 10_000_000})
			return err
		}},
		"its node at another": {types.ErrBarred, func(ctx context.Context) error {
			_, err := f.msgs.LinkNode(ctx, f.link("erin", "owner", 2))
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			cached, _ := f.ctx.CacheContext()
			require.ErrorIs(t, attempt.do(cached), attempt.want)
		})
	}

	// A stranger's link to the same node is another one.
	_, err = f.msgs.LinkNode(f.ctx, f.link("erin", "stranger", 1))
	require.NoError(t, err)
	f.end(t)
}

func TestTombstoneSurvivesGenesis(t *testing.T) {
	f := forger(t)
	gs, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	other := emptyFixture(t)
	other.ctx = other.ctx.WithBlockHeight(2)
	other.owns(20_000_000)
	require.NoError(t, other.k.InitGenesis(other.ctx, gs))
	require.Equal(t, f.export(t), other.export(t))
	require.NoError(t, other.k.CheckInvariants(other.ctx))
	require.ErrorIs(t, other.k.CheckMayWork(other.ctx, raw("bob")), types.ErrBarred)
}
