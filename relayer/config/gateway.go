// SPDX-License-Identifier: Apache-2.0

package config

import "github.com/gpucoord/gpucoord/gateway"

// Gateway is the file of a gateway: its own configuration, and how to reach the chain.
type Gateway struct {
	gateway.Config
	// Node is a node's grpc://host:port or grpcs://host:port.
	Node string `toml:"node"`
}

// DefaultGateway returns the file that says nothing: the numbers are gateway.Default's.
func DefaultGateway() Gateway {
	return Gateway{Config: gateway.Default(), Node: "grpc://127.0.0.1:9090"}
}
