// SPDX-License-Identifier: Apache-2.0

package anchors

import (
	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"

	"github.com/gpucoord/gpucoord/x/anchors/types"
)

// AutoCLIOptions describes the module's commands.
func (AppModule) AutoCLIOptions() *autocliv1.ModuleOptions {
	return &autocliv1.ModuleOptions{
		Query: &autocliv1.ServiceCommandDescriptor{
			Service: types.Query_serviceDesc.ServiceName,
			RpcCommandOptions: []*autocliv1.RpcCommandOptions{
				{RpcMethod: "Params", Use: "params", Short: "Show the parameters"},
				{RpcMethod: "Log", Use: "log", Short: "Show the log's size and root"},
				{
					RpcMethod: "Leaf", Use: "leaf <index>", Short: "Show a leaf of the retention window",
					PositionalArgs: []*autocliv1.PositionalArgDescriptor{{ProtoField: "index"}},
				},
				{RpcMethod: "Leaves", Use: "leaves", Short: "List the leaves of the retention window"},
			},
		},
		Tx: &autocliv1.ServiceCommandDescriptor{
			Service:           types.Msg_serviceDesc.ServiceName,
			RpcCommandOptions: []*autocliv1.RpcCommandOptions{{RpcMethod: "UpdateParams", Skip: true}}, // governance only
		},
	}
}
