// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// jail puts the operator "op" into a jail whose first height is from and whose first free height is until.
func (f *fixture) jail(from, until uint64) {
	op := f.operators.list[string(raw("op"))]
	op.JailedFrom, op.JailedUntil = from, until
	f.operators.list[string(raw("op"))] = op
}

// Epoch 0 is blocks 1 to 20 and is submitted in 21 to 25; epoch 1 is blocks 21 to 40, submitted in 41 to 45.
func TestWorkOfAJailIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		epoch       uint64
		from, until uint64
		refused     bool
	}{
		"never jailed":              {0, 0, 0, false},
		"jailed since, runs":        {0, 21, 1_000, false},
		"jailed in its last block":  {0, 20, 1_000, false},
		"jailed in its second":      {0, 2, 1_000, false},
		"jailed from its first":     {0, 1, 1_000, true},
		"before it":                 {1, 20, 1_000, true},
		"ends within it":            {1, 21, 40, false},
		"ends with it":              {1, 21, 41, true},
		"ends in the submit window": {1, 21, 42, true},
		"ended before it":           {1, 1, 21, false},
		"ends in its first block":   {1, 1, 22, false},
		"for good, from its first":  {1, 21, operatorstypes.JailedForGood, true},
		"for good, from its second": {1, 22, operatorstypes.JailedForGood, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.goTo(int64(20*c.epoch) + 23)
			f.jail(c.from, c.until)
			msg := f.build("host", c.epoch, routed(plain, jobs(1, 1_000))).msg
			if c.refused {
				f.refused(types.ErrJailedEpoch, msg)
			} else {
				f.do(msg)
			}
			f.do(f.build("host2", c.epoch, work{settler: "set", payer: "payer", model: plain, jobs: jobs(1, 1_000)}).msg)
		})
	}
}

// Whoever is jailed may still show the samples of work that was claimed before, and gets paid for it.
func TestJailedOperatorFinishesItsWork(t *testing.T) {
	f, b, stored := submitted(t, 30, routed(plain, jobs(1, 1_000)))
	f.jail(22, 1_000)
	f.do(f.openings(b, stored))
	f.goTo(41)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_FINALISED, f.batch(stored.Id).Status)
}
