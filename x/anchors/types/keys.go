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
	ParamsPrefix = collections.NewPrefix(0) // -> Params
	LogPrefix    = collections.NewPrefix(1) // -> LogState
	LeavesPrefix = collections.NewPrefix(2) // index -> Leaf
)
