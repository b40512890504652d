// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/anchors/types"
)

func TestGenesisRoundTrip(t *testing.T) {
	for name, retention := range map[string]uint64{"all leaves": 65_536, "newest leaves": 1_024} {
		t.Run(name, func(t *testing.T) {
			f := emptyFixture(t)
			genesis := types.DefaultGenesis()
			genesis.Params.RetentionLeaves = retention
			require.NoError(t, f.k.InitGenesis(f.ctx, genesis))
			f.append(t, 0, 1_100)
			exported, err := f.k.ExportGenesis(f.ctx)
			require.NoError(t, err)
			other := emptyFixture(t)
			require.NoError(t, other.k.InitGenesis(other.ctx, exported))
			require.Equal(t, f.export(t), other.export(t))

			// Both logs go on alike.
			f.append(t, 1_100, 3)
			other.append(t, 1_100, 3)
			require.Equal(t, f.export(t), other.export(t))
			require.NoError(t, other.k.CheckInvariants(other.ctx))
		})
	}
}

func TestGenesisFaults(t *testing.T) {
	for name, spoil := range map[string]func(*types.GenesisState){
		"size":             func(gs *types.GenesisState) { gs.Log.Size_++ },
		"size of one bit":  func(gs *types.GenesisState) { gs.Log.Size_ += 2 },
		"hash missing":     func(gs *types.GenesisState) { gs.Log.Hashes = gs.Log.Hashes[:1] },
		"hash length":      func(gs *types.GenesisState) { gs.Log.Hashes[0] = gs.Log.Hashes[0][:31] },
		"first hash":       func(gs *types.GenesisState) { gs.Log.Hashes[0][0]++ },
		"last hash":        func(gs *types.GenesisState) { gs.Log.Hashes[len(gs.Log.Hashes)-1][0]++ },
		"leaf data":        func(gs *types.GenesisState) { gs.Leaves[2].Data[50]++ },
		"leaf kind":        func(gs *types.GenesisState) { gs.Leaves[2].Kind = 2 },
		"leaf twice":       func(gs *types.GenesisState) { gs.Leaves[3] = gs.Leaves[2] },
		"leaf missing":     func(gs *types.GenesisState) { gs.Leaves = append(gs.Leaves[:2], gs.Leaves[3:]...) },
		"last leaf":        func(gs *types.GenesisState) { gs.Leaves = gs.Leaves[:len(gs.Leaves)-1] },
		"no leaves":        func(gs *types.GenesisState) { gs.Leaves = nil },
		"leaf of the past": func(gs *types.GenesisState) { gs.Leaves = append([]types.Leaf{gs.Leaves[0]}, gs.Leaves...) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.append(t, 0, 13)
			gs, err := f.k.ExportGenesis(f.ctx)
			require.NoError(t, err)
			require.NoError(t, gs.Validate())
			spoil(gs)
			require.ErrorIs(t, gs.Validate(), types.ErrInvalidGenesis)
			other := emptyFixture(t)
			require.ErrorIs(t, other.k.InitGenesis(other.ctx, gs), types.ErrInvalidGenesis)
		})
	}
}

func TestGenesisChecksParams(t *testing.T) {
	gs := types.DefaultGenesis()
	gs.Params.RetentionLeaves = 1<<32 + 1
	require.ErrorIs(t, gs.Validate(), types.ErrInvalidParams)
}
