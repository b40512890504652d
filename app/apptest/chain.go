// SPDX-License-Identifier: Apache-2.0

// Package apptest runs the application block by block over a memory database, without consensus: for tests of all
// modules together and for benchmarks.
package apptest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"

	"cosmossdk.io/log/v2"
	"github.com/cosmos/cosmos-sdk/baseapp"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/app"
)

// ChainID is the chain id of every test chain.
const ChainID = "gpucoord-test-1"

// BlockTime is the time between two blocks, the unit of days in the protocol.
const BlockTime = 6 * time.Second

// start is the genesis time of every test chain, fixed so that runs repeat.
var start = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// Options are what a test chain starts from.
type Options struct {
	// Accounts are funded in the genesis, in this order.
	Accounts []*Account
	// Patch changes the genesis state after accounts and validator are set; nil changes nothing.
	Patch func(*app.App, app.GenesisState) error
	// Fee is what every transaction pays.
	Fee sdk.Coins
	// Gas is the gas limit of every transaction; 0 means GasLimit, of which a proposer takes one a block.
	Gas uint64
	// DB holds the state; nil means memory.
	DB dbm.DB
	// Powers are the voting powers of the validators; empty means one validator.
	Powers []int64
	// AnchorKeys registers every validator's anchor key in the genesis.
	AnchorKeys bool
	// Settings are those of app.toml; nil means none.
	Settings servertypes.AppOptions
}

// Chain is an application with a validator, a clock and funded accounts. It is not for concurrent use.
type Chain struct {
	App *app.App
	// Supply is the supply of the genesis.
	Supply sdk.Coins
	// Accounts are those of the options.
	Accounts []*Account
	// Validator is the account of the first validator.
	Validator *Account

	fee        sdk.Coins
	gas        uint64
	validators []*Validator
	height     int64
}

// New starts a chain and runs its first, empty block.
func New(opts Options) (*Chain, error) {
	chain, genesis, err := build(opts)
	if err != nil {
		return nil, err
	}
	if err := chain.initialise(genesis, 1); err != nil {
		return nil, err
	}
	if _, err := chain.Block(); err != nil {
		return nil, err
	}
	return chain, chain.readSequences()
}

// Continue starts a new chain at the state that another one exported, at the next height. It has run no block yet.
func (c *Chain) Continue(state json.RawMessage) (*Chain, error) {
	application, err := newApp(dbm.NewMemDB(), nil)
	if err != nil {
		return nil, err
	}
	next := *c
	next.App = application
	return &next, next.initialise(state, c.height+1)
}

// Reopen starts an application over db, which holds a copy of this chain's state, and goes on from there by itself.
func (c *Chain) Reopen(db dbm.DB) (*Chain, error) {
	application, err := newApp(db, nil)
	if err != nil {
		return nil, err
	}
	next := *c
	next.App = application
	return &next, nil
}

func newApp(db dbm.DB, settings servertypes.AppOptions) (*app.App, error) {
	if settings == nil {
		settings = Settings{}
	}
	return app.New(log.NewNopLogger(), db, settings, baseapp.SetChainID(ChainID))
}

// Settings are settings of app.toml by their dotted names.
type Settings map[string]any

// Get implements servertypes.AppOptions.
func (s Settings) Get(name string) any { return s[name] }

func (c *Chain) initialise(state json.RawMessage, height int64) error {
	params := app.DefaultConsensusParams().ToProto()
	_, err := c.App.InitChain(&abci.RequestInitChain{
		Time: timeOf(height), ChainId: ChainID, ConsensusParams: &params, AppStateBytes: state, InitialHeight: height,
	})
	if err != nil {
		return fmt.Errorf("start the chain: %w", err)
	}
	c.height = height - 1
	return nil
}

// timeOf is the time of the block at height.
func timeOf(height int64) time.Time { return start.Add(time.Duration(height) * BlockTime) }

// Height returns the height of the last block.
func (c *Chain) Height() uint64 { return uint64(c.height) }

// Time returns the time of the last block.
func (c *Chain) Time() time.Time { return timeOf(c.height) }

// NextTime returns the time that the next block will have.
func (c *Chain) NextTime() time.Time { return timeOf(c.height + 1) }

// BlockHash is the header hash of the block at height; it depends on nothing but the height, so that runs repeat.
func BlockHash(height uint64) [32]byte {
	return sha256.Sum256(binary.BigEndian.AppendUint64([]byte(ChainID), height))
}

// Context returns a context that reads the last committed state.
func (c *Chain) Context() sdk.Context {
	return c.App.NewContextLegacy(true, cmtproto.Header{ChainID: ChainID, Height: c.height, Time: timeOf(c.height)})
}

// Block runs and commits a block of txs, and returns what it gave. A transaction that fails is no error.
func (c *Chain) Block(txs ...[]byte) (*abci.ResponseFinalizeBlock, error) {
	height := c.height + 1
	hash := BlockHash(uint64(height))
	response, err := c.App.FinalizeBlock(&abci.RequestFinalizeBlock{
		Txs: txs, Height: height, Time: timeOf(height), Hash: hash[:], ProposerAddress: c.validators[0].address,
		DecidedLastCommit: c.commit(),
	})
	if err != nil {
		return nil, fmt.Errorf("block %d: %w", height, err)
	}
	if _, err := c.App.Commit(); err != nil {
		return nil, fmt.Errorf("commit block %d: %w", height, err)
	}
	c.height = height
	for _, result := range response.TxResults {
		if result.Code != 0 {
			return response, c.readSequences()
		}
	}
	return response, nil
}

// Until runs empty blocks up to and including height.
func (c *Chain) Until(height uint64) error {
	for c.Height() < height {
		if _, err := c.Block(); err != nil {
			return err
		}
	}
	return nil
}

// Deliver runs a block with one transaction of msgs and returns its result.
func (c *Chain) Deliver(from *Account, msgs ...sdk.Msg) (*abci.ExecTxResult, error) {
	tx, err := c.Sign(from, msgs...)
	if err != nil {
		return nil, err
	}
	response, err := c.Block(tx)
	if err != nil {
		return nil, err
	}
	return response.TxResults[0], nil
}

// Must is Deliver for a transaction that has to succeed; a failure is an error with its log.
func (c *Chain) Must(from *Account, msgs ...sdk.Msg) error {
	result, err := c.Deliver(from, msgs...)
	if err != nil {
		return err
	}
	if result.Code != 0 {
		return fmt.Errorf("%s of %s: code %d of %s: %s", sdk.MsgTypeURL(msgs[0]), from.Name, result.Code, result.Codespace, result.Log)
	}
	return nil
}

// Reexport imports an exported state into an empty application and exports it from there, without a block in between.
func Reexport(exported servertypes.ExportedApp) (json.RawMessage, error) {
	application, err := newApp(dbm.NewMemDB(), nil)
	if err != nil {
		return nil, err
	}
	header := cmtproto.Header{ChainID: ChainID, Height: exported.Height, Time: timeOf(exported.Height)}
	ctx := application.NewContextLegacy(true, header) // nothing of it is ever committed
	if _, err := application.ImportState(ctx, exported.AppState); err != nil {
		return nil, err
	}
	return application.ExportState(ctx, nil)
}
