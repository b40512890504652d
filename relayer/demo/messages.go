// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"crypto/sha256"
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/relayer/chain"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

// grantBlocks is how long the operators' relayers may act: longer than any demo.
const grantBlocks = 10_000_000

// key reads a receipt key.
func (w *World) key(name string) (*receipt.PrivateKey, error) {
	raw, err := chain.ReadKeyFile(w.home.keyFile(name))
	if err != nil {
		return nil, err
	}
	key, err := receipt.ParsePrivateKey(raw[:])
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", name, err)
	}
	return key, nil
}

// proof is a key's proof of possession for an account.
func (w *World) proof(key *receipt.PrivateKey, role receipt.KeyRole, account string) []byte {
	owner := [20]byte(w.state.Accounts[account].hot.Address())
	sig := receipt.Sign(key, receipt.KeyProofDigest(w.domain, role, owner, receipt.KeyAddress(key)))
	return sig[:]
}

// operatorMessages registers an operator with bond, host, relayer and, where it serves a customer of its own, its settler.
func (w *World) operatorMessages(i int) ([]sdk.Msg, error) {
	o := operators[i]
	address := w.state.Accounts[o.name].Address
	key, err := w.key(hostOf(o.name))
	if err != nil {
		return nil, err
	}
	msgs := []sdk.Msg{
		&operatorstypes.MsgRegisterOperator{Operator: address, Moniker: o.moniker + " (simulated GPUs)", Region: o.region, Tier: "demo", BondUltai: bondUltai},
		&operatorstypes.MsgRegisterHost{
			Operator: address, PublicKey: key.PubKey().SerializeCompressed(), KeyProof: w.proof(key, receipt.RoleHost, o.name),
			Endpoint: w.state.Ports.url("host", i), Models: []operatorstypes.HostModel{hostModel(o.base)},
		},
		&operatorstypes.MsgAuthoriseRelayer{Operator: address, Relayer: w.state.Accounts[relayerOf(o.name)].Address, ExpiresHeight: grantBlocks},
	}
	if o.direct {
		msgs = append(msgs,
			&receiptstypes.MsgRegisterSettler{Settler: address, Class: receiptstypes.Class_CLASS_DIRECT},
			&receiptstypes.MsgDeposit{Depositor: address, Settler: address, AmountUusdc: operatorEscrow},
		)
	}
	return msgs, nil
}

// hostModel is a base with all its adapters as a host offers it.
func hostModel(name string) operatorstypes.HostModel {
	base, id := baseOf(name), assetID(name)
	out := operatorstypes.HostModel{ModelId: id[:], PriceInUusdc: base.priceIn, PriceOutUusdc: base.priceOut, ServedName: name}
	for _, a := range adaptersOf(name) {
		id := assetID(a.name)
		out.AdapterIds, out.AdapterNames = append(out.AdapterIds, id[:]), append(out.AdapterNames, a.name)
	}
	return out
}

// gatewayMessages registers a gateway with its bond, makes its account its settler with escrow, and adds its job key.
func (w *World) gatewayMessages(g gatewaySpec) ([]sdk.Msg, error) {
	address := w.state.Accounts[g.name].Address
	key, err := w.key(jobKeyOf(g.name))
	if err != nil {
		return nil, err
	}
	return []sdk.Msg{
		&receiptstypes.MsgRegisterGateway{Gateway: address, Moniker: g.moniker, BondUusdc: gatewayBond},
		&receiptstypes.MsgRegisterSettler{Settler: address, Gateway: address, Class: receiptstypes.Class_CLASS_ROUTED, PaysOperators: true},
		&receiptstypes.MsgDeposit{Depositor: address, Settler: address, AmountUusdc: gatewayEscrow},
		&receiptstypes.MsgAddGatewayKey{
			Gateway: address, PublicKey: key.PubKey().SerializeCompressed(), KeyProof: w.proof(key, receipt.RoleGateway, g.name), Settler: address,
		},
	}, nil
}

// asset is a base or an adapter on its way to the chain.
type asset struct {
	name, owner string
	level       int // bases 0; an adapter one above its nearest parent or base
	register    royaltiestypes.MsgRegisterAsset
}

// assets lists the models of the world, those that others build on first.
func (w *World) assets() []asset {
	var out []asset
	for _, b := range bases {
		payees := []payeeSpec{{author: b.author, bps: 10_000}}
		out = append(out, w.newAsset(b.name, b.author, 0, royaltiestypes.AssetKind_ASSET_KIND_BASE, b.royaltyBps, payees))
	}
	for _, a := range adapters {
		one := w.newAsset(a.name, a.owner, 1+len(a.parents), royaltiestypes.AssetKind_ASSET_KIND_ADAPTER, a.royaltyBps, a.payees)
		base := assetID(a.base)
		one.register.Base = base[:]
		for _, p := range a.parents {
			id := assetID(p)
			one.register.Parents = append(one.register.Parents, id[:])
		}
		out = append(out, one)
	}
	return out
}

func (w *World) newAsset(name, owner string, level int, kind royaltiestypes.AssetKind, bps uint64, payees []payeeSpec) asset {
	id, salt := assetID(name), sha256.Sum256([]byte("demo salt of "+name))
	manifest := sha256.Sum256([]byte("demo manifest of " + name))
	out := asset{name: name, owner: owner, level: level, register: royaltiestypes.MsgRegisterAsset{
		Owner: w.state.Accounts[owner].Address, AssetId: id[:], Salt: salt[:], Kind: kind, Name: name,
		ManifestUri: "https://example.org/simulated/" + name, ManifestSha256: manifest[:], License: "Apache-2.0", CommercialUse: true,
		RoyaltyBps: bps,
	}}
	for _, p := range payees {
		out.register.Payees = append(out.register.Payees, royaltiestypes.Payee{Address: w.state.Accounts[p.author].Address, Bps: p.bps})
	}
	return out
}

// commitMessage hides an asset until it is revealed.
func (w *World) commitMessage(a asset) sdk.Msg {
	owner := [20]byte(w.state.Accounts[a.owner].hot.Address())
	hash := royaltiestypes.CommitHash(owner, [32]byte(a.register.AssetId), [32]byte(a.register.Salt))
	return &royaltiestypes.MsgCommitAsset{Owner: a.register.Owner, Hash: hash[:]}
}

// proofMessage claims a base's authorship.
func (w *World) proofMessage(b baseSpec) sdk.Msg {
	id, sum := assetID(b.name), sha256.Sum256([]byte("demo author proof of "+b.name))
	return &royaltiestypes.MsgProposeAuthorProof{
		Owner: w.state.Accounts[b.author].Address, AssetId: id[:], Uri: "https://example.org/simulated/" + b.name + "/GPUCOORD", Sha256: sum[:],
	}
}

// accreditMessage proposes to governance that a gateway be accredited.
func (w *World) accreditMessage(g gatewaySpec) (sdk.Msg, error) {
	authority := chain.Bech32(authtypes.NewModuleAddress(govtypes.ModuleName))
	accredit := &receiptstypes.MsgAccredit{Authority: authority, Gateway: w.state.Accounts[g.name].Address, Accredited: true}
	packed, err := chain.Pack(accredit)
	if err != nil {
		return nil, err
	}
	return &govv1.MsgSubmitProposal{
		Messages: packed, InitialDeposit: sdk.Coins{sdk.NewInt64Coin("ualeph", 1_000)}, Proposer: w.state.Accounts[validator].Address,
		Title: "Accredit " + g.moniker, Summary: "A gateway of the demonstration whose usage counts in full.",
	}, nil
}

// voteMessage is the only validator's vote for a proposal.
func (w *World) voteMessage(proposal uint64) sdk.Msg {
	return &govv1.MsgVote{ProposalId: proposal, Voter: w.state.Accounts[validator].Address, Option: govv1.VoteOption_VOTE_OPTION_YES}
}
