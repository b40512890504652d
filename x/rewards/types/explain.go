// SPDX-License-Identifier: Apache-2.0

package types

import (
	"fmt"
	"strings"

	"github.com/gpucoord/gpucoord/domain/score"
)

// Explain says in words how the row came about, one line a step. Amounts are in uusdc, ratios in ppm or bps.
func (m *OperatorEpoch) Explain(s *EpochSettlement) []string {
	lines := []string{
		fmt.Sprintf("Epoch %d, operator %s, controller %s; the epoch's settlement is in %s.", m.Epoch, m.Operator, orNone(m.Controller), s.Phase),
	}
	if len(m.Reasons) > 0 && m.Reasons[0] == ReasonScoreFailed {
		return append(lines, fmt.Sprintf("Scoring failed (%s): the operator has no usage in this epoch and gets nothing.", strings.Join(m.Reasons, ", ")))
	}
	for i := range m.Entries {
		lines = append(lines, m.Entries[i].explain(s))
	}
	lines = append(lines, m.explainQuality()...)
	lines = append(lines, m.explainCapacity(s)...)
	if m.Paid {
		lines = append(lines, m.explainMoney(s)...)
	} else {
		lines = append(lines, "Reward: not paid yet; the second pass has not come to this operator.")
	}
	return append(lines, "Reason codes: "+orNone(strings.Join(m.Reasons, ", "))+".")
}

// explain says who paid, what of it counts, and why not the rest.
func (m *EntryRow) explain(s *EpochSettlement) string {
	line := fmt.Sprintf("Settler %s (%s) paid for %d uusdc of work, take %d uusdc; %d jobs succeeded and %d failed in %d epochs: success bound %d ppm.",
		m.Settler, m.Class, m.AmountUusdc, m.TakeUusdc, m.Ok, m.Fail, s.Params.SuccessEpochs, m.SuccessPpm)
	if m.Reason != score.ReasonCounted.String() {
		return line + " Counts nothing (" + m.Reason + "): " + refusal(m.Reason) + "."
	}
	line += fmt.Sprintf(" Counts %d uusdc, take on it %d uusdc", m.CountedUusdc, m.CountedTakeUusdc)
	if m.Class == score.ClassDirect.String() {
		return line + fmt.Sprintf(": direct work at %d bps, for the epoch reward only.", s.Params.DirectWeightBps)
	}
	line += fmt.Sprintf(": %d of its %d uusdc went to this controller", m.ControllerSpendUusdc, m.TotalSpendUusdc)
	if m.ControllerSpendUusdc > m.TotalSpendUusdc/5 {
		line += ", more than a fifth, so it counts 1/(5 * share)"
	}
	if !m.Accredited {
		line += fmt.Sprintf("; not accredited, so at %d bps", s.Params.UnaccreditedBps)
	}
	return line + "."
}

// refusal says why an entry does not count.
func refusal(reason string) string {
	switch reason {
	case score.ReasonTrial.String():
		return "free trial work never counts"
	case score.ReasonSameController.String():
		return "settler and operator have one controller"
	default:
		return "it is not eligible"
	}
}

// explainQuality says what u, S, up, av and M are.
func (m *OperatorEpoch) explainQuality() []string {
	source := m.explainSource()
	mean := "mean of the success bounds, weighted by what each settler counts"
	if m.UsageUusdc == 0 {
		mean = "nothing counts: the bound over all outcomes, at most that of none"
	}
	return []string{
		fmt.Sprintf("u: eligible usage is %d uusdc, %d of it through gateways; take on exactly u is %d uusdc.", m.UsageUusdc, m.GatewayUsageUusdc, m.TakeUusdc),
		fmt.Sprintf("S: success is %d ppm (%s).", m.SuccessPpm, mean),
		fmt.Sprintf("up: uptime is %d ppm (%s).", m.UpPpm, source),
		fmt.Sprintf("av: availability is %d ppm (%s).", m.AvPpm, source),
		fmt.Sprintf("M: quality S*S*(0.60 + 0.20*up + 0.20*av) is %d ppm.", m.QualityPpm),
	}
}

// explainSource says where uptime, availability and latency come from.
func (m *OperatorEpoch) explainSource() string {
	switch m.AvailabilitySource {
	case SourceStandIn:
		return "stand-in: no panel of probers has measured anybody yet"
	case SourceMeasured:
		return fmt.Sprintf("measured: medians of the panel of epoch %d", m.AvailabilityEpoch)
	case SourceCarried:
		return fmt.Sprintf("carried: this epoch's panel concluded nothing, so the medians of epoch %d", m.AvailabilityEpoch)
	default:
		return "inconclusive: no panel of the last 7 epochs concluded anything of this operator"
	}
}

// explainLatency says what the latency factor is made of.
func (m *OperatorEpoch) explainLatency(s *EpochSettlement) string {
	if m.P95TtftMs == 0 {
		return "stand-in: no panel has measured it"
	}
	return fmt.Sprintf("p95 TTFT %d ms against %d ms", m.P95TtftMs, s.Params.SlaP95TtftMs)
}

// explainCapacity says what capacity is proved, trusted, used and needed.
func (m *OperatorEpoch) explainCapacity(s *EpochSettlement) []string {
	proved := fmt.Sprintf("VCU: %d milli-VCU proved, %d trusted because an earlier epoch confirmed them", m.MilliVcu, m.TrustedMilliVcu)
	if m.Simulated {
		proved += "; simulated devices are declared, which prove nothing"
	}
	return []string{
		proved + ".",
		fmt.Sprintf("UCS: %d milli-VCU*ppm; %d of %d tokens give utilisation %d ppm, latency factor %d ppm (%s).",
			m.Ucs, m.Tokens, m.CapacityTokens, m.UtilisationPpm, m.LatencyPpm, m.explainLatency(s)),
		fmt.Sprintf("Needed: %d milli-VCU for these tokens at %d tokens a second for each VCU.", m.NeededMilliVcu, s.Params.TokensPerVcuSecond),
	}
}

// explainMoney says what the shares were, what was forfeited, and what the operator got.
func (m *OperatorEpoch) explainMoney(s *EpochSettlement) []string {
	lines := []string{
		fmt.Sprintf("Pool share: P*u/U = %d*%d/%d = %d uusdc.", s.PoolUusdc, m.UsageUusdc, s.UsageUusdc, m.PoolShareUusdc),
		fmt.Sprintf("Sponsors' share: D*u/U = %d*%d/%d = %d uusdc.", s.SponsorsUusdc, m.UsageUusdc, s.UsageUusdc, m.SponsorShareUusdc),
		fmt.Sprintf("Quality takes %d uusdc of both.", m.QualityForfeitUusdc),
		fmt.Sprintf("Cap: %d bps of the take on u is %d uusdc; it takes %d uusdc.", s.Params.PaybackCapBps, m.CapUusdc, m.CapForfeitUusdc),
		fmt.Sprintf("Reward: %d uusdc = %d from the pool + %d from sponsors; shares %d + %d = reward %d + forfeits %d + %d.",
			m.RewardUusdc, m.FromPoolUusdc, m.FromSponsorsUusdc, m.PoolShareUusdc, m.SponsorShareUusdc,
			m.RewardUusdc, m.QualityForfeitUusdc, m.CapForfeitUusdc),
		fmt.Sprintf("Points: %d; a controller gets at most %d, %d bps of the epoch's %d.", m.Points, s.PointsRoom(0), s.Params.PointsCapBps, s.Points),
	}
	return append(lines, fmt.Sprintf("Reputation: %d ppm before, %d ppm after.", m.ReputationBeforePpm, m.ReputationPpm))
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
