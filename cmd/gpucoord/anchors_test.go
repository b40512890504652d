// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/hex"
	"path/filepath"
	"strings"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	dbm "github.com/cosmos/cosmos-db"

	"cosmossdk.io/log/v2"
	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/client/flags"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/gpucoord/gpucoord/app"
	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/domain/receipt"
)

// settings are settings of app.toml by their dotted names.
type settings map[string]any

// Get implements servertypes.AppOptions.
func (s settings) Get(name string) any { return s[name] }

func execute(t *testing.T, args ...string) string {
	t.Helper()
	root, err := newRootCommand(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs(args)
	if err := root.Execute(); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return strings.TrimSpace(out.String())
}

// What the commands print registers: the proof is by the key's address, for this chain and validator.
func TestAnchorKeyCommands(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	address := execute(t, "anchors", "key", "new", file)
	printed := strings.Fields(execute(t, "anchors", "key", "proof", file, "--chain-id", "c-1", "--validator", "gpucoordvaloper1x"))
	if len(printed) != 2 || printed[0] != address {
		t.Fatalf("printed %q, the key has the address %s", printed, address)
	}
	proof, err := hex.DecodeString(printed[1])
	if err != nil || len(proof) != 65 {
		t.Fatalf("proof %q: %v", printed[1], err)
	}
	by, err := receipt.RecoverAddress(anchor.KeyProofDigest("c-1", "gpucoordvaloper1x"), [65]byte(proof))
	if err != nil || hex.EncodeToString(by[:]) != address {
		t.Errorf("the proof is by %x (%v), want %s", by, err, address)
	}
}

// A local network anchors with its first votes, under the origin id that the command prints.
func TestLocalnetAnchors(t *testing.T) {
	opts := localOptions(t)
	if _, err := initLocalnet(newWiring(t), opts); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(opts.home, "config", "genesis.json")
	genesis, err := genutiltypes.AppGenesisFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	node, err := app.New(log.NewNopLogger(), dbm.NewMemDB(), settings{flags.FlagHome: opts.home, "anchor.key_file": localAnchorKeyFile},
		baseapp.SetChainID(opts.chainID))
	if err != nil {
		t.Fatal(err)
	}
	params := genesis.Consensus.Params.ToProto()
	if _, err := node.InitChain(&abci.RequestInitChain{
		ChainId: opts.chainID, Time: genesis.GenesisTime, InitialHeight: 1, ConsensusParams: &params, AppStateBytes: genesis.AppState,
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := node.FinalizeBlock(&abci.RequestFinalizeBlock{Height: 1, Time: genesis.GenesisTime, Hash: make([]byte, 32)}); err != nil {
		t.Fatal(err)
	}
	if _, err := node.Commit(); err != nil {
		t.Fatal(err)
	}
	vote, err := node.ExtendVote(t.Context(), &abci.RequestExtendVote{Height: 2})
	if err != nil || len(vote.VoteExtension) != 65 {
		t.Errorf("vote extension of %d bytes, want a signature (%v)", len(vote.VoteExtension), err)
	}
	origin, err := node.Anchors.Origin(node.NewContext(true))
	if err != nil || execute(t, "anchors", "origin", file) != hex.EncodeToString(origin[:]) {
		t.Errorf("origin of the node is %x (%v), the command prints another", origin, err)
	}
}
