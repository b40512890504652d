// SPDX-License-Identifier: Apache-2.0

package types_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/x/anchors/types"
)

// FuzzLeafKind checks that only whole leaves of a known kind have a kind, and that no log of garbage panics or passes.
func FuzzLeafKind(f *testing.F) {
	f.Add(log.EpochLeaf(1, [32]byte{}, [32]byte{}, [32]byte{}, 0), uint64(1))
	f.Add(log.BatchLeaf(1, [20]byte{}, [32]byte{}, 1, 1, 1, [32]byte{}), uint64(3))
	f.Add([]byte("GCF1"), uint64(0))
	f.Add([]byte(nil), ^uint64(0))
	f.Fuzz(func(t *testing.T, data []byte, size uint64) {
		kind, err := types.LeafKind(data)
		switch {
		case err != nil:
			require.ErrorIs(t, err, types.ErrBadLeaf)
		case kind == types.KindBatch:
			require.Len(t, data, 121)
		default:
			require.EqualValues(t, types.KindEpoch, kind)
			require.Len(t, data, 110)
		}
		state := types.LogState{Size_: size, Hashes: [][]byte{data}}
		require.Error(t, types.CheckLog(&state, &types.LogState{}, []types.Leaf{{Index: size - 1, Kind: kind, Data: data}}))
	})
}
