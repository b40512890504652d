// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

func TestEpochStartsInItsFirstBlock(t *testing.T) {
	f := newFixture(t) // height 1 is the genesis height
	f.events(t, &types.EventEpochStarted{Start: types.EpochStart{Epoch: 0, Time: 1_800_000_006, BondPriceUusdc: 100_000}})
	for height := int64(2); height <= 41; height++ {
		f.begin(t, height)
		switch height {
		case 21:
			f.events(t, &types.EventEpochStarted{Start: types.EpochStart{Epoch: 1, Time: 1_800_000_126, BondPriceUusdc: 100_000}})
		case 41:
			f.events(t, &types.EventEpochStarted{Start: types.EpochStart{Epoch: 2, Time: 1_800_000_246, BondPriceUusdc: 100_000}})
		default:
			f.events(t)
		}
	}
	e, err := f.k.CurrentEpoch(f.ctx)
	require.NoError(t, err)
	require.EqualValues(t, 2, e)
	start, found, err := f.k.EpochStartTime(f.ctx, 1)
	require.NoError(t, err)
	require.True(t, found)
	require.EqualValues(t, 1_800_000_126, start)
	_, found, err = f.k.EpochStartTime(f.ctx, 3)
	require.NoError(t, err)
	require.False(t, found)
	f.end(t)
}

func TestOldEpochStartsAreForgotten(t *testing.T) {
	f := newFixture(t)
	for e := int64(1); e <= 200; e++ {
		f.begin(t, 20*e+1)
	}
	genesis, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Len(t, genesis.EpochStarts, 128)
	require.EqualValues(t, 73, genesis.EpochStarts[0].Epoch)
	require.EqualValues(t, 200, genesis.EpochStarts[127].Epoch)
	f.end(t)
}

func TestBeforeGenesisHeightThereIsNoEpoch(t *testing.T) {
	f := emptyFixture(t)
	genesis := types.DefaultGenesis()
	genesis.Params.Schedule.GenesisHeight = 10
	require.NoError(t, f.k.InitGenesis(f.ctx, genesis))
	f.begin(t, 9)
	f.events(t)
	_, err := f.k.CurrentEpoch(f.ctx)
	require.ErrorIs(t, err, types.ErrBeforeGenesis)
	f.operator(t, "alice", 0)
	f.begin(t, 10)
	e, err := f.k.CurrentEpoch(f.ctx)
	require.NoError(t, err)
	require.Zero(t, e)
	f.end(t)
}

func TestBlockHashRing(t *testing.T) {
	f := newFixture(t)
	for height := int64(2); height <= types.BlockHashRing+3; height++ {
		f.begin(t, height)
	}
	for height, kept := range map[uint64]bool{
		3: false, 4: true, types.BlockHashRing + 3: true, types.BlockHashRing + 4: false,
	} {
		hash, err := f.k.BlockHash(f.ctx, height)
		if !kept {
			require.ErrorIs(t, err, types.ErrNoBlockHash)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, blockHash(int64(height)), hash)
	}
	genesis, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Len(t, genesis.BlockHashes, types.BlockHashRing)
	newest, err := f.query.BlockHash(f.ctx, &types.QueryBlockHashRequest{})
	require.NoError(t, err)
	require.EqualValues(t, types.BlockHashRing+3, newest.BlockHash.Height)
}

func TestBlockHashMustBeWholeOrAbsent(t *testing.T) {
	f := newFixture(t)
	require.NoError(t, f.k.BeginBlock(f.ctx.WithBlockHeight(2).WithHeaderHash(nil)))
	_, err := f.k.BlockHash(f.ctx, 2)
	require.ErrorIs(t, err, types.ErrNoBlockHash)
	require.ErrorIs(t, f.k.BeginBlock(f.ctx.WithBlockHeight(3).WithHeaderHash([]byte{1, 2})), types.ErrBadBlockHash)
}

func TestEpochGridFollowsTheSchedule(t *testing.T) {
	f := newFixture(t)
	f.begin(t, 21)
	resp, err := f.query.CurrentEpoch(f.ctx, &types.QueryCurrentEpochRequest{})
	require.NoError(t, err)
	require.EqualValues(t, 21, resp.Height)
	require.Equal(t, types.EpochGrid{
		Epoch:        1,
		Blocks:       types.Window{First: 21, Last: 40},
		Submit:       types.Window{First: 41, Last: 48},
		Beacon:       types.Window{First: 49, Last: 64},
		Open:         types.Window{First: 65, Last: 74},
		Challenge:    types.Window{First: 75, Last: 84},
		Response:     types.Window{First: 85, Last: 94},
		FinaliseFrom: 85, FinaliseLatest: 95, StartTime: 1_800_000_126,
	}, resp.Grid)
	_, err = f.query.Epoch(f.ctx, &types.QueryEpochRequest{Epoch: 1 << 63})
	require.ErrorIs(t, err, types.ErrBadEpoch)
}
