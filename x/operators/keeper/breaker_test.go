// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// market is five operators with 10, 10, 20, 30 and 30 tokens of bond.
func market(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	for name, bond := range map[string]uint64{
		"alice": 10_000_000, "bob": 10_000_000, "carol": 20_000_000, "dave": 30_000_000, "erin": 30_000_000,
	} {
		f.operator(t, name, bond)
	}
	f.clearEvents()
	return f
}

func (f *fixture) refusal(t *testing.T, operator string) types.Punishment {
	t.Helper()
	p, err := f.k.Punish(f.ctx, types.Offence{
		Kind: types.OffenceReservedRefusal, Operator: raw(operator), Reporter: raw("viktor"), ReporterBondUltai: 1_000_000,
		Victim: raw("vera"), VictimLossUusdc: 100, EvidenceID: [32]byte(hash32(operator)), Evidence: "reservation of " + operator,
	})
	require.NoError(t, err)
	return p
}

func (f *fixture) waiting(t *testing.T) []types.DeferredPunishment {
	t.Helper()
	resp, err := f.query.Deferred(f.ctx, &types.QueryDeferredRequest{})
	require.NoError(t, err)
	return resp.Deferred
}

func TestBreakerHoldsBackBeyondAFifth(t *testing.T) {
	f := market(t)
	require.EqualValues(t, 100_000, f.refusal(t, "alice").SlashUltai, "10 of 100 tokens are hit")
	_, err := f.k.Punish(f.ctx, types.Offence{Kind: types.OffenceReservedRefusal, Operator: raw("alice")})
	require.NoError(t, err)
	require.EqualValues(t, 100_000, f.refusal(t, "bob").SlashUltai, "alice counts once: 20 of 100 tokens")
	f.clearEvents()
	require.Equal(t, types.Punishment{Deferred: true}, f.refusal(t, "carol"), "40 of 100 tokens would be too many")
	require.Zero(t, f.get(t, "carol").SlashedUltai)
	require.Zero(t, f.get(t, "carol").JailedUntil)
	deferred := types.DeferredPunishment{
		Id: 0, Height: 1, LapsesHeight: 141, Offence: types.OffenceRecord{
			Offence: "reserved_refusal", Operator: addr("carol"), Victim: addr("vera"), VictimLossUusdc: 100, Reporter: addr("viktor"),
			ReporterBondUltai: 1_000_000, EvidenceId: hash32("carol"), Evidence: "reservation of carol",
		},
	}
	require.Equal(t, []types.DeferredPunishment{deferred}, f.waiting(t))
	f.events(t, &types.EventPunishmentDeferred{
		Deferred: deferred,
		Breaker:  types.Breaker{BondedUltai: math.NewInt(100_000_000), HitUltai: math.NewInt(20_000_000)},
	})

	// What is proven by itself does not wait.
	p, err := f.k.Punish(f.ctx, types.Offence{Kind: types.OffenceDoubleClaim, Operator: raw("dave")})
	require.NoError(t, err)
	require.EqualValues(t, 15_000_000, p.SlashUltai)
	f.end(t)

	// The next epoch counts anew.
	f.begin(t, 21)
	p, err = f.k.Punish(f.ctx, types.Offence{Kind: types.OffenceReservedRefusal, Operator: raw("bob")})
	require.NoError(t, err)
	require.EqualValues(t, 99_000, p.SlashUltai)
	f.end(t)
}

func TestGovernanceExecutesWhatWaits(t *testing.T) {
	f := market(t)
	require.True(t, f.refusal(t, "dave").Deferred)
	require.True(t, f.refusal(t, "erin").Deferred)
	f.refused(t, types.ErrUnauthorized, func(ctx context.Context) error {
		_, err := f.msgs.ResolveDeferred(ctx, &types.MsgResolveDeferred{Authority: addr("alice"), Id: 0, Execute: true})
		return err
	})
	f.refused(t, types.ErrUnknownDeferred, func(ctx context.Context) error {
		_, err := f.msgs.ResolveDeferred(ctx, &types.MsgResolveDeferred{Authority: addr("governance"), Id: 9})
		return err
	})

	// Bond that leaves in the meantime is still there to pay.
	_, err := f.msgs.Unbond(f.ctx, &types.MsgUnbond{Operator: addr("dave"), AmountUltai: 30_000_000})
	require.NoError(t, err)
	resp, err := f.msgs.ResolveDeferred(f.ctx, &types.MsgResolveDeferred{Authority: addr("governance"), Id: 0, Execute: true})
	require.NoError(t, err)
	require.EqualValues(t, 300_000, resp.SlashUltai)
	require.EqualValues(t, 1_000, f.bank.balances[string(raw("vera"))]-purse)
	require.EqualValues(t, 60_000, f.bank.balances[string(raw("viktor"))]-purse)
	require.EqualValues(t, 1+14_400, f.get(t, "dave").JailedUntil)

	_, err = f.msgs.ResolveDeferred(f.ctx, &types.MsgResolveDeferred{Authority: addr("governance"), Id: 1})
	require.NoError(t, err)
	require.Zero(t, f.get(t, "erin").SlashedUltai)
	require.Empty(t, f.waiting(t))
	f.end(t)
}

func TestDeferredEvidenceIsUsed(t *testing.T) {
	f := market(t)
	require.True(t, f.refusal(t, "erin").Deferred)
	_, err := f.k.Punish(f.ctx, types.Offence{
		Kind: types.OffenceReservedRefusal, Operator: raw("erin"), EvidenceID: [32]byte(hash32("erin")),
	})
	require.ErrorIs(t, err, types.ErrEvidenceUsed)
}

// Governance decides before a bond of that time can have left, whatever the parameter says.
func TestDeferredLapsesBeforeBondsLeave(t *testing.T) {
	f := market(t)
	f.params(t, func(p *types.Params) { p.DeferredReturnBlocks = 10_000 })
	require.True(t, f.refusal(t, "erin").Deferred)
	require.EqualValues(t, 1+200, f.waiting(t)[0].LapsesHeight)
}
