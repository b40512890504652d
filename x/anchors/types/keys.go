// SPDX-License-Identifier: Apache-2.0

// Package types holds the anchors module's state, messages, parameters and errors.
package types

import "cosmossdk.io/collections"

const (
	// ModuleName names the module. It has no account: it holds no money.
	ModuleName = "anchors"
	// StoreKey is the key of the module's store.
	StoreKey = ModuleName
	// MaxPageLimit is the most entries that one query page returns.
	MaxPageLimit = 200
)

// Store prefixes. A number is never used again.
var (
	ParamsPrefix            = collections.NewPrefix(0)  // -> Params
	LogPrefix               = collections.NewPrefix(1)  // -> LogState
	LeavesPrefix            = collections.NewPrefix(2)  // index -> Leaf
	NodesPrefix             = collections.NewPrefix(3)  // level, index -> hash of the perfect subtree, 32 bytes
	OriginPrefix            = collections.NewPrefix(4)  // -> origin id, 32 bytes
	HeadPrefix              = collections.NewPrefix(5)  // -> AnchorHead
	OpenPrefix              = collections.NewPrefix(6)  // -> OpenAnchor
	OpenSignaturesPrefix    = collections.NewPrefix(7)  // member -> signature, 65 bytes
	AttestedPrefix          = collections.NewPrefix(8)  // nonce -> AttestedAnchor
	AttestedBySignersPrefix = collections.NewPrefix(9)  // hash of the signers' set, nonce
	MadePrefix              = collections.NewPrefix(10) // nonce -> MadeAnchor
	ValsetsPrefix           = collections.NewPrefix(11) // hash -> Valset
	ValsetUsePrefix         = collections.NewPrefix(12) // hash -> the last nonce that names or needs the set
	KeysPrefix              = collections.NewPrefix(13) // address -> AnchorKey, current and replaced
	CurrentKeysPrefix       = collections.NewPrefix(14) // validator -> address
	MissedPrefix            = collections.NewPrefix(15) // validator -> a bit for each missed anchor of the window, the newest lowest
)
