// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/relayer/chain"
)

// Names of what a demo runs, for those who drive one.
const (
	NodeProgram = "node"
	// DirectCustomer is the payer key that pays the operator South without a gateway.
	DirectCustomer = directCustomer
)

// Home is the data directory.
func (w *World) Home() string { return w.home.dir }

// Chain is a client of the demo's node.
func (w *World) Chain() *chain.Client { return w.chain }

// Domain is what the demo's receipts are signed in.
func (w *World) Domain() receipt.Domain { return w.domain }

// Address is the account of a name such as "operator-north", bech32.
//
// Errors: when nobody has the name.
func (w *World) Address(name string) (string, error) {
	a, known := w.state.Accounts[name]
	if !known {
		return "", fmt.Errorf("nobody is called %q", name)
	}
	return a.Address, nil
}

// URL is where the i-th listener of a kind is: rpc, rest, engine, host, host-admin, relayer, relayer-status, gateway, gateway-admin,
// anchorer-status, evm.
//
// Errors: when there is none.
func (w *World) URL(kind string, i int) (string, error) {
	if i < 0 || i >= len(w.state.Ports[kind]) {
		return "", fmt.Errorf("there is no listener %d of kind %q", i, kind)
	}
	return w.state.Ports.url(kind, i), nil
}

// Key reads a receipt or payer key such as "host-south" or DirectCustomer.
func (w *World) Key(name string) (*receipt.PrivateKey, error) { return w.key(name) }

// APIKey is the key of a gateway's first customer.
//
// Errors: when the gateway has none.
func (w *World) APIKey(gateway string) (string, error) {
	keys := w.apiKeys(gateway)
	if len(keys) == 0 {
		return "", fmt.Errorf("gateway %q has no customer", gateway)
	}
	return keys[0], nil
}

// AssetID is the id of one of the demo's models.
func AssetID(name string) [32]byte { return assetID(name) }

// Operators names the operators; host-… and relayer-… in place of operator-… are their programs.
func Operators() []string {
	names := make([]string, len(operators))
	for i, o := range operators {
		names[i] = o.name
	}
	return names
}

// HostOf and RelayerOf name an operator's programs.
func HostOf(operator string) string { return hostOf(operator) }

// RelayerOf names the program that relays for an operator.
func RelayerOf(operator string) string { return relayerOf(operator) }

// WaitServes returns when a host or relayer that was restarted answers again.
func (w *World) WaitServes(ctx context.Context, name string) error {
	for i, o := range operators {
		switch name {
		case hostOf(o.name):
			return w.waitServes(ctx, name, w.state.Ports.url("host", i)+"/healthz")
		case relayerOf(o.name):
			return w.waitServes(ctx, name, w.state.Ports.url("relayer-status", i)+"/status")
		}
	}
	if name == NodeProgram {
		return w.waitHeight(ctx, 2)
	}
	return fmt.Errorf("no host or relayer is called %q", name)
}

// BuiltinTrace returns n requests of the built-in trace.
func BuiltinTrace(n int) []Request { return builtinTrace(n) }
