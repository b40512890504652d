// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"errors"
	"testing"
	"time"

	comet "github.com/cometbft/cometbft/types"

	"github.com/gpucoord/gpucoord/verify"
)

// earlier returns a header of the same chain at another height, with these next validators.
func (w *world) earlier(at int64, next *comet.ValidatorSet) comet.Header {
	h := w.header
	h.Height = at
	h.Time = headerTime.Add(time.Duration(at-height) * time.Second)
	h.NextValidatorsHash = next.Hash()
	return h
}

func TestTrust(t *testing.T) {
	w, _ := base()
	others := newWorld(10, 10, 10, 10)
	others.makeValidators("others")
	half := newWorld(10, 10, 10, 10, 25)
	type wants struct {
		status verify.Status
		err    error
	}
	for _, c := range []struct {
		name   string
		header comet.Header
		next   *comet.ValidatorSet // nil: those of the bundle
		now    time.Time
		want   wants
	}{
		{"the header before", w.earlier(height-1, w.validators), nil, now, wants{verify.Pass, nil}},
		{"an earlier header", w.earlier(500, w.validators), nil, now, wants{verify.Pass, nil}},
		{"more than a third is the same", w.earlier(500, half.validators), half.validators, now, wants{verify.Pass, nil}},
		{
			"the header before with other validators", w.earlier(height-1, others.validators), others.validators, now,
			wants{verify.Fail, verify.ErrNotTrusted},
		},
		{"no validator is the same", w.earlier(500, others.validators), others.validators, now, wants{verify.Fail, verify.ErrNotTrusted}},
		{"validators that are not its next", w.earlier(500, others.validators), nil, now, wants{verify.Fail, verify.ErrWrongValidators}},
		{"too old", w.earlier(500, w.validators), nil, now.Add(verify.DefaultTrustingPeriod), wants{verify.Fail, verify.ErrNotTrusted}},
		{"from the future", w.earlier(500, w.validators), nil, headerTime.Add(-time.Minute), wants{verify.Fail, verify.ErrFutureTime}},
		{"a later header", w.earlier(height+1, w.validators), nil, now, wants{verify.Fail, verify.ErrNotTrusted}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, _ := baseBundle()
			b.Trusted = &verify.Trusted{Header: must(verify.EncodeHeader(&c.header))}
			if c.next != nil {
				b.Trusted.Validators = must(verify.EncodeValidators(c.next))
			}
			trust := verify.Trust{Height: c.header.Height, Hash: [32]byte(c.header.Hash())}
			row := check(t, b, verify.Options{Trust: trust, Now: c.now}).Row(verify.CheckTrust)
			if row.Status != c.want.status || !errors.Is(row.Err, c.want.err) {
				t.Errorf("%s: %s", row.Status, row.What)
			}
			trust.Hash[0]++
			row = check(t, b, verify.Options{Trust: trust, Now: now}).Row(verify.CheckTrust)
			if !errors.Is(row.Err, verify.ErrFork) {
				t.Errorf("trusted hash of a fork: %s: %s", row.Status, row.What)
			}
		})
	}
}

func TestTrustOfTheHeaderItself(t *testing.T) {
	b, trust := baseBundle()
	fork := trust
	fork.Hash[31]++
	other := trust
	other.Height -= 5
	for _, c := range []struct {
		name   string
		trust  verify.Trust
		now    time.Time
		status verify.Status
		err    error
		exit   int
	}{
		{"hash of a fork", fork, now, verify.Fail, verify.ErrFork, 1},
		{"future time", trust, headerTime.Add(-11 * time.Second), verify.Fail, verify.ErrFutureTime, 1},
		{"clock a little behind", trust, headerTime.Add(-9 * time.Second), verify.Pass, nil, 0},
		{"years later", trust, now.AddDate(5, 0, 0), verify.Pass, nil, 0},
		{"a height that is not there", other, now, verify.NotChecked, nil, 2},
	} {
		report := check(t, b, verify.Options{Trust: c.trust, Now: c.now, Skip: []string{verify.CheckEVM}})
		row := report.Row(verify.CheckTrust)
		if row.Status != c.status || !errors.Is(row.Err, c.err) || report.ExitCode() != c.exit {
			t.Errorf("%s: exit %d, %s: %s", c.name, report.ExitCode(), row.Status, row.What)
		}
	}
}
