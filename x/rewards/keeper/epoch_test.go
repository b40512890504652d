// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/domain/log"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	"github.com/gpucoord/gpucoord/x/rewards/types"
)

const (
	routed = receiptstypes.Class_CLASS_ROUTED
	trial  = receiptstypes.Class_CLASS_TRIAL
	direct = receiptstypes.Class_CLASS_DIRECT
)

// threeOperators is epoch 0 with three operators:
// alice serves an accredited gateway that spends a fifth on her, bob works for direct customers, carol serves a gateway
// that is not accredited and spends all on her, and a trial.
func threeOperators(w *world) {
	for _, name := range []string{"alice", "bob", "carol"} {
		w.register(name, name)
	}
	gateway, other := [20]byte(rawAddr("gateway")), [20]byte(rawAddr("other gateway"))
	w.work(0, rawAddr("alice"), receiptstypes.UsageEntry{
		Settler: gateway, Class: routed, Amount: 1_000_000, Tokens: 900_000, OK: 100,
		TotalSpend: 5_000_000, ControllerSpend: 1_000_000, Accredited: true,
	})
	w.work(0, rawAddr("bob"), receiptstypes.UsageEntry{
		Settler: [20]byte(rawAddr("bob")), Class: direct, Amount: 400_000, Tokens: 70_000, SameController: true,
	})
	w.work(0, rawAddr("carol"), receiptstypes.UsageEntry{
		Settler: other, Class: routed, Amount: 800_000, Tokens: 60_000, OK: 3, Fail: 7,
		TotalSpend: 800_000, ControllerSpend: 800_000,
	})
	w.work(0, rawAddr("carol"), receiptstypes.UsageEntry{
		Settler: gateway, Class: trial, Amount: 100_000, Tokens: 5_000, OK: 50,
		TotalSpend: 5_000_000, ControllerSpend: 100_000, Accredited: true,
	})
	w.operators.capacity[string(rawAddr("alice"))] = operatorstypes.Capacity{MilliVCU: 4_000, TokensPerSecond: 10_000, GPUs: 4}
	w.operators.capacity[string(rawAddr("carol"))] = operatorstypes.Capacity{MilliVCU: 500, TokensPerSecond: 1_000, GPUs: 1, Simulated: 1}
	w.receipts.epoch(0).ready = true
}

// settledThree settles that epoch with 100000 uusdc of sponsors, when 3000 milli-VCU of alice are confirmed.
func settledThree(t *testing.T) (*fixture, types.EpochSettlement) {
	t.Helper()
	f := emptyFixture(newWorld())
	threeOperators(f.world)
	require.NoError(t, f.k.InitGenesis(f.ctx, &types.GenesisState{Params: types.DefaultParams()}))
	f.sponsor(t, 100_000)
	return f, f.settle(t, 0)
}

func TestSettlementOfThreeOperators(t *testing.T) {
	f, s := settledThree(t)

	require.Equal(t, types.Phase_PHASE_DONE, s.Phase)
	require.Equal(t, uint64(3), s.Operators)
	require.Equal(t, uint64(1_240_000), s.UsageUusdc) // 1000000 + 400000/2 + 800000/5/4
	require.Equal(t, uint64(1_040_000), s.GatewayUsageUusdc)
	require.Equal(t, uint64(124_000), s.TakeUusdc)
	require.Equal(t, uint64(138_000), s.CollectedUusdc) // 60 % of the takes on 2300000
	require.Equal(t, uint64(74_400), s.PoolUusdc)
	require.Equal(t, uint64(63_600), s.IneligibleUusdc)
	require.Equal(t, uint64(100_000), s.SponsorsUusdc)
	require.Equal(t, uint64(60_366), s.FromPoolUusdc)
	require.Equal(t, uint64(31_439), s.FromSponsorsUusdc)
	require.Equal(t, uint64(91_805), s.RewardsUusdc)
	require.Equal(t, uint64(14_034), s.InsuranceUusdc)
	require.Equal(t, uint64(68_561), s.CarriedUusdc)

	require.Equal(t, uint64(14_034+63_600), f.bank.module(operatorstypes.InsuranceAccount))
	require.Equal(t, uint64(91_805+68_561), f.bank.module(types.ModuleName))
	require.Equal(t, uint64(75_000), f.claimable(t, "alice"))
	require.Equal(t, uint64(15_000), f.claimable(t, "bob"))
	require.Equal(t, uint64(1_805), f.claimable(t, "carol"))
	status, err := f.query.Status(f.ctx, &types.QueryStatusRequest{})
	require.NoError(t, err)
	require.Equal(t, &types.QueryStatusResponse{NextEpoch: 1, SponsorsUusdc: 68_561}, status)
}

func TestRowsOfThreeOperators(t *testing.T) {
	f, _ := settledThree(t)

	alice := f.row(t, 0, "alice")
	require.Equal(t, []uint64{968_980, 863_808}, []uint64{alice.SuccessPpm, alice.QualityPpm})
	require.Equal(t, []uint64{60_000, 80_645}, []uint64{alice.PoolShareUusdc, alice.SponsorShareUusdc})
	require.Equal(t, []uint64{75_000, 51_828, 23_172, 75_000},
		[]uint64{alice.CapUusdc, alice.FromPoolUusdc, alice.FromSponsorsUusdc, alice.RewardUusdc})
	require.Equal(t, []uint64{19_156, 46_489}, []uint64{alice.QualityForfeitUusdc, alice.CapForfeitUusdc})
	require.Equal(t, []uint64{900_000, 1_200_000, 750_000, 7_500},
		[]uint64{alice.Tokens, alice.CapacityTokens, alice.UtilisationPpm, alice.NeededMilliVcu})
	require.Equal(t, []uint64{500_000, 505_560}, []uint64{alice.ReputationBeforePpm, alice.ReputationPpm})
	require.Equal(t, []string{"STAND_IN_AVAILABILITY", "UNCONFIRMED_CAPACITY", "LATENCY_UNKNOWN", "QUALITY_FORFEIT", "CAP_FORFEIT", "POINTS_CAPPED"},
		alice.Reasons)

	bob := f.row(t, 0, "bob")
	require.Equal(t, []uint64{200_000, 0, 20_000, 838_874, 647_412},
		[]uint64{bob.UsageUusdc, bob.GatewayUsageUusdc, bob.TakeUusdc, bob.SuccessPpm, bob.QualityPpm})
	require.Equal(t, []uint64{7_768, 7_232, 15_000, 9_919, 3_210},
		[]uint64{bob.FromPoolUusdc, bob.FromSponsorsUusdc, bob.RewardUusdc, bob.QualityForfeitUusdc, bob.CapForfeitUusdc})
	require.Equal(t, []uint64{0, 0, 500_000}, []uint64{bob.Tokens, bob.Points, bob.ReputationPpm})
	require.Contains(t, bob.Reasons, types.ReasonReputationKept)

	carol := f.row(t, 0, "carol")
	require.Equal(t, []uint64{40_000, 4_000, 590_716, 321_029}, []uint64{carol.UsageUusdc, carol.TakeUusdc, carol.SuccessPpm, carol.QualityPpm})
	require.Equal(t, []uint64{770, 1_035, 1_805, 3_820, 0},
		[]uint64{carol.FromPoolUusdc, carol.FromSponsorsUusdc, carol.RewardUusdc, carol.QualityForfeitUusdc, carol.CapForfeitUusdc})
	require.Equal(t, uint64(497_264), carol.ReputationPpm)
	require.True(t, carol.Simulated)
	require.Equal(t, []string{"COUNTED", "TRIAL"}, []string{carol.Entries[0].Reason, carol.Entries[1].Reason})
	require.Equal(t, []uint64{40_000, 0}, []uint64{carol.Entries[0].CountedUusdc, carol.Entries[1].CountedUusdc})
}

// Without confirmed capacity a half of the points is left; alice's controller gets 5 % of all, so does carol's.
func TestPointsAreCappedForEachController(t *testing.T) {
	f, s := settledThree(t)
	require.Equal(t, uint64(431_904+6_420), s.Points)
	require.Equal(t, types.Points{Operator: addr("alice"), Value: 21_916}, f.points(t, "alice"))
	require.Equal(t, types.Points{Operator: addr("bob")}, f.points(t, "bob"))
	require.Equal(t, types.Points{Operator: addr("carol"), Value: 6_420}, f.points(t, "carol"))
}

func TestOperatorsOfOneControllerShareItsPoints(t *testing.T) {
	f := newFixture(t, nil)
	threeOperators(f.world)
	f.operators.known[string(rawAddr("carol"))].Controller = addr("alice")
	f.settle(t, 0)
	require.Equal(t, uint64(21_916), f.points(t, "alice").Value+f.points(t, "carol").Value)
}

func TestEpochStatement(t *testing.T) {
	f, s := settledThree(t)
	changed := []struct {
		name string
		ppm  uint64
	}{{"alice", 505_560}, {"carol", 497_264}}
	slices.SortFunc(changed, func(a, b struct {
		name string
		ppm  uint64
	},
	) int {
		return bytes.Compare(rawAddr(a.name), rawAddr(b.name))
	})
	var hashes [][32]byte
	for _, c := range changed {
		leaf := binary.BigEndian.AppendUint64([]byte("GCR1"), 0)
		leaf = binary.BigEndian.AppendUint64(append(leaf, rawAddr(c.name)...), c.ppm)
		hashes = append(hashes, log.LeafHash(leaf))
	}
	root := log.Root(hashes)
	require.Equal(t, root[:], s.ReputationRoot)
	require.Equal(t, uint64(2), s.ReputationSize)
	require.Equal(t, uint64(1), s.LogIndex)
	require.Equal(t, [][]byte{log.EpochLeaf(0, root, [32]byte{}, [32]byte{}, 0)}, f.anchors.leaves)
}

func TestSettlementEvents(t *testing.T) {
	f, s := settledThree(t)
	started := emitted[*types.EventSettlementStarted](t, f.ctx)
	require.Len(t, started, 1)
	require.Equal(t, uint64(138_000), started[0].Settlement.CollectedUusdc)
	require.Equal(t, types.Phase_PHASE_SCORE, started[0].Settlement.Phase)

	settled := emitted[*types.EventOperatorSettled](t, f.ctx)
	require.Len(t, settled, 3)
	for _, e := range settled {
		require.Empty(t, e.Row.Entries)
		require.True(t, e.Row.Paid)
		require.Equal(t, e.Row.RewardUusdc, e.ClaimableUusdc)
	}
	require.Equal(t, []*types.EventEpochSettled{{Settlement: s}}, emitted[*types.EventEpochSettled](t, f.ctx))
}

func TestExplainSaysWhatHappened(t *testing.T) {
	f, _ := settledThree(t)
	resp := f.explain(t, 0, "carol")
	text := strings.Join(resp.Text, "\n")
	for _, want := range []string{
		addr("other gateway") + " (routed) paid for 800000 uusdc of work, take 80000 uusdc; 3 jobs succeeded and 7 failed",
		"Counts 40000 uusdc, take on it 4000 uusdc: 800000 of its 800000 uusdc went to this controller, more than a fifth, so it counts 1/(5 * share)",
		"not accredited, so at 2500 bps",
		"Counts nothing (TRIAL): free trial work never counts.",
		"u: eligible usage is 40000 uusdc, 40000 of it through gateways; take on exactly u is 4000 uusdc.",
		"up: uptime is 800000 ppm (stand-in: no panel of probers has measured anybody yet).",
		"av: availability is 800000 ppm (stand-in: no panel of probers has measured anybody yet).",
		"simulated devices are declared, which prove nothing",
		"Pool share: P*u/U = 74400*40000/1240000 = 2400 uusdc.",
		"Reward: 1805 uusdc = 770 from the pool + 1035 from sponsors; shares 2400 + 3225 = reward 1805 + forfeits 3820 + 0.",
		"Reputation: 500000 ppm before, 497264 ppm after.",
	} {
		require.Contains(t, text, want)
	}
	require.Contains(t, strings.Join(f.explain(t, 0, "bob").Text, "\n"), "direct work at 5000 bps, for the epoch reward only")
}

func TestNextEpochTrustsConfirmedCapacity(t *testing.T) {
	f, _ := settledThree(t)
	f.operators.capacity[string(rawAddr("alice"))] = operatorstypes.Capacity{MilliVCU: 9_000, TokensPerSecond: 10_000, GPUs: 4}
	f.work(1, rawAddr("alice"), receiptstypes.UsageEntry{
		Settler: [20]byte(rawAddr("gateway")), Class: routed, Amount: 1_000_000, Tokens: 900_000, OK: 5, Fail: 10,
		TotalSpend: 5_000_000, ControllerSpend: 1_000_000, Accredited: true,
	})
	f.receipts.epoch(1).ready = true
	f.settle(t, 1)

	row := f.row(t, 1, "alice")
	require.Equal(t, []uint64{9_000, 4_000}, []uint64{row.MilliVcu, row.TrustedMilliVcu}) // what epoch 0 proved
	require.Equal(t, []uint64{105, 10}, []uint64{row.Entries[0].Ok, row.Entries[0].Fail}) // both epochs
	standing, err := f.query.Standing(f.ctx, &types.QueryStandingRequest{Operator: addr("alice")})
	require.NoError(t, err)
	require.Equal(t, &types.QueryStandingResponse{ReputationPpm: row.ReputationPpm, Ucs: row.Ucs, Epoch: 1, Scored: true}, standing)
	require.Positive(t, row.Ucs)
}

func TestEpochWithoutUsage(t *testing.T) {
	f := newFixture(t, nil)
	f.register("alice", "alice")
	f.sponsor(t, 1_000)
	f.work(0, rawAddr("alice"), receiptstypes.UsageEntry{
		Settler: [20]byte(rawAddr("gateway")), Class: routed, Amount: 1_000_000, OK: 1_000,
		TotalSpend: 1_000_000, ControllerSpend: 1_000_000, Accredited: true, SameController: true,
	})
	f.receipts.epoch(0).ready = true
	s := f.settle(t, 0)

	require.Zero(t, s.UsageUusdc+s.PoolUusdc+s.RewardsUusdc+s.Points+s.ReputationSize)
	require.Equal(t, []uint64{60_000, 1_000}, []uint64{s.IneligibleUusdc, s.CarriedUusdc})
	require.Equal(t, uint64(60_000), f.bank.module(operatorstypes.InsuranceAccount))
	require.Equal(t, uint64(1_000), f.bank.module(types.ModuleName))
	row := f.row(t, 0, "alice")
	require.Equal(t, uint64(838_874), row.SuccessPpm, "successes that do not count raise nothing")
	require.Contains(t, row.Reasons, types.ReasonNoUsage)
	require.Equal(t, uint64(500_000), f.operators.known[string(rawAddr("alice"))].ReputationPpm)
}

func TestEpochsThatNeverBeganAreSkipped(t *testing.T) {
	f := newFixture(t, nil)
	f.receipts.first, f.operators.epoch = 3, 3
	for range 5 {
		f.block(t)
	}
	resp, err := f.query.Status(f.ctx, &types.QueryStatusRequest{})
	require.NoError(t, err)
	require.Equal(t, &types.QueryStatusResponse{NextEpoch: 3}, resp)
	f.receipts.first = 4 // epoch 3 runs, but its state is not there yet
	f.block(t)
	resp, err = f.query.Status(f.ctx, &types.QueryStatusRequest{})
	require.NoError(t, err)
	require.Equal(t, uint64(3), resp.NextEpoch)
}

// A chain that starts far above the genesis height of its schedule catches up in a few blocks.
func TestManyUnbegunEpochsAreSkippedAtOnce(t *testing.T) {
	f := newFixture(t, nil)
	f.receipts.first, f.operators.epoch = 25_000, 25_000
	for range 3 {
		f.block(t)
	}
	resp, err := f.query.Status(f.ctx, &types.QueryStatusRequest{})
	require.NoError(t, err)
	require.Equal(t, uint64(25_000), resp.NextEpoch)
}

func TestEpochWithoutOperators(t *testing.T) {
	f := newFixture(t, nil)
	f.block(t)
	_, err := f.query.Epoch(f.ctx, &types.QueryEpochRequest{})
	require.Error(t, err, "the epoch is not ready")
	f.receipts.epoch(0).ready = true
	s := f.settle(t, 0)
	require.Equal(t, []byte{0xe3, 0xb0, 0xc4, 0x42}, s.ReputationRoot[:4]) // SHA-256 of nothing
	require.Len(t, f.anchors.leaves, 1)
}

// What a panel has measured moves quality; one that nothing was concluded of has neither uptime nor availability.
func TestMeasuredAvailabilityIsScored(t *testing.T) {
	f := emptyFixture(newWorld())
	threeOperators(f.world)
	f.operators.probed = map[string]operatorstypes.Availability{
		string(rawAddr("alice")): {UpPPM: 950_000, AvPPM: 600_000, P95TTFTMs: 4_000, Conclusive: true},
	}
	require.NoError(t, f.k.InitGenesis(f.ctx, &types.GenesisState{Params: types.DefaultParams()}))
	f.settle(t, 0)
	alice, carol := f.row(t, 0, "alice"), f.row(t, 0, "carol")
	require.Equal(t, types.SourceMeasured, alice.AvailabilitySource)
	require.Equal(t, []uint64{950_000, 600_000, 4_000}, []uint64{alice.UpPpm, alice.AvPpm, alice.P95TtftMs})
	require.Equal(t, types.SourceInconclusive, carol.AvailabilitySource)
	require.Equal(t, []uint64{0, 0}, []uint64{carol.UpPpm, carol.AvPpm})
	require.Contains(t, carol.Reasons, types.ReasonInconclusive)
	text := strings.Join(f.explain(t, 0, "alice").Text, " ")
	require.Contains(t, text, "up: uptime is 950000 ppm (measured: medians of the panel of epoch 0).")
	require.Contains(t, text, "latency factor 500000 ppm (p95 TTFT 4000 ms against 2000 ms).")
}
