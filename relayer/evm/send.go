// SPDX-License-Identifier: Apache-2.0

package evm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/gpucoord/gpucoord/relayer/evm/report"
)

// maxTries is how often a price is raised in one pass until a node takes it instead of what it has: 15 % each, sixfold in all.
const maxTries = 13

// sending is one transaction in the making.
type sending struct {
	endpoint *endpoint
	usable   []*endpoint
	view     view
	job      *job
	call     ethereum.CallMsg
	// limit is the most that may be paid for one gas now.
	limit *big.Int
}

// send sees to it that job is on its way at a price that gets it into a block.
func (a *Anchorer) send(ctx context.Context, p *endpoint, usable []*endpoint, v view, j *job) error {
	now := time.Now()
	f := a.flight
	if f != nil && f.accepted && now.Sub(f.sent) < a.cfg.ResendAfter {
		return nil
	}
	if a.failures.id == j.id && a.failures.count >= maxFailures {
		a.raise(report.AlertReverted, fmt.Errorf("anchor %d failed %d times in a block and never before: it is not paid for again", j.nonce, maxFailures))
		return nil
	}
	address := a.cfg.Contract
	s := &sending{
		endpoint: p, usable: usable, view: v, job: j, limit: a.cfg.Limits.of(v.left, v.trusting),
		call: ethereum.CallMsg{From: a.purse.Address(), To: &address, Data: j.data},
	}
	if j.freeze {
		s.limit = a.cfg.Limits.Hard
	}
	if err := a.simulate(ctx, s); err != nil {
		return a.refused(err)
	}
	if f == nil && !j.freeze && !a.isTurn(ctx, s, now) {
		return nil
	}
	return a.dispatch(ctx, s)
}

// simulate asks the contract whether it would take the call now.
func (a *Anchorer) simulate(ctx context.Context, s *sending) error {
	_, err := s.endpoint.client.CallContract(ctx, s.call, s.view.head.Number)
	if a.isRefusal(err, refusedFuture) {
		// A chain that makes blocks only for transactions can be hours behind: the next block's time decides.
		_, err = s.endpoint.client.PendingCallContract(ctx, s.call)
	}
	return err
}

func (a *Anchorer) isRefusal(err error, name string) bool {
	r, ok := a.contract.refusal(err)
	return ok && r.Name == name
}

// refused sorts the contract's reasons.
func (a *Anchorer) refused(err error) error {
	r, ok := a.contract.refusal(err)
	if !ok {
		return err
	}
	switch r.Name {
	case refusedNonce: // somebody was faster
	case refusedStale:
		a.raise(report.AlertStale, r)
	case refusedFrozen:
		a.raise(report.AlertFrozen, r)
	default:
		a.raise(report.AlertReverted, r)
	}
	a.board.Update(func(c *report.Chain) { c.Reverted["simulated_"+r.Name]++ })
	return nil
}

// isTurn says whether it is this relayer's turn, and whether nobody's transaction is already on its way: another relayer's, or its own
// from before a restart.
func (a *Anchorer) isTurn(ctx context.Context, s *sending, now time.Time) bool {
	t, v := &a.turn, s.view
	t.renew(v.latest.Nonce, now)
	isUrgent := v.left < v.trusting/3
	if !isUrgent && now.Sub(t.since) < delay(v.latest.Nonce, a.purse.Address(), a.cfg.RaceWindow) {
		return false
	}
	_, err := s.endpoint.client.PendingCallContract(ctx, s.call)
	if !a.isRefusal(err, refusedNonce) {
		return true // an endpoint that knows no pending state decides nothing
	}
	if t.pendingSince.IsZero() {
		t.pendingSince = now
	}
	return now.Sub(t.pendingSince) >= a.cfg.ResendAfter
}

// dispatch prices, signs and broadcasts.
func (a *Anchorer) dispatch(ctx context.Context, s *sending) error {
	tip, err := s.endpoint.client.SuggestGasTipCap(ctx)
	if err != nil {
		return err
	}
	suggested, err := suggest(s.view.head.BaseFee, tip, a.cfg.Limits, s.limit)
	fees := suggested
	if f := a.flight; err == nil && f != nil {
		fees, err = f.reprice(suggested, s.limit)
	}
	if err != nil {
		a.raise(report.AlertCeiling, fmt.Errorf("%w: base fee %v wei, ceiling %v wei", err, s.view.head.BaseFee, s.limit))
		return a.again(ctx, s)
	}
	gas, err := s.endpoint.client.EstimateGas(ctx, s.call)
	if err == nil {
		gas = gasWithMargin(gas)
	} else {
		if isRevert(err) && !a.isRefusal(err, refusedFuture) {
			return a.refused(err)
		}
		gas = s.job.gas // the call itself succeeded: estimating is what this node can not do
	}
	if need := cost(gas, fees); s.view.balance.Cmp(need) < 0 {
		a.raise(report.AlertPurse, fmt.Errorf("%w: it has %v wei and needs %v", ErrEmptyPurse, s.view.balance, need))
		return a.again(ctx, s)
	}
	return a.offer(ctx, s, gas, fees, suggested)
}

// again broadcasts the transaction in flight unchanged: every node may have dropped it.
func (a *Anchorer) again(ctx context.Context, s *sending) error {
	if a.flight == nil || a.flight.job.id != s.job.id {
		return nil
	}
	_, err := broadcast(ctx, s.usable, a.flight.signed)
	if err == nil {
		a.flight.sent = time.Now()
	}
	return nil // what cannot be priced higher can only wait
}

// offer sends the transaction, at a higher price as long as the nodes ask for one.
func (a *Anchorer) offer(ctx context.Context, s *sending, gas uint64, fees, suggested Fees) error {
	chainID := new(big.Int).SetUint64(a.cfg.ChainID)
	for range maxTries {
		tx, err := a.purse.Sign(ctx, types.NewTx(&types.DynamicFeeTx{
			ChainID: chainID, Nonce: s.view.nonce, GasTipCap: fees.Tip, GasFeeCap: fees.Cap, Gas: gas, To: &a.cfg.Contract, Data: s.job.data,
		}), chainID)
		if err != nil {
			return err
		}
		a.record(s, fees, tx)
		said, err := broadcast(ctx, s.usable, tx)
		if err == nil {
			a.taken(ctx, s, tx)
			return nil
		}
		switch said {
		case verdictUnderpriced:
			if fees, err = bump(fees, suggested, s.limit); err != nil {
				a.raise(report.AlertCeiling, err)
				return nil
			}
		case verdictNonceLow:
			a.flight = nil // the endpoint that was read is behind; the next pass reads anew
			return nil
		case verdictFunds:
			a.raise(report.AlertPurse, errors.Join(ErrEmptyPurse, err))
			return nil
		default:
			return fmt.Errorf("%w: %w", ErrEndpoint, err)
		}
	}
	return nil
}

// record remembers a transaction before it goes out: an answer can be lost when the transaction is not.
func (a *Anchorer) record(s *sending, fees Fees, tx *types.Transaction) {
	f := a.flight
	if f == nil {
		f = &flight{nonce: s.view.nonce}
		a.flight = f
	}
	f.job, f.fees, f.signed = s.job, fees, tx
	f.hashes = append(f.hashes, tx.Hash())
	if len(f.hashes) > maxHashes {
		f.hashes = f.hashes[1:]
	}
}

// taken notes that a node has the transaction.
func (a *Anchorer) taken(ctx context.Context, s *sending, tx *types.Transaction) {
	isBump := a.flight.accepted
	a.flight.accepted, a.flight.sent = true, time.Now()
	a.board.Update(func(c *report.Chain) {
		c.PendingTx = tx.Hash().Hex()
		if isBump {
			c.Bumped++
		} else {
			c.Sent++
		}
	})
	a.log.InfoContext(ctx, "transaction sent", slog.Uint64("anchor", s.job.nonce), slog.Bool("freeze", s.job.freeze),
		slog.Uint64("nonce", tx.Nonce()), slog.String("hash", tx.Hash().Hex()), slog.String("fee_cap_wei", wei(tx.GasFeeCap())),
		slog.String("tip_wei", wei(tx.GasTipCap())), slog.Bool("bumped", isBump))
}
