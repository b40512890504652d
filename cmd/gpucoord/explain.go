// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/cosmos/cosmos-sdk/codec"

	"github.com/gpucoord/gpucoord/domain/score"
	rewardstypes "github.com/gpucoord/gpucoord/x/rewards/types"
)

// explainMethod is the query whose answer is printed in words.
const explainMethod = "gpucoord.rewards.v1.Query.Explain"

// standIn marks every number that nobody has measured.
const standIn = "STAND-IN: no panel of probers has measured it yet"

// explanation writes how an operator's row of an epoch came about, in the order in which the chain computed it.
type explanation struct {
	b   strings.Builder
	row *rewardstypes.OperatorEpoch
	of  *rewardstypes.EpochSettlement
}

// explainText prints the answer of the explain query.
func explainText(cdc codec.JSONCodec) textOf {
	return func(raw []byte) (string, error) {
		var answer rewardstypes.QueryExplainResponse
		if err := cdc.UnmarshalJSON(raw, &answer); err != nil {
			return "", fmt.Errorf("read the answer: %w", err)
		}
		e := &explanation{row: &answer.Row, of: &answer.Settlement}
		e.write()
		return e.b.String(), nil
	}
}

func (e *explanation) write() {
	m := e.row
	e.line("Epoch %d, operator %s", m.Epoch, m.Operator)
	e.item("controller", "%s", orNobody(m.Controller))
	if e.of.SettledHeight == 0 {
		e.item("settlement", "begun at height %d, still runs", e.of.StartedHeight)
	} else {
		e.item("settlement", "heights %d to %d", e.of.StartedHeight, e.of.SettledHeight)
	}
	if len(m.Reasons) > 0 && m.Reasons[0] == rewardstypes.ReasonScoreFailed {
		e.line("\nScoring failed: the operator has no usage in this epoch and gets nothing.")
	} else {
		e.usage()
		e.quality()
		e.capacity()
		e.reward()
		e.standing()
	}
	e.reasons()
}

func (e *explanation) line(format string, args ...any) {
	fmt.Fprintf(&e.b, format+"\n", args...)
}

func (e *explanation) item(name, format string, args ...any) {
	e.line("  %-20s %s", name, fmt.Sprintf(format, args...))
}

// usage says who paid, what of it counts, and why not the rest.
func (e *explanation) usage() {
	e.line("\n1. Usage: who paid, and what of it counts")
	if len(e.row.Entries) == 0 {
		e.item("nobody", "no settled work in this epoch")
	}
	for i := range e.row.Entries {
		e.entry(&e.row.Entries[i])
	}
	e.item("usage u", "%s, %s of it through gateways", money(e.row.UsageUusdc), money(e.row.GatewayUsageUusdc))
	e.item("take on u", "%s", money(e.row.TakeUusdc))
}

func (e *explanation) entry(x *rewardstypes.EntryRow) {
	accredited := "accredited"
	if !x.Accredited {
		accredited = fmt.Sprintf("not accredited: counts at %s", bps(e.of.Params.UnaccreditedBps))
	}
	direct := x.Class == score.ClassDirect.String()
	if direct {
		accredited = fmt.Sprintf("direct work: counts at %s, for the epoch reward only", bps(e.of.Params.DirectWeightBps))
	}
	e.item("settler", "%s, class %s, %s", x.Settler, x.Class, accredited)
	e.item("  paid for", "%s of work, take %s", money(x.AmountUusdc), money(x.TakeUusdc))
	e.item("  jobs", "%d succeeded, %d failed in %d epochs: success bound %s", x.Ok, x.Fail, e.of.Params.SuccessEpochs, ppm(x.SuccessPpm))
	if !direct {
		note := ""
		if x.ControllerSpendUusdc > x.TotalSpendUusdc/5 {
			note = "; more than a fifth, so it counts 1/(5 * share)"
		}
		e.item("  share", "%s of its %s went to this controller%s", money(x.ControllerSpendUusdc), money(x.TotalSpendUusdc), note)
	}
	e.item("  counts", "%s, take on it %s", money(x.CountedUusdc), money(x.CountedTakeUusdc))
	e.item("  reason", "%s: %s", x.Reason, meaning(x.Reason))
}

func (e *explanation) quality() {
	m := e.row
	source := "source " + m.AvailabilitySource
	if m.AvailabilitySource == rewardstypes.SourceStandIn {
		source = standIn
	}
	mean := "mean of the success bounds, weighted by what each settler counts"
	if m.UsageUusdc == 0 {
		mean = "nothing counts: the bound over all outcomes, at most that of none"
	}
	e.line("\n2. Quality: M = S * S * (0.60 + 0.20 * up + 0.20 * av)")
	e.item("success S", "%s: %s", ppm(m.SuccessPpm), mean)
	e.item("uptime up", "%s (%s)", ppm(m.UpPpm), source)
	e.item("availability av", "%s (%s)", ppm(m.AvPpm), source)
	e.item("quality M", "%s", ppm(m.QualityPpm))
}

func (e *explanation) capacity() {
	m := e.row
	proved := ""
	if m.Simulated {
		proved = " (SIMULATED devices are declared, which prove nothing)"
	}
	e.line("\n3. Capacity, which weighs in points and routing, not in the reward")
	e.item("proved", "%s%s", vcu(m.MilliVcu), proved)
	e.item("trusted", "%s, confirmed by an earlier epoch", vcu(m.TrustedMilliVcu))
	e.item("served", "%d of %d tokens its classes could have served: utilisation %s", m.Tokens, m.CapacityTokens, ppm(m.UtilisationPpm))
	e.item("needed", "%s for these tokens, at %d tokens a second for each VCU", vcu(m.NeededMilliVcu), e.of.Params.TokensPerVcuSecond)
	latency := standIn
	if m.P95TtftMs > 0 {
		latency = fmt.Sprintf("p95 TTFT %d ms against %d ms", m.P95TtftMs, e.of.Params.SlaP95TtftMs)
	}
	e.item("latency factor", "%s (%s)", ppm(m.LatencyPpm), latency)
	e.item("useful capacity", "%d milli-VCU * ppm", m.Ucs)
}

func (e *explanation) reward() {
	m, s := e.row, e.of
	e.line("\n4. Reward")
	if !m.Paid {
		e.line("  Not paid yet: the second pass has not come to this operator.")
		return
	}
	e.item("pool share", "%s = P * u / U = %d * %d / %d uusdc", money(m.PoolShareUusdc), s.PoolUusdc, m.UsageUusdc, s.UsageUusdc)
	e.item("sponsors' share", "%s = D * u / U = %d * %d / %d uusdc", money(m.SponsorShareUusdc), s.SponsorsUusdc, m.UsageUusdc, s.UsageUusdc)
	e.item("forfeit to quality", "%s of both", money(m.QualityForfeitUusdc))
	e.item("cap", "%s = %s of the take on u", money(m.CapUusdc), bps(s.Params.PaybackCapBps))
	e.item("forfeit to cap", "%s", money(m.CapForfeitUusdc))
	e.item("from the pool", "%s", money(m.FromPoolUusdc))
	e.item("from sponsors", "%s", money(m.FromSponsorsUusdc))
	e.item("REWARD", "%s = shares %d + %d - forfeits %d - %d uusdc", money(m.RewardUusdc),
		m.PoolShareUusdc, m.SponsorShareUusdc, m.QualityForfeitUusdc, m.CapForfeitUusdc)
}

func (e *explanation) standing() {
	m, s := e.row, e.of
	e.line("\n5. Points and reputation")
	e.item("points", "%d; a controller gets at most %d, %s of the epoch's %d", m.Points, s.PointsRoom(0), bps(s.Params.PointsCapBps), s.Points)
	e.item("reputation", "%s before, %s after", ppm(m.ReputationBeforePpm), ppm(m.ReputationPpm))
}

func (e *explanation) reasons() {
	e.line("\nReason codes")
	if len(e.row.Reasons) == 0 {
		e.line("  none")
	}
	for _, code := range e.row.Reasons {
		e.line("  %-22s %s", code, meaning(code))
	}
}

// meanings says what the codes of a row mean.
var meanings = map[string]string{
	score.ReasonCounted.String():        "paid, final and independent",
	score.ReasonUnfunded.String():       "nothing was locked for it, so nothing was paid",
	score.ReasonDisputed.String():       "it is disputed",
	score.ReasonTrial.String():          "free trial work never counts",
	score.ReasonSameController.String(): "settler and operator have one controller",

	rewardstypes.ReasonScoreFailed:      "scoring failed; no usage in this epoch",
	rewardstypes.ReasonNoUsage:          "nothing of the operator's work counts",
	rewardstypes.ReasonStandIn:          "uptime and availability are the parameters' stand-ins: no prober has measured them",
	rewardstypes.ReasonCarried:          "this epoch's panel concluded nothing; the medians of an earlier one count",
	rewardstypes.ReasonInconclusive:     "no panel of the last 7 epochs concluded anything of this operator: uptime and availability are 0",
	rewardstypes.ReasonSimulated:        "the capacity evidence declares simulated devices, which prove nothing",
	rewardstypes.ReasonUnproved:         "devices are committed, but no evidence of them counts",
	rewardstypes.ReasonUnconfirmed:      "more capacity is proved now than an earlier epoch confirmed; the rest is not trusted yet",
	rewardstypes.ReasonLatencyUnknown:   "no prober has measured latency",
	rewardstypes.ReasonPayFailed:        "paying failed; the operator gets nothing in this epoch",
	rewardstypes.ReasonQualityForfeit:   "quality below 100 % took a part of the shares",
	rewardstypes.ReasonCapForfeit:       "the payback cap took a part of the shares",
	rewardstypes.ReasonPointsCapped:     "the controller has its most points of the epoch",
	rewardstypes.ReasonReputationKept:   "no usage through gateways counts, so the reputation does not move",
	rewardstypes.ReasonReputationFailed: "the reputation could not be changed; the reward is paid all the same",

	rewardstypes.AtOperator: "the operator cannot be read",
	rewardstypes.AtLedger:   "the usage ledger cannot be read",
	rewardstypes.AtCapacity: "the capacity cannot be read",
	rewardstypes.AtUsage:    "the entries cannot be counted",
	rewardstypes.AtScore:    "the factors cannot be computed",
	rewardstypes.AtSums:     "totals would not fit 64 bits",
	rewardstypes.AtReward:   "the reward cannot be computed",
	rewardstypes.AtStore:    "the store or an event failed",
	rewardstypes.AtPanic:    "the code itself is wrong",
}

func meaning(code string) string {
	if text, known := meanings[code]; known {
		return text
	}
	return "unknown to this version of gpucoord"
}

func orNobody(text string) string {
	if text == "" {
		return "nobody"
	}
	return text
}

// money writes micro-USDC with its value in USDC.
func money(uusdc uint64) string {
	return fmt.Sprintf("%d uusdc (%d.%06d USDC)", uusdc, uusdc/1_000_000, uusdc%1_000_000)
}

// ppm writes parts per million with their per cent.
func ppm(n uint64) string { return fmt.Sprintf("%d ppm (%d.%04d %%)", n, n/10_000, n%10_000) }

// bps writes basis points with their per cent.
func bps(n uint64) string { return fmt.Sprintf("%d bps (%d.%02d %%)", n, n/100, n%100) }

// vcu writes thousandths of a VCU with their VCU.
func vcu(milli uint64) string {
	return fmt.Sprintf("%d milli-VCU (%d.%03d VCU)", milli, milli/1000, milli%1000)
}
