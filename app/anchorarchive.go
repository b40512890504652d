// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"

	dbm "github.com/cosmos/cosmos-db"
	"github.com/spf13/cast"

	"github.com/cosmos/cosmos-sdk/client/flags"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/x/anchors/keeper"
	"github.com/gpucoord/gpucoord/x/anchors/types"
)

// errArchiveGap means that leaves were pruned from the state before the archive saw them.
var errArchiveGap = errors.New("anchor archive has a gap: copy data/anchor_archive.db from another archive, or sync this node from the start")

// anchorArchive keeps every leaf and every hash of the log outside of the state, on a node that is set up so. It only serves queries:
// what it holds never reaches a block.
type anchorArchive struct {
	db   dbm.DB
	size uint64 // leaves it holds, from 0 on
}

// openAnchorArchive opens the archive in the node's home, or returns nil when the node keeps none.
func openAnchorArchive(opts servertypes.AppOptions) (*anchorArchive, error) {
	if !cast.ToBool(opts.Get(optionAnchorArchive)) {
		return nil, nil //nolint:nilnil // a node without an archive
	}
	home := cast.ToString(opts.Get(flags.FlagHome))
	db, err := dbm.NewDB("anchor_archive", dbm.GoLevelDBBackend, filepath.Join(home, "data"))
	if err != nil {
		return nil, fmt.Errorf("open the anchor archive: %w", err)
	}
	return newAnchorArchive(db)
}

func newAnchorArchive(db dbm.DB) (*anchorArchive, error) {
	raw, err := db.Get(archiveSizeKey)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read the anchor archive: %w", err), db.Close())
	}
	archive := &anchorArchive{db: db}
	if len(raw) == 8 {
		archive.size = binary.BigEndian.Uint64(raw)
	}
	return archive, nil
}

// keeper returns the archive as the keeper takes it: nil when there is none.
func (a *anchorArchive) keeper() keeper.Archive {
	if a == nil {
		return nil
	}
	return a
}

func (a *anchorArchive) close() error {
	if a == nil {
		return nil
	}
	return a.db.Close()
}

var archiveSizeKey = []byte("size")

func archiveNodeKey(level uint16, index uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint16([]byte("n"), level), index)
}

func archiveLeafKey(index uint64) []byte { return binary.BigEndian.AppendUint64([]byte("l"), index) }

// Node implements keeper.Archive.
func (a *anchorArchive) Node(level uint16, index uint64) (hash [32]byte, found bool, err error) {
	raw, err := a.db.Get(archiveNodeKey(level, index))
	if err != nil || len(raw) != len(hash) {
		return hash, false, err
	}
	return [32]byte(raw), true, nil
}

// Leaf implements keeper.Archive.
func (a *anchorArchive) Leaf(index uint64) (leaf types.Leaf, found bool, err error) {
	raw, err := a.db.Get(archiveLeafKey(index))
	if err != nil || raw == nil {
		return leaf, false, err
	}
	return leaf, true, leaf.Unmarshal(raw)
}

// append adds the next leaf and the subtrees that it completes, in one write.
func (a *anchorArchive) append(leaf *types.Leaf) error {
	raw, err := leaf.Marshal()
	if err != nil {
		return err
	}
	batch := a.db.NewBatch()
	defer batch.Close()
	hash, index := log.LeafHash(leaf.Data), leaf.Index
	err = errors.Join(batch.Set(archiveLeafKey(index), raw), batch.Set(archiveNodeKey(0, index), bytes.Clone(hash[:])))
	for level := uint16(0); index&1 == 1; level++ {
		left, found, readErr := a.Node(level, index-1)
		if readErr != nil || !found {
			return errors.Join(readErr, errArchiveGap)
		}
		hash, index = types.Pair(left, hash), index>>1
		err = errors.Join(err, batch.Set(archiveNodeKey(level+1, index), bytes.Clone(hash[:])))
	}
	err = errors.Join(err, batch.Set(archiveSizeKey, binary.BigEndian.AppendUint64(nil, leaf.Index+1)), batch.Write())
	if err == nil {
		a.size = leaf.Index + 1
	}
	return err
}

// archiveLog brings the archive up to the state that was just committed. After a crash it catches up with the next block.
func (a *App) archiveLog(ctx sdk.Context) {
	if a.anchorArchive == nil {
		return
	}
	err := a.Anchors.WalkLeaves(ctx, a.anchorArchive.size, func(leaf types.Leaf) error {
		if leaf.Index != a.anchorArchive.size {
			return fmt.Errorf("%w: has %d leaves, the state begins at %d", errArchiveGap, a.anchorArchive.size, leaf.Index)
		}
		return a.anchorArchive.append(&leaf)
	})
	if err != nil {
		a.Logger().Error("anchor archive", "err", err)
	}
}
