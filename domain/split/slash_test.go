// SPDX-License-Identifier: Apache-2.0

package split_test

import (
	"errors"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/split"
)

// token is the number of micro-units in one bond token.
const token = 1_000_000

func scaled(v uint64, factor int64) *big.Int { return new(big.Int).Mul(bigOf(v), big.NewInt(factor)) }

func coverProps(t *rapid.T) {
	bond, price := amounts().Draw(t, "bond"), rapid.Uint64Min(1).Draw(t, "price")
	want := new(big.Int).Div(times(bond, price), big.NewInt(token))
	got, err := split.Cover(bond, price)
	if want.IsUint64() {
		if err != nil || got != want.Uint64() {
			t.Fatalf("cover of %d at %d: got %d (%v), want %v", bond, price, got, err, want)
		}
	} else if !errors.Is(err, split.ErrOverflow) {
		t.Fatalf("cover of %d at %d: got error %v", bond, price, err)
	}
}

func slashProps(t *rapid.T) {
	value, bond := amounts().Draw(t, "value"), amounts().Draw(t, "bond")
	price := rapid.OneOf(rapid.Uint64Range(1, 10_000_000), rapid.Uint64Min(1)).Draw(t, "price")

	got, err := split.SlashValue(value, price, bond)
	if err != nil {
		t.Fatalf("slash by value: %v", err)
	}
	checkSlash(t, got, bond, price, scaled(value, token))

	fifth := new(big.Int).Add(bigOf(bond), big.NewInt(4))
	fifth.Div(fifth, big.NewInt(5))
	got, err = split.SlashFraud(value, price, bond)
	switch {
	case err != nil:
		t.Fatalf("slash for fraud: %v", err)
	case bigOf(got).Cmp(fifth) < 0:
		t.Fatalf("a fraud cost %d, less than a fifth of %d", got, bond)
	case bigOf(got).Cmp(fifth) > 0:
		checkSlash(t, got, bond, price, scaled(value, 20*token))
	case times(got, price).Cmp(scaled(value, 20*token)) < 0 && got < bond:
		t.Fatalf("a fraud of %d cost %d of %d at %d, less than 20 times", value, got, bond, price)
	}

	bps := rapid.Uint64Range(0, whole).Draw(t, "bps")
	got, err = split.SlashBps(bond, bps)
	over := new(big.Int).Sub(scaled(got, whole), times(bond, bps)) // rounded up: 0 to 9,999
	if err != nil || over.Sign() < 0 || over.Cmp(big.NewInt(whole)) >= 0 {
		t.Fatalf("%d bps of %d: got %d (%v)", bps, bond, got, err)
	}
}

// checkSlash checks that slash is the least number of micro-units worth the value (in micro-USD · 10^6), or the bond.
func checkSlash(t *rapid.T, slash, bond, price uint64, value *big.Int) {
	if slash > bond {
		t.Fatalf("slash %d of a bond of %d", slash, bond)
	}
	if slash < bond && times(slash, price).Cmp(value) < 0 {
		t.Fatalf("slash %d of %d at %d does not reach %v", slash, bond, price, value)
	}
	if slash > 0 && times(slash-1, price).Cmp(value) >= 0 {
		t.Fatalf("slash %d of %d at %d is more than %v needs", slash, bond, price, value)
	}
}

func splitSlashProps(t *rapid.T) {
	in := split.SlashIn{
		Slash:        amounts().Draw(t, "slash"),
		VictimLoss:   amounts().Draw(t, "loss"),
		BondPrice:    rapid.OneOf(rapid.Uint64Range(1, 10_000_000), rapid.Uint64Min(1)).Draw(t, "price"),
		ReporterBond: amounts().Draw(t, "reporter's bond"),
		VictimOwn:    rapid.Bool().Draw(t, "own victim"),
		ReporterOwn:  rapid.Bool().Draw(t, "own reporter"),
	}
	p, err := split.SplitSlash(in)
	if err != nil {
		t.Fatalf("split: %v", err)
	}
	if sum := sumOf([]uint64{p.Victim, p.Reporter, p.Insurance}); sum.Cmp(bigOf(in.Slash)) != 0 {
		t.Fatalf("%+v adds up to %v, not %d", p, sum, in.Slash)
	}
	if (in.VictimOwn && p.Victim > 0) || (in.ReporterOwn && p.Reporter > 0) {
		t.Fatalf("the offender's controller gets %+v", p)
	}
	loss := scaled(in.VictimLoss, token)
	if times(p.Victim, in.BondPrice).Cmp(loss) > 0 {
		t.Fatalf("the victim gets %d, more than its loss of %d at %d", p.Victim, in.VictimLoss, in.BondPrice)
	}
	if !in.VictimOwn && p.Victim < in.Slash && new(big.Int).Add(times(p.Victim, in.BondPrice), bigOf(in.BondPrice)).Cmp(loss) <= 0 {
		t.Fatalf("the victim gets %d of %d, short of its loss of %d at %d", p.Victim, in.Slash, in.VictimLoss, in.BondPrice)
	}
	most := []*big.Int{new(big.Int).Div(bigOf(in.Slash), big.NewInt(5)), scaled(in.ReporterBond, 5), bigOf(in.Slash - p.Victim)}
	reached := in.ReporterOwn
	for _, limit := range most {
		if bigOf(p.Reporter).Cmp(limit) > 0 {
			t.Fatalf("the reporter gets %d, above %v", p.Reporter, limit)
		}
		reached = reached || bigOf(p.Reporter).Cmp(limit) == 0
	}
	if !reached {
		t.Fatalf("the reporter gets %d, below all of %v", p.Reporter, most)
	}
}

func TestCoverProps(t *testing.T)      { rapid.Check(t, coverProps) }
func TestSlashProps(t *testing.T)      { rapid.Check(t, slashProps) }
func TestSplitSlashProps(t *testing.T) { rapid.Check(t, splitSlashProps) }

func FuzzSlash(f *testing.F) {
	f.Add(make([]byte, 1024))
	f.Fuzz(rapid.MakeFuzz(slashProps))
}

func FuzzSplitSlash(f *testing.F) {
	f.Add(make([]byte, 1024))
	f.Fuzz(rapid.MakeFuzz(splitSlashProps))
}
