// SPDX-License-Identifier: Apache-2.0

package receipts

import (
	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"

	"github.com/gpucoord/gpucoord/x/receipts/types"
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
		command("Params", "params", "Show the parameters"),
		command("Settler", "settler [address]", "Show a settler and its escrow", "address"),
		command("Settlers", "settlers", "List settlers by address"),
		command("Limit", "limit [settler] [operator]", "Show what an operator may have locked at a settler", "settler", "operator"),
		command("Gateway", "gateway [address]", "Show a gateway and its keys", "address"),
		command("Gateways", "gateways", "List gateways by address"),
		command("Payer", "payer [key] [operator]", "Show who settles a payer key's jobs", "key", "operator"),
		command("Batch", "batch [batch-id]", "Show a batch and its epoch's seed", "batch_id"),
		command("Batches", "batches", "List batches by id, of an epoch (--epoch), an operator (--operator), or all"),
		command("Demands", "demands", "List demands for data that wait for an answer, of a batch (--batch-id) or all"),
		command("Failures", "failures [epoch]", "List the failures that gateways reported for an epoch", "epoch"),
		command("Watermarks", "watermarks [host-key]", "Show the highest seq a host key has claimed at each settler", "host_key"),
		command("Epoch", "epoch [epoch]", "Show an epoch's sums and seed", "epoch"),
		command("Usage", "usage [operator] [epoch]", "List an operator's usage of an epoch", "operator", "epoch"),
		command("OpenClaims", "open-claims [operator]", "Show an operator's open claims and cover", "operator"),
		command("Earnings", "earnings [operator]", "Show what an operator may claim", "operator"),
	}
}

func txCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		command("ConsentToGateway", "consent-to-gateway [gateway] [consent]", "Let a gateway name the sender as controller (true), or no longer (false)",
			"gateway", "consent"),
		command("RegisterGateway", "register-gateway [moniker] [bond-uusdc]", "Register the sender as a gateway", "moniker", "bond_uusdc"),
		command("BondGateway", "bond-gateway [amount-uusdc]", "Add to the sender's gateway bond", "amount_uusdc"),
		command("UnbondGateway", "unbond-gateway", "Start to thaw the bond of a gateway whose keys have all ended"),
		command("AddGatewayKey", "add-gateway-key [public-key] [key-proof] [settler]", "Register a key that signs JobAuth",
			"public_key", "key_proof", "settler"),
		command("RemoveGatewayKey", "remove-gateway-key [address]", "End a gateway key for jobs issued from now on", "address"),
		governance("Accredit", "accredit [gateway] [accredited]", "Accredit a gateway, or withdraw it", "gateway", "accredited"),
		command("RegisterSettler", "register-settler [class]", "Register the sender as a settler, of --gateway or of its own work", "class"),
		command("Deposit", "deposit [settler] [amount-uusdc]", "Add escrow to a settler", "settler", "amount_uusdc"),
		command("SetLimit", "set-limit [operator] [limit-uusdc]", "Bound what an operator may have locked", "operator", "limit_uusdc"),
		command("Withdraw", "withdraw [amount-uusdc]", "Start to thaw escrow", "amount_uusdc"),
		{RpcMethod: "SubmitBatch", Use: "submit-batch", Short: "Claim a host's receipts of an epoch; the relayer does this by itself"},
		command("FundGroup", "fund-group [batch-id] [group]", "Lock escrow for an unfunded group", "batch_id", "group"),
		{RpcMethod: "OpenSamples", Use: "open-samples", Short: "Open drawn samples of a batch; the relayer does this by itself"},
		command("DeclareLoss", "declare-loss [host-id] [epoch]", "Bar a host's further claims of an epoch", "host_id", "epoch"),
		command("ClaimEarnings", "claim-earnings", "Claim all operator shares"),
		{RpcMethod: "Challenge", Use: "challenge", Short: "Show fraud by a committed report; the watchtower does this by itself"},
		command("DemandData", "demand-data [batch-id] [group] [index]", "Ask a batch's operator to open a leaf, with a bond", "batch_id", "group", "index"),
		{RpcMethod: "AnswerData", Use: "answer-data", Short: "Open the leaf that a demand asks for; the relayer does this by itself"},
		command("ClaimOmitted", "claim-omitted [evidence]", "Show a record that its host never claimed", "evidence"),
		{RpcMethod: "ReportFailures", Use: "report-failures", Short: "Report an epoch's failed jobs; the gateway does this by itself"},
		{RpcMethod: "RefuteFailure", Use: "refute-failure", Short: "Show that a reported failure has a countersigned receipt"},
		governance("SettleStuck", "settle-stuck [batch-id] [settle]", "Settle a stuck batch (true) or return its locks (false)", "batch_id", "settle"),
		governance("UpdateParams", "update-params [params]", "Change the parameters, whole", "params"),
	}
}

// command describes a command whose positional arguments are the named fields.
func command(method, use, short string, fields ...string) *autocliv1.RpcCommandOptions {
	args := make([]*autocliv1.PositionalArgDescriptor, len(fields))
	for i, field := range fields {
		args[i] = &autocliv1.PositionalArgDescriptor{ProtoField: field}
	}
	return &autocliv1.RpcCommandOptions{RpcMethod: method, Use: use, Short: short, PositionalArgs: args}
}

// governance describes a command that submits a proposal.
func governance(method, use, short string, fields ...string) *autocliv1.RpcCommandOptions {
	options := command(method, use, short, fields...)
	options.GovProposal = true
	return options
}
