// SPDX-License-Identifier: Apache-2.0

package evm

import (
	"math/big"
)

// gwei in wei.
const gwei = 1_000_000_000

// bumpPercent is how much more a replacement pays: nodes ask for 10, and the busy ones drop what is near it.
const bumpPercent = 15

// Fees are the two prices of an EIP-1559 transaction, in wei for one gas.
type Fees struct{ Tip, Cap *big.Int }

// Limits bound what is paid, in wei for one gas.
type Limits struct {
	// MinTip is the least tip offered.
	MinTip *big.Int
	// Ceiling is the most that is paid while there is time, Hard when there is not.
	Ceiling, Hard *big.Int
}

// of returns the limit in force. An anchor that can wait does; with a third of the trusting period left it may cost what Hard says.
func (l Limits) of(left, trustingPeriod int64) *big.Int {
	if left < trustingPeriod/3 {
		return l.Hard
	}
	return l.Ceiling
}

// suggest returns fees for a transaction that shall get into one of the next blocks.
//
// base is the newest block's base fee and tip what the node suggests. The cap has room for the base fee to double.
// Errors: ErrTooHighFees when base and tip together are above limit now.
func suggest(base, tip *big.Int, l Limits, limit *big.Int) (Fees, error) {
	f := Fees{Tip: larger(tip, l.MinTip)}
	if new(big.Int).Add(base, f.Tip).Cmp(limit) > 0 {
		return Fees{}, ErrTooHighFees
	}
	f.Cap = new(big.Int).Add(new(big.Int).Lsh(base, 1), f.Tip)
	f.Cap = smaller(f.Cap, limit)
	return f, nil
}

// bump returns fees that replace old ones: both 15 % higher, rounded up, or as suggested where that is more.
//
// Errors: ErrTooHighFees when that is above limit.
func bump(old, suggested Fees, limit *big.Int) (Fees, error) {
	f := Fees{Tip: larger(raise(old.Tip), suggested.Tip), Cap: larger(raise(old.Cap), suggested.Cap)}
	if raise(old.Cap).Cmp(limit) > 0 {
		return Fees{}, ErrTooHighFees
	}
	f.Cap = smaller(f.Cap, limit)
	f.Tip = smaller(f.Tip, f.Cap)
	return f, nil
}

// raise adds bumpPercent, rounded up, and at least 1 wei.
func raise(v *big.Int) *big.Int {
	up := new(big.Int).Mul(v, big.NewInt(100+bumpPercent))
	up.Add(up, big.NewInt(99)).Quo(up, big.NewInt(100))
	return larger(up, new(big.Int).Add(v, big.NewInt(1)))
}

func larger(a, b *big.Int) *big.Int {
	if a.Cmp(b) >= 0 {
		return a
	}
	return b
}

func smaller(a, b *big.Int) *big.Int {
	if a.Cmp(b) <= 0 {
		return a
	}
	return b
}

// gasWithMargin adds a fifth to an estimate: state can change before the transaction is in a block.
func gasWithMargin(estimate uint64) uint64 { return estimate + estimate/5 }

// computedGas is the gas limit of an anchor where the node does not estimate.
//
// Measured on the contract, and rounded up; the last part is a new storage slot where state creation is dear (EIP-8037).
func computedGas(members, signers, hashes int) uint64 {
	const base, perMember, perSigner, perHash, newSlot = 60_000, 1_000, 5_500, 2_000, 100_000
	return base + perMember*uint64(members) + perSigner*uint64(signers) + perHash*uint64(hashes) + newSlot //nolint:gosec // lengths
}
