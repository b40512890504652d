// SPDX-License-Identifier: Apache-2.0

// Package types holds the receipts module's state, messages, parameters and errors.
package types

import "cosmossdk.io/collections"

const (
	// ModuleName names the module and the account that holds escrow, gateway bonds and unclaimed operator shares.
	ModuleName = "receipts"
	// StoreKey is the key of the module's store.
	StoreKey = ModuleName
	// SettlementDenom is the denom of all settlement: micro-USD.
	SettlementDenom = "uusdc"
	// ProbersPool names the account of the probers' part of the take.
	ProbersPool = "probers_pool"
	// AlephPool names the account of the ALEPH pool's part of the take.
	AlephPool = "aleph_pool"
	// InsuranceAccount names the account of the insurance part of the take.
	InsuranceAccount = "insurance"
	// RewardsAccount names the account of the epoch pools.
	RewardsAccount = "rewards"
	// RoyaltiesAccount names the account of the accrued royalties.
	RoyaltiesAccount = "royalties"

	// AddressLength is the length of settlers', operators' and keys' addresses, which receipts and log leaves carry.
	AddressLength = 20
	// HashLength is the length of ids and hashes.
	HashLength = 32
	// MaxPageLimit is the most entries that one query page returns.
	MaxPageLimit = 200
	// MaxUsageRows is the most usage rows of one operator in one epoch, so that whoever reads them all has a bound.
	MaxUsageRows = 256
	// ReservedUsageRows are the last of them: they are kept for accredited settlers and for direct work, so that nobody can
	// crowd those out by registering settlers.
	ReservedUsageRows = 64
	// MaxFailures is how many failed settlements make a batch stuck.
	MaxFailures = 3
	// MaxSuccessEpochs is the most epochs that SuccessCounts sums over.
	MaxSuccessEpochs = 64
	// MaxDemands is the most open demands for the data of one batch.
	MaxDemands = 4
	// MaxFailureRows is the most rows of one report of failures.
	MaxFailureRows = 256
	// MaxNamedBatches is the most batches that a challenge of two records names.
	MaxNamedBatches = 2
)

// Store prefixes. A removed one keeps its line, marked retired, and is never used again.
var (
	ParamsPrefix         = collections.NewPrefix(0)  // Params
	EpochStatesPrefix    = collections.NewPrefix(1)  // epoch -> EpochState
	SettlersPrefix       = collections.NewPrefix(2)  // settler -> Settler
	LimitsPrefix         = collections.NewPrefix(3)  // (settler, operator) -> Limit
	LocksPrefix          = collections.NewPrefix(4)  // (settler, operator) -> OperatorLock
	ThawsPrefix          = collections.NewPrefix(5)  // id -> Thaw
	ThawsBySettlerPrefix = collections.NewPrefix(6)  // (settler, id), index of the thaws
	ThawsByHeightPrefix  = collections.NewPrefix(7)  // (mature height, id), index of the thaws
	NextThawPrefix       = collections.NewPrefix(8)  // next thaw id
	GatewaysPrefix       = collections.NewPrefix(9)  // gateway -> Gateway
	GatewayKeysPrefix    = collections.NewPrefix(10) // key address -> GatewayKey
	KeysByGatewayPrefix  = collections.NewPrefix(11) // (gateway, key address), index of the keys
	BatchesPrefix        = collections.NewPrefix(12) // id -> Batch
	BatchesByEpochPrefix = collections.NewPrefix(13) // (epoch, id), index of the batches
	BatchesByOperator    = collections.NewPrefix(14) // (operator, id), index of the batches
	BatchesByDuePrefix   = collections.NewPrefix(15) // (due height, id), index of the batches and their queue; 0 for those that are done
	NextBatchPrefix      = collections.NewPrefix(16) // next batch id
	WatermarksPrefix     = collections.NewPrefix(17) // (host key, settler) -> Watermark; settler empty for the highest of all
	HostEpochsPrefix     = collections.NewPrefix(18) // (epoch, host) -> HostEpoch
	OpenClaimsPrefix     = collections.NewPrefix(19) // operator -> OpenClaims
	UsagesPrefix         = collections.NewPrefix(20) // (epoch, operator, settler) -> Usage; a settler has one class
	UsageRowsPrefix      = collections.NewPrefix(21) // (epoch, operator) -> how many usage rows
	SpendsPrefix         = collections.NewPrefix(22) // (epoch, settler, controller) -> Spend; controller empty for the sum
	EarningsPrefix       = collections.NewPrefix(23) // operator -> Earnings
	LossesPrefix         = collections.NewPrefix(24) // (epoch, host) -> Loss
	PrunedEpochPrefix    = collections.NewPrefix(25) // first epoch that is not pruned
	ConsentsPrefix       = collections.NewPrefix(26) // (gateway, controller) -> GatewayConsent
	ClaimsPrefix         = collections.NewPrefix(27) // (epoch, host key | settler | last seq) -> batch id; derived from 12 at genesis
	DemandsPrefix        = collections.NewPrefix(28) // id -> Demand
	DemandsByBatchPrefix = collections.NewPrefix(29) // (batch id, id), index of the demands
	DemandsByDuePrefix   = collections.NewPrefix(30) // (due height, id), index of the demands and their queue
	NextDemandPrefix     = collections.NewPrefix(31) // next demand id
	EvidencePrefix       = collections.NewPrefix(32) // id of a fault -> UsedEvidence
	EvidenceByEpoch      = collections.NewPrefix(33) // (epoch, id of a fault), index of the evidence
	FailuresPrefix       = collections.NewPrefix(34) // (epoch, operator, settler) -> Failures
	FailureReportsPrefix = collections.NewPrefix(35) // (epoch, gateway) -> FailureReport
	RoutesPrefix         = collections.NewPrefix(36) // (epoch, operator) -> Routes
)
