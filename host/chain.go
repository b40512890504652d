// SPDX-License-Identifier: Apache-2.0

package host

import (
	"context"
	"errors"
)

// ErrNotLicensed means that a model or adapter is not registered, was taken down, or may not be served for money.
var ErrNotLicensed = errors.New("asset may not be served: register it, or choose one with commercial use")

// SettlerView is what the chain says about the account that settles a payer key's jobs.
type SettlerView struct {
	// Known says whether the payer key resolves to a settler account.
	Known bool
	// Settler is that account. Several payer keys can have the same one: they share its escrow, its limit and its open jobs.
	Settler [20]byte
	// IsGateway says whether that is a gateway, which countersigns receipts, and not the operator.
	IsGateway bool
	// AvailableUusdc is the amount of jobs the settler's escrow still covers, after what is locked. What this host has served and the chain
	// does not know yet is not taken off: the host counts that itself.
	AvailableUusdc uint64
	// LimitUusdc is what it still lets this operator claim.
	LimitUusdc uint64
}

// cover is what the settler can still cover at this host.
func (v SettlerView) cover() uint64 { return min(v.AvailableUusdc, v.LimitUusdc) }

// Chain is the host's view of the chain. Implementations answer from a cache and return an error when the cache is older than a bound of
// theirs: the host serves nothing on an error.
type Chain interface {
	// Epoch returns the present epoch.
	Epoch(ctx context.Context) (uint64, error)
	// MayWork reports whether the operator may take new work: it has its bond and is in no jail. The chain takes no batch of an epoch that
	// lay in a jail, so a job served there would be work for nothing.
	MayWork(ctx context.Context) (bool, error)
	// Settler returns who settles a job that a payer key authorised at issuedAt, in Unix seconds. A key is a gateway's only from its
	// registration to its end, and the chain goes by issuedAt alone.
	Settler(ctx context.Context, payer [20]byte, issuedAt uint64) (SettlerView, error)
	// Watermark returns the highest sequence number claimed with the host's key, 0 if none was.
	Watermark(ctx context.Context) (uint64, error)
	// AssetAllowed returns nil if the model, with the adapter unless it is zero, may be served; ErrNotLicensed if not.
	AssetAllowed(ctx context.Context, model, adapter [32]byte) error
}
