// SPDX-License-Identifier: Apache-2.0

package types

import errorsmod "cosmossdk.io/errors"

// Bounds of the parameters.
const (
	// MinRevealBlocks is the least Params.RevealBlocks: a reveal seen in the mempool must not be overtaken by a fresh commit.
	MinRevealBlocks = 2
	// MaxCommitExpiryBlocks is the most that a commit may live, about half a year of 6 s blocks.
	MaxCommitExpiryBlocks = 2_628_000
	// MaxCommitsPerBlock bounds Params.MaxCommitsPerBlock.
	MaxCommitsPerBlock = 1_000
	// MaxObjectionBlocks is the most that an author proof may wait, about half a year of 6 s blocks.
	MaxObjectionBlocks = 2_628_000
	// MaxPayees bounds Params.MaxPayees.
	MaxPayees = 16
	// WholeBps is the whole in basis points.
	WholeBps = 10_000
)

// DefaultParams returns parameters for a local network; they name no arbiter.
func DefaultParams() Params {
	return Params{
		RevealBlocks:       MinRevealBlocks,
		CommitExpiryBlocks: 1_000,
		MaxCommitsPerBlock: 100,
		ObjectionBlocks:    10,
		MinClaimUusdc:      1,
		RoyaltyCapBps:      3_000,
		MaxPayees:          8,
	}
}

// Validate checks every bound in the message's comments, except that the arbiter is an address, which needs the chain's
// address codec. Error: ErrInvalidParams.
func (p *Params) Validate() error {
	switch {
	case p.RevealBlocks < MinRevealBlocks:
		return errorsmod.Wrapf(ErrInvalidParams, "reveal_blocks is %d, least is %d", p.RevealBlocks, MinRevealBlocks)
	case p.CommitExpiryBlocks <= p.RevealBlocks || p.CommitExpiryBlocks > MaxCommitExpiryBlocks:
		return errorsmod.Wrapf(ErrInvalidParams, "commit_expiry_blocks is %d, must be above reveal_blocks %d and at most %d",
			p.CommitExpiryBlocks, p.RevealBlocks, MaxCommitExpiryBlocks)
	case p.MaxCommitsPerBlock < 1 || p.MaxCommitsPerBlock > MaxCommitsPerBlock:
		return errorsmod.Wrapf(ErrInvalidParams, "max_commits_per_block is %d, must be 1 to %d", p.MaxCommitsPerBlock, MaxCommitsPerBlock)
	case p.ObjectionBlocks < 1 || p.ObjectionBlocks > MaxObjectionBlocks:
		return errorsmod.Wrapf(ErrInvalidParams, "objection_blocks is %d, must be 1 to %d", p.ObjectionBlocks, MaxObjectionBlocks)
	case p.MinClaimUusdc < 1:
		return errorsmod.Wrap(ErrInvalidParams, "min_claim_uusdc is 0, least is 1")
	case p.RoyaltyCapBps > WholeBps:
		return errorsmod.Wrapf(ErrInvalidParams, "royalty_cap_bps is %d, most is %d", p.RoyaltyCapBps, WholeBps)
	case p.MaxPayees < 1 || p.MaxPayees > MaxPayees:
		return errorsmod.Wrapf(ErrInvalidParams, "max_payees is %d, must be 1 to %d", p.MaxPayees, MaxPayees)
	}
	return nil
}
