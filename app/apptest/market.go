// SPDX-License-Identifier: Apache-2.0

package apptest

import (
	"crypto/sha256"
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/receipt"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

// MarketOptions are the sizes of a market.
type MarketOptions struct {
	Operators, HostsPerOperator, Gateways, Adapters int
	// BondUltai is each operator's bond, EscrowUusdc each settler's escrow.
	BondUltai, EscrowUusdc uint64
	// Genesis is what the chain starts from besides the market's accounts.
	Genesis Options
}

// Market is a chain with operators, hosts, gateways and assets that are all registered and funded.
type Market struct {
	*Chain

	Author    *Account
	Operators []*Account
	Hosts     []*Host
	Gateways  []*Account
	Payers    []*Payer // one for each gateway, then one customer for each operator
	Model     [32]byte
	Adapters  [][32]byte
}

// wealth is what each account of a market holds of each denom besides what it bonds.
const wealth = 1_000_000_000_000

// NewMarket starts a chain and registers everyone on it.
func NewMarket(opts MarketOptions) (*Market, error) {
	m := &Market{Author: rich("author", opts), Model: sha256.Sum256([]byte("base model"))}
	accounts := []*Account{m.Author}
	for i := range opts.Operators {
		m.Operators = append(m.Operators, rich(fmt.Sprintf("operator-%d", i), opts))
	}
	for i := range opts.Gateways {
		m.Gateways = append(m.Gateways, rich(fmt.Sprintf("gateway-%d", i), opts))
	}
	accounts = append(append(accounts, m.Operators...), m.Gateways...)
	opts.Genesis.Accounts = append(accounts, opts.Genesis.Accounts...)
	var err error
	if m.Chain, err = New(opts.Genesis); err != nil {
		return nil, err
	}
	for _, step := range []func(MarketOptions) error{m.registerAssets, m.registerOperators, m.registerGateways} {
		if err := step(opts); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func rich(name string, opts MarketOptions) *Account {
	return NewAccount(name,
		sdk.NewInt64Coin("ualeph", wealth),
		sdk.NewInt64Coin(operatorstypes.BondDenom, int64(wealth+opts.BondUltai)),
		sdk.NewInt64Coin(receiptstypes.SettlementDenom, int64(wealth+opts.EscrowUusdc)))
}

func (m *Market) registerAssets(opts MarketOptions) error {
	base := m.asset("base model", royaltiestypes.AssetKind_ASSET_KIND_BASE, 200)
	reveals := []sdk.Msg{base}
	for i := range opts.Adapters {
		adapter := m.asset(fmt.Sprintf("adapter %d", i), royaltiestypes.AssetKind_ASSET_KIND_ADAPTER, 500)
		adapter.Base = m.Model[:]
		reveals = append(reveals, adapter)
		m.Adapters = append(m.Adapters, [32]byte(adapter.AssetId))
	}
	commits := make([]sdk.Msg, len(reveals))
	for i, msg := range reveals {
		reveal := msg.(*royaltiestypes.MsgRegisterAsset) //nolint:forcetypeassert // built above
		hash := royaltiestypes.CommitHash([20]byte(m.Author.Address), [32]byte(reveal.AssetId), [32]byte(reveal.Salt))
		commits[i] = &royaltiestypes.MsgCommitAsset{Owner: m.Author.String(), Hash: hash[:]}
	}
	if err := m.Must(m.Author, commits...); err != nil {
		return err
	}
	if err := m.Until(m.Height() + royaltiestypes.MinRevealBlocks); err != nil {
		return err
	}
	return m.Must(m.Author, reveals...)
}

func (m *Market) asset(name string, kind royaltiestypes.AssetKind, royaltyBps uint64) *royaltiestypes.MsgRegisterAsset {
	id, salt, manifest := sha256.Sum256([]byte(name)), sha256.Sum256([]byte("salt")), sha256.Sum256([]byte("manifest"))
	return &royaltiestypes.MsgRegisterAsset{
		Owner: m.Author.String(), AssetId: id[:], Salt: salt[:], Kind: kind, Name: name,
		ManifestUri: "https://example.org/manifest.json", ManifestSha256: manifest[:],
		License: "Apache-2.0", CommercialUse: true, RoyaltyBps: royaltyBps,
		Payees: []royaltiestypes.Payee{{Address: m.Author.String(), Bps: 10_000}},
	}
}

// registerOperators registers every operator with its hosts, commits one device to each, and makes it a settler of its own work.
func (m *Market) registerOperators(opts MarketOptions) error {
	for _, operator := range m.Operators {
		msgs := []sdk.Msg{
			&operatorstypes.MsgRegisterOperator{Operator: operator.String(), Moniker: operator.Name, BondUltai: opts.BondUltai},
			&receiptstypes.MsgRegisterSettler{Settler: operator.String(), Class: receiptstypes.Class_CLASS_DIRECT},
			&receiptstypes.MsgDeposit{Depositor: operator.String(), Settler: operator.String(), AmountUusdc: opts.EscrowUusdc},
		}
		for number := range opts.HostsPerOperator {
			host, err := NewHost(operator, uint64(number))
			if err != nil {
				return err
			}
			m.Hosts = append(m.Hosts, host)
			msgs = append(msgs, m.RegisterHost(host)...)
		}
		if err := m.Must(operator, msgs...); err != nil {
			return err
		}
	}
	return nil
}

// RegisterHost returns the messages that register a host and commit one device to it.
func (m *Market) RegisterHost(host *Host) []sdk.Msg {
	return []sdk.Msg{
		&operatorstypes.MsgRegisterHost{
			Operator: host.Operator.String(), PublicKey: host.PublicKey(), KeyProof: m.proof(host.key, receipt.RoleHost, host.Operator),
			Endpoint: "https://host.example", Models: []operatorstypes.HostModel{{ModelId: m.Model[:], ServedName: "base-model"}},
		},
		&operatorstypes.MsgCommitGPUs{Sender: host.Operator.String(), HostId: host.ID[:], Gpus: devices(host)},
	}
}

// devices are the one device that each host of a market has.
func devices(host *Host) []operatorstypes.GPUCommitment {
	device := sha256.Sum256(host.ID[:])
	return []operatorstypes.GPUCommitment{{Index: 0, Class: "h100-80g", MemoryMib: 81_559, DeviceHash: device[:]}}
}

// Capacity returns the signed statement of a host's devices, bound to the hash of the block at height.
func (m *Market) Capacity(host *Host, height uint64, simulated bool) (*operatorstypes.MsgSubmitCapacity, error) {
	schedule, err := m.App.Operators.Schedule(m.Context())
	if err != nil {
		return nil, err
	}
	epoch, err := schedule.Of(height)
	if err != nil {
		return nil, err
	}
	gpus := devices(host)
	nonce := receipt.CapacityNonce(m.Domain().Salt(), epoch, BlockHash(height), host.KeyAddress(), [33]byte(host.PublicKey()))
	signature := receipt.Sign(host.key, receipt.CapacityStatement(nonce, simulated, operatorstypes.StatedGPUs(gpus)))
	return &operatorstypes.MsgSubmitCapacity{
		Sender: host.Operator.String(), HostId: host.ID[:], NonceHeight: height, Simulated: simulated, Gpus: gpus, Signature: signature[:],
	}, nil
}

// registerGateways registers every gateway as its own settler with a key, and then a customer for each operator.
func (m *Market) registerGateways(opts MarketOptions) error {
	for _, gateway := range m.Gateways {
		payer, err := NewGatewayPayer(gateway)
		if err != nil {
			return err
		}
		m.Payers = append(m.Payers, payer)
		name := gateway.String()
		err = m.Must(gateway,
			&receiptstypes.MsgRegisterGateway{Gateway: name, Moniker: gateway.Name, BondUusdc: receiptstypes.DefaultParams().MinGatewayBondUusdc},
			&receiptstypes.MsgRegisterSettler{Settler: name, Gateway: name, Class: receiptstypes.Class_CLASS_ROUTED, PaysOperators: true},
			&receiptstypes.MsgDeposit{Depositor: name, Settler: name, AmountUusdc: opts.EscrowUusdc},
			&receiptstypes.MsgAddGatewayKey{
				Gateway: name, Settler: name, PublicKey: payer.key.PubKey().SerializeCompressed(),
				KeyProof: m.proof(payer.key, receipt.RoleGateway, gateway),
			},
		)
		if err != nil {
			return err
		}
	}
	for _, operator := range m.Operators {
		payer, err := NewDirectPayer(operator)
		if err != nil {
			return err
		}
		m.Payers = append(m.Payers, payer)
	}
	return nil
}
