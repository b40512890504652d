// SPDX-License-Identifier: Apache-2.0

package types_test

import (
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	"github.com/gpucoord/gpucoord/x/rewards/types"
)

func TestDefaultParamsAreValid(t *testing.T) {
	params := types.DefaultParams()
	require.NoError(t, params.ValidateWith(500, 1_500))
	require.NoError(t, types.DefaultGenesis().Validate())
}

func TestParamsBounds(t *testing.T) {
	cases := []struct {
		name   string
		change func(*types.Params)
	}{
		{"payback_cap_bps", func(p *types.Params) { p.PaybackCapBps = 9_501 }},
		{"direct_weight_bps", func(p *types.Params) { p.DirectWeightBps = 10_001 }},
		{"unaccredited_bps", func(p *types.Params) { p.UnaccreditedBps = 10_001 }},
		{"sla_p95_ttft_ms", func(p *types.Params) { p.SlaP95TtftMs = 0 }},
		{"stand_in_up_ppm", func(p *types.Params) { p.StandInUpPpm = 1_000_001 }},
		{"stand_in_av_ppm", func(p *types.Params) { p.StandInAvPpm = 1_000_001 }},
		{"success_epochs 0", func(p *types.Params) { p.SuccessEpochs = 0 }},
		{"success_epochs 8", func(p *types.Params) { p.SuccessEpochs = 8 }},
		{"max_operators_per_block 0", func(p *types.Params) { p.MaxOperatorsPerBlock = 0 }},
		{"max_operators_per_block 10001", func(p *types.Params) { p.MaxOperatorsPerBlock = 10_001 }},
		{"tokens_per_vcu_second", func(p *types.Params) { p.TokensPerVcuSecond = 0 }},
		{"points_cap_bps", func(p *types.Params) { p.PointsCapBps = 10_001 }},
		{"retention_epochs", func(p *types.Params) { p.RetentionEpochs = 7 }},
		{"min_claim_uusdc", func(p *types.Params) { p.MinClaimUusdc = 0 }},
	}
	for _, tc := range cases {
		params := types.DefaultParams()
		tc.change(&params)
		require.ErrorIs(t, params.Validate(), types.ErrInvalidParams, tc.name)
		msg := types.MsgUpdateParams{Authority: "someone", Params: params}
		require.ErrorIs(t, msg.ValidateBasic(), types.ErrInvalidParams, tc.name)
	}
}

func TestPaybackRoom(t *testing.T) {
	cases := []struct{ probers, aleph, want uint64 }{
		{0, 0, 9_500},
		{500, 1_500, 7_500},
		{9_500, 0, 0},
		{9_000, 501, 0},
		{math.MaxUint64, math.MaxUint64, 0},
	}
	for _, tc := range cases {
		require.Equal(t, tc.want, types.PaybackRoom(tc.probers, tc.aleph))
		params := types.DefaultParams()
		params.PaybackCapBps = tc.want
		require.NoError(t, params.ValidateWith(min(tc.probers, tc.want), 0))
	}
	params := types.DefaultParams()
	require.ErrorIs(t, params.ValidateWith(501, 1_500), types.ErrPaybackTooHigh)
	require.ErrorIs(t, params.ValidateWith(math.MaxUint64, 1), types.ErrPaybackTooHigh)
}

func TestMessagesWithoutSignersAreRefused(t *testing.T) {
	require.ErrorIs(t, (&types.MsgSponsor{AmountUusdc: 1}).ValidateBasic(), types.ErrInvalidAddress)
	require.ErrorIs(t, (&types.MsgSponsor{Sponsor: "someone"}).ValidateBasic(), types.ErrInvalidAmount)
	require.NoError(t, (&types.MsgSponsor{Sponsor: "someone", AmountUusdc: 1}).ValidateBasic())
	require.ErrorIs(t, (&types.MsgClaim{}).ValidateBasic(), types.ErrInvalidAddress)
	require.NoError(t, (&types.MsgClaim{Operator: "someone"}).ValidateBasic())
	require.ErrorIs(t, (&types.MsgUpdateParams{Params: types.DefaultParams()}).ValidateBasic(), types.ErrInvalidAddress)
	require.NoError(t, (&types.MsgUpdateParams{Authority: "someone", Params: types.DefaultParams()}).ValidateBasic())
}

// entry is an accredited gateway's routed work, spread widely.
func entry(settler byte, amount, ok, fail uint64) types.LedgerEntry {
	return types.LedgerEntry{
		UsageEntry: receiptstypes.UsageEntry{
			Settler: [20]byte{settler}, Class: receiptstypes.Class_CLASS_ROUTED, Amount: amount, Take: amount / 10,
			Tokens: amount, ControllerSpend: amount, TotalSpend: 10 * amount, Accredited: true,
		},
		WindowOK: ok, WindowFail: fail,
	}
}

func scoreIn(entries ...types.LedgerEntry) types.ScoreIn {
	return types.ScoreIn{
		Params: types.DefaultParams(), TakeBps: 1_000, Entries: entries, EpochSeconds: 100,
		Availability: operatorstypes.Availability{Unmeasured: true},
	}
}

// The bounds of (0, 0), (5, 0), (0, 3) and (100, 10) are 838874, 866807, 678725 and 864185.
func TestSuccessIsWeightedByWhatCounts(t *testing.T) {
	sameController := entry(3, 1_000, 100, 10)
	sameController.SameController = true
	failures := entry(4, 1_000, 0, 3)
	failures.SameController = true
	cases := []struct {
		name    string
		entries []types.LedgerEntry
		want    uint64
	}{
		{"one settler", []types.LedgerEntry{entry(1, 1_000, 5, 0)}, 866_807},
		{"3 to 1", []types.LedgerEntry{entry(1, 3_000, 5, 0), entry(2, 1_000, 0, 3)}, 819_786}, // (3·866807 + 678725) / 4 = 819786.5
		{"what does not count has no weight", []types.LedgerEntry{entry(2, 1_000, 0, 3), sameController}, 678_725},
		{"no entries", nil, 838_874},
		{"uncounted successes raise nothing", []types.LedgerEntry{sameController}, 838_874},
		{"uncounted failures lower", []types.LedgerEntry{failures}, 678_725},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			row, err := types.Score(scoreIn(tc.entries...))
			require.NoError(t, err)
			require.Equal(t, tc.want, row.SuccessPpm)
		})
	}
}

func TestNeededCapacity(t *testing.T) {
	in := scoreIn(entry(1, 250_000, 0, 0))
	in.Capacity = operatorstypes.Capacity{MilliVCU: 1_000, TokensPerSecond: 5_000, GPUs: 1}
	in.ConfirmedBefore = 400
	row, err := types.Score(in)
	require.NoError(t, err)
	require.Equal(t, uint64(2_500), row.NeededMilliVcu) // 250000 tokens in 100 s at 1000 tokens a second
	require.Equal(t, []uint64{1_000, 400}, []uint64{row.MilliVcu, row.TrustedMilliVcu})
	require.Equal(t, []uint64{500_000, 500_000, 500_000}, []uint64{row.CapacityTokens, row.UtilisationPpm, row.LatencyPpm})

	points, err := row.EarnedPoints()
	require.NoError(t, err)
	// M is 647412, so 161853 · (1 + 0.16) / 2
	require.Equal(t, uint64(93_874), points)
}

func TestScoreFailuresSayWhere(t *testing.T) {
	overflow := scoreIn(entry(1, 1, 0, 0))
	overflow.Capacity.TokensPerSecond = math.MaxUint64
	tokens := scoreIn(entry(1, 10, 0, 0), entry(2, 10, 0, 0))
	tokens.Entries[0].Tokens, tokens.Entries[1].Tokens = math.MaxUint64, 1
	cases := []struct {
		name string
		in   types.ScoreIn
		at   string
	}{
		{"same settler twice", scoreIn(entry(1, 10, 0, 0), entry(1, 10, 0, 0)), types.AtUsage},
		{"too many outcomes", scoreIn(entry(1, 10, 1<<41, 0)), types.AtScore},
		{"tokens do not add up", tokens, types.AtScore},
		{"capacity overflows", overflow, types.AtCapacity},
	}
	for _, tc := range cases {
		_, err := types.Score(tc.in)
		var failure *types.Failure
		require.ErrorAs(t, err, &failure, tc.name)
		require.Equal(t, tc.at, failure.At, tc.name)
	}
}

func TestUsageThatDoesNotFitIsNotAdded(t *testing.T) {
	s := types.EpochSettlement{Params: types.DefaultParams(), UsageUusdc: math.MaxUint64 - 5}
	before := s
	require.ErrorIs(t, s.Add(&types.OperatorEpoch{UsageUusdc: 6}), types.ErrOverflow)
	require.Equal(t, before, s)
	require.NoError(t, s.Add(&types.OperatorEpoch{UsageUusdc: 5}))
}

func TestOffer(t *testing.T) {
	cases := []struct {
		name                            string
		collected, take, money          uint64
		pool, ineligible, sponsorsOffer uint64
	}{
		{"all eligible", 60, 100, 7, 60, 0, 7},
		{"roundings make the part larger", 59, 100, 7, 59, 0, 7},
		{"half eligible", 60, 50, 7, 30, 30, 7},
		{"nothing eligible", 60, 0, 7, 0, 60, 7},
		{"more sponsors than fit", 60, 100, math.MaxUint64, 60, 0, math.MaxUint64 - 60},
	}
	for _, tc := range cases {
		s := types.EpochSettlement{PoolBps: 6_000, CollectedUusdc: tc.collected, TakeUusdc: tc.take}
		s.Offer(tc.money)
		require.Equal(t, []uint64{tc.pool, tc.ineligible, tc.sponsorsOffer}, []uint64{s.PoolUusdc, s.IneligibleUusdc, s.SponsorsUusdc}, tc.name)
	}
}

// Whatever the pool, the sponsors and the parameters are: a row adds up, and gives back less than its take.
func TestPayAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		usage := rapid.Uint64().Draw(t, "usage")
		row := types.OperatorEpoch{
			UsageUusdc: usage,
			TakeUusdc:  rapid.Uint64Range(0, usage).Draw(t, "take"),
			QualityPpm: rapid.Uint64Range(0, 1_000_000).Draw(t, "quality"),
		}
		s := types.EpochSettlement{
			Params:         types.Params{PaybackCapBps: rapid.Uint64Range(0, 9_500).Draw(t, "cap")},
			CollectedUusdc: rapid.Uint64().Draw(t, "collected"),
			PoolBps:        rapid.Uint64Range(0, 10_000).Draw(t, "pool bps"),
			TakeUusdc:      rapid.Uint64().Draw(t, "epoch's take"),
			UsageUusdc:     rapid.Uint64Range(usage, math.MaxUint64).Draw(t, "epoch's usage"),
		}
		s.Offer(rapid.Uint64().Draw(t, "sponsors"))
		require.NoError(t, row.Pay(&s))
		require.Equal(t, row.PoolShareUusdc+row.SponsorShareUusdc, row.RewardUusdc+row.QualityForfeitUusdc+row.CapForfeitUusdc)
		require.Equal(t, row.RewardUusdc, row.FromPoolUusdc+row.FromSponsorsUusdc)
		require.LessOrEqual(t, row.FromPoolUusdc, row.PoolShareUusdc)
		require.LessOrEqual(t, row.FromSponsorsUusdc, row.SponsorShareUusdc)
		require.LessOrEqual(t, row.RewardUusdc, row.CapUusdc)
		if row.TakeUusdc > 0 {
			require.Less(t, row.RewardUusdc, row.TakeUusdc)
		}
	})
}

func TestPayOfUnknownUsageIsRefused(t *testing.T) {
	row := types.OperatorEpoch{UsageUusdc: 2}
	require.Error(t, row.Pay(&types.EpochSettlement{UsageUusdc: 1}))
}

func TestPointsRoom(t *testing.T) {
	s := types.EpochSettlement{Points: 1_999, Params: types.Params{PointsCapBps: 500}}
	require.Equal(t, uint64(99), s.PointsRoom(0))
	require.Equal(t, uint64(1), s.PointsRoom(98))
	require.Zero(t, s.PointsRoom(99))
	require.Zero(t, s.PointsRoom(100))
}

func TestReputationLeaf(t *testing.T) {
	operator := [20]byte{0: 0xaa, 19: 0xbb}
	leaf := types.ReputationLeaf(0x0102, operator, 0x0a0b)
	require.Len(t, leaf, types.ReputationLeafSize)
	require.Equal(t, "47435231"+"0000000000000102"+"aa000000000000000000000000000000000000bb"+"0000000000000a0b", hex.EncodeToString(leaf))
}

func TestAvailabilityHasFourSources(t *testing.T) {
	measured := operatorstypes.Availability{UpPPM: 990_000, AvPPM: 700_000, P95TTFTMs: 4_000, Conclusive: true, FromEpoch: 5}
	for name, tc := range map[string]struct {
		epoch       uint64
		in          operatorstypes.Availability
		source      string
		up, av, lat uint64
		reason      string
	}{
		"stand-in":     {9, operatorstypes.Availability{Unmeasured: true}, types.SourceStandIn, 800_000, 800_000, 500_000, types.ReasonStandIn},
		"measured":     {5, measured, types.SourceMeasured, 990_000, 700_000, 500_000, ""},
		"carried":      {9, measured, types.SourceCarried, 990_000, 700_000, 500_000, types.ReasonCarried},
		"inconclusive": {9, operatorstypes.Availability{}, types.SourceInconclusive, 0, 0, 500_000, types.ReasonInconclusive},
	} {
		t.Run(name, func(t *testing.T) {
			in := scoreIn(entry(1, 1_000, 5, 0))
			in.Epoch, in.Availability = tc.epoch, tc.in
			row, err := types.Score(in)
			require.NoError(t, err)
			require.Equal(t, tc.source, row.AvailabilitySource)
			require.Equal(t, []uint64{tc.up, tc.av, tc.lat}, []uint64{row.UpPpm, row.AvPpm, row.LatencyPpm})
			require.Equal(t, tc.in.P95TTFTMs == 0, slices.Contains(row.Reasons, types.ReasonLatencyUnknown))
			if tc.reason != "" {
				require.Contains(t, row.Reasons, tc.reason)
			}
			row.Epoch = tc.epoch
			require.Equal(t, tc.in, row.Availability(), "the row says what it was scored with")
			text := strings.Join(row.Explain(&types.EpochSettlement{Params: in.Params}), " ")
			require.Contains(t, text, "("+tc.source+": ")
		})
	}
}

func TestLatencyIsMeasuredAgainstTheSLA(t *testing.T) {
	for ttft, want := range map[uint64]uint64{0: 500_000, 1: 1_000_000, 2_000: 1_000_000, 2_500: 800_000, 8_000: 250_000} {
		in := scoreIn(entry(1, 1_000, 5, 0))
		in.Availability = operatorstypes.Availability{P95TTFTMs: ttft, Conclusive: true}
		row, err := types.Score(in)
		require.NoError(t, err)
		require.Equal(t, want, row.LatencyPpm, ttft)
	}
}
