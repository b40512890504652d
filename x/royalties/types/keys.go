// SPDX-License-Identifier: Apache-2.0

package types

import "cosmossdk.io/collections"

const (
	// ModuleName is the module's name and the name of its account, which holds all unclaimed royalties.
	ModuleName = "royalties"
	// StoreKey is the key of the module's store.
	StoreKey = ModuleName
	// SettlementDenom is the denom of royalties: micro-USD.
	SettlementDenom = "uusdc"
)

// Store prefixes. A removed one keeps its line, marked retired, and is never used again.
var (
	ParamsPrefix        = collections.NewPrefix(0) // Params
	RoyaltyCapsPrefix   = collections.NewPrefix(1) // first epoch -> royalty cap, bps
	AssetsPrefix        = collections.NewPrefix(2) // asset id -> Asset
	TermsPrefix         = collections.NewPrefix(3) // (asset id, first epoch) -> Terms
	CommitsPrefix       = collections.NewPrefix(4) // (hash, owner) -> Commit
	CommitsHeightPrefix = collections.NewPrefix(5) // (height, (hash, owner)), index of the commits
	ProofsPrefix        = collections.NewPrefix(6) // asset id -> AuthorProof
	AccrualsPrefix      = collections.NewPrefix(7) // payee -> Accrual
	EarningsPrefix      = collections.NewPrefix(8) // asset id -> AssetEarnings
)
