// SPDX-License-Identifier: Apache-2.0

package evm

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/gpucoord/gpucoord/relayer/evm/report"
)

// maxReorgs is how many anchors re-orgs may take away, and the relayer pay for again, before a person must look.
const maxReorgs = 5

// view is everything one pass sees.
type view struct {
	head   *types.Header
	latest State
	// finalized is the contract at finalizedBlock, nil where the endpoint does not say.
	finalized      *State
	finalizedBlock *big.Int
	// left is how many seconds the contract's set is still believed; trusting is how many it is in all.
	left, trusting int64
	// attested is the chain's newest anchor, its nonce 0 before the first.
	attested Attested
	// nonce and balance are the account's, at the newest block; balance is nil without a purse.
	nonce   uint64
	balance *big.Int
}

// look reads the contract, the account and the chain.
func (a *Anchorer) look(ctx context.Context, p *endpoint) (view, error) {
	v := view{head: p.head, trusting: int64(p.id.trusting)}
	var err error
	if v.latest, err = a.contract.State(ctx, p.client, v.head.Number); err != nil {
		return view{}, err
	}
	v.left = int64(v.latest.Time) + v.trusting - int64(v.head.Time) //nolint:gosec // Unix times
	if v.finalizedBlock, err = a.finalized(ctx, p.client, v.head); err != nil {
		return view{}, err
	}
	// It is for reports. The contract can be younger than the finalized block; and where finality takes longer than an endpoint keeps
	// states, as on most rollups, that must not keep an anchor from being sent.
	if final, err := a.contract.State(ctx, p.client, v.finalizedBlock); err == nil {
		v.finalized = &final
	} else if ctx.Err() != nil {
		return view{}, ctx.Err()
	}
	if a.purse != nil {
		if v.nonce, err = p.client.NonceAt(ctx, a.purse.Address(), v.head.Number); err != nil {
			return view{}, err
		}
		if v.balance, err = p.client.BalanceAt(ctx, a.purse.Address(), v.head.Number); err != nil {
			return view{}, err
		}
	}
	if v.attested, err = a.chain.Latest(ctx); err != nil && !errors.Is(err, ErrNoAnchor) {
		return view{}, fmt.Errorf("read the newest anchor: %w", err)
	}
	return v, nil
}

// finalized is the newest block that stays, or as old a one as the configuration says where the endpoint knows none.
func (a *Anchorer) finalized(ctx context.Context, client Client, head *types.Header) (*big.Int, error) {
	header, err := client.HeaderByNumber(ctx, big.NewInt(int64(rpc.FinalizedBlockNumber)))
	if err == nil {
		return header.Number, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	back := new(big.Int).Sub(head.Number, new(big.Int).SetUint64(a.cfg.Confirmations))
	return larger(back, new(big.Int)), nil
}

// publish reports a view, and the alerts that follow from it alone.
func (a *Anchorer) publish(v view) {
	a.board.Update(func(c *report.Chain) {
		c.Updated = time.Now()
		c.Latest = markOf(v.latest)
		if v.finalized != nil {
			c.Finalized = markOf(*v.finalized)
		}
		at := v.attested.Anchor
		c.Attested = report.Mark{Nonce: at.Nonce, Height: at.Height, TreeSize: at.TreeSize, Time: at.Time}
		c.Frozen = v.latest.Frozen
		c.ValsetAge, c.TrustingLeft = v.trusting-v.left, v.left
		c.BalanceWei = wei(v.balance)
		c.Runway = runway(c, v.balance)
	})
	switch {
	case v.latest.Frozen:
		a.raise(report.AlertFrozen, errors.New("the contract is frozen: two signed anchors conflict; deploy another one when the cause is known"))
	case v.left < 0:
		a.raise(report.AlertStale, errors.New("the contract's set is older than the trusting period: only its guardian can recover it"))
	case v.left < v.trusting/2:
		a.raise(report.AlertDeadline, fmt.Errorf("%d of %d seconds are left until the contract is stale", v.left, v.trusting))
	}
	if r := a.board.Read().Runway; r >= 0 && r < 50 {
		a.raise(report.AlertLow, fmt.Errorf("the balance pays for %d anchors at the last price", r))
	}
}

func markOf(s State) report.Mark {
	return report.Mark{Nonce: s.Nonce, Height: s.Height, TreeSize: s.TreeSize, Time: s.Time}
}

// runway is how many anchors of the last one's price the balance pays for.
func runway(c *report.Chain, balance *big.Int) int64 {
	price, ok := new(big.Int).SetString(c.GasPriceWei, 10)
	if !ok || balance == nil || c.GasUsed == 0 || price.Sign() == 0 {
		return -1
	}
	one := price.Mul(price, new(big.Int).SetUint64(c.GasUsed))
	n := new(big.Int).Quo(balance, one)
	if !n.IsInt64() {
		return 1<<63 - 1
	}
	return n.Int64()
}

// sight is the furthest that the contract was seen.
type sight struct {
	nonce, block uint64
	// backSince is when an endpoint first showed less, zero when none does.
	backSince time.Time
	// reorgs counts anchors that were taken away, reorgBlock is the newest block of them.
	reorgs     int
	reorgBlock uint64
}

// mayAct says whether anything may be sent on this view, and notices when the contract's newest anchor went back.
//
// A view from before the block that showed more is an endpoint behind, or a re-org that is not over: both pass by waiting.
func (a *Anchorer) mayAct(v view) bool {
	s, block := &a.sight, v.head.Number.Uint64()
	if v.latest.Nonce < s.nonce {
		if s.backSince.IsZero() {
			s.backSince = time.Now()
		}
		if block <= s.block && time.Since(s.backSince) < a.cfg.ResendAfter {
			return false
		}
		s.reorgs++
		s.reorgBlock = s.block
		s.nonce, s.block = v.latest.Nonce, block
		a.board.Update(func(c *report.Chain) { c.Reorgs++ })
	}
	s.backSince = time.Time{}
	if v.latest.Nonce > s.nonce {
		s.nonce, s.block = v.latest.Nonce, block
	}
	if v.finalizedBlock.Uint64() >= s.reorgBlock {
		s.reorgs = 0
	}
	if s.reorgs > maxReorgs {
		a.raise(report.AlertReorgs, fmt.Errorf("re-orgs took %d anchors; nothing is sent until block %d is final", s.reorgs, s.reorgBlock))
		return false
	}
	return true
}
