// SPDX-License-Identifier: Apache-2.0

// Package app wires the modules into one state machine, by hand.
package app

import (
	"errors"
	"fmt"
	"sync"

	dbm "github.com/cosmos/cosmos-db"

	"cosmossdk.io/log/v2"
	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/baseapp/blockexec"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	"github.com/cosmos/cosmos-sdk/version"

	"github.com/gpucoord/gpucoord/x/anchors/signer"
)

// App is the chain's state machine. Its keepers are reachable by the name of their module.
type App struct {
	*baseapp.BaseApp
	Keepers

	encoding      Encoding
	keys          storeKeys
	moduleManager *module.Manager
	basicManager  module.BasicManager
	configurator  module.Configurator
	anchorSigner  signer.Signer
	anchorArchive *anchorArchive
	closeOnce     func() error
}

var _ servertypes.Application = (*App)(nil)

// New builds the state machine over db and loads its latest version.
//
// Errors: a codec, module or store that can not be set up; the node must not start then.
func New(logger log.Logger, db dbm.DB, opts servertypes.AppOptions, options ...func(*baseapp.BaseApp)) (*App, error) {
	app, err := assemble(logger, db, opts, options...)
	if err != nil {
		return nil, err
	}
	if err := app.LoadLatestVersion(); err != nil {
		return nil, fmt.Errorf("load the latest state: %w", err)
	}
	return app, nil
}

// NewAtHeight is New with the state of a past height, for exports.
func NewAtHeight(
	logger log.Logger, db dbm.DB, opts servertypes.AppOptions, height int64, options ...func(*baseapp.BaseApp),
) (*App, error) {
	app, err := assemble(logger, db, opts, options...)
	if err != nil {
		return nil, err
	}
	if err := app.LoadVersion(height); err != nil {
		return nil, fmt.Errorf("load the state of height %d: %w", height, err)
	}
	return app, nil
}

func assemble(logger log.Logger, db dbm.DB, opts servertypes.AppOptions, options ...func(*baseapp.BaseApp)) (*App, error) {
	encoding, err := NewEncoding()
	if err != nil {
		return nil, err
	}
	base := baseapp.NewBaseApp(Name, logger, db, encoding.TxConfig.TxDecoder(), options...)
	base.SetVersion(version.Version)
	base.SetInterfaceRegistry(encoding.InterfaceRegistry)
	base.SetTxEncoder(encoding.TxConfig.TxEncoder())

	app := &App{BaseApp: base, encoding: encoding, keys: newStoreKeys()}
	app.closeOnce = sync.OnceValue(func() error { return errors.Join(base.Close(), app.anchorArchive.close()) })
	// The executor must know every key before a keeper opens a store through it.
	decode := encoding.TxConfig.TxDecoder()
	blockexec.Apply(base, opts, app.keys.all(), decode, func(storetypes.MultiStore) string { return BondDenom },
		blockexec.WithRunnerWrap(func(inner sdk.TxRunner) sdk.TxRunner { return equalRunner{inner: inner, decode: decode} }))

	if app.Keepers, err = newKeepers(app, opts); err != nil {
		return nil, err
	}
	app.moduleManager = newModules(app)
	app.basicManager = newBasics(app)
	setOrder(app.moduleManager)
	if err := app.registerServices(); err != nil {
		return nil, err
	}
	app.MountKVStores(app.keys.kv)
	app.MountObjectStores(app.keys.object)
	if app.anchorSigner, err = newAnchorSigner(opts); err != nil {
		return nil, err
	}
	if err := app.setHandlers(); err != nil {
		return nil, err
	}
	return app, app.setUpgrades()
}

// Close closes the databases. The server calls it twice; the second call returns what the first did.
func (a *App) Close() error { return a.closeOnce() }
