// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/royalties/types"
)

func TestRevealWaits(t *testing.T) {
	f := newFixture(t)
	f.commit(t, "lab", assetID("m"))
	reveal := func() error {
		_, err := f.msgs.RegisterAsset(f.ctx, base("m", 500))
		return err
	}
	f.refused(t, types.ErrTooEarly, reveal)
	f.forward(1)
	f.refused(t, types.ErrTooEarly, reveal)
	f.forward(1)
	require.NoError(t, reveal())

	asset := f.asset(t, assetID("m"))
	require.Equal(t, addr("lab"), asset.Asset.Owner)
	require.Equal(t, types.AssetStatus_ASSET_STATUS_ACTIVE, asset.Asset.Status)
	require.Equal(t, uint64(102), asset.Asset.RegisteredHeight)
	require.Equal(t, uint64(1), asset.Asset.Version)
	require.Zero(t, asset.Asset.EarningFrom)
	require.Equal(t, uint64(5), asset.Terms.FromEpoch)
	require.Equal(t, uint64(500), asset.Terms.RoyaltyBps)
	hash := types.CommitHash([20]byte(rawAddr("lab")), assetID("m"), salt)
	f.lastEvent(t, &types.EventAssetRegistered{Asset: asset.Asset, Terms: asset.Terms, CommitHash: hash[:]})

	genesis, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Empty(t, genesis.Commits, "a reveal uses its commit up")
}

func TestRevealNeedsTheCommitter(t *testing.T) {
	f := newFixture(t)
	f.commit(t, "lab", assetID("m"))
	f.forward(2)
	for name, change := range map[string]func(*types.MsgRegisterAsset){
		"owner": func(m *types.MsgRegisterAsset) { m.Owner = addr("thief") },
		"salt":  func(m *types.MsgRegisterAsset) { m.Salt = make([]byte, 32) },
		"asset": func(m *types.MsgRegisterAsset) { id := assetID("other"); m.AssetId = id[:] },
	} {
		t.Run(name, func(t *testing.T) {
			f.refused(t, types.ErrUnknownCommit, func() error {
				msg := base("m", 500)
				change(msg)
				_, err := f.msgs.RegisterAsset(f.ctx, msg)
				return err
			})
		})
	}
}

func TestCopiedCommitBlocksNobody(t *testing.T) {
	f := newFixture(t)
	hash := types.CommitHash([20]byte(rawAddr("lab")), assetID("m"), salt)
	// The thief saw the commit in the mempool and got in first.
	_, err := f.msgs.CommitAsset(f.ctx, &types.MsgCommitAsset{Owner: addr("thief"), Hash: hash[:]})
	require.NoError(t, err)
	_, err = f.msgs.CommitAsset(f.ctx, &types.MsgCommitAsset{Owner: addr("lab"), Hash: hash[:]})
	require.NoError(t, err)
	f.lastEvent(t, &types.EventAssetCommitted{Commit: types.Commit{Hash: hash[:], Owner: addr("lab"), Height: 100}})
	f.forward(2)

	stolen := base("m", 500)
	stolen.Owner = addr("thief")
	f.refused(t, types.ErrUnknownCommit, func() error {
		_, err := f.msgs.RegisterAsset(f.ctx, stolen)
		return err
	})
	_, err = f.msgs.RegisterAsset(f.ctx, base("m", 500))
	require.NoError(t, err)
	require.NoError(t, f.k.CheckInvariants(f.ctx))
}

func TestFirstRevealHasTheID(t *testing.T) {
	f := newFixture(t)
	f.commit(t, "lab", assetID("m"))
	f.forward(1)
	f.commit(t, "rival", assetID("m"))
	f.forward(2)
	first := base("m", 500)
	first.Owner = addr("rival")
	_, err := f.msgs.RegisterAsset(f.ctx, first)
	require.NoError(t, err)
	f.refused(t, types.ErrAssetExists, func() error {
		_, err := f.msgs.RegisterAsset(f.ctx, base("m", 500))
		return err
	})
}

func TestCommitOnceUntilExpired(t *testing.T) {
	f := newFixture(t)
	f.commit(t, "lab", assetID("m"))
	hash := types.CommitHash([20]byte(rawAddr("lab")), assetID("m"), salt)
	again := func() error {
		_, err := f.msgs.CommitAsset(f.ctx, &types.MsgCommitAsset{Owner: addr("lab"), Hash: hash[:]})
		return err
	}
	f.forward(1_000) // the last block in which it may be revealed
	f.refused(t, types.ErrCommitExists, again)
	f.forward(1)
	f.refused(t, types.ErrCommitExpired, func() error {
		_, err := f.msgs.RegisterAsset(f.ctx, base("m", 500))
		return err
	})
	require.NoError(t, again())
	require.NoError(t, f.k.CheckInvariants(f.ctx))
	f.forward(2)
	_, err := f.msgs.RegisterAsset(f.ctx, base("m", 500))
	require.NoError(t, err)
}

func TestRevealInTheLastBlock(t *testing.T) {
	f := newFixture(t)
	f.commit(t, "lab", assetID("m"))
	f.forward(999)
	require.NoError(t, f.k.EndBlock(f.ctx))
	f.forward(1)
	_, err := f.msgs.RegisterAsset(f.ctx, base("m", 500))
	require.NoError(t, err, "the block before must not remove what may still be revealed")
}

func TestEndBlockRemovesExpiredCommitsInOrder(t *testing.T) {
	f := emptyFixture(t)
	genesis := types.DefaultGenesis()
	genesis.Params.MaxCommitsPerBlock = 2
	genesis.Params.CommitExpiryBlocks = 10
	hash := func(first byte) []byte { return append([]byte{first}, make([]byte, 31)...) }
	genesis.Commits = []types.Commit{
		{Hash: hash(9), Owner: addr("lab"), Height: 90},
		{Hash: hash(1), Owner: addr("lab"), Height: 91},
		{Hash: hash(5), Owner: addr("lab"), Height: 90},
		{Hash: hash(7), Owner: addr("lab"), Height: 90},
	}
	require.NoError(t, f.k.InitGenesis(f.ctx, genesis))
	left := func() (hashes []byte) {
		genesis, err := f.k.ExportGenesis(f.ctx)
		require.NoError(t, err)
		for _, c := range genesis.Commits {
			hashes = append(hashes, c.Hash[0])
		}
		return hashes
	}

	f.forward(-1) // height 99: all may be revealed in block 100
	require.NoError(t, f.k.EndBlock(f.ctx))
	require.Equal(t, []byte{1, 5, 7, 9}, left())

	f.forward(1) // height 100: those of height 90 are over, two at a time by hash
	require.NoError(t, f.k.EndBlock(f.ctx))
	require.Equal(t, []byte{1, 9}, left())
	f.lastEvent(t, &types.EventCommitExpired{Commit: genesis.Commits[3]})
	require.NoError(t, f.k.CheckInvariants(f.ctx))

	f.forward(1)
	require.NoError(t, f.k.EndBlock(f.ctx))
	require.Empty(t, left())
	require.NoError(t, f.k.CheckInvariants(f.ctx))
}

func TestOwnersHave20Bytes(t *testing.T) {
	f := newFixture(t)
	long, err := addressCodec.BytesToString(make([]byte, 32))
	require.NoError(t, err)
	hash := assetID("any hash")
	f.refused(t, types.ErrInvalidAddress, func() error {
		_, err := f.msgs.CommitAsset(f.ctx, &types.MsgCommitAsset{Owner: long, Hash: hash[:]})
		return err
	})
}
