// SPDX-License-Identifier: Apache-2.0

package rewards_test

import (
	"testing"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
	"github.com/cosmos/cosmos-sdk/codec"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/x/tx/signing"

	"github.com/gpucoord/gpucoord/x/rewards"
	"github.com/gpucoord/gpucoord/x/rewards/types"
)

func newRegistry(t *testing.T) codectypes.InterfaceRegistry {
	t.Helper()
	registry, err := codectypes.NewInterfaceRegistryWithOptions(codectypes.InterfaceRegistryOptions{
		ProtoFiles: proto.HybridResolver,
		SigningOptions: signing.Options{
			AddressCodec:          addresscodec.NewBech32Codec("gpucoord"),
			ValidatorAddressCodec: addresscodec.NewBech32Codec("gpucoordvaloper"),
		},
	})
	require.NoError(t, err)
	rewards.AppModule{}.RegisterInterfaces(registry)
	return registry
}

func TestEveryMethodHasACommand(t *testing.T) {
	options := rewards.AppModule{}.AutoCLIOptions()
	for service, commands := range map[*grpc.ServiceDesc]*autocliv1.ServiceCommandDescriptor{
		&types.Msg_serviceDesc:   options.Tx,
		&types.Query_serviceDesc: options.Query,
	} {
		require.Equal(t, service.ServiceName, commands.Service)
		var methods, described []string
		for _, m := range service.Methods {
			methods = append(methods, m.MethodName)
		}
		for _, c := range commands.RpcCommandOptions {
			described = append(described, c.RpcMethod)
		}
		require.ElementsMatch(t, methods, described)
	}
}

func TestEveryMessageHasASigner(t *testing.T) {
	registry := newRegistry(t)
	require.NoError(t, registry.SigningContext().Validate())
	for _, method := range types.Msg_serviceDesc.Methods {
		_, err := registry.Resolve("/gpucoord.rewards.v1.Msg" + method.MethodName)
		require.NoError(t, err)
	}
}

func TestDefaultGenesisIsValid(t *testing.T) {
	cdc := codec.NewProtoCodec(newRegistry(t))
	module := rewards.AppModule{}
	require.NoError(t, module.ValidateGenesis(cdc, nil, module.DefaultGenesis(cdc)))
	require.Error(t, module.ValidateGenesis(cdc, nil, []byte(`{"pruned_epoch":"1"}`)))
	require.Error(t, module.ValidateGenesis(cdc, nil, []byte(`{`)))
}
