// SPDX-License-Identifier: Apache-2.0

// Package types holds the operators module's state, messages, parameters and errors.
package types

import "cosmossdk.io/collections"

const (
	// ModuleName names the module and the account that holds bonds and unbonding entries.
	ModuleName = "operators"
	// StoreKey is the key of the module's store.
	StoreKey = ModuleName
	// InsuranceAccount names the account that slashes go to.
	InsuranceAccount = "insurance"
	// BondDenom is the denom of bonds; one token is 10^6 of it.
	BondDenom = "ultai"
	// SettlementDenom is the denom of payments; x/receipts declares the same.
	SettlementDenom = "uusdc"
	// ProbersPool names the account of the probers' part of the take, which x/receipts fills and this module pays probers from.
	ProbersPool = "probers_pool"
	// BlockHashRing is how many block hashes are kept.
	BlockHashRing = 16_384
	// EpochStartsKept is how many epoch start times are kept, the running epoch's included.
	EpochStartsKept = 128
	// MaxPageLimit is the most entries that one query page returns.
	MaxPageLimit = 200
	// AddressLength is the length of an operator's account address, which receipts and log leaves carry.
	AddressLength = 20
	// HashLength is the length of ids and hashes.
	HashLength = 32
)

// Store prefixes. A number is never used again.
var (
	ParamsPrefix           = collections.NewPrefix(0)  // -> Params
	OperatorsPrefix        = collections.NewPrefix(1)  // operator -> Operator
	HostsPrefix            = collections.NewPrefix(2)  // host id -> Host
	HostsByOperatorPrefix  = collections.NewPrefix(3)  // operator | host id -> nothing
	HostKeysPrefix         = collections.NewPrefix(4)  // key address -> HostKey
	GPUsPrefix             = collections.NewPrefix(5)  // host id | index -> GPU
	GPUsByDevicePrefix     = collections.NewPrefix(6)  // device hash -> host id | index
	UnbondingsPrefix       = collections.NewPrefix(7)  // id -> Unbonding
	UnbondingsByTimePrefix = collections.NewPrefix(8)  // mature height | id -> nothing
	UnbondingsByOwner      = collections.NewPrefix(9)  // operator | id -> nothing
	NextUnbondingPrefix    = collections.NewPrefix(10) // -> next unbonding id
	RelayerGrantsPrefix    = collections.NewPrefix(11) // operator | relayer -> RelayerGrant
	NodeLinksPrefix        = collections.NewPrefix(12) // node hash | owner -> NodeLink
	BlockHashesPrefix      = collections.NewPrefix(13) // height -> block hash
	EpochStartsPrefix      = collections.NewPrefix(14) // epoch -> EpochStart
	ConsentsPrefix         = collections.NewPrefix(15) // operator | controller -> ControllerConsent
	HeightDeadlinesPrefix  = collections.NewPrefix(16) // kind | id -> Deadline, at a height
	DueHeightsPrefix       = collections.NewPrefix(17) // height | kind | id -> nothing
	TimeDeadlinesPrefix    = collections.NewPrefix(18) // kind | id -> Deadline, at a time
	DueTimesPrefix         = collections.NewPrefix(19) // time | kind | id -> nothing
	UsedEvidencePrefix     = collections.NewPrefix(20) // evidence id -> UsedEvidence
	StrikesPrefix          = collections.NewPrefix(21) // operator | kind -> Strikes
	DeferredPrefix         = collections.NewPrefix(22) // id -> DeferredPunishment
	NextDeferredPrefix     = collections.NewPrefix(23) // -> next id of these
	BreakerPrefix          = collections.NewPrefix(24) // -> Breaker
	BondedPrefix           = collections.NewPrefix(25) // -> sum of all operators' bonds
	BarredPrefix           = collections.NewPrefix(26) // account of a tombstoned operator or its controller -> nothing
	ReportsPrefix          = collections.NewPrefix(27) // id -> Report
	LastReportPrefix       = collections.NewPrefix(28) // -> last report id
	VerifiersPrefix        = collections.NewPrefix(29) // account -> Verifier
	AttestationsPrefix     = collections.NewPrefix(30) // reference -> Attestation
	AttestationsByHost     = collections.NewPrefix(31) // host id | reference -> nothing
	ProbersPrefix          = collections.NewPrefix(32) // account -> Prober
	ProberSlotsPrefix      = collections.NewPrefix(33) // slot -> account
	ProberSumsPrefix       = collections.NewPrefix(34) // node -> running sum of the slots' bonds
	PanelsPrefix           = collections.NewPrefix(35) // epoch -> Panel
	ObservationsPrefix     = collections.NewPrefix(36) // epoch | host id | seat -> Observation
	AvailabilitiesPrefix   = collections.NewPrefix(37) // epoch | operator -> OperatorAvailability
	MeasuredFromPrefix     = collections.NewPrefix(38) // -> first epoch with a conclusive median, plus 1
	PanelDeadlinesPrefix   = collections.NewPrefix(39) // kind | id -> Deadline of a panel, at a height
	DuePanelsPrefix        = collections.NewPrefix(40) // height | kind | id -> nothing
)
