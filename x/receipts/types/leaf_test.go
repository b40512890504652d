// SPDX-License-Identifier: Apache-2.0

package types_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/receipts/types"
)

func TestContradiction(t *testing.T) {
	job, other := []byte{1}, []byte{2}
	leaf := types.OpenedLeaf{Draw: 0, Group: 3, Index: 5, Seq: 70, JobId: job}
	for name, c := range map[string]struct {
		other types.OpenedLeaf
		want  string
	}{
		"the same place":                  {types.OpenedLeaf{Draw: 1, Group: 3, Index: 5, Seq: 70, JobId: job}, ""},
		"later in both":                   {types.OpenedLeaf{Group: 3, Index: 6, Seq: 71, JobId: other}, ""},
		"earlier in both":                 {types.OpenedLeaf{Group: 3, Index: 4, Seq: 69, JobId: other}, ""},
		"another group":                   {types.OpenedLeaf{Group: 2, Index: 5, Seq: 80, JobId: other}, ""},
		"another group, other order":      {types.OpenedLeaf{Group: 4, Index: 6, Seq: 60, JobId: other}, ""},
		"the same leaf":                   {types.OpenedLeaf{Group: 3, Index: 6, Seq: 70, JobId: job}, types.RepeatedLeaf},
		"the same job":                    {types.OpenedLeaf{Group: 3, Index: 6, Seq: 71, JobId: job}, types.RepeatedLeaf},
		"the same seq":                    {types.OpenedLeaf{Group: 3, Index: 6, Seq: 70, JobId: other}, types.RepeatedLeaf},
		"the same job in another group":   {types.OpenedLeaf{Group: 4, Index: 5, Seq: 71, JobId: job}, types.RepeatedLeaf},
		"the same seq in another group":   {types.OpenedLeaf{Group: 4, Index: 5, Seq: 70, JobId: other}, types.RepeatedLeaf},
		"later place with an earlier seq": {types.OpenedLeaf{Group: 3, Index: 6, Seq: 69, JobId: other}, types.LeafOrder},
		"earlier place with a later seq":  {types.OpenedLeaf{Group: 3, Index: 4, Seq: 71, JobId: other}, types.LeafOrder},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, leaf.Contradiction(&c.other))
			require.Equal(t, c.want, c.other.Contradiction(&leaf))
		})
	}
}
