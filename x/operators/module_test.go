// SPDX-License-Identifier: Apache-2.0

package operators_test

import (
	"testing"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/x/tx/signing"

	"github.com/gpucoord/gpucoord/x/operators"
	"github.com/gpucoord/gpucoord/x/operators/types"
)

func TestEveryMethodHasACommand(t *testing.T) {
	options := operators.AppModule{}.AutoCLIOptions()
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
	codec := addresscodec.NewBech32Codec("gpucoord")
	registry, err := codectypes.NewInterfaceRegistryWithOptions(codectypes.InterfaceRegistryOptions{
		ProtoFiles:     proto.HybridResolver,
		SigningOptions: signing.Options{AddressCodec: codec, ValidatorAddressCodec: addresscodec.NewBech32Codec("gpucoordvaloper")},
	})
	require.NoError(t, err)
	operators.AppModule{}.RegisterInterfaces(registry)
	require.NoError(t, registry.SigningContext().Validate())
	for _, method := range types.Msg_serviceDesc.Methods {
		_, err := registry.Resolve("/gpucoord.operators.v1.Msg" + method.MethodName)
		require.NoError(t, err)
	}
}
