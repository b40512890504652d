// SPDX-License-Identifier: Apache-2.0

package types

// Reason codes of a row, in the order in which they stand in OperatorEpoch.reasons.
const (
	// ReasonScoreFailed: the first pass failed on the operator; it has no usage in the epoch. An At code follows.
	ReasonScoreFailed = "SCORE_FAILED"
	// ReasonNoUsage: nothing of the operator's work is eligible.
	ReasonNoUsage = "NO_USAGE"
	// ReasonStandIn: uptime and availability are the parameters' stand-ins, because no panel of probers has concluded anything of anybody.
	ReasonStandIn = "STAND_IN_AVAILABILITY"
	// ReasonCarried: uptime, availability and latency are those of an earlier epoch, because this one's panel concluded nothing.
	ReasonCarried = "CARRIED_AVAILABILITY"
	// ReasonInconclusive: no panel of the last 7 epochs concluded anything of the operator; uptime and availability are 0.
	ReasonInconclusive = "INCONCLUSIVE_AVAILABILITY"
	// ReasonSimulated: the operator's capacity evidence declares simulated devices, which prove nothing.
	ReasonSimulated = "SIMULATED_CAPACITY"
	// ReasonUnproved: devices are committed, but no evidence of them counts.
	ReasonUnproved = "UNPROVED_CAPACITY"
	// ReasonUnconfirmed: more capacity is proved now than an earlier epoch confirmed; the rest is not trusted yet.
	ReasonUnconfirmed = "UNCONFIRMED_CAPACITY"
	// ReasonLatencyUnknown: no prober has measured latency.
	ReasonLatencyUnknown = "LATENCY_UNKNOWN"
	// ReasonPayFailed: the second pass failed on the operator; it gets nothing in the epoch. An At code follows.
	ReasonPayFailed = "PAY_FAILED"
	// ReasonQualityForfeit: quality below 100 % took a part of the shares.
	ReasonQualityForfeit = "QUALITY_FORFEIT"
	// ReasonCapForfeit: the payback cap took a part of the shares.
	ReasonCapForfeit = "CAP_FORFEIT"
	// ReasonPointsCapped: the controller has its most points of the epoch.
	ReasonPointsCapped = "POINTS_CAPPED"
	// ReasonReputationKept: no gateway usage counts, so the reputation does not move.
	ReasonReputationKept = "REPUTATION_KEPT"
	// ReasonReputationFailed: the reputation could not be changed; the reward is paid all the same.
	ReasonReputationFailed = "REPUTATION_FAILED"
)

// At codes say at what a pass failed. They stand in for the error's text, which has no place in consensus state.
const (
	AtOperator = "AT_OPERATOR" // the operator cannot be read
	AtLedger   = "AT_LEDGER"   // the usage ledger cannot be read
	AtCapacity = "AT_CAPACITY" // the capacity or the availability cannot be read
	AtUsage    = "AT_USAGE"    // the entries cannot be counted
	AtScore    = "AT_SCORE"    // the factors cannot be computed
	AtSums     = "AT_SUMS"     // the epoch's or the operator's totals would not fit 64 bits
	AtReward   = "AT_REWARD"   // the reward cannot be computed
	AtStore    = "AT_STORE"    // the store or an event failed
	AtPanic    = "AT_PANIC"    // the code itself is wrong
)
