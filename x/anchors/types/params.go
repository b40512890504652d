// SPDX-License-Identifier: Apache-2.0

package types

import errorsmod "cosmossdk.io/errors"

const (
	minRetention     = 1_024
	maxRetention     = 1 << 32
	defaultRetention = 65_536 // weeks of batches of a small network; archives keep the rest

	day = 86_400

	// MaxSignedWindow is the most anchors over which missing signatures are counted: they are the bits of one word.
	MaxSignedWindow = 64
)

// bound is one parameter with its default and limits, all inclusive.
type bound struct {
	name                string
	field               func(*Params) *uint64
	standard, low, high uint64
}

var bounds = []bound{
	{"retention_leaves", func(p *Params) *uint64 { return &p.RetentionLeaves }, defaultRetention, minRetention, maxRetention},
	{"interval_blocks", func(p *Params) *uint64 { return &p.IntervalBlocks }, 600, 2, 1_000_000},
	{"anchor_timeout_blocks", func(p *Params) *uint64 { return &p.AnchorTimeoutBlocks }, 100, 2, 100_000},
	{"trusting_period_seconds", func(p *Params) *uint64 { return &p.TrustingPeriodSeconds }, 14 * day, 60, 365 * day},
	{"min_set_change_bps", func(p *Params) *uint64 { return &p.MinSetChangeBps }, 500, 1, 10_000},
	{"max_members", func(p *Params) *uint64 { return &p.MaxMembers }, 256, 1, 256},
	{"keep_anchors", func(p *Params) *uint64 { return &p.KeepAnchors }, 512, 16, 10_000},
	{"signed_window", func(p *Params) *uint64 { return &p.SignedWindow }, 24, 1, MaxSignedWindow},
	{"min_signed", func(p *Params) *uint64 { return &p.MinSigned }, 12, 1, MaxSignedWindow},
	{"jail_seconds", func(p *Params) *uint64 { return &p.JailSeconds }, 3_600, 1, 30 * day},
	{"slash_bps", func(p *Params) *uint64 { return &p.SlashBps }, 500, 1, 10_000},
	{"key_rotation_blocks", func(p *Params) *uint64 { return &p.KeyRotationBlocks }, 600, 1, 1_000_000},
}

// DefaultParams returns the parameters of a new chain.
func DefaultParams() Params { return Params{}.Filled() }

// Filled returns the parameters with the default in place of every zero: what a state from before a parameter says about it.
func (p Params) Filled() Params {
	for _, b := range bounds {
		if field := b.field(&p); *field == 0 {
			*field = b.standard
		}
	}
	return p
}

// Validate checks the bounds; a zero stands for its default. Errors: ErrInvalidParams.
func (p *Params) Validate() error {
	filled := p.Filled()
	for _, b := range bounds {
		if v := *b.field(&filled); v < b.low || v > b.high {
			return errorsmod.Wrapf(ErrInvalidParams, "%s is %d, want %d to %d", b.name, v, b.low, b.high)
		}
	}
	if filled.AnchorTimeoutBlocks > filled.IntervalBlocks {
		return errorsmod.Wrapf(ErrInvalidParams, "anchor_timeout_blocks is %d, above interval_blocks %d", filled.AnchorTimeoutBlocks, filled.IntervalBlocks)
	}
	if filled.MinSigned > filled.SignedWindow {
		return errorsmod.Wrapf(ErrInvalidParams, "min_signed is %d, above signed_window %d", filled.MinSigned, filled.SignedWindow)
	}
	return nil
}
