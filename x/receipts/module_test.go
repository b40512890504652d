// SPDX-License-Identifier: Apache-2.0

package receipts_test

import (
	"testing"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"

	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"

	"github.com/gpucoord/gpucoord/x/receipts"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// Every method of both services has a command, and every positional argument is a field of its message.
func TestCommandsMatchServices(t *testing.T) {
	options := receipts.AppModule{}.AutoCLIOptions()
	for _, commands := range []*autocliv1.ServiceCommandDescriptor{options.Query, options.Tx} {
		d, err := proto.HybridResolver.FindDescriptorByName(protoreflect.FullName(commands.Service))
		require.NoError(t, err)
		service, ok := d.(protoreflect.ServiceDescriptor)
		require.True(t, ok)
		byMethod := map[string]*autocliv1.RpcCommandOptions{}
		for _, c := range commands.RpcCommandOptions {
			byMethod[c.RpcMethod] = c
		}
		require.Len(t, byMethod, service.Methods().Len())
		for i := range service.Methods().Len() {
			method := service.Methods().Get(i)
			c, found := byMethod[string(method.Name())]
			require.True(t, found, method.Name())
			for _, arg := range c.PositionalArgs {
				require.NotNil(t, method.Input().Fields().ByName(protoreflect.Name(arg.ProtoField)), "%s %s", method.Name(), arg.ProtoField)
			}
		}
	}
}

func TestModuleGenesis(t *testing.T) {
	registry := codectypes.NewInterfaceRegistry()
	cdc := codec.NewProtoCodec(registry)
	m := receipts.NewAppModule(cdc, nil)
	m.RegisterInterfaces(registry)
	require.Equal(t, types.ModuleName, m.Name())
	require.NoError(t, m.ValidateGenesis(cdc, nil, m.DefaultGenesis(cdc)))
	require.Error(t, m.ValidateGenesis(cdc, nil, []byte(`{"params":{}}`)))
	require.Error(t, m.ValidateGenesis(cdc, nil, []byte(`{`)))
	_, err := registry.Resolve("/gpucoord.receipts.v1.MsgSubmitBatch")
	require.NoError(t, err)
}
