// SPDX-License-Identifier: Apache-2.0

package operators

import (
	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// AutoCLIOptions describes the module's commands.
func (AppModule) AutoCLIOptions() *autocliv1.ModuleOptions {
	return &autocliv1.ModuleOptions{
		Query: &autocliv1.ServiceCommandDescriptor{
			Service: types.Query_serviceDesc.ServiceName, RpcCommandOptions: queryCommands(),
		},
		Tx: &autocliv1.ServiceCommandDescriptor{
			Service: types.Msg_serviceDesc.ServiceName, RpcCommandOptions: txCommands(),
		},
	}
}

func queryCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		command("Params", "params", "Show the parameters"),
		command("Operator", "operator [address]", "Show an operator with its cover and capacity", "address"),
		command("Operators", "operators", "List operators"),
		command("Host", "host [host-id]", "Show a host with its receipt key, devices and token ceiling", "host_id"),
		command("Hosts", "hosts", "List hosts, of one operator with --operator"),
		command("HostKey", "host-key [address]", "Show a receipt key by its address in hex", "address"),
		command("Unbondings", "unbondings [operator]", "List an operator's unbonding entries", "operator"),
		command("RelayerGrants", "relayers [operator]", "List an operator's relayer grants", "operator"),
		command("NodeLink", "node-link [node-hash] [owner]", "Show the operator an Aleph node's owner has linked it to", "node_hash", "owner"),
		command("NodeLinks", "node-links", "List linked Aleph nodes, of one node with --node-hash"),
		command("BlockHash", "block-hash [height]", "Show a stored block hash; height 0 is the newest", "height"),
		command("Epoch", "epoch [epoch]", "Show an epoch's windows and start time", "epoch"),
		command("CurrentEpoch", "current-epoch", "Show the running epoch's windows and start time"),
		command("Deferred", "deferred", "List punishments that wait for governance"),
		command("Report", "report [report-id]", "Show an open report", "report_id"),
		command("Reports", "reports", "List open reports"),
		command("Verifiers", "verifiers", "List verifiers of attestations"),
		command("Attestation", "attestation [ref]", "Show an attestation with its evidence", "ref"),
		command("Attestations", "attestations", "List attestations, of one host with --host-id"),
		command("Probers", "probers", "List probers"),
		command("Panel", "panel [epoch]", "Show the probers drawn for an epoch", "epoch"),
		command("Availability", "availability [operator] [epoch]", "Show what panels say of an operator for an epoch", "operator", "epoch"),
		command("Claims", "claims [host-id]", "Show a host's four claims, as far as they hold now", "host_id"),
	}
}

// txCommands lists the messages. Fields that are no arguments are flags; bytes are given in hex, in base64 or as a file.
func txCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		command("ConsentToOperator", "consent-to-operator [operator] [consent]", "Let an operator name the signer as controller (true), or no longer (false)",
			"operator", "consent"),
		command("RegisterOperator", "register-operator [moniker]", "Register the signer as an operator", "moniker"),
		command("UpdateOperator", "update-operator [moniker]", "Change the operator's description", "moniker"),
		command("Bond", "bond [amount-ultai]", "Add bond", "amount_ultai"),
		command("Unbond", "unbond [amount-ultai]", "Move bond into the unbonding queue", "amount_ultai"),
		command("RegisterHost", "register-host", "Register a host with its first receipt key"),
		command("UpdateHost", "update-host", "Change a host's endpoint, models and prices"),
		command("RegisterHostKey", "register-host-key", "Replace a host's receipt key"),
		command("CommitGPUs", "commit-gpus", "Declare a host's devices"),
		command("SubmitCapacity", "submit-capacity", "Bring a capacity statement signed by the host key"),
		command("AuthoriseRelayer", "authorise-relayer [relayer] [expires-height]", "Let a hot account act for the operator",
			"relayer", "expires_height"),
		command("RevokeRelayer", "revoke-relayer [relayer]", "Withdraw a relayer's grant", "relayer"),
		command("LinkNode", "link-node", "Link an Aleph node by its owner's signature"),
		command("CommitReport", "commit-report [commitment]", "Promise evidence, with a bond", "commitment"),
		command("RegisterVerifier", "register-verifier [moniker] [bond-ultai]", "Register as a verifier of attestations, or add bond",
			"moniker", "bond_ultai"),
		command("LeaveVerifiers", "leave-verifiers", "End the signer's duty as a verifier"),
		command("SubmitAttestation", "submit-attestation [host-id] [format] [evidence]", "Publish evidence about a host",
			"host_id", "format", "evidence"),
		command("SignVerdict", "sign-verdict [ref] [claims]", "Say which claims an attestation's evidence proves, as bits", "ref", "claims"),
		command("ChallengeAttestation", "challenge-attestation [report-id] [salt] [ref]", "Have the chain re-verify an accepted attestation",
			"report_id", "salt", "ref"),
		command("RegisterProber", "register-prober [moniker] [bond-ultai]", "Register as a prober of hosts, or add bond", "moniker", "bond_ultai"),
		command("UnbondProber", "unbond-prober", "End the signer's duty as a prober"),
		command("CommitObservations", "commit-observations [epoch] [commitment]", "Commit to what a panel's member has seen", "epoch", "commitment"),
		command("RevealObservations", "reveal-observations [epoch] [salt]", "Show the rows that were committed to", "epoch", "salt"),
		{RpcMethod: "ResolveDeferred", Skip: true}, // governance only
		{RpcMethod: "UpdateParams", Skip: true},    // governance only
	}
}

func command(method, use, short string, positional ...string) *autocliv1.RpcCommandOptions {
	args := make([]*autocliv1.PositionalArgDescriptor, len(positional))
	for i, field := range positional {
		args[i] = &autocliv1.PositionalArgDescriptor{ProtoField: field}
	}
	return &autocliv1.RpcCommandOptions{RpcMethod: method, Use: use, Short: short, PositionalArgs: args}
}
