// SPDX-License-Identifier: Apache-2.0

// Package royalties registers models and adapters and keeps the pull ledger of what their payees have earned.
package royalties

import (
	"context"
	"encoding/json"
	"fmt"

	gwruntime "github.com/grpc-ecosystem/grpc-gateway/runtime"
	"google.golang.org/grpc"

	"cosmossdk.io/core/appmodule"
	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"

	"github.com/gpucoord/gpucoord/x/royalties/keeper"
	"github.com/gpucoord/gpucoord/x/royalties/types"
)

var (
	_ module.AppModuleBasic      = AppModule{}
	_ module.HasGenesis          = AppModule{}
	_ module.HasConsensusVersion = AppModule{}
	_ appmodule.AppModule        = AppModule{}
	_ appmodule.HasServices      = AppModule{}
	_ appmodule.HasEndBlocker    = AppModule{}
)

// ConsensusVersion is the version of the stored shapes.
const ConsensusVersion = 1

// AppModule connects the keeper to the application.
type AppModule struct {
	keeper *keeper.Keeper
}

// NewAppModule returns the module of k. The codec is there because all modules of the application are built alike.
func NewAppModule(_ codec.Codec, k *keeper.Keeper) AppModule {
	return AppModule{keeper: k}
}

// IsAppModule implements appmodule.AppModule.
func (AppModule) IsAppModule() {}

// IsOnePerModuleType implements depinject's marker, which appmodule.AppModule includes.
func (AppModule) IsOnePerModuleType() {}

// Name implements module.HasName.
func (AppModule) Name() string { return types.ModuleName }

// ConsensusVersion implements module.HasConsensusVersion.
func (AppModule) ConsensusVersion() uint64 { return ConsensusVersion }

// RegisterLegacyAminoCodec registers nothing: messages are signed in direct mode.
func (AppModule) RegisterLegacyAminoCodec(*codec.LegacyAmino) {}

// RegisterInterfaces registers the module's messages.
func (AppModule) RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	types.RegisterInterfaces(registry)
}

// RegisterGRPCGatewayRoutes registers the REST routes of the queries.
func (AppModule) RegisterGRPCGatewayRoutes(clientCtx client.Context, mux *gwruntime.ServeMux) {
	if err := types.RegisterQueryHandlerClient(context.Background(), mux, types.NewQueryClient(clientCtx)); err != nil {
		panic(fmt.Sprintf("x/royalties: bad gateway routes: %s", err))
	}
}

// RegisterServices registers messages and queries.
func (m AppModule) RegisterServices(registrar grpc.ServiceRegistrar) error {
	types.RegisterMsgServer(registrar, keeper.NewMsgServer(m.keeper))
	types.RegisterQueryServer(registrar, keeper.NewQueryServer(m.keeper))
	return nil
}

// DefaultGenesis returns the state of a new chain.
func (AppModule) DefaultGenesis(cdc codec.JSONCodec) json.RawMessage {
	return cdc.MustMarshalJSON(types.DefaultGenesis())
}

// ValidateGenesis checks a state without reading addresses.
func (AppModule) ValidateGenesis(cdc codec.JSONCodec, _ client.TxEncodingConfig, data json.RawMessage) error {
	var g types.GenesisState
	if err := cdc.UnmarshalJSON(data, &g); err != nil {
		return fmt.Errorf("read %s genesis: %w", types.ModuleName, err)
	}
	return g.Validate()
}

// InitGenesis fills the store. It panics on a bad state, as the SDK's interface leaves no other way to refuse it.
func (m AppModule) InitGenesis(ctx sdk.Context, cdc codec.JSONCodec, data json.RawMessage) {
	var g types.GenesisState
	cdc.MustUnmarshalJSON(data, &g)
	if err := m.keeper.InitGenesis(ctx, &g); err != nil {
		panic(fmt.Sprintf("x/royalties: bad genesis: %s", err))
	}
}

// ExportGenesis returns the whole state. It panics when the store cannot be read.
func (m AppModule) ExportGenesis(ctx sdk.Context, cdc codec.JSONCodec) json.RawMessage {
	g, err := m.keeper.ExportGenesis(ctx)
	if err != nil {
		panic(fmt.Sprintf("x/royalties: export: %s", err))
	}
	return cdc.MustMarshalJSON(g)
}

// EndBlock implements appmodule.HasEndBlocker.
func (m AppModule) EndBlock(ctx context.Context) error {
	return m.keeper.EndBlock(ctx)
}
