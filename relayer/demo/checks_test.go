// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"io"
	"maps"
	"strings"
	"testing"

	"github.com/gpucoord/gpucoord/domain/receipt"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	rewardstypes "github.com/gpucoord/gpucoord/x/rewards/types"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

// story is a small world in which every book agrees: operator North served a job of the main gateway in each of epochs 4 and 5. Each
// cost 10,000 uusdc: take 1,000, royalties 500, share 8,500.
type story struct {
	w              *World
	baseline, then *facts
	traffic        *Traffic
}

func newStory(t *testing.T) *story {
	t.Helper()
	h, _, err := openHome(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s, err := newState(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	w := &World{home: h, state: s, domain: receipt.NewDomain(s.ChainID, 8453), progress: newProgress(io.Discard)}
	supply := map[string]uint64{"uusdc": 1 << 40, "ultai": 1 << 41, "ualeph": 1 << 42}
	north := s.Accounts["operator-north"].Address
	st := &story{
		w: w,
		baseline: &facts{
			height: 10, supply: supply, balances: map[string]uint64{"insurance": 7}, earnings: map[string]uint64{},
			assets: map[string]uint64{},
		},
		then: &facts{
			height: 200, supply: maps.Clone(supply), earnings: map[string]uint64{north: 17_000}, assets: map[string]uint64{"aurora-8b": 1_000},
			balances: map[string]uint64{"insurance": 7 + 2*200 + 2*400, "probers_pool": 2 * 50, "aleph_pool": 2 * 150, "royalties": 1_000},
			accruals: []royaltiestypes.Accrual{{Payee: s.Accounts["author-ada"].Address, ClaimableUusdc: 1_000, LifetimeUusdc: 1_000}},
			forfeits: 2 * 400, logs: map[string][]receipt.Record{}, claimed: map[uint64][][32]byte{},
			books: map[string]book{"gateway-main": {jobs: map[uint64]uint64{4: 1, 5: 1}, amounts: map[uint64]uint64{4: 10_000, 5: 10_000}}},
		},
		traffic: &Traffic{Sent: 3, Served: 2, Refused: map[string]int{"host JOB_AUTH_EXPIRED": 1}},
	}
	for n, epoch := range []uint64{4, 5} {
		st.addEpoch(uint64(n)+1, epoch)
	}
	return st
}

// addEpoch adds an epoch with one batch of one receipt.
func (st *story) addEpoch(id, epoch uint64) {
	accounts := st.w.state.Accounts
	north, settler, model := accounts["operator-north"].Address, accounts["gateway-main"], assetID("aurora-8b")
	record := receipt.Record{
		Auth: receipt.JobAuth{Payer: [20]byte{1}, Nonce: id}, Epoch: epoch, Outcome: receipt.OutcomeOK, PromptTokens: 30, OutputTokens: 10,
		Amount: 10_000, Countersigned: true,
	}
	st.then.logs[north] = append(st.then.logs[north], record)
	st.then.claimed[id] = [][32]byte{record.JobID(st.w.domain)}
	st.then.batches = append(st.then.batches, receiptstypes.Batch{
		Id: id, Operator: north, Epoch: epoch, Count: 1, AmountUusdc: 10_000, Tokens: 40, Samples: 1, Opened: 1,
		Status: receiptstypes.BatchStatus_BATCH_STATUS_FINALISED,
		Groups: []receiptstypes.Group{{
			Settler: settler.hot.Address(), ModelId: model[:], AdapterId: make([]byte, 32), Count: 1, AmountUusdc: 10_000, Tokens: 40, Ok: 1,
		}},
		States: []receiptstypes.GroupState{{
			Settler: settler.Address, PaysOperators: true, TakeUusdc: 1_000, RoyaltyUusdc: 500, OperatorUusdc: 8_500,
		}},
	})
	st.then.settled = append(st.then.settled, epochFacts{
		state: receiptstypes.EpochState{Epoch: epoch, Params: receiptstypes.DefaultParams(), PoolUusdc: 600, Receipts: 1},
		settlement: rewardstypes.EpochSettlement{
			Epoch: epoch, Params: rewardstypes.DefaultParams(), CollectedUusdc: 600, PoolUusdc: 600, FromPoolUusdc: 200, RewardsUusdc: 200, InsuranceUusdc: 400,
		},
		explained: map[string]*rewardstypes.QueryExplainResponse{
			north: {Row: rewardstypes.OperatorEpoch{Operator: north, Epoch: epoch, TakeUusdc: 1_000, CapUusdc: 750, RewardUusdc: 200}},
		},
	})
}

// audit returns the report and the names of the checks that did not hold.
func (st *story) audit() (*Report, []string) {
	r := st.w.newReport(st.baseline, st.then, st.traffic)
	st.w.audit(st.baseline, st.then, st.traffic, r)
	var failed []string
	for _, c := range r.Checks {
		if !c.OK {
			failed = append(failed, c.Name)
		}
	}
	return r, failed
}

func TestAuditHoldsWhereAllBooksAgree(t *testing.T) {
	r, failed := newStory(t).audit()
	if len(failed) != 0 || !r.InvariantsOK {
		t.Errorf("invariants %t, not held: %q", r.InvariantsOK, failed)
	}
	if r.AmountUusdc != 20_000 || r.TakeUusdc != 2_000 || r.RoyaltiesUusdc != 1_000 || r.OperatorShareUusdc != 17_000 ||
		r.RewardsUusdc != 400 || r.Receipts != 2 || r.Tokens != 80 || r.Batches != 2 || r.EpochsSettled != 2 {
		t.Errorf("report %+v", r)
	}
}

func TestAuditNamesWhatDoesNotAgree(t *testing.T) {
	north := func(st *story) string { return st.w.state.Accounts["operator-north"].Address }
	for name, tc := range map[string]struct {
		spoil func(*story)
		want  string
	}{
		"one epoch only":       {func(st *story) { st.then.settled = st.then.settled[:1] }, "two epochs"},
		"a coin was made":      {func(st *story) { st.then.supply["uusdc"]++ }, "no coin"},
		"a group loses a unit": {func(st *story) { st.then.batches[0].States[0].OperatorUusdc-- }, "amount = take"},
		"probers get more":     {func(st *story) { st.then.balances["probers_pool"]++ }, "probers' pool"},
		"ALEPH gets less":      {func(st *story) { st.then.balances["aleph_pool"]-- }, "ALEPH pool grew"},
		"insurance gets less":  {func(st *story) { st.then.balances["insurance"]-- }, "insurance grew"},
		"a receipt is lost":    {func(st *story) { st.then.claimed[1] = nil }, "exactly one settled batch"},
		"a receipt twice":      {func(st *story) { st.then.claimed[2] = append(st.then.claimed[2], st.then.claimed[1]...) }, "exactly one settled batch"},
		"a receipt of nobody":  {func(st *story) { st.then.claimed[1] = append(st.then.claimed[1], [32]byte{9}) }, "exactly one settled batch"},
		"log says less":        {func(st *story) { st.then.logs[north(st)][0].Amount-- }, "log of host-north"},
		"not countersigned":    {func(st *story) { st.then.logs[north(st)][0].Countersigned = false }, CheckCountersigned},
		"gateway says less":    {func(st *story) { st.then.books["gateway-main"].amounts[4]-- }, "ledger of gateway-main"},
		"gateway says more":    {func(st *story) { st.then.books["gateway-main"].jobs[5]++ }, "ledger of gateway-main"},
		"direct receipt gone": {
			func(st *story) { st.traffic.Direct = []receipt.Record{{Epoch: 4, Amount: 5}} }, "every receipt the direct customer holds",
		},
		"author gets less":   {func(st *story) { st.then.accruals[0].LifetimeUusdc-- }, "accrued to authors"},
		"author may not get": {func(st *story) { st.then.balances["royalties"]-- }, "what authors may claim"},
		"model earns less":   {func(st *story) { st.then.assets["aurora-8b"]-- }, "earned by models"},
		"operator gets less": {func(st *story) { st.then.earnings[north(st)]-- }, "operators' earnings"},
		"reward from nobody": {func(st *story) { st.then.settled[0].settlement.RewardsUusdc++ }, "rows = pools"},
		"reward above cap":   {func(st *story) { st.then.settled[0].explained[north(st)].Row.CapUusdc = 199 }, "no reward is above its cap"},
		"cap above the take": {func(st *story) { st.then.settled[0].explained[north(st)].Row.CapUusdc = 751 }, "no reward is above its cap"},
		"sample unopened":    {func(st *story) { st.then.batches[0].Opened = 0 }, "every drawn sample"},
		"batch void": {
			func(st *story) { st.then.batches[0].Status = receiptstypes.BatchStatus_BATCH_STATUS_VOID }, "every drawn sample",
		},
		"answer missing":   {func(st *story) { st.traffic.Sent++ }, CheckCustomers},
		"nameless refusal": {func(st *story) { st.traffic.Refused = map[string]int{"host UNREADABLE": 1} }, CheckCustomers},
	} {
		t.Run(name, func(t *testing.T) {
			st := newStory(t)
			tc.spoil(st)
			r, failed := st.audit()
			if r.InvariantsOK || !strings.Contains(strings.Join(failed, "\n"), tc.want) {
				t.Errorf("invariants %t, not held: %q, want one about %q", r.InvariantsOK, failed, tc.want)
			}
		})
	}
}

func TestPageShowsNamesStepsAndChecks(t *testing.T) {
	st := newStory(t)
	st.w.opts = Options{Node: "gpucoord"}
	st.then.royaltyCap, st.then.earningFrom = 3_000, map[string]uint64{"aurora-8b": 1}
	r, _ := st.audit()
	page := st.w.page(st.then, st.traffic, r)
	for _, want := range []string{
		"SIMULATED", "North (simulated)", "aurora-8b", "1. take, 10.00 % of the amount: 0.001000", "author-ada   100.00 % of it: 0.000500",
		"3. operator's share, the rest: 0.008500", "the chain settled the same to the unit", "checks held at height 200", "host card",
		"1 refused by the host JOB_AUTH_EXPIRED: sent on purpose with an authorisation that had expired",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	for i := range st.then.batches {
		st.then.batches[i].States[0].TakeUusdc++
	}
	if page = st.w.page(st.then, st.traffic, r); !strings.Contains(page, "THE CHAIN SETTLED OTHERWISE") {
		t.Errorf("the page does not say that the chain settled otherwise:\n%s", page)
	}
}
