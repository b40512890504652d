// SPDX-License-Identifier: Apache-2.0

package app

import (
	"testing"

	dbm "github.com/cosmos/cosmos-db"
	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/x/anchors/types"
)

// An archive proves every leaf at every size, also after it is opened again, and refuses a leaf out of order.
func TestAnchorArchive(t *testing.T) {
	db := dbm.NewMemDB()
	archive, err := newAnchorArchive(db)
	require.NoError(t, err)
	var hashes [][32]byte
	for i := range uint64(41) {
		if i == 20 {
			archive, err = newAnchorArchive(db)
			require.NoError(t, err)
		}
		leaf := types.Leaf{Index: i, Kind: types.KindEpoch, Data: log.EpochLeaf(i, [32]byte{}, [32]byte{}, [32]byte{}, 0)}
		require.NoError(t, archive.append(&leaf))
		hashes = append(hashes, log.LeafHash(leaf.Data))
	}
	require.EqualValues(t, 41, archive.size)
	read := types.ReadNode(func(level uint16, index uint64) ([32]byte, error) {
		hash, found, err := archive.Node(level, index)
		require.True(t, found)
		return hash, err
	})
	for size := uint64(1); size <= 41; size++ {
		root := log.Root(hashes[:size])
		for index := range size {
			path, err := read.Inclusion(index, size)
			require.NoError(t, err)
			require.NoError(t, log.VerifyInclusion(root, size, index, hashes[index], path))
		}
	}
	leaf, found, err := archive.Leaf(7)
	require.NoError(t, err)
	require.True(t, found)
	require.EqualValues(t, 7, leaf.Index)
	_, found, err = archive.Leaf(41)
	require.NoError(t, err)
	require.False(t, found)
	require.ErrorIs(t, archive.append(&types.Leaf{Index: 47}), errArchiveGap)
}
