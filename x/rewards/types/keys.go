// SPDX-License-Identifier: Apache-2.0

// Package types holds the rewards module's state, messages, parameters and errors, and the pure functions that make an
// operator's row of an epoch, so that an auditor computes it with the code the chain uses.
package types

import (
	"cosmossdk.io/collections"

	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

const (
	// ModuleName is the module's name and the name of its account, which holds epoch pools, sponsors' money and rewards.
	ModuleName = "rewards"
	// StoreKey is the key of the module's store.
	StoreKey = ModuleName
	// SettlementDenom is the denom of rewards: micro-USD.
	SettlementDenom = "uusdc"
	// MaxPageLimit is the most entries that one query page returns.
	MaxPageLimit = 200
	// MaxEntryRows is the most entries of a row, as many as the usage ledger has of an operator in an epoch.
	MaxEntryRows = receiptstypes.MaxUsageRows
	// AddressLength is the length of an operator's address in the reputation tree.
	AddressLength = 20
)

// Store prefixes. A removed one keeps its line, marked retired, and is never used again.
var (
	ParamsPrefix           = collections.NewPrefix(0) // Params
	NextEpochPrefix        = collections.NewPrefix(1) // next epoch to settle
	SponsorsPrefix         = collections.NewPrefix(2) // sponsors' money not yet awarded, uusdc
	PrunedEpochPrefix      = collections.NewPrefix(3) // first epoch whose rows are not pruned
	SettlementsPrefix      = collections.NewPrefix(4) // epoch -> EpochSettlement
	RowsPrefix             = collections.NewPrefix(5) // (epoch, operator) -> OperatorEpoch
	PointsPrefix           = collections.NewPrefix(6) // operator -> Points
	ConfirmedPrefix        = collections.NewPrefix(7) // operator -> Confirmed
	RewardsPrefix          = collections.NewPrefix(8) // operator -> Reward
	ControllerPointsPrefix = collections.NewPrefix(9) // (epoch, controller, bech32) -> ControllerPoints
)
