// SPDX-License-Identifier: Apache-2.0

package rewards

import (
	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"

	"github.com/gpucoord/gpucoord/x/rewards/types"
)

// AutoCLIOptions describes the module's commands.
func (AppModule) AutoCLIOptions() *autocliv1.ModuleOptions {
	return &autocliv1.ModuleOptions{
		Query: &autocliv1.ServiceCommandDescriptor{
			Service:           types.Query_serviceDesc.ServiceName,
			RpcCommandOptions: queryCommands(),
		},
		Tx: &autocliv1.ServiceCommandDescriptor{
			Service:           types.Msg_serviceDesc.ServiceName,
			RpcCommandOptions: txCommands(),
		},
	}
}

func queryCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{RpcMethod: "Params", Use: "params", Short: "Show the parameters"},
		{RpcMethod: "Status", Use: "status", Short: "Show which epoch is settled next and what sponsors offer"},
		{RpcMethod: "Epoch", Use: "epoch [epoch]", Short: "Show an epoch's settlement", PositionalArgs: args("epoch")},
		{RpcMethod: "Rows", Use: "rows [epoch]", Short: "List the operators' rows of an epoch", PositionalArgs: args("epoch")},
		{
			RpcMethod:      "Explain",
			Use:            "explain [operator] [epoch]",
			Short:          "Show every factor, cap, forfeit and reason of an operator in an epoch",
			PositionalArgs: args("operator", "epoch"),
		},
		{RpcMethod: "Reward", Use: "reward [operator]", Short: "Show what an operator may claim", PositionalArgs: args("operator")},
		{RpcMethod: "Points", Use: "points [operator]", Short: "Show an operator's points, decayed to now", PositionalArgs: args("operator")},
		{RpcMethod: "Standing", Use: "standing [operator]", Short: "Show what routing weighs", PositionalArgs: args("operator")},
	}
}

func txCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{RpcMethod: "Sponsor", Use: "sponsor [amount-uusdc]", Short: "Add money that tops rewards up", PositionalArgs: args("amount_uusdc")},
		{RpcMethod: "Claim", Use: "claim", Short: "Pay out all rewards of the operator"},
		{RpcMethod: "UpdateParams", Skip: true}, // by governance proposal only
	}
}

func args(fields ...string) []*autocliv1.PositionalArgDescriptor {
	list := make([]*autocliv1.PositionalArgDescriptor, len(fields))
	for i, field := range fields {
		list[i] = &autocliv1.PositionalArgDescriptor{ProtoField: field}
	}
	return list
}
