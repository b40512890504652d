// SPDX-License-Identifier: Apache-2.0

package evm

import (
	"context"
	"errors"
	"math/big"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/gpucoord/gpucoord/relayer/evm/report"
)

// flight is the account's one transaction on the way, under all the prices it was sent at.
type flight struct {
	// nonce is the account's, job what was sent last under it.
	nonce uint64
	job   *job
	fees  Fees
	// signed is the newest transaction, hashes are all that can still land.
	signed *types.Transaction
	hashes []common.Hash
	// sent is when signed went out; accepted says that an endpoint took it.
	sent     time.Time
	accepted bool
}

// maxHashes is how many of one nonce's transactions are remembered.
const maxHashes = 32

// reprice returns the fees of the next transaction under this nonce: higher than those of one that a node has, and not lower than
// those that every node refused.
func (f *flight) reprice(suggested Fees, limit *big.Int) (Fees, error) {
	if f.accepted {
		return bump(f.fees, suggested, limit)
	}
	higher := Fees{Tip: larger(f.fees.Tip, suggested.Tip), Cap: larger(f.fees.Cap, suggested.Cap)}
	if higher.Cap.Cmp(limit) > 0 {
		return suggested, nil
	}
	return higher, nil
}

// failures counts transactions that the contract refused though it took them in simulation.
type failures struct {
	id    [32]byte
	count int
}

// maxFailures is how often one anchor is paid for in vain, lost races apart.
const maxFailures = 3

// maxUnsettled is how many transactions of unknown fate are remembered.
const maxUnsettled = 16

// settle notices what became of transactions. The account's nonce says that one landed; receipts are read for the accounts only, so an
// endpoint that has none, or no state of the finalized block, stops nothing.
func (a *Anchorer) settle(ctx context.Context, client Client, v view) {
	if f := a.flight; f != nil && v.nonce != f.nonce {
		a.flight = nil
		if v.nonce > f.nonce {
			a.unsettled = append(a.unsettled, f)
		}
	}
	open := a.unsettled[max(0, len(a.unsettled)-maxUnsettled):]
	a.unsettled = nil
	for i, f := range open {
		isDone, err := a.account(ctx, client, v, f)
		if err != nil { // it would answer the others no better
			a.unsettled = append(a.unsettled, open[i:]...)
			break
		}
		if !isDone {
			a.unsettled = append(a.unsettled, f)
		}
	}
	a.board.Update(func(c *report.Chain) {
		if a.flight == nil {
			c.PendingTx = ""
		}
	})
}

// account books one transaction whose nonce is used, and reports whether that is done.
func (a *Anchorer) account(ctx context.Context, client Client, v view, f *flight) (bool, error) {
	for _, hash := range f.hashes {
		receipt, err := client.TransactionReceipt(ctx, hash)
		if errors.Is(err, ethereum.NotFound) {
			continue
		}
		if err != nil {
			return false, err
		}
		a.book(v, f, receipt)
		return true, nil
	}
	// An endpoint behind a balancer can be short of receipts. Only finality tells that it was another transaction.
	final, err := client.NonceAt(ctx, a.purse.Address(), v.finalizedBlock)
	if err != nil || final <= f.nonce {
		return false, err
	}
	a.board.Update(func(c *report.Chain) { c.Reverted["replaced"]++ })
	return true, nil
}

func (a *Anchorer) book(v view, f *flight, receipt *types.Receipt) {
	reason := ""
	switch {
	case receipt.Status == types.ReceiptStatusSuccessful:
		a.failures = failures{}
	case v.latest.Nonce >= f.job.nonce:
		reason = "raced"
	default:
		reason = "refused"
		if a.failures.id != f.job.id {
			a.failures = failures{id: f.job.id}
		}
		a.failures.count++
	}
	a.board.Update(func(c *report.Chain) {
		c.LastTx = receipt.TxHash.Hex()
		c.GasTotal += receipt.GasUsed
		c.GasPriceWei = wei(receipt.EffectiveGasPrice)
		if reason != "" {
			c.Reverted[reason]++
			return
		}
		c.Landed++
		c.GasUsed = receipt.GasUsed
	})
}

// verdict is what a node says about a transaction.
type verdict int

const (
	verdictOther verdict = iota
	verdictFunds
	verdictUnderpriced
	verdictNonceLow
	verdictKnown
)

// verdictOf sorts the words of the usual nodes, which have no codes for it.
func verdictOf(err error) verdict {
	text := strings.ToLower(strings.ReplaceAll(err.Error(), " ", ""))
	for _, c := range []struct {
		word string
		v    verdict
	}{
		{"alreadyknown", verdictKnown},
		{"knowntransaction", verdictKnown},
		{"alreadyimported", verdictKnown},
		{"noncetoolow", verdictNonceLow},
		{"noncealreadyused", verdictNonceLow},
		{"underpriced", verdictUnderpriced},
		{"feetoolow", verdictUnderpriced},
		{"replacementnotallowed", verdictUnderpriced},
		{"insufficientfunds", verdictFunds},
	} {
		if strings.Contains(text, c.word) {
			return c.v
		}
	}
	return verdictOther
}

// broadcast gives a transaction to every usable endpoint; one that takes it is enough. Else the plainest verdict is returned.
func broadcast(ctx context.Context, usable []*endpoint, tx *types.Transaction) (verdict, error) {
	worst, reason, taken := verdictOther, error(nil), false
	for _, p := range usable {
		err := p.client.SendTransaction(ctx, tx)
		if err == nil {
			taken = true
			continue
		}
		v := verdictOf(err)
		if v == verdictOther {
			p.errors++
		}
		if reason == nil || v > worst {
			worst, reason = v, redact(err)
		}
	}
	if taken || worst == verdictKnown {
		return verdictKnown, nil
	}
	return worst, reason
}

// cost is the most that a transaction can cost.
func cost(gas uint64, f Fees) *big.Int { return new(big.Int).Mul(new(big.Int).SetUint64(gas), f.Cap) }
