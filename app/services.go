// SPDX-License-Identifier: Apache-2.0

package app

import (
	"cosmossdk.io/client/v2/autocli"
	"cosmossdk.io/core/appmodule"
	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/grpc/cmtservice"
	nodeservice "github.com/cosmos/cosmos-sdk/client/grpc/node"
	"github.com/cosmos/cosmos-sdk/codec/address"
	"github.com/cosmos/cosmos-sdk/runtime/services"
	"github.com/cosmos/cosmos-sdk/server"
	"github.com/cosmos/cosmos-sdk/server/api"
	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	"github.com/cosmos/cosmos-sdk/types/module"
	authtx "github.com/cosmos/cosmos-sdk/x/auth/tx"
)

// RegisterAPIRoutes opens the REST gateway: transactions, blocks, the node, and every module's queries.
func (a *App) RegisterAPIRoutes(srv *api.Server, _ serverconfig.APIConfig) {
	ctx, router := srv.ClientCtx, srv.GRPCGatewayRouter
	authtx.RegisterGRPCGatewayRoutes(ctx, router)
	cmtservice.RegisterGRPCGatewayRoutes(ctx, router)
	nodeservice.RegisterGRPCGatewayRoutes(ctx, router)
	a.basicManager.RegisterGRPCGatewayRoutes(ctx, router)
}

// RegisterTxService opens the gRPC service that simulates, broadcasts and finds transactions.
func (a *App) RegisterTxService(ctx client.Context) {
	authtx.RegisterTxService(a.GRPCQueryRouter(), ctx, a.Simulate, a.encoding.InterfaceRegistry)
}

// RegisterTendermintService opens the gRPC service of blocks and validators.
func (a *App) RegisterTendermintService(ctx client.Context) {
	cmtservice.RegisterTendermintService(ctx, a.GRPCQueryRouter(), a.encoding.InterfaceRegistry, server.NewCometABCIWrapper(a).Query)
}

// RegisterNodeService opens the gRPC service of the node's own settings and earliest height.
func (a *App) RegisterNodeService(ctx client.Context, cfg serverconfig.Config) {
	nodeservice.RegisterNodeService(ctx, a.GRPCQueryRouter(), cfg, func() int64 { return a.CommitMultiStore().EarliestVersion() })
}

// Encoding returns the codecs that know every module's types.
func (a *App) Encoding() Encoding { return a.encoding }

// Basics returns the modules as the genesis commands need them.
func (a *App) Basics() module.BasicManager { return a.basicManager }

// AutoCLI returns what the transaction and query commands are generated from.
func (a *App) AutoCLI() autocli.AppOptions {
	modules := make(map[string]appmodule.AppModule)
	for name, m := range a.moduleManager.Modules {
		if core, ok := m.(appmodule.AppModule); ok {
			modules[name] = core
		}
	}
	signing := a.encoding.InterfaceRegistry.SigningContext()
	return autocli.AppOptions{
		Modules:               modules,
		ModuleOptions:         services.ExtractAutoCLIOptions(a.moduleManager.Modules),
		AddressCodec:          signing.AddressCodec(),
		ValidatorAddressCodec: signing.ValidatorAddressCodec(),
		ConsensusAddressCodec: address.NewBech32Codec(Bech32Prefix + "valcons"),
	}
}
