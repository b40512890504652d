// SPDX-License-Identifier: Apache-2.0

package evm

import (
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

func fees(tip, ceiling int64) Fees { return Fees{Tip: big.NewInt(tip), Cap: big.NewInt(ceiling)} }

func limits(minTip, ceiling, hard int64) Limits {
	return Limits{MinTip: big.NewInt(minTip), Ceiling: big.NewInt(ceiling), Hard: big.NewInt(hard)}
}

func TestSuggest(t *testing.T) {
	for name, c := range map[string]struct {
		base, tip, minTip, limit int64
		want                     Fees
		err                      error
	}{
		"room for the base fee to double": {100, 3, 0, 1000, fees(3, 203), nil},
		"a least tip":                     {100, 3, 10, 1000, fees(10, 210), nil},
		"as much room as the limit has":   {100, 3, 0, 150, fees(3, 150), nil},
		"just below the limit":            {100, 50, 0, 150, fees(50, 150), nil},
		"above the limit":                 {100, 51, 0, 150, Fees{}, ErrTooHighFees},
		"no base fee":                     {0, 5, 0, 150, fees(5, 5), nil},
	} {
		t.Run(name, func(t *testing.T) {
			l := limits(c.minTip, c.limit, c.limit)
			got, err := suggest(big.NewInt(c.base), big.NewInt(c.tip), l, l.Ceiling)
			if !errors.Is(err, c.err) || (err == nil && (got.Tip.Cmp(c.want.Tip) != 0 || got.Cap.Cmp(c.want.Cap) != 0)) {
				t.Errorf("got %v, %v; want %v, %v", got, err, c.want, c.err)
			}
		})
	}
}

func TestBump(t *testing.T) {
	for name, c := range map[string]struct {
		old, suggested Fees
		limit          int64
		want           Fees
		err            error
	}{
		"both by 15 %":             {fees(100, 1000), fees(1, 1), 5000, fees(115, 1150), nil},
		"rounded up":               {fees(3, 7), fees(1, 1), 5000, fees(4, 9), nil},
		"by a wei at least":        {fees(0, 1), fees(0, 1), 5000, fees(1, 2), nil},
		"to what is suggested":     {fees(100, 1000), fees(200, 3000), 5000, fees(200, 3000), nil},
		"not above the limit":      {fees(100, 1000), fees(1, 1), 1149, Fees{}, ErrTooHighFees},
		"the suggestion is cut":    {fees(100, 1000), fees(200, 9000), 5000, fees(200, 5000), nil},
		"the tip is below the cap": {fees(1000, 1000), fees(9000, 9000), 5000, fees(5000, 5000), nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := bump(c.old, c.suggested, big.NewInt(c.limit))
			if !errors.Is(err, c.err) || (err == nil && (got.Tip.Cmp(c.want.Tip) != 0 || got.Cap.Cmp(c.want.Cap) != 0)) {
				t.Errorf("got %v, %v; want %v, %v", got, err, c.want, c.err)
			}
		})
	}
}

func TestTheCeilingIsLiftedInTheLastThird(t *testing.T) {
	l := limits(0, 10, 99)
	for left, want := range map[int64]int64{300: 10, 100: 10, 99: 99, 0: 99, -5: 99} {
		if got := l.of(left, 300); got.Int64() != want {
			t.Errorf("%d of 300 seconds left: got %v, want %d", left, got, want)
		}
	}
}

func TestVerdictsOfTheUsualNodes(t *testing.T) {
	for text, want := range map[string]verdict{
		"already known":                                  verdictKnown,
		"transaction already imported":                   verdictKnown,
		"Known transaction":                              verdictKnown,
		"nonce too low: next nonce 5, tx nonce 4":        verdictNonceLow,
		"OldNonce, Nonce too low":                        verdictNonceLow,
		"replacement transaction underpriced":            verdictUnderpriced,
		"transaction underpriced: gas tip cap 0":         verdictUnderpriced,
		"ReplacementNotAllowed":                          verdictUnderpriced,
		"insufficient funds for gas * price + value":     verdictFunds,
		"the method eth_sendRawTransaction is not there": verdictOther,
	} {
		if got := verdictOf(errors.New(text)); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
}

func TestDelaysAreWithinTheWindowAndDifferByNonce(t *testing.T) {
	const window = 30 * time.Second
	account, other := common.Address{1}, common.Address{2}
	firsts := 0
	for nonce := range uint64(100) {
		mine, theirs := delay(nonce, account, window), delay(nonce, other, window)
		if mine < 0 || mine >= window {
			t.Fatalf("nonce %d: delay %s of %s", nonce, mine, window)
		}
		if mine < theirs {
			firsts++
		}
	}
	if firsts < 30 || firsts > 70 {
		t.Errorf("one of two relayers is first in %d of 100 races", firsts)
	}
}
