// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"context"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

var update = flag.Bool("update", false, "rewrite the table of offences in README.md")

const (
	tableBegins = "<!-- table of offences: go test ./x/operators/keeper -run TestOffenceTable -update -->\n"
	tableEnds   = "<!-- end of the table -->\n"
)

// The README shows the table that the code goes by.
func TestOffenceTable(t *testing.T) {
	const path = "../README.md"
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(content), tableBegins)
	require.True(t, found)
	table, after, found := strings.Cut(rest, tableEnds)
	require.True(t, found)
	if *update {
		text := before + tableBegins + types.OffenceTable() + tableEnds + after
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644)) //nolint:gosec // a document
		return
	}
	require.Equal(t, types.OffenceTable(), table, "run this test with -update")
}

// calm lets every offence through the breaker.
func calm(t *testing.T, f *fixture) {
	t.Helper()
	f.params(t, func(p *types.Params) { p.BreakerBps = 10_000 })
}

// params changes the parameters.
func (f *fixture) params(t *testing.T, change func(*types.Params)) {
	t.Helper()
	params, err := f.k.Params(f.ctx)
	require.NoError(t, err)
	change(&params)
	_, err = f.msgs.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: addr("governance"), Params: params})
	require.NoError(t, err)
}

// punish punishes alice on carol's report, for a loss of dave's.
func (f *fixture) punish(t *testing.T, kind types.OffenceKind, evidence string) types.Punishment {
	t.Helper()
	p, err := f.k.Punish(f.ctx, types.Offence{
		Kind: kind, Operator: raw("alice"), ClaimUusdc: 1_000, Victim: raw("dave"), VictimLossUusdc: 500, Reporter: raw("carol"),
		ReporterBondUltai: 1_000_000, EvidenceID: [32]byte(hash32(evidence)), Evidence: evidence,
	})
	require.NoError(t, err)
	return p
}

// What each row costs alice, who has 6 tokens of bond and 4 that unbond: the sum, and her jail in blocks.
func TestEveryOffenceCosts(t *testing.T) {
	want := map[types.OffenceKind]struct{ slash, jail uint64 }{
		types.OffenceForgedAttestation: {10_000_000, types.JailedForGood},
		types.OffenceStaleAttestation:  {200_000, 0},
		types.OffenceReceiptFraud:      {2_000_000, 201_600}, // 20 claims are 0.2 tokens, less than a fifth
		types.OffenceDoubleClaim:       {5_000_000, 432_000},
		types.OffenceReservedRefusal:   {100_000, 14_400},
	}
	require.Len(t, types.Offences, len(want))
	for _, row := range types.Offences {
		t.Run(string(row.Kind), func(t *testing.T) {
			f := bonded(t)
			calm(t, f)
			p := f.punish(t, row.Kind, "e")
			slash := want[row.Kind].slash
			require.Equal(t, slash, p.SlashUltai)
			require.Equal(t, types.Punishment{
				SlashUltai: slash, VictimUltai: 5_000, ReporterUltai: slash / 5, InsuranceUltai: slash - slash/5 - 5_000,
			}, p)
			require.EqualValues(t, purse+5_000, f.bank.balances[string(raw("dave"))])
			require.Equal(t, purse+slash/5, f.bank.balances[string(raw("carol"))])
			require.Equal(t, p.InsuranceUltai, f.bank.of(types.InsuranceAccount))
			require.Equal(t, 10_000_000-slash, f.bank.of(types.ModuleName))
			op := f.get(t, "alice")
			switch jail := want[row.Kind].jail; jail {
			case 0:
				require.Zero(t, op.JailedUntil)
			case types.JailedForGood:
				require.Equal(t, jail, op.JailedUntil)
				require.Equal(t, types.OperatorStatus_OPERATOR_STATUS_TOMBSTONED, op.Status)
			default:
				require.Equal(t, 3+jail, op.JailedUntil)
			}
			f.end(t)
		})
	}
}

func TestSlashByClaimReachesVestingRewards(t *testing.T) {
	f := bonded(t)
	f.vest.of[string(raw("alice"))] = 3_000_000
	// 20 times 60,000 uusdc are 12 tokens: all 10, and 2 of the rewards.
	p, err := f.k.Punish(f.ctx, types.Offence{Kind: types.OffenceReceiptFraud, Operator: raw("alice"), ClaimUusdc: 60_000})
	require.NoError(t, err)
	require.EqualValues(t, 12_000_000, p.SlashUltai)
	require.EqualValues(t, 1_000_000, f.vest.of[string(raw("alice"))])
	require.EqualValues(t, 12_000_000, f.bank.of(types.InsuranceAccount))
	f.end(t)
}

func TestForgeryTakesEverything(t *testing.T) {
	f := bonded(t)
	f.vest.of[string(raw("alice"))] = 3_000_000
	require.EqualValues(t, 13_000_000, f.punish(t, types.OffenceForgedAttestation, "e").SlashUltai)
	require.Zero(t, f.vest.of[string(raw("alice"))])
	f.end(t)
}

// A slash by a part of the bond asks nothing of the rewards.
func TestPartialSlashLeavesRewards(t *testing.T) {
	f := bonded(t)
	f.vest.of[string(raw("alice"))] = 3_000_000
	require.EqualValues(t, 5_000_000, f.punish(t, types.OffenceDoubleClaim, "e").SlashUltai)
	require.EqualValues(t, 3_000_000, f.vest.of[string(raw("alice"))])
}

func TestEvidencePunishesOnce(t *testing.T) {
	f := bonded(t)
	f.punish(t, types.OffenceDoubleClaim, "e")
	f.refused(t, types.ErrEvidenceUsed, func(ctx context.Context) error {
		_, err := f.k.Punish(ctx, types.Offence{
			Kind: types.OffenceReceiptFraud, Operator: raw("alice"), EvidenceID: [32]byte(hash32("e")),
		})
		return err
	})
	f.end(t)

	// It is forgotten when no bond of its time can be here any more, and such evidence is refused by its age.
	f.begin(t, 3+200)
	f.end(t)
	used, err := f.k.EvidenceUsed(f.ctx, [32]byte(hash32("e")))
	require.NoError(t, err)
	require.True(t, used)
	require.NoError(t, f.k.CheckEvidenceAge(f.ctx, 3))
	f.begin(t, 3+201)
	f.end(t)
	used, err = f.k.EvidenceUsed(f.ctx, [32]byte(hash32("e")))
	require.NoError(t, err)
	require.False(t, used)
	require.ErrorIs(t, f.k.CheckEvidenceAge(f.ctx, 3), types.ErrEvidenceTooOld)
}

// Where unbonding has become longer, old evidence may arrive for longer, and is remembered for longer.
func TestEvidenceIsRememberedThroughLongerUnbonding(t *testing.T) {
	f := bonded(t)
	f.punish(t, types.OffenceDoubleClaim, "e")
	f.params(t, func(p *types.Params) { p.UnbondingBlocks = 400 })
	for _, at := range []int64{204, 403} {
		f.begin(t, at)
		f.end(t)
		used, err := f.k.EvidenceUsed(f.ctx, [32]byte(hash32("e")))
		require.NoError(t, err)
		require.True(t, used, "height %d", at)
	}
	f.begin(t, 404)
	f.end(t)
	used, err := f.k.EvidenceUsed(f.ctx, [32]byte(hash32("e")))
	require.NoError(t, err)
	require.False(t, used)
}

func TestRefusalsEscalateWithinTheirWindow(t *testing.T) {
	f := bonded(t)
	f.operator(t, "bob", 10_000_000)
	calm(t, f)
	f.params(t, func(p *types.Params) { p.EscalationBlocks = 50 })
	costs := func(at int64) uint64 {
		f.begin(t, at)
		p, err := f.k.Punish(f.ctx, types.Offence{Kind: types.OffenceReservedRefusal, Operator: raw("bob")})
		require.NoError(t, err)
		f.end(t)
		return p.SlashUltai
	}
	require.EqualValues(t, 100_000, costs(10), "1 % of 10 tokens")
	require.EqualValues(t, 99_000, costs(20), "1 % of what is left")
	require.EqualValues(t, 490_050, costs(59), "the third costs 5 %")
	require.EqualValues(t, 93_110, costs(70), "those of 10 and 20 count no more: 1 % of 9,310,950, rounded up")
}

func TestStrikesAreBounded(t *testing.T) {
	f := bonded(t)
	var nth uint32
	for range 40 {
		var err error
		nth, err = f.k.Strike(f.ctx, raw("alice"), "omission")
		require.NoError(t, err)
	}
	require.EqualValues(t, types.MaxStrikes, nth)
	gs, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Len(t, gs.Strikes[0].Heights, types.MaxStrikes)
	f.end(t)
}

// Nobody who belongs to the offender's controller gets anything of a slash.
func TestOwnPeopleGetNothing(t *testing.T) {
	for name, own := range map[string]string{
		"the operator": "alice", "its controller": "holding", "a relayer": "hot", "an operator of its controller": "bob",
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			for _, operator := range []string{"alice", "bob"} {
				f.consent(t, "holding", operator, true)
				_, err := f.msgs.RegisterOperator(f.ctx, &types.MsgRegisterOperator{
					Operator: addr(operator), Controller: addr("holding"), Moniker: operator, BondUltai: 10_000_000,
				})
				require.NoError(t, err)
			}
			_, err := f.msgs.AuthoriseRelayer(f.ctx, &types.MsgAuthoriseRelayer{Operator: addr("alice"), Relayer: addr("hot"), ExpiresHeight: 40})
			require.NoError(t, err)
			before := f.bank.balances[string(raw(own))]
			p, err := f.k.Punish(f.ctx, types.Offence{
				Kind: types.OffenceDoubleClaim, Operator: raw("alice"), Victim: raw(own), VictimLossUusdc: 1_000,
				Reporter: raw(own), ReporterBondUltai: 1_000_000,
			})
			require.NoError(t, err)
			require.Equal(t, types.Punishment{SlashUltai: 5_000_000, InsuranceUltai: 5_000_000}, p)
			require.Equal(t, before, f.bank.balances[string(raw(own))])
			f.end(t)
		})
	}
}

// A receiver whom bank refuses cannot stop a slash; his part goes to insurance.
func TestSlashSurvivesItsReceivers(t *testing.T) {
	f := bonded(t)
	f.bank.refuses = string(raw("dave"))
	p := f.punish(t, types.OffenceDoubleClaim, "e")
	require.Equal(t, types.Punishment{SlashUltai: 5_000_000, ReporterUltai: 1_000_000, InsuranceUltai: 4_000_000}, p)
	f.end(t)
}

func TestPunishmentsThatAreNone(t *testing.T) {
	f := bonded(t)
	f.refused(t, types.ErrUnknownOffence, func(ctx context.Context) error {
		_, err := f.k.Punish(ctx, types.Offence{Kind: "bad_manners", Operator: raw("alice")})
		return err
	})
	f.refused(t, types.ErrUnknownOperator, func(ctx context.Context) error {
		_, err := f.k.Punish(ctx, types.Offence{Kind: types.OffenceDoubleClaim, Operator: raw("nobody")})
		return err
	})
}

func TestFineIsNoOffence(t *testing.T) {
	f := bonded(t)
	took, err := f.k.Fine(f.ctx, raw("alice"), "omission", 123, "epoch 0 seq 7")
	require.NoError(t, err)
	require.EqualValues(t, 1_230, took, "at 0.10 USD a token")
	require.Zero(t, f.get(t, "alice").JailedUntil)
	require.EqualValues(t, 1_230, f.bank.of(types.InsuranceAccount))
	f.events(t, &types.EventSlashed{
		Operator: addr("alice"), Offence: "omission", Evidence: "epoch 0 seq 7", SlashUltai: 1_230, InsuranceUltai: 1_230,
		BondUltai: 6_000_000 - 1_230, UnbondingUltai: 4_000_000,
	})
	f.end(t)
}
