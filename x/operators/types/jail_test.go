// SPDX-License-Identifier: Apache-2.0

package types_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// An epoch is inside a jail of heights 100 to 199 only with all its blocks.
func TestJailedDuring(t *testing.T) {
	for name, c := range map[string]struct {
		first, last uint64
		want        bool
	}{
		"the whole jail":          {100, 199, true},
		"inside":                  {120, 139, true},
		"its first block":         {100, 100, true},
		"its last block":          {199, 199, true},
		"one block before":        {99, 199, false},
		"one block after":         {100, 200, false},
		"over both ends":          {99, 200, false},
		"ends as the jail begins": {80, 100, false},
		"before":                  {80, 99, false},
		"begins as it ends":       {200, 219, false},
	} {
		t.Run(name, func(t *testing.T) {
			op := types.Operator{JailedFrom: 100, JailedUntil: 200}
			require.Equal(t, c.want, op.JailedDuring(c.first, c.last))
		})
	}
	free := types.Operator{}
	require.False(t, free.JailedDuring(0, 0), "never jailed")
	forGood := types.Operator{JailedFrom: 100, JailedUntil: types.JailedForGood}
	require.True(t, forGood.JailedDuring(100, 1<<63))
	require.False(t, forGood.JailedDuring(99, 1<<63))
}

func TestJail(t *testing.T) {
	for name, c := range map[string]struct {
		op          types.Operator
		from, until uint64
		want        [2]uint64
	}{
		"the first":             {types.Operator{}, 5, 9, [2]uint64{5, 9}},
		"a longer one":          {types.Operator{JailedFrom: 5, JailedUntil: 9}, 8, 30, [2]uint64{5, 30}},
		"a shorter one":         {types.Operator{JailedFrom: 5, JailedUntil: 90}, 8, 30, [2]uint64{5, 90}},
		"as the other ends":     {types.Operator{JailedFrom: 5, JailedUntil: 9}, 9, 12, [2]uint64{5, 12}},
		"after a free block":    {types.Operator{JailedFrom: 5, JailedUntil: 9}, 10, 12, [2]uint64{10, 12}},
		"of no blocks":          {types.Operator{JailedFrom: 5, JailedUntil: 9}, 10, 10, [2]uint64{5, 9}},
		"for good":              {types.Operator{JailedFrom: 5, JailedUntil: 9}, 7, types.JailedForGood, [2]uint64{5, types.JailedForGood}},
		"after one for good":    {types.Operator{JailedFrom: 5, JailedUntil: types.JailedForGood}, 70, 80, [2]uint64{5, types.JailedForGood}},
		"for good after a past": {types.Operator{JailedFrom: 5, JailedUntil: 9}, 70, types.JailedForGood, [2]uint64{70, types.JailedForGood}},
	} {
		t.Run(name, func(t *testing.T) {
			c.op.Jail(c.from, c.until)
			require.Equal(t, c.want, [2]uint64{c.op.JailedFrom, c.op.JailedUntil})
		})
	}
}
