// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// bonded is alice with 6 tokens of bond and entries of 1 and 3 tokens that mature at heights 202 and 203.
func bonded(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	f.operator(t, "alice", 10_000_000)
	for i, amount := range []uint64{1_000_000, 3_000_000} {
		f.begin(t, int64(2+i))
		_, err := f.msgs.Unbond(f.ctx, &types.MsgUnbond{Operator: addr("alice"), AmountUltai: amount})
		require.NoError(t, err)
	}
	f.clearEvents()
	return f
}

func TestSlashFraudTakesFromBondFirst(t *testing.T) {
	f := bonded(t)
	// 20 times 20,000 uusdc at 0.10 USD a token are 4 tokens; 20 % of all 10 tokens would be 2.
	slashed, err := f.slashFraud(f.ctx, raw("alice"), 20_000, "sample_not_opened batch 7")
	require.NoError(t, err)
	require.EqualValues(t, 4_000_000, slashed)
	op := f.get(t, "alice")
	require.EqualValues(t, 2_000_000, op.BondUltai)
	require.EqualValues(t, 4_000_000, op.UnbondingUltai)
	require.EqualValues(t, 4_000_000, op.SlashedUltai)
	require.EqualValues(t, 3+201_600, op.JailedUntil)
	require.EqualValues(t, 4_000_000, f.bank.of(types.InsuranceAccount))
	require.EqualValues(t, 6_000_000, f.bank.of(types.ModuleName))
	f.events(t, &types.EventSlashed{
		Operator: addr("alice"), Offence: "receipt_fraud", Evidence: "sample_not_opened batch 7", SlashUltai: 4_000_000,
		InsuranceUltai: 4_000_000, BondUltai: 2_000_000, UnbondingUltai: 4_000_000, JailedFrom: 3, JailedUntil: 3 + 201_600, Nth: 1,
	})
	require.ErrorIs(t, f.k.CheckMayWork(f.ctx, raw("alice")), types.ErrJailed)
	f.end(t)
}

func TestSlashFraudTakesAtLeastAFifth(t *testing.T) {
	f := bonded(t)
	slashed, err := f.slashFraud(f.ctx, raw("alice"), 0, "x")
	require.NoError(t, err)
	require.EqualValues(t, 2_000_000, slashed)
	f.end(t)
}

func TestSlashFraudReachesUnbondingEntries(t *testing.T) {
	f := bonded(t)
	// 20 times 42,500 uusdc are 8.5 tokens: all 6 of the bond, the entry of 1, and 1.5 of the entry of 3.
	slashed, err := f.slashFraud(f.ctx, raw("alice"), 42_500, "x")
	require.NoError(t, err)
	require.EqualValues(t, 8_500_000, slashed)
	op := f.get(t, "alice")
	require.Zero(t, op.BondUltai)
	require.EqualValues(t, 1_500_000, op.UnbondingUltai)
	require.EqualValues(t, 1, op.Unbondings)
	f.events(t, &types.EventSlashed{
		Operator: addr("alice"), Offence: "receipt_fraud", Evidence: "x", SlashUltai: 8_500_000, InsuranceUltai: 8_500_000,
		UnbondingUltai: 1_500_000, JailedFrom: 3, JailedUntil: 3 + 201_600, Nth: 1,
		Entries: []types.Unbonding{
			{Id: 0, Operator: addr("alice"), MatureHeight: 202},
			{Id: 1, Operator: addr("alice"), AmountUltai: 1_500_000, MatureHeight: 203},
		},
	})
	f.end(t)

	f.begin(t, 203)
	f.end(t)
	require.EqualValues(t, purse-8_500_000, f.bank.balances[string(raw("alice"))], "what is left of the entry is paid")
}

func TestSlashToZeroLeavesTheOperatorWithoutCover(t *testing.T) {
	f := bonded(t)
	slashed, err := f.slashFraud(f.ctx, raw("alice"), 1<<63, "x")
	require.NoError(t, err)
	require.EqualValues(t, 10_000_000, slashed)
	require.Zero(t, f.bank.of(types.ModuleName))
	cover, err := f.k.Cover(f.ctx, raw("alice"))
	require.NoError(t, err)
	require.Zero(t, cover)
	require.Equal(t, types.OperatorStatus_OPERATOR_STATUS_ACTIVE, f.get(t, "alice").Status)

	again, err := f.slashFraud(f.ctx, raw("alice"), 1, "x")
	require.NoError(t, err)
	require.Zero(t, again)
	f.end(t)
}

func TestJailIsNeverShortened(t *testing.T) {
	f := bonded(t)
	_, err := f.slashFraud(f.ctx, raw("alice"), 0, "x")
	require.NoError(t, err)
	params := types.DefaultParams()
	params.JailFraudBlocks = 10
	_, err = f.msgs.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: addr("governance"), Params: params})
	require.NoError(t, err)
	_, err = f.slashFraud(f.ctx, raw("alice"), 0, "x")
	require.NoError(t, err)
	require.EqualValues(t, 3+201_600, f.get(t, "alice").JailedUntil)

	f.begin(t, 3+201_600)
	require.NoError(t, f.k.CheckMayWork(f.ctx, raw("alice")), "the jail ends at its height")
}

// slashAt slashes alice at a height for a jail of ten blocks and returns her jail.
func slashAt(t *testing.T, f *fixture, height int64) [2]uint64 {
	t.Helper()
	f.begin(t, height)
	_, err := f.slashFraud(f.ctx, raw("alice"), 0, "x")
	require.NoError(t, err)
	op := f.get(t, "alice")
	f.end(t)
	return [2]uint64{op.JailedFrom, op.JailedUntil}
}

func TestJailsMerge(t *testing.T) {
	f := bonded(t)
	params := types.DefaultParams()
	params.JailFraudBlocks = 10
	_, err := f.msgs.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: addr("governance"), Params: params})
	require.NoError(t, err)
	require.Equal(t, [2]uint64{10, 20}, slashAt(t, f, 10))
	require.Equal(t, [2]uint64{10, 20}, slashAt(t, f, 10), "twice in a block is one jail")
	require.Equal(t, [2]uint64{10, 25}, slashAt(t, f, 15), "one that runs is extended")
	require.Equal(t, [2]uint64{10, 35}, slashAt(t, f, 25), "no free block between them")

	f.begin(t, 34)
	require.ErrorIs(t, f.k.CheckMayWork(f.ctx, raw("alice")), types.ErrJailed)
	f.begin(t, 35)
	require.NotErrorIs(t, f.k.CheckMayWork(f.ctx, raw("alice")), types.ErrJailed)
	before := f.get(t, "alice")
	exported, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.NoError(t, exported.Validate())
	require.Equal(t, before, exported.Operators[0], "an ended jail survives")
	require.Equal(t, [2]uint64{36, 46}, slashAt(t, f, 36), "after its end a new one begins")

	params.JailFraudBlocks = 0
	_, err = f.msgs.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: addr("governance"), Params: params})
	require.NoError(t, err)
	require.Equal(t, [2]uint64{36, 46}, slashAt(t, f, 60), "a jail of no blocks is none")
}

func TestSlashOfNobody(t *testing.T) {
	f := newFixture(t)
	f.refused(t, types.ErrUnknownOperator, func(ctx context.Context) error {
		_, err := f.slashFraud(ctx, raw("alice"), 1, "x")
		return err
	})
}

// slashFraud punishes receipt fraud that nobody reported and whose evidence can come only once.
func (f *fixture) slashFraud(ctx context.Context, operator []byte, claimUusdc uint64, evidence string) (uint64, error) {
	punishment, err := f.k.Punish(ctx, types.Offence{
		Kind: types.OffenceReceiptFraud, Operator: operator, ClaimUusdc: claimUusdc, Evidence: evidence,
	})
	return punishment.SlashUltai, err
}
